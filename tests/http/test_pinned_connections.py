"""Two pods of product behind a balancer that never moves an established connection, like kube-proxy.
One of them loses its worker: its sidecar answers 502 for as long as a connection to it is used."""

import contextlib
import itertools
import socket
import threading

import pytest
from shop import Shop, at_once
from testbed import Nginx, free_ports, wait_until

CUSTOMERS = 4
CARTS_EACH = 25
# The pod loses its worker after so many carts of each customer.
LOST_AFTER = 5


class Relay:
    """Relays each accepted connection to one that connect() makes."""

    def __init__(self, listener, connect):
        self.listener = listener
        self.connect = connect
        self.ends = []
        self.thread = threading.Thread(target=self.accept)
        self.thread.start()

    def accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self.listener.accept()
                server = self.connect()
                self.ends += [client, server]
                for here, there in ((client, server), (server, client)):
                    threading.Thread(target=self.pass_on, args=(here, there), daemon=True).start()

    @staticmethod
    def pass_on(here, there):
        with contextlib.suppress(OSError):
            while data := here.recv(65536):
                there.sendall(data)
        with contextlib.suppress(OSError):
            there.shutdown(socket.SHUT_WR)

    def close(self):
        """Also ends the connections that it relays."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def unix_connection(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(path))
    return connection


class Balancer(Relay):
    """Passes new connections to its ports in turn."""

    def __init__(self):
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = listener.getsockname()[1]
        super().__init__(listener, lambda: socket.create_connection(("127.0.0.1", next(self.ports))))

    def balance(self, *ports):
        self.ports = itertools.cycle(ports)


@pytest.fixture
def bed(make_platform):
    """Siblings reach product only through the balancer."""
    balancer = Balancer()
    url = f"http://127.0.0.1:{balancer.port}"
    platform = make_platform(gateway=False, worker={"PRODUCT_SERVICE_URL": url})
    platform.balancer = balancer
    balancer.balance(platform.product.internal_port)
    yield platform
    balancer.close()


@pytest.fixture
def second_pod(bed):
    """Another sidecar of the same worker, which it reaches through a relay. Closing the relay is like
    losing the worker."""
    path = bed.directory / "second.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(128)
    relay = Relay(listener, lambda: unix_connection(bed.product.socket))
    public, internal, health = free_ports(3)
    settings = {"PUBLIC_PORT": public, "INTERNAL_PORT": internal, "HEALTH_PORT": health, "WORKER_SOCKET": path}
    nginx = Nginx(bed, "second", "sidecar", {**bed.product.nginx.settings, **settings})
    for setting, file in (("RUNTIME_DIR", ""), ("ACCESS_LOG", "access.log")):
        nginx.settings[setting] = nginx.directory / file
    nginx.run()
    bed.balancer.balance(bed.product.internal_port, internal)
    yield relay
    relay.close()
    assert nginx.stop() == 0


def test_a_pod_that_lost_its_worker_breaks_no_cart_and_no_order(bed, second_pod):
    product = Shop(bed).make_product(inventory=1000)
    going_on = threading.Barrier(CUSTOMERS)
    failed = []

    def shop_on(shop, _):
        for count in range(CARTS_EACH):
            if count == LOST_AFTER and going_on.wait() == 0:
                second_pod.close()
            cart = shop.make_cart()
            item = {"product_id": product, "quantity": 1}
            answer = shop.cart.post(f"/carts/{cart}/items", json=item)
            if answer.status == 200:
                answer = shop.post_order(cart)
            if answer.status not in (200, 201):
                failed.append(answer)
        shop.close()

    at_once(CUSTOMERS, lambda: Shop(bed), shop_on)
    assert len(failed) <= 1, failed

    def lost_its_worker():
        return "502" in (bed.directory / "second-nginx" / "access.log").read_text()

    wait_until(lost_its_worker, 5, "the second pod was asked in vain")
