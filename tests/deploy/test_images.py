"""Dockerfiles, the compose files and the build context, without building."""

import re
import shutil
import subprocess

import manifests
import pytest

COMPOSE = next(manifests.parse((manifests.ROOT / "docker-compose.yml").read_text()))
SERVICES = COMPOSE["services"]
ON_POSTGRES = next(manifests.parse((manifests.ROOT / "docker-compose.postgres.yml").read_text()))
WITH_AUTH = next(manifests.parse((manifests.ROOT / "docker-compose.auth.yml").read_text()))
# What docker/make-keys.sh makes.
KEYS = {"guest-keys", "service-keys", "order"}
PORTS = {"product": 8001, "cart": 8002, "order": 8003}
# Who shares a network with whom, besides what only leads to a published port.
EDGES = {
    "cart-product": {"cart-worker", "product"},
    "order-product": {"order-worker", "product"},
    "order-cart": {"order-worker", "cart"},
    "product-database": {"product-worker", "postgres"},
    "cart-database": {"cart-worker", "postgres"},
    "order-database": {"order-worker", "postgres"},
}


def merged():
    """Both files, as "-f … -f …" merges them."""

    def put(below, above):
        if isinstance(below, dict):
            return below | {k: put(below[k], v) if k in below else v for k, v in above.items()}
        return below + above if isinstance(below, list) else above

    return put(COMPOSE, ON_POSTGRES)


def dockerfile(service):
    return (manifests.ROOT / f"Dockerfile.{service}").read_text()


def test_dockerfiles_differ_in_the_name_only():
    texts = {re.sub(rf"\b{service}\b", "@", dockerfile(service)) for service in manifests.SERVICES}
    assert len(texts) == 1


@pytest.mark.parametrize("service", manifests.SERVICES)
def test_dockerfile(service):
    text = dockerfile(service)
    assert text.count("ARG BASE_IMAGE=docker.io/library/debian:bookworm-slim\n") == 1
    bases = re.findall(r"^FROM (\S+)", text, re.M)
    assert set(bases) == {"${BASE_IMAGE}", "scratch"}, "no other image is pulled"
    assert re.search(r"^USER 10001:10001$", text, re.M)
    assert re.search(r"^STOPSIGNAL SIGTERM$", text, re.M)
    for key in ("title", "description", "licenses", "source", "revision", "version"):
        assert f"org.opencontainers.image.{key}=" in text


@pytest.mark.parametrize("service", manifests.SERVICES)
def test_what_runs_has_modes_of_its_own(service):
    """Not the modes of the sources, which a umask of 077 would make unreadable for the image's user."""
    runtime = dockerfile(service).partition(" AS runtime\n")[2]
    assert re.findall(r"^(?:COPY|ADD) (?!--from=build )", runtime, re.M) == []
    assert "COPY --from=build" in runtime


def test_layers_are_cached_for_their_time_only():
    """Files get the commit's time, so cached files of another commit are a different layer."""
    stage = dockerfile("product").partition(" AS runtime\n")[2]
    before = stage.partition("\nRUN ")[0].splitlines()
    assert "ARG SOURCE_DATE_EPOCH" in before


def test_copied_files_are_in_the_context():
    ignored = (manifests.ROOT / ".dockerignore").read_text().split("\n")
    assert "*" in ignored
    allowed = [line[1:] for line in ignored if line.startswith("!")]
    for source in re.findall(r"^COPY (?!--from)(\S+)", dockerfile("product"), re.M):
        assert (manifests.ROOT / source).exists()
        assert any(source == entry or source.startswith(f"{entry}/") for entry in allowed), source


def test_the_makefile_needs_nothing_from_outside_the_context():
    """Images are built without the tests, so a file of theirs must be optional."""
    ignored = (manifests.ROOT / ".dockerignore").read_text().split("\n")
    needed = re.findall(r"^include (\S+)", (manifests.ROOT / "Makefile").read_text(), re.M)
    assert [name for name in needed if f"!{name}" not in ignored] == []


def test_each_service_listens_where_it_is_said_to():
    for service, port in PORTS.items():
        assert SERVICES[service]["ports"] == [
            f"${{BIND_ADDRESS:-127.0.0.1}}:${{{service.upper()}_PORT:-{port}}}:8000"
        ]
    assert SERVICES["gateway"]["ports"] == ["${BIND_ADDRESS:-127.0.0.1}:${GATEWAY_PORT:-8080}:8080"]


def test_each_sidecar_knows_its_prefix_at_the_gateway():
    """Without it there are no documentation pages behind the gateway."""
    for service in manifests.SERVICES:
        assert SERVICES[service]["environment"]["ROOT_PATH"] == f"/{service}s"


def test_compose_builds_what_the_dockerfiles_ask_for():
    for name, service in SERVICES.items():
        text = (manifests.ROOT / service["build"]["dockerfile"]).read_text()
        title = re.search(r'image.title="([a-z-]+)"', text)[1]
        assert f"/{title}:" in service["image"]
        assert set(service["build"]["args"]) <= set(re.findall(r"^ARG ([A-Z_]+)=", text, re.M))
        base = re.search(r"^ARG BASE_IMAGE=(\S+)", text, re.M)[1]
        assert service["build"]["args"]["BASE_IMAGE"] == f"${{BASE_IMAGE:-{base}}}"


@pytest.mark.parametrize("services", [SERVICES, merged()["services"]], ids=["sqlite", "postgres"])
def test_each_service_runs_once(services):
    assert {name for name in services if "-worker" in name} == {f"{s}-worker" for s in manifests.SERVICES}
    for service in manifests.SERVICES:
        worker, sidecar = services[f"{service}-worker"], services[service]
        assert worker["command"] == ["worker"] and sidecar["command"] == ["nginx"]
        assert worker["image"] == sidecar["image"]
        assert f"{service}-socket:/run/app" in worker["volumes"]
        assert f"{service}-socket:/run/app" in sidecar["volumes"]
    for service in services.values():
        assert "profiles" not in service, "podman-compose does not agree on them"
        assert set(service.get("depends_on", [])) <= set(services)


def test_the_second_file_changes_the_database_only():
    assert set(ON_POSTGRES["services"]) - set(SERVICES) == {"postgres"}
    for service in manifests.SERVICES:
        changed = ON_POSTGRES["services"][f"{service}-worker"]
        assert set(changed) <= {"environment", "networks", "depends_on"}
        (url,) = changed["environment"].values()
        assert re.fullmatch(rf"postgresql://{service}:\$\{{{service.upper()}_PASSWORD:\?[^}}]+\}}@postgres/{service}", url)


def test_a_network_is_an_edge():
    compose = merged()
    members = {}
    for name, service in compose["services"].items():
        for network in service["networks"]:
            members.setdefault(network, set()).add(name)
    published = {name for name, service in compose["services"].items() if "ports" in service}
    assert members == EDGES | {name: {name} for name in published} | {
        "product": {"product"}, "cart": {"cart"}, "order": {"order"},
    }
    assert {name for name, network in compose["networks"].items() if (network or {}).get("internal")} == set(EDGES)


def test_versions_of_podman_compose_understand_every_variable():
    """1.0.3 leaves ${NAME:-} as it is."""
    for file in ("docker-compose.yml", "docker-compose.postgres.yml", "docker-compose.auth.yml"):
        assert not re.search(r"\$\{\w+:?-\}", (manifests.ROOT / file).read_text())


def test_passwords_are_made_once_and_kept(tmp_path):
    copy = tmp_path / "docker/make-passwords.sh"
    copy.parent.mkdir()
    shutil.copy(manifests.ROOT / "docker/make-passwords.sh", copy)
    settings = tmp_path / ".env"
    # As an editor or a hand may leave it.
    settings.write_text("PRODUCT_PASSWORD=\nCART_PASSWORD=mine")
    settings.chmod(0o644)
    texts = []
    for _ in range(2):
        subprocess.run([copy], check=True, cwd="/")
        texts.append(settings.read_text())
    assert texts[0] == texts[1]
    assert settings.stat().st_mode & 0o777 == 0o600
    found = dict(line.split("=") for line in texts[0].splitlines())
    assert set(found) == {f"{service.upper()}_PASSWORD" for service in manifests.SERVICES}
    assert found.pop("CART_PASSWORD") == "mine"
    assert len(set(found.values())) == 2
    assert all(re.fullmatch("[0-9a-f]{48}", password) for password in found.values())
    settings.unlink()
    subprocess.run([copy], check=True, cwd="/")
    assert settings.stat().st_mode & 0o777 == 0o600
    assert found["PRODUCT_PASSWORD"] not in settings.read_text()


def test_passwords_are_not_in_the_repository():
    ignored = subprocess.run(["git", "check-ignore", "-q", ".env"], cwd=manifests.ROOT, check=False)
    assert ignored.returncode == 0


def test_keys_are_made_once_and_kept(tmp_path):
    for path in ("docker/make-keys.sh", "scripts/make-keys.sh"):
        (tmp_path / path).parent.mkdir()
        shutil.copy(manifests.ROOT / path, tmp_path / path)
    folder = tmp_path / "var/keys"
    texts = []
    for _ in range(2):
        subprocess.run([tmp_path / "docker/make-keys.sh"], check=True, cwd="/", umask=0o077)
        texts.append({str(f.relative_to(folder)): f.read_text() for f in folder.rglob("*") if f.is_file()})
    assert texts[0] == texts[1]
    assert folder.stat().st_mode & 0o777 == 0o700
    # The user of a container is another.
    assert all(f.stat().st_mode & 0o004 for f in folder.rglob("*"))
    assert texts[0]["service-keys"].split() == ["order", texts[0]["order/cart"].strip()]
    assert texts[0]["order/cart"] == texts[0]["order/product"] != texts[0]["guest-keys"]
    assert all(re.fullmatch("(?:order )?[0-9a-f]{64}\n", text) for text in texts[0].values())
    assert KEYS <= {str(f.relative_to(folder)) for f in folder.iterdir()}


@pytest.mark.parametrize("name", ["guest-keys", "service-keys"])
def test_a_key_that_found_no_place_is_made_again(tmp_path, name):
    """What the shell leaves where the disk is full."""
    (tmp_path / name).touch()
    subprocess.run([manifests.ROOT / "scripts/make-keys.sh", tmp_path], check=True)
    assert re.fullmatch("(?:order )?[0-9a-f]{64}\n", (tmp_path / name).read_text())


def test_keys_are_lent_to_who_needs_them():
    needed = {"product": ["SERVICE_KEYS"], "cart": ["GUEST_KEYS", "SERVICE_KEYS"], "order": ["GUEST_KEYS", "SERVICE_TOKENS"]}
    for service, names in needed.items():
        worker = WITH_AUTH["services"][f"{service}-worker"]
        lent = dict(volume.removesuffix(":ro").split(":")[::-1] for volume in worker["volumes"])
        settings = {name: value for name, value in worker["environment"].items() if name in names}
        assert set(settings) == set(names) and set(settings.values()) == set(lent)
        assert set(lent.values()) <= {f"./var/keys/{name}" for name in KEYS}


def test_data_and_sockets_are_in_declared_volumes():
    compose = merged()
    services = compose["services"].values()
    used = {v.split(":")[0] for s in services for v in s.get("volumes", []) if v[0] != "."}
    assert used == set(compose["volumes"])
    for service in manifests.SERVICES:
        url = SERVICES[f"{service}-worker"]["environment"]["DATABASE_URL"]
        folder = url.removeprefix("sqlite:///").rpartition("/")[0]
        assert f"{service}-data:{folder}" in SERVICES[f"{service}-worker"]["volumes"]


def test_the_gateway_asks_where_sidecars_listen():
    """At a socket of its own, whose clients are trusted about the client's address."""
    for service in manifests.SERVICES:
        listens = SERVICES[service]["environment"]["TRUSTED_PROXIES"].removeprefix("unix:")
        asks = SERVICES["gateway"]["environment"][f"{service.upper()}_ADDRESS"].removeprefix("unix:")
        folders = [path.rpartition("/")[0] for path in (listens, asks)]
        assert f"{service}-edge:{folders[0]}" in SERVICES[service]["volumes"]
        assert f"{service}-edge:{folders[1]}" in SERVICES["gateway"]["volumes"]
        assert listens.rpartition("/")[2] == asks.rpartition("/")[2]
        others = [name for name in SERVICES if name not in (service, "gateway")]
        assert not any(v.startswith(f"{service}-edge:") for n in others for v in SERVICES[n].get("volumes", []))
        text = dockerfile(service)
        assert re.search(rf"install -d -o 10001 .* {folders[0]}\b", text), "volumes get that folder's owner"


def test_siblings_are_services_of_the_file():
    for name, service in SERVICES.items():
        for key, value in service["environment"].items():
            if key.endswith("_SERVICE_URL"):
                assert re.fullmatch(r"http://(product|cart|order):9000", value), name


def test_stop_leaves_time_to_drain():
    for name, service in SERVICES.items():
        kind = "gateway" if name == "gateway" else "sidecar"
        (drain,) = manifests.nginx_seconds(kind, "worker_shutdown_timeout")
        assert int(service["stop_grace_period"].removesuffix("s")) > drain


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, "usage"),
        (["sidecar"], 2, "usage"),
        (["await-sidecar"], 2, "seconds"),
        (["await-sidecar", "1"], 0, ""),
    ],
)
def test_entrypoint(arguments, status, words, tmp_path):
    done = subprocess.run(
        [manifests.ROOT / "docker/entrypoint.sh", *arguments],
        env={"PATH": "/usr/bin:/bin", "WORKER_SOCKET": str(tmp_path / "worker.sock")},
        capture_output=True, text=True, check=False,
    )
    assert done.returncode == status
    assert words in done.stderr


def test_a_worker_waits_for_its_sidecar_within_bounds(tmp_path):
    marker = tmp_path / "sidecar.running"
    marker.touch()
    command = [manifests.ROOT / "docker/entrypoint.sh", "await-sidecar"]
    environment = {"PATH": "/usr/bin:/bin", "WORKER_SOCKET": str(tmp_path / "worker.sock")}
    with pytest.raises(subprocess.TimeoutExpired):
        subprocess.run([*command, "30"], env=environment, timeout=0.5, check=False)
    assert subprocess.run([*command, "1"], env=environment, timeout=60, check=False).returncode == 0
    waiting = subprocess.Popen([*command, "300"], env=environment)
    marker.unlink()
    assert waiting.wait(timeout=60) == 0
