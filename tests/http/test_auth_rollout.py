"""AUTH is turned on, and off again, one service at a time, while customers buy."""

import itertools

import invariants
import pytest
import tokens
from client import is_problem
from testbed import SERVICES
from world import made


@pytest.fixture(scope="module")
def provider():
    return tokens.Provider()


@pytest.fixture(scope="module")
def settings(provider, tmp_path_factory):
    return tokens.settings(provider, tmp_path_factory.mktemp("auth"))


@pytest.fixture(scope="module")
def bed(make_platform, settings):
    """It has all settings; AUTH is the tests' to say."""
    return make_platform(gateway=False, worker=settings)


def turn(bed, **modes):
    for service, mode in modes.items():
        bed.services[service].restart_worker(AUTH=mode)


def buy(bed, headers, admin, user="ada", key=None):
    """With a token and a user_id, as clients of both worlds send."""
    body = {"name": "Lamp", "price": 5, "inventory": 10}
    product = made(bed.product.public.post("/products", json=body, headers=admin))["id"]
    cart = made(bed.cart.public.post("/carts", json={"user_id": user}, headers=headers))["id"]
    line = {"product_id": product, "quantity": 1}
    made(bed.cart.public.post(f"/carts/{cart}/items", json=line, headers=headers), 200)
    more = {"Idempotency-Key": key} if key else {}
    body = {"user_id": user, "cart_id": cart}
    return body, made(bed.order.public.post("/orders", json=body, headers={**headers, **more}))


@pytest.mark.parametrize("modes", itertools.product(("off", "jwt"), repeat=3), ids="-".join)
def test_a_purchase_needs_no_two_to_agree(bed, provider, modes):
    turn(bed, **dict(zip(SERVICES, modes)))
    _, order = buy(bed, provider.headers("ada"), provider.headers("boss", "admin"))
    assert order["user_id"] == "ada"
    # What the effects do afterwards shows their secret, too.
    invariants.settle(bed.directory, 30)
    assert bed.cart.public.get(f"/carts/{order['cart_id']}", headers=provider.headers("ada")).json()["items"] == []


def test_what_was_made_before_stays_its_users(bed, provider):
    turn(bed, product="off", cart="off", order="off")
    body, before = buy(bed, {}, {}, user="eve", key="from-before")
    turn(bed, cart="jwt", order="jwt")
    eve, orders = provider.headers("eve"), bed.order.public
    path = f"/orders/{before['id']}"
    assert made(orders.get(path, headers=eve), 200) == before
    assert [order["id"] for order in orders.get("/orders", headers=eve).json()] == [before["id"]]
    assert bed.cart.public.get(f"/carts/{before['cart_id']}", headers=eve).status == 200
    for stranger in ({}, provider.headers("mallory"), {"Cart-Secret": "gst_" + "A" * 43}):
        assert orders.get(path, headers=stranger).status in (401, 404)
    # The key belonged to nobody: here it is another one.
    headers = {**eve, "Idempotency-Key": "from-before"}
    assert orders.post("/orders", json=body, headers=headers).json()["code"] == "already-ordered"
    turn(bed, order="off")
    again = orders.post("/orders", json=body, headers={"Idempotency-Key": "from-before"})
    assert made(again)["id"] == before["id"] and again.header("Idempotent-Replayed") == "true"


def test_a_key_of_before_gives_nobody_anything(bed):
    """Who shows no token may not name a user, whatever was answered to that while nobody was asked."""
    turn(bed, cart="off")
    carts, headers = bed.cart.public, {"Idempotency-Key": "anybodys"}
    made(carts.post("/carts", json={"user_id": "zoe"}, headers=headers))
    turn(bed, cart="jwt")
    refused = carts.post("/carts", json={"user_id": "zoe"}, headers=headers)
    assert is_problem(refused, 401)["code"] == "unauthorized"


def test_a_guests_cart_is_nobodys_where_nobody_is_asked(bed):
    """It stays what it is: with AUTH=off everybody sees everything."""
    turn(bed, cart="jwt")
    cart = made(bed.cart.public.post("/carts", json={}))
    turn(bed, cart="off")
    assert "user_id" not in bed.cart.public.get(f"/carts/{cart['id']}").json()
    turn(bed, cart="jwt")
    path = f"/carts/{cart['id']}"
    assert bed.cart.public.get(path, headers={"Cart-Secret": cart["secret"]}).status == 200
    assert bed.cart.public.get(path).status == 401


def test_a_guests_cart_waits_until_all_ask_again(bed, provider):
    """It can be filled by whoever knows it, but it is nobody's who could be named in an order."""
    turn(bed, product="off", cart="jwt", order="jwt")
    product = made(bed.product.public.post("/products", json={"name": "Lamp", "price": 5, "inventory": 10}))
    cart = made(bed.cart.public.post("/carts", json={}))
    secret = {"Cart-Secret": cart["secret"]}
    turn(bed, cart="off", order="off")
    line = {"product_id": product["id"], "quantity": 1}
    made(bed.cart.public.post(f"/carts/{cart['id']}/items", json=line, headers=secret), 200)
    order = {"cart_id": cart["id"]}
    assert bed.order.public.post("/orders", json=order, headers=secret).status == 422
    assert bed.order.public.post("/orders", json={**order, "user_id": "eve"}, headers=secret).status == 404
    turn(bed, cart="jwt", order="jwt")
    assert "user_id" not in made(bed.order.public.post("/orders", json=order, headers=secret))
