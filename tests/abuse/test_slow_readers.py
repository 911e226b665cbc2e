"""Clients that ask for long listings and do not read them: they use a few slots of their own and a
bounded part of the disk, hold no thread of the worker, and delay no one."""

import contextlib
import socket

import pytest
from observed import in_flight, temporary_files
from testbed import wait_until

PER_CLIENT = 4  # a quarter of CLIENT_CONNECTIONS
IN_ALL = 8  # an eighth of CONNECTIONS
FILE = 4 << 20  # fastcgi_max_temp_file_size
LONG = "/products?limit=200"


@pytest.fixture(scope="module")
def product(make_platform):
    """With a page of maximum length."""
    service = make_platform(
        services=("product",),
        gateway=False,
        nginx={"CLIENT_CONNECTIONS": 16, "CONNECTIONS": 64, "TRUSTED_PROXIES": "127.0.0.1"},
    ).product
    lines = "".join(
        '{"sku":"s%d","name":"Tea %d","price":1,"description":"%s"}\n' % (number, number, "茶" * 5000)
        for number in range(210)
    )
    headers = {"Content-Type": "application/x-ndjson"}
    assert service.public.post("/products/bulk", body=lines.encode(), headers=headers).status == 200
    page = service.internal.get(LONG)
    assert len(page.body) > 3_000_000
    service.one = f"/products/{page.json()[0]['id']}"
    return service


@contextlib.contextmanager
def asked(service, count, client):
    """So many connections that have asked for the long page and have read the status."""
    request = f"GET {LONG} HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: {client}\r\n\r\n"
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            # What the kernel takes is no matter of nginx'.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.settimeout(20)
            connection.connect(("127.0.0.1", service.public_port))
            connection.sendall(request.encode())
            connections.append(connection)
        yield [int(connection.recv(16).split()[1]) for connection in connections]


def get(service, path, client):
    return service.public.get(path, headers={"X-Forwarded-For": client}).status


def test_who_does_not_read_holds_its_places_only(product):
    with asked(product, 5 * PER_CLIENT, "203.0.113.1") as statuses:
        assert sorted(statuses) == [200] * PER_CLIENT + [429] * (4 * PER_CLIENT)
        # The worker is through with them, and its client may do anything else.
        wait_until(lambda: in_flight(product) == 0, 20, "the worker is idle")
        assert get(product, LONG, "203.0.113.2") == 200
        # On the same connection: that one's place is free by now.
        assert get(product, product.one, "203.0.113.1") == 200
        with asked(product, 2 * PER_CLIENT, "203.0.113.3") as statuses:
            assert statuses.count(200) == IN_ALL - PER_CLIENT
            assert 0 < sum(temporary_files(product.nginx, "fastcgi")) <= IN_ALL * FILE
            # All places for listings are taken, and none of the others.
            assert get(product, LONG, "203.0.113.2") == 429
            assert get(product, product.one, "203.0.113.2") == 200
            assert product.internal.get(LONG).status == 200
    wait_until(lambda: get(product, LONG, "203.0.113.1") == 200, 20, "the places are free again")
    wait_until(lambda: not list(temporary_files(product.nginx, "fastcgi")), 20, "and the disk")
