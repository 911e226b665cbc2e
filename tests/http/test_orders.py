"""Orders: placing them, every way of being refused, reading them."""

import re
import threading
import time

import invariants
import pytest
from client import is_problem
from orders import NEXT
from shop import at_once, done, new_id


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
    """A refused order leaves its cart free and unchanged."""
    invariants.settle(shop.bed.directory, 30)
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
    """Exactly as for a cart that does not exist."""
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
    """begin and place. A sweeper records four times a second, together with others', that the cart has
    been consumed."""
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
    """Eight strangers keep ordering the victim's cart; each of the owner's orders succeeds at once."""
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
    """A stranger learns neither what is in a cart nor which order emptied it."""
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
        ({}, ["/cart_id"]),
        ({"user_id": "a"}, ["/cart_id"]),
        ({"cart_id": "a"}, ["/user_id"]),
        ({"user_id": "", "cart_id": ""}, ["/cart_id", "/user_id"]),
        ({"user_id": "x" * 256, "cart_id": "x" * 129}, ["/cart_id", "/user_id"]),
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
