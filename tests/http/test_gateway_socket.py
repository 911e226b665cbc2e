"""A gateway that connects to a Unix socket, as with compose: only it is trusted about the client's
address."""

import contextlib
import os
import signal
import socket
import tempfile
from pathlib import Path

import pytest
from client import Client
from sidecar import entries_of
from testbed import Nginx, free_ports

pytestmark = pytest.mark.storeless

FORGED = "203.0.113.9"


@pytest.fixture(scope="module")
def path():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder) / "public.sock"


@pytest.fixture(scope="module")
def bed(path, make_platform):
    return make_platform(
        services=("product",), gateway=False, nginx={"TRUSTED_PROXIES": f"unix:{path}"}
    )


@pytest.fixture(scope="module")
def gateway(bed, path):
    (port,) = free_ports(1)
    settings = {"PRODUCT_ADDRESS": f"unix:{path}", "GATEWAY_PORT": port}
    nginx = Nginx(bed, "edge", "gateway", settings)
    nginx.run()
    yield nginx, Client(port)
    assert nginx.stop() == 0


def test_the_gateway_tells_who_the_client_is(bed, gateway):
    nginx, client = gateway
    headers = {"X-Forwarded-For": FORGED, "X-Request-ID": "by-the-socket"}
    assert client.get("/products", headers=headers).status == 200
    for log in (nginx, bed.product.nginx):
        (entry,) = entries_of(log, "by-the-socket")
        assert entry["client.address"] == "127.0.0.1"


def test_nobody_else_does(bed):
    headers = {"X-Forwarded-For": FORGED, "X-Request-ID": "by-the-port"}
    assert bed.product.public.get("/products", headers=headers).status == 200
    (entry,) = entries_of(bed.product.nginx, "by-the-port")
    assert entry["client.address"] == "127.0.0.1"


def test_names_are_looked_at_there_too(gateway):
    _, client = gateway
    assert client.get("/products", headers={"Host": "evil.example"}).status == 421


def test_a_burst_finds_room(bed, gateway, path):
    """A port would let clients wait; a full socket refuses at once."""
    with contextlib.ExitStack() as stack:
        os.killpg(bed.product.nginx.pid, signal.SIGSTOP)
        stack.callback(os.killpg, bed.product.nginx.pid, signal.SIGCONT)
        for _ in range(700):
            client = stack.enter_context(socket.socket(socket.AF_UNIX))
            client.setblocking(False)
            client.connect(str(path))
    assert gateway[1].get("/products").status == 200


def test_a_sidecar_made_anew_is_found(bed, gateway, path):
    """Also if the old one was killed, and left its socket behind."""
    _, client = gateway
    nginx = bed.product.nginx
    os.killpg(nginx.pid, signal.SIGKILL)
    nginx.popen.wait()
    assert path.exists()
    assert client.get("/products").status == 502
    nginx.run()
    assert client.get("/products").status == 200
