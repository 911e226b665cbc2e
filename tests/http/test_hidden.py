"""Another's cart or order is as unknown as none: byte by byte, whatever is sent along, and in time."""

import random
import re
import statistics
import time

import pytest
from client import is_problem
from market import open_market
from shop import new_id
from world import made

# What each answer has of its own.
OWN_HEADERS = ("X-Request-ID", "traceparent", "Date")

# What is sent along.
EXTRAS = {
    "nothing": {},
    "a key": {"Idempotency-Key": "KEY"},
    "a version": {"If-Match": '"1"'},
    "another version": {"If-Match": '"7"'},
    "any version": {"If-Match": "*"},
    "a known version": {"If-None-Match": '"1"'},
    "any known version": {"If-None-Match": "*"},
}


@pytest.fixture(scope="module")
def market(make_platform, tmp_path_factory):
    return open_market(make_platform, tmp_path_factory.mktemp("auth"))


class World:
    """Things of ada's and of a guest's, and those who do not own them."""

    def __init__(self, market):
        self.market = market
        ada = market.token("ada")
        guests_cart, guest = market.guest()
        self.carts = {"ada's": self.full_cart(ada), "a guest's": guests_cart}
        market.fill(guests_cart, guest)
        self.orders = {"ada's": market.order(ada)["id"], "a guest's": self.guests_order()}
        self.bobs_cart = market.cart(market.token("bob"))["id"]
        self.strangers = {
            "bob": market.token("bob"),
            "another guest": market.guest()[1],
            "bob, who is a guest, too": {**market.token("bob"), **market.guest()[1]},
        }

    def full_cart(self, headers):
        cart = self.market.cart(headers)["id"]
        self.market.fill(cart, headers)
        return cart

    def guests_order(self):
        cart, guest = self.market.guest()
        self.market.fill(cart, guest)
        return made(self.market.post_order(cart, guest))["id"]


@pytest.fixture(scope="module")
def world(market):
    return World(market)


class Way:
    """How to ask for a cart or an order."""

    def __init__(self, thing, method, path, body=None, guests=True):
        self.thing, self.method, self.path, self.body, self.guests = thing, method, path, body, guests

    def ask(self, world, thing_id, headers):
        bed = world.market.bed
        client = (bed.order if self.path.startswith("/orders") else bed.cart).public
        names = {"id": thing_id, "product": world.market.product, "bobs": world.bobs_cart}
        path = self.path.format(**names)
        body = {k: v.format(**names) if isinstance(v, str) else v for k, v in (self.body or {}).items()}
        return client.request(self.method, path, json=body if self.body else None, headers=headers)


LINE = {"product_id": "{product}", "quantity": 1}
WAYS = {
    "getCart": Way("carts", "GET", "/carts/{id}"),
    "clearCart": Way("carts", "DELETE", "/carts/{id}"),
    "addItem": Way("carts", "POST", "/carts/{id}/items", LINE),
    "setItem": Way("carts", "PUT", "/carts/{id}/items/{product}", {"quantity": 2}),
    "setItem to 0": Way("carts", "PUT", "/carts/{id}/items/{product}", {"quantity": 0}),
    "removeItem": Way("carts", "DELETE", "/carts/{id}/items/{product}"),
    "refreshCart": Way("carts", "POST", "/carts/{id}/refresh"),
    "mergeCart into": Way("carts", "POST", "/carts/{id}/merge", {"source_cart_id": "{bobs}"}, guests=False),
    "mergeCart from": Way("carts", "POST", "/carts/{bobs}/merge", {"source_cart_id": "{id}"}, guests=False),
    "createOrder": Way("carts", "POST", "/orders", {"cart_id": "{id}"}),
    "getOrder": Way("orders", "GET", "/orders/{id}"),
    "setOrderStatus": Way("orders", "PUT", "/orders/{id}/status", {"status": "cancelled"}, guests=False),
}


def told(answer, thing_id):
    """All of an answer that may tell something: the id is what was asked for."""
    body = answer.body.decode().replace(answer.json()["request_id"], "REQUEST").replace(thing_id, "ID")
    return answer.status, body, [header for header in answer.headers.items() if header[0] not in OWN_HEADERS]


def asked(world, way, headers, extra, thing_id):
    """What is told; with a key also what is told again, which must not be more."""
    more = {name: value.replace("KEY", new_id()) for name, value in EXTRAS[extra].items()}
    times = 2 if "Idempotency-Key" in more else 1
    return [told(way.ask(world, thing_id, {**headers, **more}), thing_id) for _ in range(times)]


@pytest.mark.parametrize("name", WAYS)
def test_no_text_tells_anothers_from_none(world, name):
    way = WAYS[name]
    for who, headers in world.strangers.items():
        if who == "another guest" and not way.guests:
            continue
        for extra in EXTRAS:
            none = asked(world, way, headers, extra, new_id())
            assert none[0][0] == (412 if name == "mergeCart from" and "another" in extra else 404)
            for whose, thing_id in getattr(world, way.thing).items():
                seen = asked(world, way, headers, extra, thing_id)
                assert seen == none, (who, whose, extra)


def test_nothing_was_changed_by_asking(world):
    ada = world.market.token("ada")
    cart_id = world.carts["ada's"]
    cart = made(world.market.bed.cart.public.get(f"/carts/{cart_id}", headers=ada), 200)
    assert (cart["version"], [item["quantity"] for item in cart["items"]]) == (2, [1])


def test_a_known_version_is_told_to_the_owner_alone(world):
    """The ways above can tell: the owner gets what they ask for."""
    ada, bob = world.market.token("ada"), world.market.token("bob")
    carts, orders = world.market.bed.cart.public, world.market.bed.order.public
    for client, path in ((carts, "/carts/" + world.carts["ada's"]), (orders, "/orders/" + world.orders["ada's"])):
        tag = client.get(path, headers=ada).header("ETag")
        for known in (tag, "*"):
            assert client.get(path, headers={**ada, "If-None-Match": known}).status == 304
            is_problem(client.get(path, headers={**bob, "If-None-Match": known}), 404)


def test_anothers_cursors_lead_through_ones_own(world):
    ada, bob = world.market.token("ada"), world.market.token("bob")
    for _ in range(2):
        world.full_cart(ada)
        world.market.order(ada)
    mine = world.market.order(bob)
    for client, path in ((world.market.bed.cart.public, "/carts"), (world.market.bed.order.public, "/orders")):
        link = client.get(f"{path}?limit=1&count=true", headers=ada).header("Link")
        page = re.search(r"<(\?[^>]*)>", link)[1]
        listed = made(client.get(f"{path}{page}", headers=bob), 200)
        assert {thing["user_id"] for thing in listed} <= {"bob"}
        own = made(client.get(path, headers=bob), 200)
        assert mine["id"] in [thing["id"] for thing in own] or path == "/carts"


# ---- time

PAIRS, ROUNDS = 60, 3
# Of so many pairs one takes longer in more than this share, and by so much in the middle. Chance, which has
# no favourite, does not bring that about in round after round, however busy the machine is.
APART = 0.7
LONGER = 1.2


def seconds(way, world, headers, thing_id):
    start = time.perf_counter()
    assert way.ask(world, thing_id, headers).status == 404
    return time.perf_counter() - start


def tells(way, world, headers, anothers, dice):
    """Whether a round of pairs, each in any order, tells which is which."""
    longer, times = 0, ([], [])
    for _ in range(PAIRS):
        first = dice.randrange(2)
        ids = (new_id(), anothers)
        taken = {which: seconds(way, world, headers, ids[which]) for which in (first, 1 - first)}
        longer += taken[1] > taken[0]
        for which in taken:
            times[which].append(taken[which])
    low, high = sorted(map(statistics.median, times))
    return not 1 - APART < longer / PAIRS < APART and high / low > LONGER


TIMED = [("bob", "ada's", name) for name in WAYS]
TIMED += [("another guest", "a guest's", name) for name in ("getCart", "createOrder", "getOrder")]


@pytest.mark.parametrize(("who", "whose", "name"), TIMED)
def test_no_time_tells_anothers_from_none(world, who, whose, name):
    way, dice = WAYS[name], random.Random(name)
    anothers = getattr(world, way.thing)[whose]
    assert not all(tells(way, world, world.strangers[who], anothers, dice) for _ in range(ROUNDS))
