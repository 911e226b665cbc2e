"""Clients that send a little and then nothing, over as many sockets as one client may have: they use up
their own slots, keep nothing on disk, and do not affect probes and siblings."""

import contextlib
import select
import socket

import pytest
import testbed
from client import Client
from observed import temporary_files

pytestmark = pytest.mark.storeless

MANY = 300
PER_CLIENT = 16


@pytest.fixture(scope="module")
def shop(make_platform):
    """With fewer connections than the test opens, in the proportion of 4096 to 8,600."""
    return make_platform(
        services=("cart",),
        gateway=False,
        nginx={"CLIENT_CONNECTIONS": PER_CLIENT, "CONNECTIONS": 4 * PER_CLIENT, "WORKER_PROCESSES": 1,
               "TRUSTED_PROXIES": "127.0.0.1"},
    ).cart  # fmt: skip


@contextlib.contextmanager
def opened(port, count, first):
    """Opens so many connections and sends this on each."""
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(count):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            connection.sendall(first)
            connections.append(connection)
        yield connections


def status_of(connection):
    return int(connection.recv(64).split()[1])


def half_a_body(path, size, client="203.0.113.1"):
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {client}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode() + b" " * 1000


def test_a_body_for_nothing_is_not_waited_for(shop):
    """Refused at once, whatever length was announced, and nothing of it is kept."""
    for path, status in (("/nothing/here", 404), ("/carts/x/refresh", 413)):
        with opened(shop.public_port, PER_CLIENT, half_a_body(path, 16000)) as connections:
            assert {status_of(connection) for connection in connections} == {status}
    with opened(shop.public_port, PER_CLIENT, half_a_body("/carts", 1 << 20)) as connections:
        assert {status_of(connection) for connection in connections} == {413}
    assert sum(temporary_files(shop.nginx, "body")) == 0


def test_slow_bodies_hold_their_clients_places_only(shop):
    with opened(shop.public_port, MANY, half_a_body("/carts", 16000)) as connections:
        refused = connections[PER_CLIENT:]
        assert {status_of(connection) for connection in refused} == {429}
        assert sum(temporary_files(shop.nginx, "body")) == 0
        # Others are served, and who it was is not.
        assert shop.public.get("/carts?user_id=a", headers={"X-Forwarded-For": "203.0.113.2"}).status == 200
        assert shop.public.get("/carts?user_id=a", headers={"X-Forwarded-For": "203.0.113.1"}).status == 429
        # A few such clients have all places for bodies: half of these get none.
        with (
            opened(shop.public_port, PER_CLIENT, half_a_body("/carts", 16000, "203.0.113.3")) as some,
            opened(shop.public_port, PER_CLIENT, half_a_body("/carts", 16000, "203.0.113.4")) as more,
        ):
            testbed.wait_until(
                lambda: len(select.select(some + more, [], [], 0)[0]) == PER_CLIENT, 10, "half are refused"
            )
            other = {"X-Forwarded-For": "203.0.113.2"}
            assert shop.public.post("/carts", json={"user_id": "a"}, headers=other).status == 429
            assert shop.public.get("/carts?user_id=a", headers=other).status == 200
            assert shop.internal.put("/internal/carts/none/checkouts/none", json={"user_id": "a"}).status == 404
    testbed.wait_until(
        lambda: shop.public.get("/carts?user_id=a", headers={"X-Forwarded-For": "203.0.113.1"}).status == 200,
        10, "the places are free again",
    )  # fmt: skip


def is_served(port):
    try:
        with Client(port, timeout=5) as client:
            return client.get("/carts?user_id=a").status == 200
    except OSError:
        return False


def test_without_a_connection_left_probes_go_on(make_platform):
    """Clients hold all connections of the public half, which closes new ones at once."""
    cart = make_platform(services=("cart",), gateway=False, nginx={"WORKER_PROCESSES": 1}).cart
    assert cart.nginx.stop() == 0
    cart.nginx.run(edit=lambda text: text.replace("worker_connections 4096;", "worker_connections 128;"))
    with contextlib.ExitStack() as stack:
        for _ in range(MANY):
            # One refusal alone may be of a connection that is about to be free.
            if not any(is_served(cart.public_port) for _ in range(5)):
                break
            stack.enter_context(opened(cart.public_port, 1, half_a_body("/carts", 16000)))
        assert not is_served(cart.public_port)
        for _ in range(20):
            with Client(cart.health_port, timeout=5) as probe:
                for path in ("/livez", "/readyz", "/metrics", "/nginx-status"):
                    assert probe.get(path).status == 200
            assert cart.internal.put("/internal/carts/none/checkouts/none", json={"user_id": "a"}).status == 404
    testbed.wait_until(lambda: is_served(cart.public_port), 30, "the public port serves again")
    # What nginx said meanwhile is no fault here.
    cart.nginx.log.write_text("")
