"""docker-compose.yml under podman-compose, on SQLite and on PostgreSQL: it sells something, from
search to delivery, and keeps it."""

import json
import os
import shutil
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

FILE = yaml.safe_load((manifests.ROOT / "docker-compose.yml").read_text())
STORES = ("sqlite", "postgres")


def started(store):
    """podman-compose of Debian 12 knows no profiles: the services of one, and those without any."""
    return [name for name, s in FILE["services"].items() if s.get("profiles", [store]) == [store]]


def free_ports(names):
    sockets = {name: socket.socket() for name in names}
    for opened in sockets.values():
        opened.bind(("127.0.0.1", 0))
    ports = {name: str(opened.getsockname()[1]) for name, opened in sockets.items()}
    for opened in sockets.values():
        opened.close()
    return ports


class Project:
    def __init__(self, store, environment):
        self.name = f"shop-test-{uuid.uuid4().hex[:8]}"
        self.services = started(store)
        self.environment = environment

    def compose(self, *arguments):
        return subprocess.run(
            ["podman-compose", "-p", self.name, *arguments],
            cwd=manifests.ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )

    def up(self):
        done = self.compose("up", "-d", "--no-build", *self.services)
        assert done.returncode == 0, done.stdout + done.stderr

    def container(self, service):
        return f"{self.name}_{service}_1"

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

    def logs(self, services):
        found = [podman("logs", "--tail", "20", self.container(s), check=False) for s in services]
        return "\n".join(done.stdout + done.stderr for done in found)

    def url(self, service, path):
        return f"http://127.0.0.1:{self.environment[f'{service.upper()}_PORT']}{path}"


@pytest.fixture(scope="module", params=STORES)
def project(request, images, postgres_image):
    if not shutil.which("podman-compose"):
        pytest.skip("needs podman-compose: apt-get install podman-compose")
    environment = os.environ | free_ports([f"{s.upper()}_PORT" for s in (*manifests.SERVICES, "gateway")])
    environment |= {
        "DOCKER_REGISTRY": REGISTRY,
        "IMAGE_TAG": VERSION,
        "POSTGRES_IMAGE": postgres_image,
    }
    found = Project(request.param, environment)
    try:
        found.up()
        found.await_health()
        yield found
    finally:
        found.compose("down", "-v", "-t", "10")
        # podman-compose of Debian 12 leaves it.
        podman("network", "rm", "-f", f"{found.name}_default", check=False)


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
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
