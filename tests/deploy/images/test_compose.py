"""docker-compose.yml under podman-compose: it sells something, from search to delivery."""

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
# podman-compose of Debian 12 knows no profiles: the ones of "sqlite" and those without any.
STARTED = [name for name, s in FILE["services"].items() if s.get("profiles", ["sqlite"]) == ["sqlite"]]


def free_ports(names):
    sockets = {name: socket.socket() for name in names}
    for opened in sockets.values():
        opened.bind(("127.0.0.1", 0))
    ports = {name: str(opened.getsockname()[1]) for name, opened in sockets.items()}
    for opened in sockets.values():
        opened.close()
    return ports


@pytest.fixture(scope="module")
def environment(images):
    if not shutil.which("podman-compose"):
        pytest.skip("needs podman-compose: apt-get install podman-compose")
    ports = free_ports(["PRODUCT_PORT", "CART_PORT", "ORDER_PORT", "GATEWAY_PORT"])
    return os.environ | ports | {"DOCKER_REGISTRY": REGISTRY, "IMAGE_TAG": VERSION}


@pytest.fixture(scope="module")
def project(environment):
    name = f"shop-test-{uuid.uuid4().hex[:8]}"

    def compose(*arguments):
        return subprocess.run(
            ["podman-compose", "-p", name, *arguments],
            cwd=manifests.ROOT, env=environment, capture_output=True, text=True, check=False,
        )

    done = compose("up", "-d", "--no-build", *STARTED)
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        yield name
    finally:
        compose("down", "-v", "-t", "10")


def healthy(project, service):
    # podman runs no health checks where there is no systemd.
    return podman("healthcheck", "run", f"{project}_{service}_1", check=False).returncode == 0


def test_everything_gets_healthy(project):
    deadline = time.monotonic() + 60
    waiting = set(STARTED)
    while waiting:
        assert time.monotonic() < deadline, f"not healthy: {waiting}"
        waiting = {service for service in waiting if not healthy(project, service)}


def test_each_sidecar_is_published(project, environment):
    for service in manifests.SERVICES:
        port = environment[f"{service.upper()}_PORT"]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json", timeout=10) as answer:
            assert answer.status == 200
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10)


def test_it_sells(project, environment):
    catalogue = (manifests.ROOT / "scripts/catalogue.ndjson").read_bytes()
    url = f"http://127.0.0.1:{environment['GATEWAY_PORT']}/products/bulk"
    headers = {"Content-Type": "application/x-ndjson"}
    with urllib.request.urlopen(urllib.request.Request(url, catalogue, headers), timeout=30) as answer:
        assert answer.status == 200
    demo = subprocess.run(
        [sys.executable, "scripts/demo.py"],
        cwd=manifests.ROOT, env=environment, capture_output=True, text=True, check=False,
    )
    assert demo.returncode == 0, demo.stdout[-3000:] + demo.stderr
    assert "Everything went as promised." in demo.stdout


def test_data_outlives_the_containers(project, environment):
    name = f"{project}_product-worker_1"
    url = f"http://127.0.0.1:{environment['GATEWAY_PORT']}/products?limit=1"
    podman("restart", "-t", "10", name)
    deadline = time.monotonic() + 30
    while not healthy(project, "product"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() != b"[]"
