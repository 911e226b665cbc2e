"""Owners, those who hold a secret, strangers and staff at once, about the same carts and orders. Whoever
does not own a thing gets what an unknown one gets, at every moment; nothing is lost, doubled or anybody
else's, and --check agrees."""

from collections import Counter
from types import SimpleNamespace

import invariants
import pytest
from market import open_market
from shop import at_once, new_id
from test_hidden import told
from test_operations import run as run_program
from testbed import SERVICES
from world import made

ROUNDS = range(6)


@pytest.fixture(scope="module")
def market(make_platform, tmp_path_factory):
    return open_market(make_platform, tmp_path_factory.mktemp("auth"))


@pytest.fixture(autouse=True)
def all_agree(market):
    yield
    bed = market.bed
    invariants.check(bed)
    carts = {"CART_DATABASE_URL": bed.cart.store.url}
    for name in SERVICES:
        checked = run_program(name, bed.services[name].store.url, "--check", **carts)
        assert checked == (0, [f"{name}: 0 violations"], "")
        assert "deadlock" not in bed.services[name].worker.logged()


class Actor:
    """Somebody with connections of their own."""

    def __init__(self, market, headers):
        self.market, self.headers = market, headers
        self.carts, self.orders = (market.bed.services[n].public.clone() for n in ("cart", "order"))

    def merge(self, source, target):
        body = {"source_cart_id": source}
        return self.carts.post(f"/carts/{target}/merge", json=body, headers=self.headers)

    def order(self, cart, key=None):
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        return self.orders.post("/orders", json={"cart_id": cart}, headers=headers)

    def set_status(self, order, status):
        path = f"/orders/{order}/status"
        return self.orders.put(path, json={"status": status}, headers=self.headers)

    def read(self, order):
        return self.orders.get(f"/orders/{order}", headers=self.headers)


def race(market, actions):
    """{name: (who, what)}: each with connections of its own; {name: answer}."""
    names = list(actions)

    def act(number, _):
        headers, action = actions[names[number]]
        return action(Actor(market, headers))

    numbers = iter(range(len(names)))
    results = at_once(len(names), lambda: next(numbers), lambda number, _: (number, act(number, _)))
    return {names[number]: answer for number, answer in results}


def is_one_of(answer, *allowed):
    """allowed: statuses, and codes of 409."""
    return answer.status in allowed or (answer.status == 409 and answer.json()["code"] in allowed)


def units(market, admin, carts, answers):
    """How many of each product are in the carts and in the orders that were answered with."""
    counted = Counter()
    for cart in carts:
        shown = made(market.bed.cart.public.get(f"/carts/{cart}", headers=admin), 200)
        counted.update({item["product_id"]: item["quantity"] for item in shown["items"]})
    orders = {answer.json()["id"]: answer.json() for answer in answers if answer.status == 201}
    for order in orders.values():
        counted.update({item["product_id"]: item["quantity"] for item in order["items"]})
    return counted, list(orders.values())


def make_product(market):
    body = {"name": "Cup", "price": 3, "inventory": 1000}
    return made(market.bed.product.public.post("/products", json=body, headers=market.admin))["id"]


@pytest.fixture(scope="module")
def cast(market):
    bob = market.token("bob")
    return SimpleNamespace(
        ada=market.token("ada"),
        bob=bob,
        bobs_cart=market.cart(bob)["id"],
        bob_as_guest={**bob, **market.guest()[1]},
        clerk=market.token("clerk", "carts:write orders:write"),
    )


def test_a_guests_cart_is_merged_and_ordered(market, cast):
    """By ada, who is that guest, by both her names, and by staff; bob tries all of it."""
    for attempt in ROUNDS:
        a_guests_cart_is_merged_and_ordered(market, cast, attempt)


def a_guests_cart_is_merged_and_ordered(market, cast, attempt):
    cup = make_product(market)
    source, secret = market.guest()
    market.fill(source, secret, quantity=2)
    target = market.cart(cast.ada)["id"]
    line = {"product_id": cup, "quantity": 1}
    made(market.bed.cart.public.post(f"/carts/{target}/items", json=line, headers=cast.ada), 200)
    both = {**cast.ada, **secret}
    answers = race(market, {
        "merge": (both, lambda one: one.merge(source, target)),
        "guest's order": (secret, lambda one: one.order(source)),
        "ada's order": (cast.ada, lambda one: one.order(target)),
        "staff's merge": (cast.clerk, lambda one: one.merge(source, target)),
        "staff's order": (cast.clerk, lambda one: one.order((source, target)[attempt % 2])),
        "bob: merge from": (cast.bob, lambda one: one.merge(source, cast.bobs_cart)),
        "bob: merge into": (cast.bob, lambda one: one.merge(cast.bobs_cart, target)),
        "bob: order source": (cast.bob, lambda one: one.order(source)),
        "bob: order target": (cast.bob_as_guest, lambda one: one.order(target)),
    })  # fmt: skip
    for name in ("merge", "staff's merge"):
        assert is_one_of(answers[name], 200, "checkout-in-progress"), answers[name]
    for name in ("guest's order", "ada's order", "staff's order"):
        refusals = ("checkout-in-progress", "already-ordered", "cart-empty")
        assert is_one_of(answers[name], 201, *refusals), answers[name]

    stranger = Actor(market, cast.bob)
    unknown = new_id()
    like_unknown = {
        "bob: merge from": (stranger.merge(unknown, cast.bobs_cart), source),
        "bob: merge into": (stranger.merge(cast.bobs_cart, unknown), target),
        "bob: order source": (stranger.order(unknown), source),
        "bob: order target": (stranger.order(unknown), target),
    }
    for name, (answer, thing) in like_unknown.items():
        assert told(answers[name], thing) == told(answer, unknown), name

    invariants.settle(market.bed.directory, 15)
    counted, orders = units(market, market.admin, (source, target, cast.bobs_cart), answers.values())
    assert counted == {market.product: 2, cup: 1}
    for order in orders:
        assert order.get("user_id") == {source: None, target: "ada"}[order["cart_id"]]


def test_two_who_hold_a_secret_merge(market):
    """A secret that was shared: only the first to come has the lines."""
    for _ in ROUNDS:
        two_who_hold_a_secret_merge(market)


def two_who_hold_a_secret_merge(market):
    source, secret = market.guest()
    market.fill(source, secret, quantity=3)
    carts = {name: market.cart(market.token(name))["id"] for name in ("ada", "bob")}
    answers = race(market, {
        f"{name}, {n}": ({**market.token(name), **secret}, lambda one, cart=cart: one.merge(source, cart))
        for name, cart in carts.items() for n in range(3)
    })  # fmt: skip
    assert all(is_one_of(answer, 200, "already-merged") for answer in answers.values())
    assert Counter(answer.status for answer in answers.values()) == {200: 3, 409: 3}
    counted, _ = units(market, market.admin, carts.values(), ())
    assert counted == {market.product: 3}
    # The loser has nothing of it, nor the winner's cart.
    winner = next(name for name in carts if answers[f"{name}, 0"].status == 200)
    loser = Actor(market, {**market.token("ada" if winner == "bob" else "bob"), **secret})
    unknown = new_id()
    assert told(loser.merge(source, carts[winner]), carts[winner]) == told(loser.merge(source, unknown), unknown)


def test_an_order_is_cancelled_and_shipped(market, cast):
    """By its owner, by staff, and not by bob nor by a guest."""
    for attempt in ROUNDS:
        an_order_is_cancelled_and_shipped(market, cast, attempt)


def an_order_is_cancelled_and_shipped(market, cast, attempt):
    ada_orders = attempt % 2 == 0
    guests_cart, secret = market.guest()
    cart = market.cart(cast.ada)["id"] if ada_orders else guests_cart
    owner = cast.ada if ada_orders else secret
    market.fill(cart, owner)
    order = made(market.post_order(cart, owner))["id"]
    answers = race(market, {
        "ada cancels": (cast.ada, lambda one: one.set_status(order, "cancelled")),
        "ada cancels again": (cast.ada, lambda one: one.set_status(order, "cancelled")),
        "staff cancels": (cast.clerk, lambda one: one.set_status(order, "cancelled")),
        "staff processes": (cast.clerk, lambda one: one.set_status(order, "processing")),
        "staff ships": (cast.clerk, lambda one: one.set_status(order, "shipped")),
        "guest cancels": (secret, lambda one: one.set_status(order, "cancelled")),
        "bob cancels": (cast.bob, lambda one: one.set_status(order, "cancelled")),
        "bob reads": (cast.bob_as_guest, lambda one: one.read(order)),
        "bob ships": (cast.bob, lambda one: one.set_status(order, "shipped")),
    })  # fmt: skip
    for name in ("staff cancels", "staff processes", "staff ships"):
        assert is_one_of(answers[name], 200, "invalid-transition"), answers[name]
    for name in ("ada cancels", "ada cancels again"):
        # Not hers, or hers; pending no more, or cancelled.
        assert answers[name].status in ((200, 403) if ada_orders else (404,)), answers[name]
    # Whatever it is, and whoever's, the operation is not for them.
    assert answers["guest cancels"].status == 401
    assert answers["bob ships"].status == 403
    stranger = Actor(market, cast.bob)
    unknown = new_id()
    refused = [answers["bob cancels"]] + ([] if ada_orders else [answers["ada cancels"]])
    for answer in refused:
        assert told(answer, order) == told(stranger.set_status(unknown, "cancelled"), unknown)
    assert told(answers["bob ships"], order) == told(stranger.set_status(unknown, "shipped"), unknown)
    assert told(answers["bob reads"], order) == told(stranger.read(unknown), unknown)

    seen = made(market.bed.order.public.get(f"/orders/{order}", headers=market.admin), 200)
    actors = [event["actor"] for event in seen["history"]]
    assert actors[0] == ("user:ada" if ada_orders else "guest")
    assert set(actors[1:]) <= {"user:ada", "user:clerk"}
    cancelled = [name for name in ("ada cancels", "ada cancels again", "staff cancels")
                 if answers[name].status == 200]  # fmt: skip
    assert bool(cancelled) == (seen["status"] == "cancelled")


def test_one_key_of_many(market, cast):
    """All of them send the same key and body: it is nobody's but one's own."""
    for _ in ROUNDS:
        one_key_of_many(market, cast)


def one_key_of_many(market, cast):
    cart = market.cart(cast.ada)["id"]
    market.fill(cart, cast.ada)
    key = new_id()
    answers = race(market, {
        **{f"ada {n}": (cast.ada, lambda one: one.order(cart, key)) for n in range(3)},
        **{f"bob {n}": (cast.bob, lambda one: one.order(cart, key)) for n in range(2)},
        "bob as guest": (cast.bob_as_guest, lambda one: one.order(cart, key)),
        "a guest": (market.guest()[1], lambda one: one.order(cart, key)),
        "nobody": ({}, lambda one: one.order(cart, key)),
    })  # fmt: skip
    mine = [answer for name, answer in answers.items() if name.startswith("ada")]
    assert {answer.status for answer in mine} <= {201, 409}
    assert len({answer.json()["id"] for answer in mine if answer.status == 201}) == 1
    assert all(is_one_of(answer, 201, "request-in-progress") for answer in mine)
    assert answers["nobody"].status == 401
    unknown = new_id()
    none = told(Actor(market, cast.bob).order(unknown), unknown)
    for name in ("bob 0", "bob 1", "bob as guest", "a guest"):
        answer = answers[name]
        # A key of its own whose first request still runs.
        if is_one_of(answer, "request-in-progress"):
            assert name.startswith("bob")
            answer = Actor(market, cast.bob).order(cart, key)
        status, body, headers = told(answer, cart)
        headers = [header for header in headers if header[0] != "Idempotent-Replayed"]
        assert (status, body, headers) == none, name
