"""Images, pods and the compose file for real, with podman. Everything made is removed again; the
layers stay, as podman's cache.

Debian's image is pulled where that works. Where it does not, debootstrap makes one from the apt
sources of this machine, which then also serve the builds; nothing of them gets into the images'
configuration or the repository. BASE_IMAGE=… takes another. PostgreSQL's image is pulled likewise,
or built of Debian's packages (stand-ins/), as a registry to push to is.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import manifests  # noqa: E402 - from the folder above

DEBIAN = "docker.io/library/debian:bookworm-slim"
STAND_IN = "localhost/debian-stand-in:bookworm"
STAND_INS = Path(__file__).parent / "stand-ins"
REGISTRY = "localhost/shop-test"
VERSION = "under-test"
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
IN_BUILD_CA = "/usr/local/share/build-ca.crt"


def run(*command, check=True, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if check and done.returncode != 0:
        pytest.fail(f"{' '.join(map(str, command))}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
    return done


def podman(*arguments, **options):
    return run("podman", *arguments, **options)


def helper(name):
    """A program that podman uses and its package only recommends."""
    roots = ("/usr/libexec", "/usr/lib", "/usr/local/libexec", "/usr/local/lib")
    folders = [f"{root}/{folder}" for root in roots for folder in ("podman", "cni")]
    return shutil.which(name, path=os.pathsep.join([*folders, "/opt/cni/bin", os.environ["PATH"]]))


def missing():
    """Why nothing here can run, or None."""
    if not shutil.which("podman"):
        return "needs podman: apt-get install podman buildah runc podman-compose debootstrap"
    if not helper("catatonit"):
        return "needs what holds pods together: apt-get install catatonit"
    backend = podman("info", "-f", "{{.Host.NetworkBackend}}", check=False).stdout.strip()
    if not helper({"cni": "dnsname"}.get(backend, "aardvark-dns")):
        return "needs names in podman's networks: apt-get install netavark aardvark-dns"
    if os.geteuid() != 0:
        return "needs root, as the pods' addresses are asked directly"
    return None


def pytest_collection_modifyitems(items):
    reason = missing()
    if reason:
        for item in items:
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session", autouse=True)
def runtime(tmp_path_factory):
    """runc, and limits it can set, for podman on machines whose crun or limits do not work."""
    if "CONTAINERS_CONF" in os.environ or not shutil.which("runc"):
        yield
        return
    path = tmp_path_factory.mktemp("podman") / "containers.conf"
    path.write_text(
        '[engine]\nruntime = "runc"\n'
        '[containers]\ndefault_ulimits = ["nofile=20000:20000", "nproc=30000:30000"]\n'
    )
    os.environ["CONTAINERS_CONF"] = str(path)
    yield
    del os.environ["CONTAINERS_CONF"]


def debootstrap():
    """Debian's base system from wherever this machine gets its packages."""
    if not shutil.which("debootstrap"):
        pytest.skip(f"cannot pull {DEBIAN}, and there is no debootstrap to make a stand-in with")
    lines = run("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)").stdout.splitlines()
    mirrors = [line.split()[0] for line in lines if line.split()[1:] == ["bookworm"]]
    if not mirrors:
        pytest.skip(f"cannot pull {DEBIAN}, and this machine has no apt source of bookworm")
    # TemporaryDirectory must not follow what debootstrap leaves mounted.
    folder = tempfile.mkdtemp(prefix="debian-")
    try:
        run("debootstrap", "--variant=minbase", "bookworm", folder, mirrors[0])
        shutil.rmtree(f"{folder}/var/lib/apt/lists")
        for package in Path(f"{folder}/var/cache/apt/archives").glob("*.deb"):
            package.unlink()
        run(
            "sh", "-c",
            f"tar -C '{folder}' -c . | podman import --change "
            f"'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - {STAND_IN}",
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def base_image():
    if "BASE_IMAGE" in os.environ:
        return os.environ["BASE_IMAGE"]
    if podman("image", "exists", STAND_IN, check=False).returncode == 0:
        return STAND_IN
    if podman("pull", "--quiet", DEBIAN, check=False).returncode == 0:
        return DEBIAN
    debootstrap()
    return STAND_IN


def build_mounts(folder):
    """Options that lend this machine's package sources to a build."""
    mounts = {}
    for path in Path("/etc/apt/sources.list.d").glob("*.sources"):
        if "bookworm" in path.read_text():
            mounts[path] = path
    if Path("/etc/apt/sources.list").exists():
        mounts["/etc/apt/sources.list"] = "/etc/apt/sources.list"
    for path in Path("/etc/apt/apt.conf.d").iterdir():
        if "Acquire::" in path.read_text():
            mounts[path] = path
    npmrc = folder / "npmrc"
    user = Path.home() / ".npmrc"
    npmrc.write_text((user.read_text() if user.exists() else "") + f"\ncafile={IN_BUILD_CA}\n")
    mounts[npmrc] = "/root/.npmrc"
    mounts[CA_BUNDLE] = IN_BUILD_CA
    options = ["--network", "host"]
    for outside, inside in mounts.items():
        options += ["--volume", f"{outside}:{inside}:ro"]
    return options


@pytest.fixture(scope="session")
def build_options(base_image, tmp_path_factory):
    """Options for whatever is built upon base_image."""
    return build_mounts(tmp_path_factory.mktemp("build")) if base_image == STAND_IN else []


@pytest.fixture(scope="session")
def build_environment(base_image, build_options):
    """Settings for make images and scripts/images.sh."""
    return os.environ | {
        "ENGINE": "podman",
        "REGISTRY": REGISTRY,
        "VERSION": VERSION,
        "BASE_IMAGE": base_image,
        "BUILD_OPTIONS": " ".join(build_options),
    }


@pytest.fixture(scope="session")
def images(build_environment):
    """The names of the three images."""
    run("make", "images", env=build_environment, cwd=manifests.ROOT)
    names = {service: f"{REGISTRY}/{service}-service" for service in manifests.SERVICES}
    yield {service: f"{name}:{VERSION}" for service, name in names.items()}
    for name in names.values():
        podman("rmi", f"{name}:{VERSION}", f"{name}:latest", check=False)


def build_stand_in(name, base_image, options):
    image = f"{REGISTRY}/{name}-stand-in:latest"
    podman(
        "build", "--format", "docker", *options, "--build-arg", f"BASE_IMAGE={base_image}",
        "-f", str(STAND_INS / f"{name}.containerfile"), "-t", image, str(STAND_INS),
    )
    return image


@pytest.fixture(scope="session")
def postgres_image(base_image, build_options):
    """The name of PostgreSQL's image in the manifest and the compose file."""
    official = manifests.postgres_image()
    if podman("pull", "--quiet", official, check=False).returncode == 0:
        yield official
        return
    image = build_stand_in("postgres", base_image, build_options)
    yield image
    podman("rmi", image, check=False)


@pytest.fixture(scope="session")
def registry_image(base_image, build_options):
    image = build_stand_in("registry", base_image, build_options)
    yield image
    podman("rmi", image, check=False)


@pytest.fixture(scope="module")
def network():
    name = f"shop-test-{uuid.uuid4().hex[:8]}"
    podman("network", "create", name)
    yield name
    podman("network", "rm", "-f", name)


@pytest.fixture(scope="module")
def provider(images):
    """One of tokens, which nobody has started yet."""
    from access import Provider  # which needs this module

    provider = Provider(images["product"])
    yield provider
    provider.remove()


@pytest.fixture
def container():
    """container(image, *arguments, options=[…]): its id; removed with the test."""
    with contextlib.ExitStack() as stack:

        def start(image, *arguments, options=()):
            name = podman("run", "-d", *options, image, *arguments).stdout.split()[-1]
            stack.callback(podman, "rm", "-f", "-v", "-t", "0", name, check=False)
            return name

        yield start
