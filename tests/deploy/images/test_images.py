"""What is in the images, and how they behave on their own."""

import datetime
import json
import re
import time

import manifests
import pytest
from conftest import VERSION, podman, run

SERVICES = manifests.SERVICES
# New volumes get the owner that the image gives the folder.
VOLUMES = ["--volume=/run/app", "--volume=/data"]


@pytest.fixture(params=SERVICES)
def service(request):
    return request.param


def shell(image, command):
    return podman("run", "--rm", "--entrypoint", "sh", image, "-c", command).stdout


def test_labels_user_and_signal(images, service):
    image = json.loads(podman("image", "inspect", images[service]).stdout)[0]
    config = image["Config"]
    labels = {k.removeprefix("org.opencontainers.image."): v for k, v in config["Labels"].items()}
    assert labels["title"] == f"{service}-service"
    assert labels["revision"] == VERSION
    assert config["User"] == "10001:10001"
    assert config["StopSignal"] in ("SIGTERM", "15")
    assert image["Healthcheck"]["Test"][:2] == ["CMD", "health"]


def test_user_has_a_name(images, service):
    assert shell(images[service], "id -un; id -u").split() == ["shop", "10001"]


def test_nothing_to_build_with_is_inside(images, service):
    found = shell(
        images[service],
        "for tool in gcc cc make git curl npm node; do command -v $tool; done; "
        "find / -xdev -type f \\( -name '*.h' -o -name '*.a' -o -name '*.debug' \\); "
        "find /var/lib/apt/lists /var/cache /var/log -mindepth 1 -type f",
    )
    assert found == ""


def test_size(images, base_image, service):
    """Debian's base, and on top of it what the README says."""
    sizes = [
        json.loads(podman("image", "inspect", image).stdout)[0]["Size"]
        for image in (images[service], base_image)
    ]
    print(f"{service}: {sizes[0] / 1e6:.1f} MB, {(sizes[0] - sizes[1]) / 1e6:.1f} MB of them its own")
    stated = re.search(r"\(Debian plus (\d+) MB", (manifests.ROOT / "README.md").read_text())
    assert abs(sizes[0] - sizes[1] - int(stated[1]) * 1e6) < 1e6


def test_binary_is_stripped_and_its_symbols_are_kept(images, service, tmp_path):
    binary = tmp_path / "service"
    name = podman("create", images[service]).stdout.strip()
    podman("cp", f"{name}:/usr/local/bin/service", str(binary))
    podman("rm", name)
    symbols = manifests.ROOT / f"build/symbols/{service}-service.debug"
    sections = run("readelf", "-WS", str(binary)).stdout
    assert ".gnu_debuglink" in sections
    assert ".symtab" not in sections and ".debug_info" not in sections
    assert ".debug_info" in run("readelf", "-WS", str(symbols)).stdout
    build_ids = [
        [line for line in run("readelf", "-n", str(file)).stdout.splitlines() if "Build ID" in line]
        for file in (binary, symbols)
    ]
    assert build_ids[0] == build_ids[1] and build_ids[0]


def await_health(name, healthy):
    command = ("exec", name, "health", "fastcgi", "/run/app/worker.sock", "/readyz")
    for _ in range(100):
        if (podman(*command, check=False).returncode == 0) == healthy:
            return True
        time.sleep(0.05)
    return False


def test_worker_is_healthy_drains_and_ends_well(images, service, container):
    name = container(images[service], options=["--read-only", "-e", "AUTH=off", *VOLUMES])
    assert await_health(name, True), podman("logs", name).stderr
    assert podman(
        "exec", name, "health", "fastcgi", "/run/app/worker.sock", "/nowhere", check=False
    ).returncode == 1
    podman("stop", "-t", "10", name)
    assert podman("inspect", "-f", "{{.State.ExitCode}}", name).stdout.strip() == "0"
    assert '"stopped"' in podman("logs", name).stderr


@pytest.mark.parametrize("signal", ["TERM", "QUIT", "INT"])
@pytest.mark.parametrize("role", ["nginx", "gateway"])
def test_nginx_ends_well_on_every_signal(images, container, role, signal):
    """Engines send the image's signal, which is the worker's; nginx would drop requests in flight."""
    addresses = [f"--env={s.upper()}_ADDRESS=127.0.0.1" for s in SERVICES]
    name = container(images["cart"], role, options=["--read-only", *VOLUMES, *addresses])
    port = {"nginx": "8000", "gateway": "8080"}[role]
    for _ in range(100):
        done = podman("exec", name, "health", "http", port, "/", check=False)
        if "refused" not in done.stderr:
            break
        time.sleep(0.05)
    assert "/ is not ready" in done.stderr, "it answers: nothing is behind it"
    podman("kill", "--signal", signal, name)
    assert podman("wait", name).stdout.strip() == "0"


def test_a_second_build_makes_the_same_layers(images, build_environment, build_options):
    """Built from the same packages, without a cache, and configured alike. (The id differs: podman
    writes the intermediate images' ids into the history.)"""
    again = f"{build_environment['REGISTRY']}/again:latest"
    first = json.loads(podman("image", "inspect", images["product"]).stdout)[0]
    # Commits may have been made since.
    created = f'{datetime.datetime.fromisoformat(first["Created"]).timestamp():.0f}'
    source = first["Config"]["Labels"]["org.opencontainers.image.source"]
    try:
        podman(
            "build", "--no-cache", "--format", "docker", "--timestamp", created, *build_options,
            "--build-arg", f"BASE_IMAGE={build_environment['BASE_IMAGE']}",
            "--build-arg", f"SOURCE_DATE_EPOCH={created}",
            "--build-arg", f"VERSION={VERSION}", "--build-arg", f"SOURCE_URL={source}",
            "-f", "Dockerfile.product", "-t", again, ".", cwd=manifests.ROOT,
        )
        second = json.loads(podman("image", "inspect", again).stdout)[0]
    finally:
        podman("rmi", again, check=False)
    assert first["RootFS"]["Layers"] == second["RootFS"]["Layers"]
    assert first["Config"] == second["Config"]
    assert first["Created"] == second["Created"]


@pytest.mark.parametrize(
    ("arguments", "setting", "words"),
    [
        (["worker"], "CURRENCY=gold", "CURRENCY"),
        (["worker"], "DATABASE_URL=mysql://x", "DATABASE_URL"),
        (["nginx"], "RATE_LIMIT_RPS=many", "RATE_LIMIT_RPS"),
        (["gateway"], "CART_ADDRESS=a b", "CART_ADDRESS"),
        ([], "A=b", None),
        (["sidecar"], "A=b", "usage"),
    ],
)
def test_a_bad_setting_or_role_stops_the_start(images, container, arguments, setting, words):
    name = container(images["cart"], *arguments, options=["-e", "AUTH=off", "-e", setting])
    if words is None:
        assert await_health(name, True)
        return
    code = podman("wait", name).stdout.strip()
    assert code != "0"
    assert words in podman("logs", name).stderr


def test_a_worker_is_told_whether_to_ask_who_calls(images, service, container):
    """No image says so: neither is the other taken for granted."""
    name = container(images[service], options=VOLUMES)
    assert podman("wait", name).stdout.strip() != "0"
    logged = podman("logs", name).stderr
    assert "AUTH=" in logged and "jwt, or off, which lets everybody do everything" in logged


@pytest.mark.parametrize(
    ("role", "issuer"),
    [("worker", ""), ("worker", "http://id.example.com"), ("nginx", "http://id.example.com")],
)
def test_a_worker_that_asks_is_told_whose_tokens_count(images, service, container, role, issuer):
    """So is its sidecar, but without an issuer that has nothing to fetch."""
    settings = [f"--env={setting}" for setting in ("AUTH=jwt", f"AUTH_ISSUER={issuer}")]
    name = container(images[service], role, options=[*settings, *VOLUMES])
    assert podman("wait", name).stdout.strip() != "0"
    assert "AUTH_ISSUER=" in podman("logs", name).stderr


def test_healthcheck_fails_where_nothing_listens(images):
    for arguments in (["fastcgi", "/run/app/worker.sock", "/readyz"], ["http", "9200", "/readyz"]):
        done = podman("run", "--rm", "--entrypoint", "health", images["order"], *arguments, check=False)
        assert done.returncode == 1
        assert "health" in done.stderr
