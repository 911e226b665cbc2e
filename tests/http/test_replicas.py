"""make up DB=postgres REPLICAS=3: three workers and sidecars of each service, through the gateway.

Uses the scripts themselves, in a private directory and on private ports.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import stores
from client import Client
from shop import done
from testbed import READY_WITHIN, ROOT, SERVICES, VARIANT, environment, free_ports, wait_until

REPLICAS = 3

pytestmark = pytest.mark.skipif(not stores.POSTGRES, reason="SQLite is for one worker a service")


class Installation:
    """The platform as its scripts run it."""

    def __init__(self, directory):
        self.directory = directory
        first = free_block()
        # Replicas are 10 ports apart.
        names = [*(f"{s.upper()}_PORT" for s in SERVICES), "GATEWAY_PORT",
                 *(f"{s.upper()}_INTERNAL_PORT" for s in SERVICES),
                 "PRODUCT_BALANCER_PORT", "CART_BALANCER_PORT"]  # fmt: skip
        self.ports = {name: first + number for number, name in enumerate(names)}
        self.settings = {
            **self.ports,
            "STATE_DIR": directory,
            "VARIANT": VARIANT,
            "RATE_LIMIT_RPS": 0,
            "CONTRACT_CHECK_RESPONSES": 1,
        }
        self.gateway = Client(self.ports["GATEWAY_PORT"])

    def run(self, script, **settings):
        """The exit status and what the script printed."""
        ended = subprocess.run(
            [ROOT / "scripts" / script],
            env=environment({**self.settings, **settings}),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=10 * READY_WITHIN,
        )
        return ended.returncode, ended.stdout

    def works(self, script, **settings):
        status, printed = self.run(script, **settings)
        assert status == 0, printed + self.logs()
        return printed

    def logs(self):
        return "".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}"
            for log in sorted(self.directory.glob("log/*.log"))
        )

    def pid(self, process):
        return int((self.directory / "run" / f"{process}.pid").read_text().split()[0])

    def end(self, process, signum):
        """Ends one of its processes; returns once nobody listens for it any more."""
        pid = self.pid(process)
        os.kill(pid, signum)
        wait_until(lambda: not alive(pid), READY_WITHIN, f"{process} ends")

    def served(self, service):
        """Requests that each replica's sidecar logged."""
        names = [service, *(f"{service}-{number}" for number in range(2, REPLICAS + 1))]
        logs = [self.directory / "log" / f"{name}-nginx.log" for name in names]
        return [log.read_text().count('"http.response.status_code"') for log in logs]


def free_block():
    """The first of so many free ports that they hold all replicas."""
    while True:
        (first,) = free_ports(1)
        if all(is_free(port) for port in range(first, first + 10 * REPLICAS)):
            return first


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def installation():
    # Short: a Unix socket's path may have 107 bytes only.
    directory = Path(tempfile.mkdtemp(prefix="replicas-", dir="/tmp"))
    platform = Installation(directory)
    try:
        platform.works("up.sh", DB="postgres", REPLICAS=REPLICAS)
        yield platform
    finally:
        status, printed = platform.run("down.sh")
        shutil.rmtree(directory)
        assert status == 0, printed


def buy(client, product, quantity=1):
    """Through the gateway; the answer to the order."""
    cart = done(client.post("/carts", {"user_id": "replicas"}), 201)["id"]
    item = {"product_id": product, "quantity": quantity}
    done(client.post(f"/carts/{cart}/items", item), 200)
    return client.post("/orders", {"user_id": "replicas", "cart_id": cart})


def make_product(client, inventory=100):
    body = {"name": "Replicated mug", "price": 2, "inventory": inventory}
    return done(client.post("/products", body), 201)["id"]


def test_demo(installation):
    printed = installation.works("demo.py")
    assert "Everything went as promised." in printed


def test_status_lists_all(installation):
    printed = installation.works("status.sh")
    lines = {line.split()[0]: line for line in printed.splitlines()[1:]}
    for service in SERVICES:
        for name in (service, f"{service}-2", f"{service}-3"):
            assert lines[name].endswith("ready") and "not ready" not in lines[name]
    assert {"balancer", "postgres", "gateway"} <= lines.keys()


def test_requests_are_spread(installation):
    """Those of clients, and those of siblings."""
    client = installation.gateway
    before = {service: installation.served(service) for service in SERVICES}
    product = make_product(client)
    for _ in range(12):
        assert buy(client, product).status == 201
    stock = done(client.get(f"/products/{product}"), 200)
    assert (stock["inventory"], stock["reserved"]) == (88, 12)
    for service in SERVICES:
        more = [now - then for now, then in zip(installation.served(service), before[service])]
        assert min(more) >= 4, (service, more)


def test_up_again_changes_nothing(installation):
    assert "It is up already." in installation.works("up.sh")
    for other in ({"REPLICAS": 1}, {"DB": "sqlite"}, {"DB": "sqlite", "REPLICAS": 1}):
        status, printed = installation.run("up.sh", **other)
        assert status == 1, printed
    status, printed = installation.run("reset-data.sh")
    assert status == 1 and "make down" in printed
    installation.works("status.sh")


@pytest.mark.parametrize("service", SERVICES)
def test_without_a_replica(installation, service):
    """Its worker and sidecar are gone: everybody is served by the others, nobody notices."""
    client = installation.gateway.clone()
    product = make_product(client)
    installation.end(f"{service}-2-nginx", signal.SIGQUIT)
    installation.end(f"{service}-2-worker", signal.SIGKILL)
    statuses = Counter(buy(client, product).status for _ in range(10))
    assert statuses == {201: 10}
    status, printed = installation.run("status.sh")
    assert status == 1 and "not ready" in printed
    installation.works("up.sh")
    installation.works("status.sh")


def test_reads_go_on_without_a_worker(installation):
    """Its sidecar is there and says 502: reading, the next replica is asked."""
    client = installation.gateway.clone()
    product = make_product(client)
    installation.end("product-3-worker", signal.SIGKILL)
    assert {client.get(f"/products/{product}").status for _ in range(30)} == {200}
    installation.works("up.sh")


def test_data_is_there_after_a_restart(installation):
    client = installation.gateway
    product = done(client.get(f"/products/{make_product(client)}"), 200)
    client.close()
    assert "postgres" in installation.works("down.sh")
    assert installation.works("down.sh") == "Nothing runs.\n"
    installation.works("up.sh", DB="postgres", REPLICAS=REPLICAS)
    assert done(client.get(f"/products/{product['id']}"), 200) == product


def test_replicas_need_a_server(installation):
    """SQLite's one writer is one process."""
    elsewhere = {"STATE_DIR": installation.directory / "elsewhere"}
    for settings in ({"REPLICAS": 3}, {"REPLICAS": 0}, {"REPLICAS": "x"}, {"DB": "mysql"}):
        status, printed = installation.run("up.sh", **elsewhere, **settings)
        assert status == 1 and printed.startswith("error: "), printed
