"""A sibling that is down, hangs or answers late: callers answer 503 in time and recover by themselves,
and whatever was half done is finished or undone."""

import contextlib
import random
import sqlite3
import threading
import time

import invariants
import pytest
import stores
from client import is_problem
from metronome import Metronome
from shop import RECOVERS_WITHIN, Shop, at_once, done, new_id, recovers, write_to_store
from testbed import SLOWNESS, hung, wait_until

# A request has 5 s in all; nginx and Python need a moment, too, and longer on a busy machine.
IN_TIME = 5.5 if SLOWNESS == 1 else 8
SETTLES_WITHIN = 15 * SLOWNESS


@pytest.fixture(scope="module")
def bed(make_platform):
    return make_platform(gateway=False)


@pytest.fixture(scope="module")
def shop(bed):
    return Shop(bed)


@contextlib.contextmanager
def down(service):
    """Its nginx is there and answers 502."""
    assert service.stop_worker() == 0
    try:
        yield
    finally:
        service.start_worker()


@contextlib.contextmanager
def unreachable(service):
    """Nothing listens on its ports."""
    service.nginx.stop()
    try:
        yield
    finally:
        service.nginx.run()


TROUBLES = [down, unreachable, hung]

OPEN_CHECKOUT = "SELECT order_id FROM checkouts WHERE cart_id = ? AND state = 'open'"


@pytest.fixture
def in_time():
    with Metronome() as metronome:
        yield lambda seconds: seconds < IN_TIME + metronome.slack


@pytest.fixture(autouse=True)
def healthy(bed):
    """Ends one test's trouble before the next test, whether or not the test failed."""
    shop = Shop(bed)
    cart_id, product = shop.make_cart(), shop.make_product()
    item = {"product_id": product, "quantity": 1}
    recovers(lambda: shop.cart.post(f"/carts/{cart_id}/items", item), 200)
    recovers(lambda: shop.post_order(cart_id), 201)


def is_unavailable(answer):
    is_problem(answer, 503)
    assert 1 <= int(answer.header("Retry-After")) <= 60


def timed(call):
    """A call that measures its time: (answer, seconds)."""

    def run(client, number):
        started = time.monotonic()
        return call(client, number), time.monotonic() - started

    return run


@pytest.mark.storeless
def test_a_service_that_hangs_itself(bed, shop):
    """Its worker cannot report it, but its nginx does."""
    product = shop.make_product()
    calls = [
        lambda client: client.product.get(f"/products/{product}"),
        lambda client: client.product.post("/products", {"name": "Lamp", "price": 1}),
    ]
    with hung(bed.product):
        for answer in at_once(2, shop.clone, lambda client, number: calls[number](client)):
            is_problem(answer, 504)
            assert int(answer.header("Retry-After")) >= 1


@contextlib.contextmanager
def locked(store, table, seconds):
    """Another transaction keeps the table (on SQLite: all tables) from being changed for so long."""
    if stores.POSTGRES:
        sql = f"BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE; SELECT pg_sleep({seconds})"
        other = threading.Thread(target=stores.psql, args=(store.url, sql))
        other.start()
        yield
        other.join()
    else:
        with contextlib.closing(sqlite3.connect(store.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            ends = time.monotonic() + seconds
            yield
            time.sleep(max(0, ends - time.monotonic()))


def test_store_in_trouble_after_a_sibling(bed, shop):
    """Each sibling may be slow, but both together may take no longer than the worker's nginx waits."""
    product = shop.make_product(inventory=5)
    cart_id = shop.make_cart({product: 1})
    answers = []
    caller = threading.Thread(target=lambda: answers.append(shop.clone().post_order(cart_id)))
    with hung(bed.product):
        caller.start()
        wait_until(lambda: bed.cart.store.read(OPEN_CHECKOUT, cart_id), 5, "waits for Product")
        with locked(bed.order.store, "order_effects", 9):
            caller.join()
    (answer,) = answers
    is_unavailable(answer)
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (5, 0)


@pytest.mark.storeless
@pytest.mark.parametrize("trouble", TROUBLES)
def test_product_in_trouble(bed, shop, in_time, trouble):
    product = shop.make_product(inventory=50)
    user = f"product-{trouble.__name__}"
    cart_id = shop.make_cart({product: 2}, user)
    ordered = [shop.make_cart({product: 1}, user) for _ in range(3)]
    item = {"product_id": product, "quantity": 1}
    calls = [
        lambda client: client.cart.post(f"/carts/{cart_id}/items", item),
        lambda client: client.cart.put(f"/carts/{cart_id}/items/{product}", {"quantity": 5}),
        lambda client: client.cart.post(f"/carts/{cart_id}/refresh"),
        *(lambda client, cart=cart: client.post_order(cart, user) for cart in ordered),
    ]
    before = shop.read_cart(cart_id)
    with trouble(bed.product):
        for answer, seconds in at_once(6, shop.clone, timed(lambda client, n: calls[n](client))):
            is_unavailable(answer)
            assert in_time(seconds)
        # What needs no sibling goes on.
        assert shop.read_cart(cart_id) == before
        other = shop.make_cart(user=user)
        path = f"/carts/{other}/items/{product}"
        done(shop.cart.put(path, {"quantity": 0}), 200)
        assert done(shop.order.get(f"/orders?user_id={user}"), 200) == []

    shop.close()
    recovers(lambda: shop.cart.post(f"/carts/{cart_id}/items", item), 200)
    assert shop.quantities(cart_id) == {product: 3}
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (50, 0)
    for cart in ordered:
        recovers(lambda cart=cart: shop.post_order(cart, user), 201)
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (47, 3)


@pytest.mark.storeless
@pytest.mark.parametrize("trouble", TROUBLES)
def test_cart_in_trouble(bed, shop, in_time, trouble):
    product = shop.make_product(inventory=50)
    user = f"cart-{trouble.__name__}"
    carts = [shop.make_cart({product: 1}, user) for _ in range(4)]
    with trouble(bed.cart):
        call = timed(lambda client, n: client.post_order(carts[n], user))
        for answer, seconds in at_once(4, shop.clone, call):
            is_unavailable(answer)
            assert in_time(seconds)
        assert shop.stock(product) == (50, 0)
    shop.close()
    for cart in carts:
        recovers(lambda cart=cart: shop.post_order(cart, user), 201)
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (46, 4)


@pytest.mark.storeless
def test_callers_do_not_wait_for_a_sibling_that_keeps_failing(bed, shop):
    """The circuit breaker: after enough failures the answer comes at once."""
    product = shop.make_product()
    item = {"product_id": product, "quantity": 1}
    path = f"/carts/{shop.make_cart()}/items"
    with hung(bed.product):
        call = timed(lambda client, n: client.cart.post(path, item))
        at_once(12, shop.clone, call)
        took = []
        for number in range(6):
            answer, seconds = call(shop, number)
            is_unavailable(answer)
            took.append(seconds)
        # Now and then one of them is the probe, which waits for an attempt's 2 s, as all others would.
        assert sum(seconds < 1.5 for seconds in took) >= 3, took
    recovers(lambda: shop.cart.post(path, item), 200)


@pytest.mark.storeless
def test_effects_that_pile_up_are_tried_in_moderation(bed, shop):
    """However many requests need a sibling that is away, it is not called, and the log not written,
    more often."""

    def fail(client, number):
        for _ in range(50):
            is_unavailable(client.post_order(new_id()))

    def tried():
        return bed.order.worker.logged().count("effect of an order not carried out yet")

    with down(bed.cart):
        at_once(8, shop.clone, fail)
        time.sleep(2)  # the requests' own tries are through
        before = tried()
        time.sleep(3)
        assert 0 < tried() - before < 200
    invariants.check(bed, SETTLES_WITHIN)


@pytest.mark.parametrize("name", ["product", "cart"])
def test_late_answer_is_good_enough(bed, shop, name):
    """Within the deadline a pause is only a pause."""
    product = shop.make_product(inventory=5)
    cart_id = shop.make_cart({product: 2})
    with hung(bed.services[name]):
        answers = []
        caller = threading.Thread(target=lambda: answers.append(shop.post_order(cart_id)))
        caller.start()
        time.sleep(1)
    caller.join()
    assert done(answers[0], 201)["items"][0]["quantity"] == 2
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (3, 2)


@pytest.mark.parametrize("name", ["product", "cart"])
def test_too_late_answer_is_undone(bed, shop, name):
    """The sibling carries out a request for which no caller waits any more."""
    product = shop.make_product(inventory=5)
    cart_id = shop.make_cart({product: 2})
    key = new_id()
    with hung(bed.services[name]):
        is_unavailable(shop.post_order(cart_id, key=key))
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (5, 0)
    # A 503 is not kept for the key: the same request again is a new try.
    order = done(shop.post_order(cart_id, key=key), 201)
    assert done(shop.post_order(cart_id, key=key), 201) == order
    invariants.check(bed, SETTLES_WITHIN)


def test_status_changes_need_no_sibling(bed, shop):
    """Cancelling and shipping are promises, kept once Product is back."""
    product = shop.make_product(inventory=10)
    cancelled, shipped = shop.buy({product: 2}), shop.buy({product: 3})
    with down(bed.product):
        shop.set_status(cancelled["id"], "cancelled")
        shop.set_status(shipped["id"], "shipped")
        shop.set_status(shipped["id"], "delivered")
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (7, 0)


def test_effects_do_not_wait_for_a_clock_that_was_set_back(bed, shop):
    """They were due in a moment, by a clock that was an hour ahead then."""
    product = shop.make_product(inventory=10)
    order = shop.buy({product: 4})
    with down(bed.product):
        shop.set_status(order["id"], "cancelled")
        tried = "SELECT 1 FROM order_effects WHERE attempts > 0"
        wait_until(lambda: bed.order.store.read(tried), RECOVERS_WITHIN, "a first try")
        sql = "UPDATE order_effects SET next_attempt_at = next_attempt_at + 3600000000"
        write_to_store(bed.order, sql)
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (10, 0)


@pytest.mark.parametrize("name", ["cart", "order"])
def test_sibling_with_another_currency(bed, shop, name):
    """Its amounts are not taken for ours, although they look the same."""
    product = shop.make_product(inventory=5)
    cart_id = shop.make_cart({product: 2})
    bed.services[name].restart_worker(CURRENCY="EUR")
    try:
        if name == "order":
            is_unavailable(shop.post_order(cart_id))
        else:
            is_unavailable(
                shop.cart.post(f"/carts/{cart_id}/items", {"product_id": product, "quantity": 1})
            )
    finally:
        bed.services[name].restart_worker()
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (5, 0)


@pytest.mark.storeless
def test_caller_starts_without_its_siblings(bed, shop):
    product = shop.make_product()
    with down(bed.product), down(bed.cart):
        bed.order.restart_worker()
        is_unavailable(shop.post_order(new_id()))
    recovers(lambda: shop.post_order(shop.make_cart({product: 1})), 201)


def test_effects_of_an_order_survive_its_worker(bed, shop):
    """Cancelled while Product was down, and the order service was killed before it could tell
    Product."""
    product = shop.make_product(inventory=10)
    order = shop.buy({product: 4})
    with down(bed.product):
        shop.set_status(order["id"], "cancelled")
        bed.order.kill_worker()
    assert shop.stock(product) == (6, 4)
    bed.order.start_worker()
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (10, 0)


@pytest.mark.parametrize("seed", range(2))
def test_random_kills_under_load(bed, shop, seed):
    """kill -9 of any worker at any moment. Customers retry with the same key until they know: one order
    per cart, and the stores agree."""
    dice = random.Random(seed)
    product = shop.make_product(inventory=1000)
    user = f"killed-{seed}"
    carts = [[shop.make_cart({product: 1}, user) for _ in range(12)] for _ in range(6)]
    give_up = time.monotonic() + 60 * SLOWNESS

    def customer(client, number):
        orders = []
        for cart_id in carts[number]:
            while (answer := client.post_order(cart_id, user, f"key-{cart_id}")).status != 201:
                assert answer.status in (409, 502, 503), answer
                assert time.monotonic() < give_up, answer
                time.sleep(0.05)
            orders.append(answer.json()["id"])
        return orders

    def reaper():
        for name in dice.sample(["product", "cart", "order"], 3):
            time.sleep(dice.uniform(0.02, 0.2))
            bed.services[name].kill_worker()
            time.sleep(dice.uniform(0, 0.1))
            yield bed.services[name]

    results = []
    customers = threading.Thread(target=lambda: results.extend(at_once(6, shop.clone, customer)))
    customers.start()
    for service in reaper():
        service.start_worker()  # on the main thread: see testbed.py
    customers.join()
    orders = [order for mine in results for order in mine]
    assert len(set(orders)) == 72
    invariants.check(bed, SETTLES_WITHIN)
    assert shop.stock(product) == (1000 - 72, 72)
