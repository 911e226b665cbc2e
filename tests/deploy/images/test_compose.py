"""docker-compose.yml under podman-compose, on SQLite and on PostgreSQL: it sells something, from
search to delivery, and keeps it. PODMAN_COMPOSE=… runs another one than Debian's."""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid

import manifests
import pytest
import yaml
from conftest import REGISTRY, VERSION, podman

FILES = {
    "sqlite": ["docker-compose.yml"],
    "postgres": ["docker-compose.yml", "docker-compose.postgres.yml"],
    "auth": ["docker-compose.yml", "docker-compose.auth.yml"],
}
PROGRAM = shlex.split(os.environ.get("PODMAN_COMPOSE", "podman-compose"))
# Who asks whom. The gateway asks the sidecars at their sockets.
CALLS = {
    "cart-worker": {"product"},
    "order-worker": {"product", "cart"},
}


def services_of(store):
    found = {}
    for file in FILES[store]:
        found |= yaml.safe_load((manifests.ROOT / file).read_text())["services"]
    return list(found)


def free_ports(names):
    sockets = {name: socket.socket() for name in names}
    for opened in sockets.values():
        opened.bind(("127.0.0.1", 0))
    ports = {name: str(opened.getsockname()[1]) for name, opened in sockets.items()}
    for opened in sockets.values():
        opened.close()
    return ports


class Project:
    def __init__(self, store, environment, *more_files):
        self.name = f"shop-test-{uuid.uuid4().hex[:8]}"
        self.store = store
        self.files = [*FILES[store], *map(str, more_files)]
        self.services = services_of(store)
        self.environment = environment

    def compose(self, *arguments):
        files = [word for file in self.files for word in ("-f", file)]
        return subprocess.run(
            [*PROGRAM, "-p", self.name, *files, *arguments],
            cwd=manifests.ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )

    def up(self):
        done = self.compose("up", "-d", "--no-build")
        assert done.returncode == 0, done.stdout + done.stderr

    def container(self, service):
        """Its id. Versions differ in how they name it."""
        labels = {"project": self.name, "service": service}
        filters = [f"--filter=label=com.docker.compose.{name}={value}" for name, value in labels.items()]
        (found,) = podman("ps", "-a", "-q", *filters).stdout.split()
        return found

    def await_health(self):
        deadline = time.monotonic() + 90
        waiting = self.services
        while waiting:
            assert time.monotonic() < deadline, f"not healthy: {waiting}\n{self.logs(waiting)}"
            # podman runs no health checks where there is no systemd.
            waiting = [
                service
                for service in waiting
                if podman("healthcheck", "run", self.container(service), check=False).returncode
            ]

    def reaches(self, service, address, port):
        script = f"exec 3<>/dev/tcp/{address}/{port}"
        command = ("exec", self.container(service), "timeout", "2", "bash", "-c", script)
        return podman(*command, check=False).returncode == 0

    def remove(self):
        self.compose("down", "-v", "-t", "10")
        # podman-compose leaves these.
        networks = podman("network", "ls", "-q", "--filter", f"label=com.docker.compose.project={self.name}")
        for network in networks.stdout.split():
            podman("network", "rm", "-f", network, check=False)

    def logs(self, services):
        found = [podman("logs", "--tail", "20", self.container(s), check=False) for s in services]
        return "\n".join(done.stdout + done.stderr for done in found)

    def url(self, service, path):
        return f"http://127.0.0.1:{self.environment[f'{service.upper()}_PORT']}{path}"


def own_environment():
    """With ports that are free, and the images under test."""
    if not shutil.which(PROGRAM[0]):
        pytest.skip("needs podman-compose: apt-get install podman-compose")
    ports = free_ports([f"{s.upper()}_PORT" for s in (*manifests.SERVICES, "gateway")])
    return os.environ | ports | {"DOCKER_REGISTRY": REGISTRY, "IMAGE_TAG": VERSION}


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def project(request, images, postgres_image):
    environment = own_environment() | {"POSTGRES_IMAGE": postgres_image}
    if request.param == "postgres":
        # Instead of .env, which is the developer's.
        environment |= {f"{service.upper()}_PASSWORD": uuid.uuid4().hex for service in manifests.SERVICES}
    found = Project(request.param, environment)
    try:
        found.up()
        found.await_health()
        yield found
    finally:
        found.remove()


def get(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return json.load(answer)


def test_each_sidecar_is_published(project):
    for service in manifests.SERVICES:
        assert get(project.url(service, "/openapi.json"))["openapi"]
        with pytest.raises(urllib.error.HTTPError, match="404"):
            get(project.url(service, "/readyz"))


def test_each_service_explains_itself_at_the_gateway(project):
    for service in manifests.SERVICES:
        assert get(project.url("gateway", f"/{service}s/openapi.json"))["openapi"]


def test_containers_are_locked_in(project):
    for service in project.services:
        found = json.loads(podman("inspect", project.container(service)).stdout)[0]
        assert found["HostConfig"]["ReadonlyRootfs"] is True, service
        assert found["EffectiveCaps"] in (None, []), service
        user = podman("exec", project.container(service), "id", "-u").stdout.strip()
        assert user == ("999" if service == "postgres" else "10001")


def test_who_is_not_to_call_cannot(project):
    for service in project.services:
        reached = {name for name in manifests.SERVICES if project.reaches(service, name, 9000)}
        assert reached - {service} == CALLS.get(service, set()), service
        if project.store == "postgres":
            allowed = service.endswith("-worker") or service == "postgres"
            assert project.reaches(service, "postgres", 5432) == allowed, service


def test_a_worker_gets_no_further_than_its_networks(project):
    """Also where it knows an address."""
    networks = json.loads(podman("inspect", project.container("order")).stdout)[0]["NetworkSettings"]["Networks"]
    (address,) = {network["IPAddress"] for network in networks.values()}
    assert project.reaches("order", address, 9000)
    for service in manifests.SERVICES:
        assert not project.reaches(f"{service}-worker", address, 9000)


def client_addresses(project, service, request_id):
    log = podman("logs", project.container(service)).stdout.splitlines()
    entries = [json.loads(line) for line in log if request_id in line]
    return {entry["client.address"] for entry in entries}


def test_the_gateway_alone_tells_who_the_client_is(project):
    headers = {"X-Forwarded-For": "203.0.113.9"}
    get(project.url("product", "/products"), **headers, **{"X-Request-ID": "at-the-port"})
    assert "203.0.113.9" not in client_addresses(project, "product", "at-the-port")
    get(project.url("gateway", "/products"), **headers, **{"X-Request-ID": "at-the-gateway"})
    (seen,) = client_addresses(project, "gateway", "at-the-gateway")
    assert seen not in ("203.0.113.9", "unix:")
    assert client_addresses(project, "product", "at-the-gateway") == {seen}


def test_a_role_reaches_its_own_database_only(project):
    if project.store != "postgres":
        pytest.skip("files")
    for role in manifests.SERVICES:
        password = project.environment[f"{role.upper()}_PASSWORD"]
        for name in (*manifests.SERVICES, "postgres", "template1"):
            done = podman(
                "exec", project.container("postgres"), "psql", "-X", "-w", "-At", "-c", "SELECT 1",
                f"postgresql://{role}:{password}@postgres/{name}", check=False,
            )
            assert (done.returncode == 0) == (name == role), f"{role} in {name}: {done.stderr}"
            assert role == name or "permission denied" in done.stderr
    for url in ("postgresql://product:wrong@postgres/product", "postgresql://postgres@postgres/postgres"):
        done = podman("exec", project.container("postgres"), "psql", "-X", "-w", "-c", "", url, check=False)
        assert done.returncode != 0


def test_it_sells(project):
    catalogue = (manifests.ROOT / "scripts/catalogue.ndjson").read_bytes()
    headers = {"Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(project.url("gateway", "/products/bulk"), catalogue, headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200
    demo = subprocess.run(
        ["make", "demo", f"PYTHON={sys.executable}"],
        cwd=manifests.ROOT, env=project.environment, capture_output=True, text=True, check=False,
    )
    assert demo.returncode == 0, demo.stdout[-3000:] + demo.stderr
    assert "Everything went as promised." in demo.stdout


def test_data_outlives_the_containers(project):
    url = project.url("gateway", "/orders?limit=5")
    before = get(url)
    assert before
    done = project.compose("down", "-t", "10")
    assert done.returncode == 0, done.stdout + done.stderr
    assert podman("ps", "-a", "-q", "--filter", f"name={project.name}").stdout == ""
    project.up()
    project.await_health()
    assert get(url) == before


def create(project, sku):
    request = urllib.request.Request(
        project.url("gateway", "/products"),
        json.dumps({"name": "Lamp", "sku": sku, "price": 1}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 201
        return json.load(answer)["id"]


def test_the_worker_after_a_kill_has_the_same_database(project):
    running = podman("ps", "-q", "--filter", f"label=com.docker.compose.project={project.name}").stdout.split()
    assert len(running) == len(project.services)
    created = create(project, "BEFORE-THE-KILL")
    worker = project.container("product-worker")
    pid = podman("inspect", "-f", "{{.State.Pid}}", worker).stdout
    os.kill(int(pid), signal.SIGKILL)
    deadline = time.monotonic() + 30
    while podman("inspect", "-f", "{{.State.Pid}}", worker).stdout in (pid, "0\n"):
        assert time.monotonic() < deadline, "not started again"
        time.sleep(0.1)
    project.await_health()
    assert get(project.url("gateway", f"/products/{created}"))["sku"] == "BEFORE-THE-KILL"
