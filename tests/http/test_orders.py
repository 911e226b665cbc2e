"""Orders: placing them, every way of being refused, their statuses, lists."""

import re
import threading
import time
from urllib.parse import urljoin

import pytest
import stores
from client import is_problem
from shop import Shop, at_once, done, new_id

STATUSES = ("pending", "processing", "shipped", "delivered", "cancelled")
NEXT = {
    "pending": ["processing", "shipped", "cancelled"],
    "processing": ["shipped", "cancelled"],
    "shipped": ["delivered"],
    "delivered": [],
    "cancelled": [],
}
# A way to each status.
WAYS = {
    "pending": [],
    "processing": ["processing"],
    "shipped": ["shipped"],
    "delivered": ["processing", "shipped", "delivered"],
    "cancelled": ["cancelled"],
}


@pytest.fixture(scope="module")
def shop(platform):
    return Shop(platform)


def order_in(shop, status, quantities=None):
    order = shop.buy(quantities or {shop.make_product(): 1})
    for step in WAYS[status]:
        order = shop.set_status(order["id"], step)
    return order


def ordered_cart(shop):
    """A cart that an order has emptied, and the order."""
    cart_id = shop.make_cart({shop.make_product(): 1})
    order = shop.place_order(cart_id)
    assert shop.quantities(cart_id) == {}
    return cart_id, order


# ---- placing ----


def test_order_of_a_cart(shop):
    mug = shop.make_product(name="Mug", price=12.5)
    pot = shop.make_product(name="Pot", price=19.99)
    cart_id = shop.make_cart({pot: 2, mug: 3})
    answer = shop.post_order(cart_id)
    order = done(answer, 201)
    assert answer.header("Location") == f"/orders/{order['id']}"
    assert answer.header("ETag") == '"1"'
    assert order["user_id"] == "user-1"
    assert order["cart_id"] == cart_id
    assert order["items"] == [
        {"product_id": pot, "name": "Pot", "price": 19.99, "quantity": 2, "line_total": 39.98},
        {"product_id": mug, "name": "Mug", "price": 12.5, "quantity": 3, "line_total": 37.5},
    ]
    assert order["total_amount"] == 77.48
    assert (order["currency"], order["status"], order["version"]) == ("USD", "pending", 1)
    assert order["allowed_transitions"] == NEXT["pending"]
    assert order["history"] == [{"status": "pending", "at": order["created_at"]}]
    assert order["created_at"] == order["updated_at"]
    assert "tracking_number" not in order
    assert shop.read_order(order["id"]) == order


def test_order_holds_stock_and_empties_the_cart(shop):
    product = shop.make_product(inventory=5)
    cart_id = shop.make_cart({product: 3})
    order = shop.place_order(cart_id)
    assert shop.stock(product) == (2, 3)
    assert shop.quantities(cart_id) == {}
    assert shop.read_cart(cart_id)["last_order_id"] == order["id"]


def test_order_stays_as_it_was_ordered(shop):
    product = shop.make_product(name="Then", price=5)
    order = shop.buy({product: 1})
    shop.change_product(product, name="Now", price=6)
    assert shop.read_order(order["id"]) == order
    shop.delete_product(product)
    assert shop.read_order(order["id"]) == order


def test_cart_may_be_filled_and_ordered_again(shop):
    cart_id, order = ordered_cart(shop)
    shop.add_item(cart_id, shop.make_product())
    assert shop.place_order(cart_id)["id"] != order["id"]


def test_same_key_same_order(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 1})
    key = new_id()
    first = shop.post_order(cart_id, key=key)
    again = shop.post_order(cart_id, key=key)
    assert (again.status, again.body) == (201, first.body)
    for name in ("Location", "ETag"):
        assert again.header(name) == first.header(name)
    assert first.header("Idempotent-Replayed") is None
    assert again.header("Idempotent-Replayed") == "true"
    assert shop.stock(product) == (9, 1)
    is_problem(shop.post_order(shop.make_cart(), key=key), 422, "idempotency-key-reused")


def test_same_key_same_refusal(shop):
    cart_id = shop.make_cart()
    key = new_id()
    first = shop.post_order(cart_id, key=key)
    is_problem(first, 409, "cart-empty")
    shop.add_item(cart_id, shop.make_product())
    again = shop.post_order(cart_id, key=key)
    assert (again.status, again.body) == (409, first.body)
    shop.place_order(cart_id)


# ---- refusals ----


def nothing_is_held(shop, cart_id, before):
    """A refused order leaves its cart free and as it was."""
    assert shop.read_cart(cart_id) == before
    checkout = f"/internal/carts/{cart_id}/checkouts/{new_id()}"
    cart = shop.bed.cart.internal
    done(cart.put(checkout), 200)
    assert cart.delete(checkout).status == 204


def test_empty_cart(shop):
    problem = is_problem(shop.post_order(shop.make_cart()), 409, "cart-empty")
    assert "order_id" not in problem


@pytest.mark.parametrize("cart_id", [new_id(), "nonsense", "../livez", "a b", "x" * 128, "?x=1"])
def test_unknown_cart(shop, cart_id):
    assert is_problem(shop.post_order(cart_id), 404, "not-found")["detail"] == "Cart not found"


def is_unknown(answer):
    """As for a cart that does not exist, to the last member."""
    problem = is_problem(answer, 404, "not-found")
    assert problem["detail"] == "Cart not found"
    assert set(problem) == {"title", "status", "detail", "code", "request_id"}
    return problem


def test_unknown_cart_leaves_no_trace(shop):
    cart_id = new_id()
    for _ in range(3):
        is_unknown(shop.post_order(cart_id))
    for service, table in (
        (shop.bed.order, "orders"),
        (shop.bed.order, "order_effects"),
        (shop.bed.cart, "checkouts"),
    ):
        assert service.store.read(f"SELECT * FROM {table} WHERE cart_id = ?", cart_id) == []


def transactions(service):
    (count,) = re.findall(rb"^db_transactions_total (\d+)", service.health.get("/metrics").body, re.M)
    return int(count)


def test_an_order_takes_two_transactions(shop):
    """begin and place; that its cart has been consumed is written down by a sweeper, four times a
    second, together with others'."""
    product = shop.make_product(inventory=100)
    carts = [shop.make_cart({product: 1}) for _ in range(50)]
    before, began = transactions(shop.bed.order), time.monotonic()
    for cart_id in carts:
        shop.place_order(cart_id)
    rounds = (time.monotonic() - began) / 0.15
    assert transactions(shop.bed.order) - before <= 2 * len(carts) + rounds + 5


def test_a_worker_that_stops_leaves_no_effect_to_be_done_again(shop):
    product = shop.make_product(inventory=100)
    carts = [shop.make_cart({product: 1}) for _ in range(5)]
    for cart_id in carts:
        shop.place_order(cart_id)
    status = shop.bed.order.stop_worker()
    left = shop.bed.order.store.read("SELECT * FROM order_effects")
    shop.bed.order.start_worker()
    assert (status, left) == (0, [])


def test_strangers_are_in_nobodys_way(shop):
    """Eight that loop on the victim's cart; each of the owner's orders goes through at once."""
    product = shop.make_product(inventory=100)
    cart_id = shop.make_cart(user="owner")
    done_ordering = threading.Event()

    def loop_as_stranger(stranger, number):
        count = 0
        while number and not done_ordering.is_set():
            is_unknown(stranger.post_order(cart_id, user=f"stranger-{number}"))
            count += 1
        return count

    def order_as_owner(owner):
        for _ in range(20):
            owner.add_item(cart_id, product)
            done(owner.post_order(cart_id, user="owner"), 201)
            assert owner.quantities(cart_id) == {}

    def run(client, number):
        try:
            return loop_as_stranger(client, number) if number else order_as_owner(client)
        finally:
            if not number:
                done_ordering.set()

    strangers = at_once(9, shop.clone, run)[1:]
    assert all(strangers)
    assert shop.stock(product) == (80, 20)


def test_cart_of_another_user(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 1}, user="owner")
    before = shop.read_cart(cart_id)
    is_unknown(shop.post_order(cart_id, user="thief"))
    assert shop.stock(product) == (10, 0)
    nothing_is_held(shop, cart_id, before)


def test_empty_cart_of_another_user(shop):
    """Neither what is in a cart nor which order emptied it is a stranger's business."""
    is_unknown(shop.post_order(shop.make_cart(user="owner"), user="thief"))
    cart_id, _ = ordered_cart(shop)
    problem = is_unknown(shop.post_order(cart_id, user="thief"))
    assert "order_id" not in problem


def test_cart_of_another_user_that_is_being_ordered(shop):
    cart_id = shop.make_cart({shop.make_product(): 1})
    checkout = f"/internal/carts/{cart_id}/checkouts/{new_id()}"
    done(shop.bed.cart.internal.put(checkout), 200)
    problem = is_unknown(shop.post_order(cart_id, user="thief"))
    assert "order_id" not in problem
    assert shop.bed.cart.internal.delete(checkout).status == 204


def test_insufficient_stock_lists_every_short_line(shop):
    short, shorter, plenty = (shop.make_product(inventory=5) for _ in range(3))
    cart_id = shop.make_cart({short: 3, plenty: 1, shorter: 5})
    before = shop.read_cart(cart_id)
    shop.adjust_stock(short, -3)
    shop.adjust_stock(shorter, -5)
    problem = is_problem(shop.post_order(cart_id), 409, "insufficient-stock")
    assert sorted(problem["items"], key=lambda item: item["requested"]) == [
        {"product_id": short, "requested": 3, "available": 2},
        {"product_id": shorter, "requested": 5, "available": 0},
    ]
    assert [shop.stock(p) for p in (short, shorter, plenty)] == [(2, 0), (0, 0), (5, 0)]
    nothing_is_held(shop, cart_id, before)


def test_product_that_is_gone(shop):
    gone, there = shop.make_product(), shop.make_product()
    cart_id = shop.make_cart({there: 2, gone: 1})
    before = shop.read_cart(cart_id)
    shop.delete_product(gone)
    problem = is_problem(shop.post_order(cart_id), 409, "insufficient-stock")
    assert problem["items"] == [{"product_id": gone, "requested": 1, "available": 0}]
    assert shop.stock(there) == (10, 0)
    nothing_is_held(shop, cart_id, before)


def test_changed_prices_are_listed_and_may_be_accepted(shop):
    dearer, cheaper, same = (shop.make_product(price=5) for _ in range(3))
    cart_id = shop.make_cart({dearer: 1, same: 1, cheaper: 1})
    before = shop.read_cart(cart_id)
    shop.change_product(dearer, price=6)
    shop.change_product(cheaper, price=4.5)
    answer = shop.post_order(cart_id)
    problem = is_problem(answer, 409, "price-changed")
    assert problem["items"] == [
        {"product_id": dearer, "old_price": 5, "new_price": 6},
        {"product_id": cheaper, "old_price": 5, "new_price": 4.5},
    ]
    assert b'"old_price":5.00' in answer.body
    nothing_is_held(shop, cart_id, before)
    assert shop.stock(same) == (10, 0)

    done(shop.cart.post(f"/carts/{cart_id}/refresh"), 200)
    assert shop.place_order(cart_id)["total_amount"] == 15.5


def test_new_name_is_no_reason_to_refuse(shop):
    product = shop.make_product(name="Old")
    cart_id = shop.make_cart({product: 1})
    shop.change_product(product, name="New")
    assert shop.place_order(cart_id)["items"][0]["name"] == "New"


def test_already_ordered(shop):
    cart_id, order = ordered_cart(shop)
    problem = is_problem(shop.post_order(cart_id), 409, "already-ordered")
    assert problem["order_id"] == order["id"]


def test_cart_cleared_since_its_order_is_just_empty(shop):
    cart_id, _ = ordered_cart(shop)
    shop.add_item(cart_id, shop.make_product())
    done(shop.cart.delete(f"/carts/{cart_id}"), 200)
    assert "order_id" not in is_problem(shop.post_order(cart_id), 409, "cart-empty")


def test_checkout_in_progress(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 1})
    other = new_id()
    checkout = f"/internal/carts/{cart_id}/checkouts/{other}"
    done(shop.bed.cart.internal.put(checkout), 200)
    problem = is_problem(shop.post_order(cart_id), 409, "checkout-in-progress")
    assert problem["order_id"] == other
    assert shop.stock(product) == (10, 0)
    # That refusal must not have let the other one's cart go.
    done(shop.bed.cart.internal.put(checkout), 200)
    assert shop.bed.cart.internal.delete(checkout).status == 204
    shop.place_order(cart_id)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/cart_id", "/user_id"]),
        ({"user_id": "a"}, ["/cart_id"]),
        ({"cart_id": "a"}, ["/user_id"]),
        ({"user_id": "", "cart_id": ""}, ["/cart_id", "/user_id"]),
        ({"user_id": "x" * 129, "cart_id": "x" * 129}, ["/cart_id", "/user_id"]),
        ({"user_id": 1, "cart_id": None}, ["/cart_id", "/user_id"]),
        ({"user_id": "a", "cart_id": "b", "total_amount": 1}, ["/total_amount"]),
    ],
)
def test_bad_bodies(shop, body, pointers):
    problem = is_problem(shop.order.post("/orders", json=body), 422)
    assert sorted(error["pointer"] for error in problem["errors"]) == pointers


def test_rejected_orders_are_hidden(shop):
    user = "rejected"
    cart_id = shop.make_cart(user=user)
    is_problem(shop.post_order(cart_id, user=user), 409, "cart-empty")
    answer = shop.order.get(f"/orders?user_id={user}&count=true")
    assert (answer.json(), answer.header("X-Total-Count")) == ([], "0")


# ---- reading ----


@pytest.mark.parametrize("order_id", [new_id(), "x", "a" * 3000, "a%20b", "%C3%A4"])
def test_unknown_orders(shop, order_id):
    for answer in (
        shop.order.get(f"/orders/{order_id}"),
        shop.put_status(order_id, "shipped"),
        shop.order.put(f"/orders/{order_id}/status?status=shipped"),
    ):
        assert is_problem(answer, 404, "not-found")["detail"] == "Order not found"


def test_if_none_match(shop):
    order = shop.buy({shop.make_product(): 1})
    path = f"/orders/{order['id']}"
    answer = shop.order.get(path, headers={"If-None-Match": '"1"'})
    assert (answer.status, answer.body, answer.header("ETag")) == (304, b"", '"1"')
    shop.set_status(order["id"], "processing")
    answer = shop.order.get(path, headers={"If-None-Match": '"1"'})
    assert (answer.status, answer.header("ETag")) == (200, '"2"')


# ---- statuses ----


@pytest.mark.parametrize("old", STATUSES)
@pytest.mark.parametrize("new", STATUSES)
def test_transitions(shop, old, new):
    order = order_in(shop, old)
    assert order["status"] == old
    assert order["allowed_transitions"] == NEXT[old]
    answer = shop.put_status(order["id"], new)
    if new == old:
        assert done(answer, 200) == order
    elif new in NEXT[old]:
        changed = done(answer, 200)
        assert changed["status"] == new
        assert changed["version"] == order["version"] + 1
        assert answer.header("ETag") == f'"{changed["version"]}"'
        assert changed["allowed_transitions"] == NEXT[new]
        assert [step["status"] for step in changed["history"]] == ["pending", *WAYS[old], new]
        assert changed["updated_at"] == changed["history"][-1]["at"]
        assert shop.read_order(order["id"]) == changed
    else:
        problem = is_problem(answer, 409, "invalid-transition")
        assert problem["allowed_transitions"] == NEXT[old]
        assert shop.read_order(order["id"]) == order


def test_status_may_stand_in_the_query(shop):
    order = shop.buy({shop.make_product(): 1})
    path = f"/orders/{order['id']}/status"
    assert done(shop.order.put(f"{path}?status=processing"), 200)["status"] == "processing"
    body = {"reason": "sent", "tracking_number": "1Z"}
    changed = done(shop.order.put(f"{path}/?status=shipped", json=body), 200)
    assert changed["history"][-1]["reason"] == "sent"
    assert changed["tracking_number"] == "1Z"
    both = shop.order.put(f"{path}?status=delivered", json={"status": "delivered"})
    assert done(both, 200)["status"] == "delivered"


def test_status_must_be_said_once(shop):
    order = shop.buy({shop.make_product(): 1})
    path = f"/orders/{order['id']}/status"
    for answer in (
        shop.order.put(path),
        shop.order.put(path, json={}),
        shop.order.put(path, json={"reason": "none"}),
        shop.order.put(f"{path}?status=shipped", json={"status": "cancelled"}),
        shop.order.put(f"{path}?status=lost"),
        shop.order.put(f"{path}?status="),
        shop.order.put(f"{path}?status=Shipped"),
    ):
        problem = is_problem(answer, 422)
        assert [error["pointer"] for error in problem["errors"]] == ["/status"]
    assert shop.read_order(order["id"]) == order


@pytest.mark.parametrize("name", ["reason", "tracking_number"])
@pytest.mark.parametrize("value", ["", "x" * 501, 1, None, ["x"]])
def test_bad_remarks(shop, name, value):
    order = shop.buy({shop.make_product(): 1})
    problem = is_problem(shop.put_status(order["id"], "shipped", **{name: value}), 422)
    assert [error["pointer"] for error in problem["errors"]] == [f"/{name}"]


def test_reason_and_tracking_number(shop):
    order = shop.buy({shop.make_product(): 1})
    order = shop.set_status(order["id"], "processing", reason="päckchen 📦")
    order = shop.set_status(order["id"], "shipped", tracking_number="T-1")
    order = shop.set_status(order["id"], "delivered")
    assert [step.get("reason") for step in order["history"]] == [None, "päckchen 📦", None, None]
    assert order["tracking_number"] == "T-1"


@pytest.mark.parametrize("status", STATUSES)
def test_remark_that_leaves_the_status(shop, status):
    """A wrong number is corrected, also after the delivery; what is said twice counts once."""
    product = shop.make_product(inventory=5)
    order = shop.buy({product: 2})
    for step in WAYS[status]:
        order = shop.set_status(order["id"], step)
    length = len(order["history"])
    for more in ({"tracking_number": "A"}, {"tracking_number": "B"}, {"reason": "wrong label"},
                 {"tracking_number": "A", "reason": "it was right"}):  # fmt: skip
        length += 1
        for _ in range(2):
            changed = shop.set_status(order["id"], status, **more)
            assert changed["version"] == length == len(changed["history"])
            assert changed["history"][-1]["status"] == changed["status"] == status
            said = {name: changed["history"][-1].get(name) for name in ("reason", "tracking_number")}
            assert said == {"reason": None, "tracking_number": None, **more}
            assert changed["updated_at"] == changed["history"][-1]["at"]
    assert changed["tracking_number"] == "A"
    assert shop.set_status(order["id"], status) == changed == shop.read_order(order["id"])
    stock = {"cancelled": (5, 0), "shipped": (3, 0), "delivered": (3, 0)}.get(status, (3, 2))
    assert shop.stock(product) == stock


def test_lost_update(shop):
    order = shop.buy({shop.make_product(): 1})
    path = f"/orders/{order['id']}/status"
    headers = {"If-Match": '"1"'}
    done(shop.order.put(path, json={"status": "processing"}, headers=headers), 200)
    for status in ("processing", "cancelled", "delivered"):
        answer = shop.order.put(path, json={"status": status}, headers=headers)
        is_problem(answer, 412, "precondition-failed")
    assert shop.read_order(order["id"])["status"] == "processing"


@pytest.mark.skipif(not stores.POSTGRES, reason="SQLite's one writer sees one moment anyhow")
def test_status_that_is_answered_is_of_one_moment(shop):
    """Read in three parts, while somebody else goes on with the order between them."""
    order = shop.buy({shop.make_product(): 1})
    store = shop.bed.order.store
    second_part = "BEGIN; LOCK TABLE order_lines IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(1)"
    process = f"""
        WITH changed AS (UPDATE orders SET status = 'processing', version = 2
                         WHERE id = '{order["id"]}' RETURNING id, updated_at)
        INSERT INTO order_history SELECT id, 2, 'processing', NULL, updated_at, NULL FROM changed"""
    first, second = (
        threading.Thread(target=stores.psql, args=(store.url, sql))
        for sql in (second_part, process)
    )
    answers = []
    reader = threading.Thread(
        target=lambda: answers.append(shop.clone().put_status(order["id"], "pending"))
    )
    for thread in (first, reader, second):
        thread.start()
        time.sleep(0.3)
    for thread in (first, reader, second):
        thread.join()
    assert done(answers[0], 200) == order
    assert shop.read_order(order["id"])["status"] == "processing"


# ---- what statuses do to the stock ----


def movements(shop, product, order):
    path = f"/products/{product}/stock/movements"
    ledger = done(shop.product.get(path), 200)[::-1]
    return [(m["reason"], m["delta"]) for m in ledger if m.get("reference") == order["id"]]


@pytest.mark.parametrize("way", [[], ["processing"]])
def test_cancelling_restocks(shop, way):
    one, two = shop.make_product(inventory=5), shop.make_product(inventory=7)
    order = shop.buy({one: 2, two: 3})
    for status in [*way, "cancelled", "cancelled"]:
        shop.set_status(order["id"], status)
    assert (shop.stock(one), shop.stock(two)) == ((5, 0), (7, 0))
    assert movements(shop, one, order) == [("hold", -2), ("release", 2)]
    assert movements(shop, two, order) == [("hold", -3), ("release", 3)]


def test_cancelling_restocks_deleted_products(shop):
    product = shop.make_product(inventory=5)
    order = shop.buy({product: 2})
    shop.delete_product(product)
    shop.set_status(order["id"], "cancelled")
    # Asking for the same hold again changes nothing; it tells whether there still is one.
    path = f"/internal/reservations/{order['id']}"
    hold = {"items": [{"product_id": product, "quantity": 2}]}
    internal = shop.bed.product.internal
    is_problem(internal.put(path, json=hold), 409, "reservation-released")


def test_shipping_takes_the_goods_out_of_the_house(shop):
    product = shop.make_product(inventory=5)
    order = shop.buy({product: 2})
    shop.set_status(order["id"], "shipped")
    assert shop.stock(product) == (3, 0)
    shop.set_status(order["id"], "delivered")
    assert movements(shop, product, order) == [("hold", -2), ("ship", 0)]
    assert shop.stock(product) == (3, 0)


# ---- lists ----


@pytest.fixture(scope="module")
def listed(shop):
    """Orders of one user by status; oldest first in "all"."""
    orders = {status: [] for status in STATUSES}
    orders["all"] = []
    product = shop.make_product(inventory=100)
    for status in (*STATUSES, *STATUSES[:3]):
        order = shop.buy({product: 1}, user="lister")
        for step in WAYS[status]:
            order = shop.set_status(order["id"], step)
        orders[status].append(order)
        orders["all"].append(order)
    shop.buy({product: 1}, user="another")
    return orders


def list_of(shop, query):
    return done(shop.order.get(f"/orders?{query}"), 200)


def test_list_is_newest_first(shop, listed):
    assert list_of(shop, "user_id=lister") == listed["all"][::-1]
    assert len({order["user_id"] for order in list_of(shop, "limit=200")}) > 1


@pytest.mark.parametrize("status", STATUSES)
def test_filter_by_status(shop, listed, status):
    assert list_of(shop, f"user_id=lister&status={status}") == listed[status][::-1]
    found = list_of(shop, f"status={status}&limit=200")
    assert {order["status"] for order in found} == {status}
    assert {order["id"] for order in listed[status]} <= {order["id"] for order in found}


def test_filter_by_time(shop, listed):
    times = [order["created_at"] for order in listed["all"]]
    ids = [order["id"] for order in listed["all"]]

    def found(query):
        return [order["id"] for order in list_of(shop, f"user_id=lister&{query}")][::-1]

    # The first moment is inside, the last one outside: ranges join.
    assert found(f"created_after={times[2]}") == ids[2:]
    assert found(f"created_before={times[5]}") == ids[:5]
    assert found(f"created_after={times[2]}&created_before={times[5]}") == ids[2:5]
    assert found(f"created_after={times[5]}&created_before={times[2]}") == []
    other_zone = times[2].replace("Z", "%2B00:00")
    assert found(f"created_after={other_zone}") == ids[2:]
    assert found("created_after=1970-01-01T00:00:00Z") == ids
    assert found("created_before=1969-12-31T23:59:59Z") == []
    assert found(f"status=shipped&created_after={times[3]}") == [ids[7]]


@pytest.mark.parametrize("filters", ["", "&status=shipped", "&status=pending"])
def test_sort(shop, listed, filters):
    for key in ("created_at", "updated_at"):
        orders = listed[filters[8:]] if filters else listed["all"]
        wanted = sorted(orders, key=lambda order: (order[key], order["id"]))
        path = f"/orders?user_id=lister&limit=2&sort={key}{filters}"
        assert [order for page in pages(shop, path) for order in page] == wanted
        down = list_of(shop, f"user_id=lister&sort=-{key}{filters}")
        assert down == wanted[::-1]


def test_changes_since(shop, listed):
    """What a synchronisation does: goes on at the last change that it saw."""
    orders = sorted(listed["all"], key=lambda order: order["updated_at"])
    since = orders[3]["updated_at"]
    query = f"user_id=lister&updated_after={since}"
    assert list_of(shop, f"{query}&sort=updated_at") == orders[3:]
    by_creation = [order for order in listed["all"] if order["updated_at"] >= since]
    assert list_of(shop, query) == by_creation[::-1]
    answer = shop.order.get(f"/orders?{query}&sort=updated_at&limit=1&count=true")
    assert answer.header("X-Total-Count") == str(len(orders) - 3)


def test_cursor_of_another_sequence(shop, listed):
    link = shop.order.get("/orders?user_id=lister&limit=1").header("Link")
    path = re.fullmatch('<([^>]+)>; rel="next"', link).group(1)
    for sort in ("created_at", "updated_at", "-updated_at"):
        problem = is_problem(shop.order.get(urljoin("/orders", f"{path}&sort={sort}")), 422)
        assert [error["pointer"] for error in problem["errors"]] == ["/cursor"]


def pages(shop, path):
    while path:
        answer = shop.order.get(path)
        yield done(answer, 200)
        link = answer.header("Link")
        path = link and urljoin(path, re.fullmatch('<([^>]+)>; rel="next"', link).group(1))


@pytest.mark.parametrize("limit", [1, 3, 8, 9])
@pytest.mark.parametrize("more", ["", "&status=shipped", "&created_after=2020-01-01T00:00:00Z"])
def test_pages(shop, listed, limit, more):
    wanted = listed["shipped"] if "status" in more else listed["all"]
    found = list(pages(shop, f"/orders?user_id=lister&limit={limit}{more}"))
    assert [order for page in found for order in page] == wanted[::-1]
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert len(found) == -(-len(wanted) // limit)


def test_pages_before_a_moment(shop, listed):
    before = listed["all"][6]["created_at"]
    found = list(pages(shop, f"/orders?user_id=lister&limit=2&created_before={before}"))
    assert [order for page in found for order in page] == listed["all"][:6][::-1]


def test_pages_while_orders_come(shop, listed):
    product = shop.make_product(inventory=100)
    seen = []
    for page in pages(shop, "/orders?user_id=lister&limit=2&status=pending"):
        seen += page
        shop.buy({product: 1}, user="lister-too")
    assert seen == listed["pending"][::-1]


def test_count(shop, listed):
    answer = shop.order.get("/orders?user_id=lister&count=true&limit=1")
    assert answer.header("X-Total-Count") == str(len(listed["all"]))
    answer = shop.order.get("/orders?user_id=lister&count=true&status=pending")
    assert answer.header("X-Total-Count") == str(len(listed["pending"]))
    assert shop.order.get("/orders?user_id=lister").header("X-Total-Count") is None


@pytest.mark.parametrize(
    "query",
    ["status=lost", "status=", "user_id=", "created_after=yesterday", "created_before=2026-02-30",
     "created_after=2026-01-31T00:00:00", "updated_after=now", "sort=status",
     "limit=0", "limit=201", "limit=-1", "limit=1e2",
     "cursor=x", "count=maybe", "offset=1", "status=pending&status=shipped",
     "created_after=2026-01-31T00:00:00%2B25:00"],
)  # fmt: skip
def test_bad_lists(shop, query):
    assert is_problem(shop.order.get(f"/orders?{query}"), 422)["errors"]
