"""Many requests at once. After each test the stores agree with each other, to the last unit."""

import json
import random
import threading
from collections import Counter

import invariants
import pytest
import stores
from client import is_problem
from shop import at_once, done, new_id

pytestmark = pytest.mark.usefixtures("stores_agree")


@pytest.fixture(scope="module")
def shop(own_shop):
    return own_shop


def statuses(answers):
    return Counter(answer.status for answer in answers)


def orders_of(shop, user):
    return done(shop.order.get(f"/orders?user_id={user}&limit=200"), 200)


def test_last_unit(shop):
    product = shop.make_product(inventory=1)
    carts = [shop.make_cart({product: 1}, user="racer") for _ in range(64)]
    answers = at_once(64, shop.clone, lambda one, n: one.post_order(carts[n], user="racer"))
    assert statuses(answers) == {201: 1, 409: 63}
    for answer in answers:
        if answer.status == 409:
            problem = is_problem(answer, 409, "insufficient-stock")
            assert problem["items"] == [{"product_id": product, "requested": 1, "available": 0}]
    assert len(orders_of(shop, "racer")) == 1
    assert shop.stock(product) == (0, 1)


def test_last_units_of_two_products(shop):
    """Overlapping carts with lines in any order: every hold is all or nothing."""
    one, two, three = (shop.make_product(inventory=10) for _ in range(3))
    pairs = [(one, two), (two, three), (three, one), (two, one), (three, two), (one, three)]
    carts = [shop.make_cart(dict.fromkeys(pairs[n % 6], 1), user="pairs") for n in range(36)]
    answers = at_once(36, shop.clone, lambda client, n: client.post_order(carts[n], user="pairs"))
    count = statuses(answers)
    assert set(count) <= {201, 409}
    # Of 30 units each order took two, and no two products can be left that a cart wanted.
    held = [shop.stock(product) for product in (one, two, three)]
    assert sum(reserved for _, reserved in held) == 2 * count[201]
    assert sum(inventory > 0 for inventory, _ in held) <= 1
    for answer in answers:
        if answer.status == 409:
            is_problem(answer, 409, "insufficient-stock")


def test_one_cart_ordered_many_times(shop):
    product = shop.make_product(inventory=100)
    cart_id = shop.make_cart({product: 3}, user="impatient")
    answers = at_once(50, shop.clone, lambda one, n: one.post_order(cart_id, user="impatient"))
    assert statuses(answers) == {201: 1, 409: 49}
    (order,) = [answer.json() for answer in answers if answer.status == 201]
    for answer in answers:
        if answer.status == 409:
            problem = is_problem(answer, 409)
            assert problem["code"] in ("checkout-in-progress", "already-ordered")
            assert problem["order_id"] == order["id"]
    assert orders_of(shop, "impatient") == [order]
    assert shop.stock(product) == (97, 3)


def test_one_cart_ordered_many_times_with_keys_of_their_own(shop):
    product = shop.make_product(inventory=100)
    cart_id = shop.make_cart({product: 3}, user="keys")
    answers = at_once(50, shop.clone, lambda one, n: one.post_order(cart_id, "keys", new_id()))
    assert statuses(answers) == {201: 1, 409: 49}
    assert len(orders_of(shop, "keys")) == 1
    assert shop.stock(product) == (97, 3)


def test_same_key_many_times(shop):
    product = shop.make_product(inventory=100)
    cart_id = shop.make_cart({product: 3}, user="same-key")
    key = new_id()
    answers = at_once(50, shop.clone, lambda one, n: one.post_order(cart_id, "same-key", key))
    answers.append(shop.post_order(cart_id, "same-key", key))
    assert set(statuses(answers)) <= {201, 409}
    assert len({answer.body for answer in answers if answer.status == 201}) == 1
    replayed = [answer.header("Idempotent-Replayed") for answer in answers if answer.status == 201]
    assert replayed.count(None) == 1
    assert answers[-1].status == 201
    for answer in answers:
        if answer.status == 409:
            is_problem(answer, 409, "request-in-progress")
            assert int(answer.header("Retry-After")) >= 1
    assert len(orders_of(shop, "same-key")) == 1
    assert shop.stock(product) == (97, 3)


def test_same_key_many_times_refused(shop):
    """A refusal, too, counts as the one answer."""
    cart_id = shop.make_cart(user="refused")
    key = new_id()
    answers = at_once(20, shop.clone, lambda one, n: one.post_order(cart_id, "refused", key))
    problems = {answer.json()["code"] for answer in answers}
    assert statuses(answers) == {409: 20}
    assert problems <= {"cart-empty", "request-in-progress"}
    last = shop.post_order(cart_id, "refused", key)
    assert (last.status, last.json()["code"]) == (409, "cart-empty")
    assert last.header("Idempotent-Replayed") == "true"


def test_same_key_for_one_adjustment(shop):
    product = shop.make_product(inventory=0)
    key = {"Idempotency-Key": new_id()}
    body = {"delta": 5, "reason": "delivery"}
    path = f"/products/{product}/stock"
    answers = at_once(
        30, shop.bed.product.public.clone, lambda client, n: client.post(path, body, headers=key)
    )
    assert statuses(answers) == {200: 30}
    assert len({answer.body for answer in answers}) == 1
    assert shop.stock(product) == (5, 0)


@pytest.mark.parametrize("attempt", range(5))
def test_items_added_while_the_checkout_runs_survive(shop, attempt):
    ordered, late = shop.make_product(inventory=500), shop.make_product(inventory=500)
    cart_id = shop.make_cart({ordered: 2})

    def call(client, number):
        if number == 0:
            return client.place_order(cart_id)
        return client.add_item(cart_id, (ordered, late)[number % 2], 1)

    order = at_once(13, shop.clone, call)[0]
    taken = {item["product_id"]: item["quantity"] for item in order["items"]}
    added = {ordered: 2 + 6, late: 6}
    left = {p: added[p] - taken.get(p, 0) for p in added if added[p] > taken.get(p, 0)}
    assert shop.quantities(cart_id) == left
    assert shop.read_cart(cart_id)["last_order_id"] == order["id"]


def test_no_addition_is_lost(shop):
    product = shop.make_product(inventory=500)
    cart_id = shop.make_cart()
    at_once(40, shop.clone, lambda client, n: client.add_item(cart_id, product, 1))
    assert shop.quantities(cart_id) == {product: 40}
    assert shop.read_cart(cart_id)["version"] == 41


def test_one_of_many_conditional_changes_wins(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 1})
    headers = {"If-Match": shop.cart.get(f"/carts/{cart_id}").header("ETag")}
    path = f"/carts/{cart_id}/items/{product}"
    answers = at_once(
        20,
        shop.bed.cart.public.clone,
        lambda client, n: client.put(path, {"quantity": 2 + n % 5}, headers=headers),
    )
    assert statuses(answers) == {200: 1, 412: 19}


def test_cart_is_merged_once(shop):
    product = shop.make_product(inventory=500)
    source = shop.make_cart({product: 3}, user="guest")
    targets = [shop.make_cart() for _ in range(4)]
    body = {"source_cart_id": source}
    answers = at_once(
        20,
        shop.bed.cart.public.clone,
        lambda client, n: client.post(f"/carts/{targets[n % 4]}/merge", body),
    )
    assert statuses(answers) == {200: 5, 409: 15}
    assert sorted(sum(shop.quantities(cart).values()) for cart in targets) == [0, 0, 0, 3]


def test_merges_that_cross(shop):
    """Each cart is merged into its neighbour, in a circle: no two wait for each other."""
    product = shop.make_product(inventory=500)
    carts = [shop.make_cart({product: 1}) for _ in range(4)]

    def call(client, number):
        body = {"source_cart_id": carts[(number + 1) % 4]}
        return client.post(f"/carts/{carts[number % 4]}/merge", body)

    answers = at_once(12, shop.bed.cart.public.clone, call)
    assert statuses(answers) == {200: 12}
    assert sum(sum(shop.quantities(cart).values()) for cart in carts) == 4
    assert "deadlock" not in shop.bed.cart.worker.logged()


def test_cancel_restocks_once(shop):
    product = shop.make_product(inventory=10)
    order = shop.buy({product: 4})
    answers = at_once(20, shop.clone, lambda one, n: one.put_status(order["id"], "cancelled"))
    assert statuses(answers) == {200: 20}
    assert len({answer.body for answer in answers}) == 1
    invariants.settle(shop.bed.directory, 30)
    assert shop.stock(product) == (10, 0)
    assert len(shop.read_order(order["id"])["history"]) == 2


def test_cancel_and_ship_at_once(shop):
    """The first request decides; the goods go only one way."""
    product = shop.make_product(inventory=10)
    for _ in range(5):
        order = shop.buy({product: 1})
        ways = ("cancelled", "shipped")
        answers = at_once(8, shop.clone, lambda c, n, o=order: c.put_status(o["id"], ways[n % 2]))
        assert statuses(answers) == {200: 4, 409: 4}
        for answer in answers:
            if answer.status == 409:
                is_problem(answer, 409, "invalid-transition")


def test_last_unit_comes_and_goes(shop):
    """Orders, cancellations and adjustments of the same few units, all at once."""
    product = shop.make_product(inventory=3)
    carts = [shop.make_cart({product: 1}, user="busy") for _ in range(24)]

    def call(client, number):
        dice = random.Random(number)
        if number % 4 == 3:
            body = {"delta": dice.choice((-1, 1)), "reason": "recount"}
            return client.product.post(f"/products/{product}/stock", body).status
        answer = client.post_order(carts[number], user="busy")
        if answer.status == 201 and dice.random() < 0.7:
            status = dice.choice(("cancelled", "shipped"))
            return client.put_status(answer.json()["id"], status).status
        return answer.status

    assert set(at_once(24, shop.clone, call)) <= {200, 201, 409}


def test_refusals_tell_why(shop):
    """The last unit comes and goes: no refusal says that the unit is available."""
    product = shop.make_product(inventory=1)
    items = {"items": [{"product_id": product, "quantity": 1}]}

    def hold(client):
        path = f"/internal/reservations/{new_id()}"
        answer = client.put(path, items)
        if answer.status == 201:
            assert client.delete(path).status == 204
            return 1
        (line,) = is_problem(answer, 409, "insufficient-stock")["items"]
        return line["requested"] - line["available"]

    def adjust(client, delta):
        return client.post(f"/products/{product}/stock", {"delta": delta, "reason": "loan"})

    def take(client):
        answer = adjust(client, -1)
        if answer.status == 200:
            done(adjust(client, 1), 200)
            return 1
        return 1 - is_problem(answer, 409, "insufficient-stock")["available"]

    def call(clients, number):
        return [(hold(clients[0]), take(clients[1])) for _ in range(60)]

    def make_clients():
        return shop.bed.product.internal.clone(), shop.bed.product.public.clone()

    for missing in at_once(12, make_clients, call):
        assert set(missing) == {(1, 1)}


def test_product_in_demand_can_be_changed(shop):
    """Each change of its stock is a new version; a change of its price still gets through."""
    product = shop.make_product(inventory=1000)
    changed = threading.Event()

    def call(client, number):
        if number == 0:
            try:
                return [change(client, price).status for price in range(1, 21)]
            finally:
                changed.set()
        while not changed.is_set():
            client.adjust_stock(product, 1)
        return []

    def change(client, price):
        return client.product.patch(f"/products/{product}", json={"price": price})

    assert at_once(13, shop.clone, call)[0] == [200] * 20
    assert shop.read_product(product)["price"] == 20


# An index is filled after the row was written, and before those that were made later.
FILL_SLOWLY = """
CREATE FUNCTION slowly(id text) RETURNS text IMMUTABLE LANGUAGE sql AS
    'SELECT id FROM pg_sleep(1)';
CREATE INDEX ON products (slowly(id));
DROP INDEX products_sku;
CREATE UNIQUE INDEX products_sku ON products (sku) WHERE deleted_at IS NULL;
"""


def test_skus_that_are_swapped(make_platform):
    """Each may take the other's sku once that is given up. On PostgreSQL both wait for it until the
    server ends one of them. Both get the answer that the sku is taken, as if one had come first."""
    product = make_platform(services=("product",), gateway=False).product
    bodies = [{"name": "Mug", "price": 1, "sku": sku} for sku in ("LEFT", "RIGHT")]
    ids = [done(product.public.post("/products", body), 201)["id"] for body in bodies]
    if stores.POSTGRES:
        stores.psql(product.store.url, FILL_SLOWLY)
    answers = at_once(
        2,
        product.public.clone,
        lambda client, n: client.patch(f"/products/{ids[n]}", {"sku": bodies[1 - n]["sku"]}),
    )
    for answer in answers:
        is_problem(answer, 409, "sku-taken")
    assert ("deadlock" in product.worker.logged()) == stores.POSTGRES
    for product_id, body in zip(ids, bodies):
        found = done(product.public.get(f"/products/{product_id}"), 200)
        assert (found["sku"], found["version"]) == (body["sku"], 1)


def test_import_as_a_whole_beside_orders(shop):
    """With a key, the import is one transaction of many chunks, which locks in its own order."""
    skus = [f"WHOLE-{n:03}-{new_id()}" for n in range(300)]
    lines = [
        json.dumps({"sku": sku, "name": "Mug", "price": 1, "inventory": 1000}) for sku in skus
    ]

    def load(client, lines):
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": new_id()}
        answer = client.post("/products/bulk", body="\n".join(lines).encode(), headers=headers)
        assert answer.status == 200, answer
        return [json.loads(line)["id"] for line in answer.body.splitlines()]

    products = load(shop.product, lines)
    loaded = threading.Event()

    def call(client, number):
        if number == 0:
            try:
                return [load(client.product, lines[::-1]) for _ in range(4)]
            finally:
                loaded.set()
        dice = random.Random(number)
        internal = shop.bed.product.internal.clone()
        while not loaded.is_set():
            path = f"/internal/reservations/{new_id()}"
            some = [{"product_id": p, "quantity": 1} for p in dice.sample(products, 4)]
            assert internal.put(path, {"items": some}).status == 201
            assert internal.delete(path).status == 204
        return None

    assert at_once(9, shop.clone, call)[0] == [products[::-1]] * 4
    assert "deadlock" not in shop.bed.product.worker.logged()


def test_double_clicks_of_many_customers(shop):
    """Each customer orders a cart three times with one key: one order each, while stock lasts."""
    product = shop.make_product(inventory=15)
    carts = [shop.make_cart({product: 1}, user=f"clicker-{n}") for n in range(20)]

    def call(client, number):
        customer = number // 3
        user = f"clicker-{customer}"
        return client.post_order(carts[customer], user, key=f"click-{product}-{customer}")

    answers = at_once(60, shop.clone, call)
    assert set(statuses(answers)) <= {201, 409}
    orders = {answer.json()["id"] for answer in answers if answer.status == 201}
    assert len(orders) == 15
    assert sum(len(orders_of(shop, f"clicker-{n}")) for n in range(20)) == 15
    assert shop.stock(product) == (0, 15)
