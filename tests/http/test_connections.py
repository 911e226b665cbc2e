"""Many connections, and connections to a worker that is stopping: every request is either answered or
never accepted."""

import contextlib
import json
import resource
import socket
import sqlite3
import struct
import threading
import time
from pathlib import Path

import fastcgi
import invariants
import pytest
import stores
from client import is_problem
from shop import Shop, done, new_id, recovers
from testbed import SLOWNESS, wait_until

MANY = 512
# Seconds for which a silent connection would block its thread (PEER_TIMEOUT in responder/connections.c).
HELD_UP = 10


@pytest.fixture(scope="module")
def bed(make_platform):
    return make_platform(gateway=False)


@pytest.fixture(scope="module")
def shop(bed):
    return Shop(bed)


# ---- many connections ----


class HttpConnection:
    """The same as fastcgi.Connection over HTTP, through nginx."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.reader = self.socket.makefile("rb")

    def close(self):
        self.reader.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        status = int(self.reader.readline().split()[1])
        size = 0
        while (line := self.reader.readline().strip()) != b"":
            if line.lower().startswith(b"content-length:"):
                size = int(line.split(b":")[1])
        return status, self.reader.read(size)


def http_get(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@pytest.mark.parametrize("way", ["http", "fastcgi"])
def test_none_of_512_connections_starves(bed, shop, way):
    path = f"/products/{shop.make_product()}"
    get = http_get(path) if way == "http" else fastcgi.request("GET", path)

    def connect():
        if way == "http":
            return HttpConnection(bed.product.public_port)
        return fastcgi.Connection(bed.product.socket)

    def all_are_answered(connections):
        for connection in connections:
            connection.send(get)
        assert {connection.receive()[0] for connection in connections} == {200}

    with contextlib.ExitStack() as stack:

        def open_many():
            connections = []
            for _ in range(MANY):
                connections.append(connect())
                stack.callback(connections[-1].close)
            return connections

        kept = open_many()
        all_are_answered(kept)
        all_are_answered(kept)
        # Those are idle now; fresh ones must not wait for them, nor they for the fresh ones.
        fresh = open_many()
        all_are_answered(fresh)
        all_are_answered(kept)
        all_are_answered(fresh + kept)


def test_silent_connections_hold_nobody_up(bed, shop):
    """Connections that send nothing, or only half a request."""
    product = shop.make_product()
    data = fastcgi.request("GET", f"/products/{product}")
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.callback(fastcgi.Connection(bed.product.socket).close)
        started = time.monotonic()
        for _ in range(50):
            shop.read_product(product)
        assert time.monotonic() - started < HELD_UP
        half = fastcgi.Connection(bed.product.socket)
        stack.callback(half.close)
        half.send(data[:20])
        shop.read_product(product)
        half.send(data[20:])
        assert half.receive()[0] == 200


def test_slow_readers_hold_nobody_up(bed, shop):
    """Clients that ask for long pages, more of them than there are threads, and read slowly."""
    category = new_id()
    member = {"price": 1, "category": category, "description": "\N{ELECTRIC LIGHT BULB}" * 5000}
    lines = [{"sku": f"{category}-{number}", "name": "Long", **member} for number in range(200)]
    body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    ndjson = {"Content-Type": "application/x-ndjson"}
    assert bed.product.public.post("/products/bulk", body=body, headers=ndjson).status == 200
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(socket.socket()) for _ in range(8)]
        for reader in readers:
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", bed.product.public_port))
            reader.sendall(http_get(f"/products?category={category}&limit=200"))
        for reader in readers:
            assert reader.recv(1000).startswith(b"HTTP/1.1 200")
        started = time.monotonic()
        for _ in range(20):
            done(bed.product.public.get("/products?limit=1"), 200)
        assert time.monotonic() - started < HELD_UP


def test_cut_off_requests_change_nothing(bed, shop):
    """A request of which only a part arrives is not carried out, wherever it is cut."""
    sku = new_id()
    body = {"name": "Cut", "price": 1, "sku": sku}
    data = fastcgi.request("POST", "/products", json=body)
    for end in range(0, len(data), 7):
        connection = fastcgi.Connection(bed.product.socket)
        connection.send(data[:end])
        connection.socket.shutdown(socket.SHUT_WR)
        with contextlib.suppress(EOFError, ConnectionResetError):
            assert connection.receive()[0] >= 400
        connection.close()
    assert done(shop.product.get(f"/products?sku={sku}"), 200) == []


BEGIN = fastcgi.record(fastcgi.BEGIN_REQUEST, struct.pack("!HB5x", 1, 1))
NONSENSE = {
    "http": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "unknown-type": fastcgi.record(99, b"unknown"),
    "no-beginning": fastcgi.record(fastcgi.STDIN, b"without a beginning"),
    "short-beginning": fastcgi.record(fastcgi.BEGIN_REQUEST, b"short"),
    "authorizer": fastcgi.record(fastcgi.BEGIN_REQUEST, struct.pack("!HB5x", 2, 1)),
    "huge-lengths": BEGIN
    + fastcgi.record(fastcgi.PARAMS, b"\xff" * 8 + b"a")
    + fastcgi.record(fastcgi.PARAMS)
    + fastcgi.record(fastcgi.STDIN),
    "no-parameters": BEGIN + fastcgi.record(fastcgi.PARAMS) + fastcgi.record(fastcgi.STDIN),
    "zeros-at-the-end": fastcgi.request("GET", "/products")[:-8] + bytes(8),
    "no-method": fastcgi.request("", ""),
    "long-path": fastcgi.request("GET", "/" + "a" * 60000),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_does_no_harm(bed, shop, kind):
    """nginx would not send this, but any client of the socket may."""
    for _ in range(5):
        connection = fastcgi.Connection(bed.product.socket)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.send(NONSENSE[kind])
            connection.socket.shutdown(socket.SHUT_WR)
            while connection.socket.recv(65536):
                pass
        connection.close()
    assert bed.product.worker.alive()
    shop.make_product()


# ---- SIGTERM ----


class Load(threading.Thread):
    """Sends requests one after the other until told to stop; returns the answers."""

    def __init__(self, send):
        super().__init__()
        self.send = send  # send(number): (what was asked for, the answer)
        self.stopped = threading.Event()
        self.answers = []
        self.error = None

    def run(self):
        number = 0
        try:
            while not self.stopped.is_set():
                self.answers.append(self.send(number))
                number += 1
        except Exception as error:
            self.error = error

    def met(self, *statuses):
        return any(answer.status in statuses for _, answer in list(self.answers))


@contextlib.contextmanager
def under_load(loads):
    for load in loads:
        load.start()
    try:
        yield
    finally:
        for load in loads:
            load.stopped.set()
        for load in loads:
            load.join()
    for load in loads:
        assert load.error is None, repr(load.error)


def end_under_load(service, loads):
    """Ends the worker once the load flows, and lets the load meet the worker that is gone."""
    with under_load(loads):
        wait_until(lambda: all(len(load.answers) >= 3 for load in loads), 30, "the load flows")
        status = service.stop_worker()
        wait_until(lambda: any(load.met(502, 503) for load in loads), 30, "the load goes on")
    assert status == 0


@pytest.mark.parametrize("attempt", range(3))
def test_sigterm_loses_no_request(bed, attempt):
    """Answered 2xx: it is in the store. Answered 502 or 503: it is not. Nothing else happens."""

    def post_products(client):
        def send(number):
            sku = new_id()
            return sku, client.post("/products", {"name": "N", "price": 1, "sku": sku})

        return send

    loads = [Load(post_products(bed.product.public.clone())) for _ in range(16)]
    end_under_load(bed.product, loads)
    stored = {sku for (sku,) in bed.product.store.read("SELECT sku FROM products")}
    for load in loads:
        for sku, answer in load.answers:
            if answer.status == 201:
                assert sku in stored
            else:
                assert is_problem(answer, answer.status)["status"] in (502, 503)
                assert int(answer.header("Retry-After")) >= 1
                assert sku not in stored
    bed.product.start_worker()


@pytest.mark.parametrize("delay", [0, 0.001, 0.005, 0.02])
def test_sigterm_answers_what_was_received(bed, delay):
    """Over the socket itself: what could be sent is answered, to the last request."""
    connections = [fastcgi.Connection(bed.product.socket) for _ in range(200)]
    ending = threading.Timer(delay, bed.product.stop_worker)
    ending.start()
    sent = {}
    for connection in connections:
        sku = new_id()
        body = {"name": "N", "price": 1, "sku": sku}
        try:
            connection.send(fastcgi.request("POST", "/products", json=body))
            sent[sku] = connection
        except (BrokenPipeError, ConnectionResetError):
            connection.close()
    answered = {sku: connection.receive()[0] for sku, connection in sent.items()}
    assert set(answered.values()) <= {201}
    ending.join()
    assert bed.product.worker.popen.poll() == 0
    stored = {sku for (sku,) in bed.product.store.read("SELECT sku FROM products")}
    assert sent.keys() <= stored
    for connection in sent.values():
        connection.close()
    bed.product.start_worker()


def test_sigterm_with_idle_connections_is_quick(bed):
    connections = [fastcgi.Connection(bed.product.socket) for _ in range(100)]
    for connection in connections[:50]:
        connection.send(fastcgi.request("GET", "/products"))
        assert connection.receive()[0] == 200
    started = time.monotonic()
    assert bed.product.stop_worker() == 0
    # It would have 20 s for those that are busy.
    assert time.monotonic() - started < 10 * SLOWNESS
    for connection in connections:
        assert connection.socket.recv(1) == b""
        connection.close()
    bed.product.start_worker()


def test_sigterm_while_no_file_is_left(bed):
    """Idle connections make room for those in the backlog, whose requests are answered."""
    get = fastcgi.request("GET", "/products?limit=1")
    with contextlib.ExitStack() as stack:

        def connect():
            connection = fastcgi.Connection(bed.product.socket)
            stack.callback(connection.close)
            connection.send(get)
            return connection

        assert {connect().receive()[0] for _ in range(50)} == {200}
        files = [int(entry.name) for entry in Path(f"/proc/{bed.product.worker.pid}/fd").iterdir()]
        limit = max(files) + 1
        resource.prlimit(bed.product.worker.pid, resource.RLIMIT_NOFILE, (limit, limit))
        waiting = [connect() for _ in range(20)]
        wait_until(lambda: "EMFILE" in bed.product.worker.logged(), 10, "no file is left")
        assert bed.product.stop_worker() == 0
        assert {connection.receive()[0] for connection in waiting} == {200}
    bed.product.start_worker()


@pytest.mark.parametrize("name", ["order", "cart", "product"])
def test_sigterm_amid_checkouts(bed, shop, name):
    """Whichever service stops: a confirmed order stands, any other leaves no trace, and a retry with
    the same key makes exactly one order per cart."""
    product = shop.make_product(inventory=1000)
    user = f"amid-{name}"
    carts = [[shop.make_cart({product: 1}, user) for _ in range(40)] for _ in range(8)]

    def post_orders(client, mine):
        def send(number):
            cart_id = mine[number % len(mine)]
            return cart_id, client.post_order(cart_id, user, key=f"key-{cart_id}")

        return send

    loads = [Load(post_orders(shop.clone(), mine)) for mine in carts]
    end_under_load(bed.services[name], loads)
    bed.services[name].start_worker()
    invariants.check(bed, seconds=20 * SLOWNESS)

    confirmed = {}
    for load in loads:
        for cart_id, answer in load.answers:
            if answer.status == 201:
                order_id = answer.json()["id"]
                assert confirmed.setdefault(cart_id, order_id) == order_id
            elif answer.status == 409:
                # An earlier attempt that failed is not undone yet.
                assert answer.json()["code"] in ("checkout-in-progress", "request-in-progress")
            else:
                assert is_problem(answer, answer.status)["status"] in (502, 503)
                assert int(answer.header("Retry-After")) >= 1

    for mine in carts:
        for cart_id in mine:
            again = recovers(lambda: shop.post_order(cart_id, user, key=f"key-{cart_id}"), 201)
            order_id = again.json()["id"]
            assert order_id == confirmed.get(cart_id, order_id)
    assert shop.stock(product) == (1000 - 320, 320)
    invariants.check(bed, seconds=20 * SLOWNESS)


def post_product(client, statuses):
    with client.clone() as mine, contextlib.suppress(OSError):
        statuses.append(mine.post("/products", json={"name": "Lamp", "price": 1}).status)


def unix_sockets(path):
    return Path("/proc/net/unix").read_text().count(f" {path}\n")


@pytest.mark.skipif(stores.POSTGRES, reason="locked in SQLite's way")
def test_sigterm_waits_no_longer_than_told(make_platform):
    """The store hangs, and every thread waits for it: the worker still stops."""
    bed = make_platform(services=("product",), gateway=False, worker={"DRAIN_SECONDS": 1})
    statuses = []
    threads = [
        threading.Thread(target=post_product, args=(bed.product.public, statuses)) for _ in range(70)
    ]
    with contextlib.closing(sqlite3.connect(bed.product.store.path)) as other:
        other.execute("BEGIN IMMEDIATE")
        for thread in threads:
            thread.start()
        wait_until(lambda: unix_sockets(bed.product.socket) > len(threads) / 2, 30, "they wait")
        status = bed.product.stop_worker()
    for thread in threads:
        thread.join()
    # Had it waited for them, they would have been refused, and it had ended well.
    assert status == 1
