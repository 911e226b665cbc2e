"""A worker gives back what a burst of requests needed: threads and memory."""

import contextlib
import os
import socket

import pytest
import testbed
from testbed import hung, wait_until

WAITING = 200
# Threads that call siblings, as many as order/service.c allows; but for those that came later: writers to
# PostgreSQL are started one by one.
CALLERS = 32 - 7
CART = "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b"


@pytest.fixture
def own(make_platform):
    """Its order service has just been started."""
    return make_platform(gateway=False)


def threads(service):
    return len(os.listdir(f"/proc/{service.worker.pid}/task"))


def in_flight(service):
    lines = service.health.get("/metrics").body.decode().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("http_requests_in_flight"))


def send_order(port):
    body = b'{"user_id": "ada", "cart_id": "%s"}' % CART.encode()
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(
        b"POST /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    return connection


def test_a_worker_gives_back_what_a_burst_needed(own):
    order = own.order
    with contextlib.ExitStack() as stack:
        with hung(own.cart):
            waiting = [stack.enter_context(send_order(order.public_port)) for _ in range(WAITING)]
            wait_until(lambda: in_flight(order) > WAITING, 30, "all wait for the cart")
            most, busy = order.memory_kib(), threads(order)
        for connection in waiting:
            while connection.recv(65536):
                pass
    wait_until(lambda: threads(order) <= busy - CALLERS, 30, "the threads have ended")
    if testbed.VARIANT not in ("asan", "tsan"):
        # Each held two buffers of 8 KiB at libfcgi alone.
        wait_until(lambda: order.memory_kib() < most - WAITING * 8, 30, "the memory is given back")
