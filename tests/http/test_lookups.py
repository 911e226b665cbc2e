"""Many look-ups at once: each gets its own answer."""

import contextlib
import json
import random
import subprocess
import time

import fastcgi
import pytest
import stores
from client import is_problem
from shop import at_once, done, new_id
from testbed import wait_until

pytestmark = pytest.mark.usefixtures("stores_agree")


@pytest.fixture(scope="module")
def shop(own_shop):
    return own_shop


def test_each_of_many_lookups_gets_its_own_answer(shop):
    """Look-ups that arrive together are sent together: single ones, pages, and refused ones; searches
    and changes run between them."""
    products = [shop.make_product(name=f"Mug {n}") for n in range(40)]
    others = ("head", "unknown", "cached", "list", "refused", "search", "change")

    def call(client, number):
        dice = random.Random(number)
        for _ in range(40):
            n = dice.randrange(40)
            kind = dice.choice(("get",) * 6 + ("page",) * 3 + others)
            if kind == "get":
                assert client.read_product(products[n])["name"] == f"Mug {n}"
            elif kind == "head":
                answer = client.product.request("HEAD", f"/products/{products[n]}")
                assert (answer.status, answer.body) == (200, b"")
            elif kind == "unknown":
                is_problem(client.product.get(f"/products/{new_id()}"), 404)
            elif kind == "cached":
                tag = client.product.get(f"/products/{products[n]}").headers["ETag"]
                headers = {"If-None-Match": tag}
                answer = client.product.get(f"/products/{products[n]}", headers=headers)
                assert answer.status == 304 or answer.headers["ETag"] != tag
            elif kind == "list":
                ids = ",".join(dice.sample(products, 3))
                assert len(done(client.product.get(f"/products?ids={ids}"), 200)) == 3
            elif kind == "page":
                page = done(client.product.get(f"/products?limit={n + 1}&sort=name"), 200)
                names = [product["name"] for product in page]
                assert len(names) == n + 1 and names == sorted(names)
            elif kind == "refused":
                is_problem(client.product.get("/products?cursor=nowhere"), 422)
            elif kind == "search":
                answer = client.product.get("/products?q=mug&limit=5&count=true")
                assert len(done(answer, 200)) == 5
                assert int(answer.headers["X-Total-Count"]) >= 40
            else:
                client.adjust_stock(products[n], 1)
        return True

    assert all(at_once(32, shop.clone, call))


def test_each_of_many_reads_gets_its_own_order(shop):
    """These are sent together, too, and each has many rows."""
    products = [shop.make_product(inventory=100) for _ in range(6)]
    orders = [shop.buy(dict.fromkeys(products[:n], n)) for n in range(1, 7)]
    for order in orders[::2]:
        order.update(shop.set_status(order["id"], "shipped", tracking_number="1Z"))

    def call(client, number):
        dice = random.Random(number)
        for _ in range(40):
            order = dice.choice(orders)
            assert client.read_order(order["id"]) == order
            is_problem(client.order.get(f"/orders/{new_id()}"), 404, "not-found")
        return True

    assert all(at_once(16, shop.clone, call))


LOCK = "BEGIN; LOCK TABLE products IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)"
LOCKS = "SELECT pid FROM pg_locks WHERE relation = 'products'::regclass AND "
LOCKED = LOCKS + "granted AND mode = 'AccessExclusiveLock'"
# But for the task that looks for products whose words are due.
TASKS = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%product_words_due%'"
WAITS = LOCKS + f"NOT granted AND pid NOT IN ({TASKS})"


class LockedProducts:
    """Look-ups at a worker's socket, which can be made to wait for a lock of the table."""

    def __init__(self, product):
        self.product = product
        made = done(product.public.post("/products", {"name": "Mug", "price": 1}), 201)
        self.path = f"/products/{made['id']}"
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def connect(self):
        connection = fastcgi.Connection(self.product.socket)
        self.stack.callback(connection.close)
        return connection

    def ask(self, request_id="request"):
        connection = self.connect()
        connection.send(fastcgi.request("GET", self.path, HTTP_X_REQUEST_ID=request_id))
        return connection

    def lock(self):
        locking = ["psql", "-q", self.product.store.url, "-c", LOCK]
        locker = self.stack.enter_context(subprocess.Popen(locking, stderr=subprocess.DEVNULL))
        self.stack.callback(locker.terminate)
        wait_until(lambda: self.product.store.read(LOCKED), 10, "the table is locked")

    def unlock(self):
        for (pid,) in self.product.store.read(LOCKED):
            self.product.store.read("SELECT pg_terminate_backend(?)", pid)

    def wait_until_waiting(self, count=1):
        wait_until(lambda: len(self.product.store.read(WAITS)) == count, 10, "statements wait")


@pytest.mark.skipif(not stores.POSTGRES, reason="SQLite is asked one by one")
def test_half_a_request_holds_no_lookup_up(make_platform):
    """Both threads find the half request beside whole ones when the store answers again."""
    bed = make_platform(services=("product",), gateway=False, worker={"WORKER_THREADS": 2})
    with LockedProducts(bed.product) as locked:
        half, *whole = [locked.ask() for _ in range(6)]
        assert {connection.receive()[0] for connection in [half, *whole]} == {200}
        locked.lock()
        waiting = []
        for thread in (1, 2):
            waiting.append(locked.ask())
            locked.wait_until_waiting(thread)
        data = fastcgi.request("GET", locked.path)
        half.send(data[:20])
        for connection in whole:
            connection.send(data)
        locked.unlock()
        began = time.monotonic()
        assert {connection.receive()[0] for connection in waiting + whole} == {200}
        assert time.monotonic() - began < 9  # the worker would wait ten seconds for the rest
        half.send(data[20:])
        assert half.receive()[0] == 200


@pytest.mark.skipif(not stores.POSTGRES, reason="SQLite is asked one by one")
def test_what_fails_among_others_is_not_logged_as_theirs(make_platform):
    worker = {"WORKER_THREADS": 1, "DB_POOL_SIZE": 2}
    product = make_platform(services=("product",), gateway=False, worker=worker).product

    def is_pool_open():
        return b"\ndb_pool_connections 2\n" in product.health.get("/metrics").body

    # Later ones would be taken before those that have the statement.
    wait_until(is_pool_open, 10, "the pool is open")
    with LockedProducts(product) as locked:

        def cancel_what_waits(count=1):
            locked.wait_until_waiting(count)
            for (pid,) in product.store.read(WAITS):
                product.store.read("SELECT pg_cancel_backend(?)", pid)

        # The statement is prepared on the connection that is taken first.
        assert {locked.ask("before").receive()[0] for _ in range(3)} == {200}
        locked.lock()
        alone = locked.ask("alone")
        locked.wait_until_waiting()
        together = [locked.ask("one"), locked.ask("two")]
        locked.path = "/products?q=mug"  # handed over to another thread
        together.append(locked.ask("search"))
        cancel_what_waits()
        assert alone.receive()[0] == 503
        cancel_what_waits(2)
        assert {connection.receive()[0] for connection in together} == {503}
    logged = [json.loads(line) for line in product.worker.logged().splitlines()]
    failed = [entry for entry in logged if entry["message"] == "database error"]
    failed = [entry for entry in failed if "product_words_due" not in entry["db.query.text"]]
    first, *others = [entry.get("http.request.id") for entry in failed]
    assert first == "alone" and set(others) == {None, "search"}
