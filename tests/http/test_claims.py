"""What a token's claims make of whoever sends it: sub, and scopes of each type (fcgi-apps/auth/jwt.h)."""

import uuid
from urllib.parse import quote

import pytest
from client import is_problem, next_path
from market import open_market
from testbed import entries_of_log, wait_until
from world import made


@pytest.fixture(scope="module")
def market(make_platform, tmp_path_factory):
    return open_market(make_platform, tmp_path_factory.mktemp("auth"), LOG_LEVEL="debug")


@pytest.mark.parametrize("sub", ["Zoë", " ", "a b", "x" * 255, "x" * 256, "\u00e9" * 255, "\u00e9" * 256])
def test_subjects_are_what_user_ids_are(market, sub):
    answer = market.make_cart(market.token(sub))
    if sub.strip() and len(sub) <= 255:
        assert made(answer)["user_id"] == sub
    else:
        assert is_problem(answer, 401)["code"] == "invalid-token"


def test_the_longest_subject_buys(market):
    """255 characters (OpenID Connect Core section 2), each as long as UTF-8 and percent-encoding make it."""
    sub, other = ("\U0001f600" * 254 + end for end in "\U0001f601\U0001f602")
    user, carts, orders = market.token(sub), market.bed.cart.public, market.bed.order.public
    cart = market.cart(user, user_id=sub)
    assert cart["user_id"] == sub
    market.cart(user)
    page = f"/carts?limit=1&user_id={quote(sub)}"
    page = next_path(page, carts.get(page, headers=user))
    assert [entry["id"] for entry in made(carts.get(page, headers=user), 200)] == [cart["id"]]
    market.fill(cart["id"], user)
    first, again = (market.post_order(cart["id"], user, "k" * 255, user_id=sub) for _ in range(2))
    order = made(first)
    assert order["user_id"] == sub and made(again) == order
    path = f"/orders?user_id={quote(sub)}"
    assert [entry["id"] for entry in made(orders.get(path, headers=user), 200)] == [order["id"]]
    assert orders.get(path, headers=market.token(other)).status == 403
    assert orders.get(f"/orders/{order['id']}", headers=market.token(other)).status == 404

    def seen():
        lines = entries_of_log(market.bed.order.worker.logged())
        return {line["user.id"] for line in lines if line.get("user.id", "").startswith(sub[0])}

    wait_until(lambda: seen() == {sub, other}, 10, "both are in the log")


@pytest.mark.parametrize(
    ("claims", "given"),
    [
        ({"roles": {"orders:read": {"1": "shop.example"}, "admin": {}}}, ""),
        ({"roles": [{"value": "orders:read"}, "orders:read", None]}, "orders:read"),
        ({"scope": 7, "azp": {"name": "till"}, "client_id": None}, ""),
        ({"scope": ["orders:write", ["admin"]]}, "orders:write"),
    ],
)
def test_what_is_no_scope_gives_none(market, claims, given):
    """Nobody is locked out by a role of another type, and the log says what staff's tokens give."""
    name, worker = f"customer-{uuid.uuid4()}", market.bed.order.worker
    customer = market.provider.headers(name, **claims)
    order = market.order(customer)
    assert order["user_id"] == name
    path = f"/orders/{order['id']}/status"
    body, request = {"status": "shipped"}, {"X-Request-ID": name}
    answer = market.bed.order.public.put(path, json=body, headers={**customer, **request})
    if given == "orders:write":
        made(answer, 200)
        return
    assert is_problem(answer, 403)["code"] == "insufficient-scope"

    def found():
        lines = [line for line in entries_of_log(worker.logged()) if line.get("http.request.id") == name]
        return [line["user.roles"] for line in lines if "user.roles" in line]

    wait_until(found, 10, "the scopes are logged")
    assert found() == [given]
