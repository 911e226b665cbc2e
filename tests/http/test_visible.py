"""What a shop front reads next shows what it has just been told: the effects of an order on carts
and stock are there with the answer, through the gateway and each time."""

import time

import pytest
from shop import Shop, at_once, done, new_id
from testbed import SLOWNESS, hung, wait_until

# One time in a row would say little.
TIMES = 25

# How long an answer waits for effects on a sibling that says nothing (order/effects.c).
WAITS_AT_MOST = 1.0


class Front(Shop):
    """Sees nothing but the gateway."""

    def __init__(self, bed):
        self.bed = bed
        self.product = self.cart = self.order = bed.gateway.clone()

    def clone(self):
        return Front(self.bed)


@pytest.fixture(scope="module")
def shop(platform):
    return Front(platform)


def test_an_ordered_cart_is_empty(shop):
    product = shop.make_product(inventory=2 * TIMES)
    for _ in range(TIMES):
        cart_id = shop.make_cart({product: 2})
        order = shop.place_order(cart_id)
        cart = shop.read_cart(cart_id)
        assert (cart["items"], cart["last_order_id"]) == ([], order["id"])


def test_many_who_buy_at_once_see_it(shop):
    product = shop.make_product(inventory=1000)

    def buy(front, number):
        seen = []
        for _ in range(5):
            cart_id = front.make_cart({product: 1})
            front.place_order(cart_id)
            seen.append(front.quantities(cart_id))
        return seen

    assert at_once(12, shop.clone, buy) == [[{}] * 5] * 12


def test_cancelled_stock_is_back(shop):
    product = shop.make_product(inventory=5)
    for _ in range(TIMES):
        order = shop.buy({product: 3})
        assert shop.stock(product) == (2, 3)
        shop.set_status(order["id"], "cancelled")
        assert shop.stock(product) == (5, 0)


def test_shipped_stock_is_gone(shop):
    product = shop.make_product(inventory=TIMES)
    for left in reversed(range(TIMES)):
        order = shop.buy({product: 1})
        assert shop.stock(product) == (left, 1)
        shop.set_status(order["id"], "shipped")
        assert shop.stock(product) == (left, 0)


def test_a_refused_order_holds_nothing(shop):
    product, dearer = shop.make_product(inventory=5), shop.make_product(inventory=5, price=3)
    cart_id = shop.make_cart({product: 2, dearer: 1})
    for price in range(4, 4 + TIMES):
        shop.change_product(dearer, price=price)
        refused = shop.post_order(cart_id)
        assert (refused.status, refused.json()["code"]) == (409, "price-changed")
        assert (shop.stock(product), shop.stock(dearer)) == ((5, 0), (5, 0))
    done(shop.cart.post(f"/carts/{cart_id}/refresh"), 200)
    shop.place_order(cart_id)


def test_what_is_ordered_twice_at_once_is_seen_by_both(shop):
    """Also by whoever gets a replayed answer."""
    product = shop.make_product(inventory=1000)
    for _ in range(10):
        cart_id = shop.make_cart({product: 1})
        key = new_id()

        def order(front, number, cart_id=cart_id, key=key):
            answer = front.post_order(cart_id, key=key)
            return answer.status, front.quantities(cart_id)

        answers = at_once(4, shop.clone, order)
        assert (201, {}) in answers
        for status, quantities in answers:
            assert status == 409 or (status, quantities) == (201, {})


# ---- while a sibling is away ----


def test_the_answer_does_not_wait_for_a_sibling_that_hangs(make_platform):
    bed = make_platform()
    shop = Front(bed)
    product = shop.make_product(inventory=5)
    order = shop.buy({product: 2})
    with hung(bed.product):
        before = time.monotonic()
        cancelled = shop.set_status(order["id"], "cancelled")
        waited = time.monotonic() - before
    assert cancelled["status"] == "cancelled"
    assert WAITS_AT_MOST / 2 < waited < 3 * WAITS_AT_MOST * SLOWNESS
    wait_until(lambda: shop.stock(product) == (5, 0), 15, "the relay gives it back")


def test_a_repetition_makes_up_for_what_was_missed(make_platform):
    bed = make_platform()
    shop = Front(bed)
    product = shop.make_product(inventory=5)
    order = shop.buy({product: 2})
    with hung(bed.product):
        shop.set_status(order["id"], "cancelled")
    shop.set_status(order["id"], "cancelled")
    assert shop.stock(product) == (5, 0)
