"""A shop front's next request shows what it has just been told: the effects of an order on carts and
stock are there when the answer comes, through the gateway and every time."""

import statistics
import time

import pytest
from metronome import Metronome
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


class Visible:
    """Asserts that the effects show as soon as the answer comes. If the answer was so late that it may
    not have waited for them, they show soon; most answers come in time."""

    def __init__(self):
        self.waited = []

    def after(self, ask, look, expected):
        before = time.monotonic()
        told = ask()
        self.waited.append(time.monotonic() - before)
        if self.waited[-1] < WAITS_AT_MOST:
            assert look(told) == expected
        else:
            wait_until(lambda: look(told) == expected, 15, expected)
        return told


@pytest.fixture(scope="module")
def shop(platform):
    return Front(platform)


@pytest.fixture
def visible():
    visible = Visible()
    yield visible
    assert statistics.median(visible.waited) < WAITS_AT_MOST


def order_and_look(shop, visible, cart_id):
    order = visible.after(
        lambda: shop.place_order(cart_id), lambda _: shop.read_cart(cart_id)["items"], []
    )
    assert shop.read_cart(cart_id)["last_order_id"] == order["id"]


def test_an_ordered_cart_is_empty(shop, visible):
    product = shop.make_product(inventory=2 * TIMES)
    for _ in range(TIMES):
        order_and_look(shop, visible, shop.make_cart({product: 2}))


def test_many_who_buy_at_once_see_it(shop, visible):
    product = shop.make_product(inventory=1000)

    def buy(front, number):
        for _ in range(5):
            order_and_look(front, visible, front.make_cart({product: 1}))

    at_once(12, shop.clone, buy)


@pytest.mark.parametrize(("status", "gone"), [("cancelled", 0), ("shipped", 1)])
def test_stock_is_back_or_gone(shop, visible, status, gone):
    product, left = shop.make_product(inventory=TIMES), TIMES
    for _ in range(TIMES):
        order = shop.buy({product: 1})
        assert shop.stock(product) == (left - 1, 1)
        left -= gone
        visible.after(
            lambda: shop.set_status(order["id"], status), lambda _: shop.stock(product), (left, 0)
        )


def test_a_refused_order_holds_nothing(shop, visible):
    product, dearer = shop.make_product(inventory=5), shop.make_product(inventory=5, price=3)
    cart_id = shop.make_cart({product: 2, dearer: 1})
    for price in range(4, 4 + TIMES):
        shop.change_product(dearer, price=price)
        refused = visible.after(
            lambda: shop.post_order(cart_id),
            lambda _: (shop.stock(product), shop.stock(dearer)),
            ((5, 0), (5, 0)),
        )
        assert (refused.status, refused.json()["code"]) == (409, "price-changed")
    done(shop.cart.post(f"/carts/{cart_id}/refresh"), 200)
    shop.place_order(cart_id)


def test_what_is_ordered_twice_at_once_is_seen_by_both(shop, visible):
    """Also to a client that gets a replayed answer."""
    product = shop.make_product(inventory=1000)
    for _ in range(10):
        cart_id = shop.make_cart({product: 1})
        key = new_id()

        def order(front, number, cart_id=cart_id, key=key):
            return visible.after(
                lambda: front.post_order(cart_id, key=key),
                lambda answer: front.quantities(cart_id) if answer.status == 201 else {},
                {},
            ).status

        statuses = set(at_once(4, shop.clone, order))
        assert 201 in statuses and statuses <= {201, 409}


# ---- while a sibling is away ----


def test_the_answer_does_not_wait_for_a_sibling_that_hangs(make_platform):
    bed = make_platform()
    shop = Front(bed)
    product = shop.make_product(inventory=5)
    order = shop.buy({product: 2})
    with hung(bed.product), Metronome() as metronome:
        before = time.monotonic()
        cancelled = shop.set_status(order["id"], "cancelled")
        waited = time.monotonic() - before
    assert cancelled["status"] == "cancelled"
    assert WAITS_AT_MOST / 2 < waited < 3 * WAITS_AT_MOST * SLOWNESS + metronome.slack
    wait_until(lambda: shop.stock(product) == (5, 0), 15, "the relay gives it back")


def test_a_repetition_makes_up_for_what_was_missed(make_platform):
    bed = make_platform()
    shop = Front(bed)
    product = shop.make_product(inventory=5)
    order = shop.buy({product: 2})
    with hung(bed.product):
        shop.set_status(order["id"], "cancelled")
    Visible().after(
        lambda: shop.set_status(order["id"], "cancelled"), lambda _: shop.stock(product), (5, 0)
    )
