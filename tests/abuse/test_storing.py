"""Requests that leave something in a store whatever their outcome: one client may send fewer of these
than of others, and what it stores in a day is bounded."""

import pytest
from sidecar import flood
from shop import done, new_id

STRANGER, OTHER = ({"X-Forwarded-For": f"203.0.113.{number}"} for number in (1, 2))
RATE, AT_ONCE = 1, 50  # nginx/render.sh
MORE = 30


@pytest.fixture(scope="module")
def shop(make_platform):
    return make_platform(
        gateway=False,
        nginx={"STORING_LIMIT_RPS": RATE, "TRUSTED_PROXIES": "127.0.0.1", "ROOT_PATH": "/shop"},
    )


def new_cart(client, headers, path="/carts"):
    return client.post(path, json={"user_id": "u"}, headers=headers)


def order_of_nothing(client, headers):
    return client.post("/shop/orders/", json={"user_id": "u", "cart_id": new_id()}, headers=headers)


def import_of_nothing(client, headers):
    headers = {**headers, "Idempotency-Key": new_id(), "Content-Type": "application/x-ndjson"}
    return client.post("/products/bulk", body=b"x\n", headers=headers)


def stored(service):
    return service.store.read("SELECT count(*) FROM idempotency_keys")[0][0]


@pytest.mark.parametrize(
    ("name", "send"),
    [
        ("cart", new_cart),
        ("order", order_of_nothing),
        ("product", import_of_nothing),
    ],
)
def test_a_client_may_not_store_without_end(shop, name, send):
    service = getattr(shop, name)
    before = stored(service)
    answers = flood(lambda _: send(service.public, STRANGER), RATE, AT_ONCE, MORE)
    refused = [answer for answer in answers if answer.status == 429]
    taken = len(answers) - len(refused)
    assert all(answer.status < 429 for answer in answers[: 1 + AT_ONCE])
    for answer in refused:
        assert answer.json()["code"] == "too-many-requests"
        assert "store" in answer.json()["detail"]
        assert int(answer.header("Retry-After")) >= 1
    assert stored(service) - before in (0, taken)
    # Nobody else is held up by that, and siblings never are.
    assert send(service.public, OTHER).status < 429
    assert all(send(service.internal, STRANGER).status < 429 for _ in range(AT_ONCE + MORE))


def test_what_stores_nothing_is_not_counted(shop):
    client = {"X-Forwarded-For": "203.0.113.3"}
    public = shop.cart.public
    cart = done(new_cart(public, client, "/shop/carts"), 201)["id"]
    answers = [public.post(f"/carts/{cart}/refresh", headers=client) for _ in range(AT_ONCE + MORE)]
    answers += [public.get(f"/carts/{cart}", headers=client) for _ in range(AT_ONCE + MORE)]
    assert {answer.status for answer in answers} == {200}

    def with_a_key(_):
        return public.post(f"/shop/carts/{cart}/refresh", headers={**client, "Idempotency-Key": new_id()})

    assert {answer.status for answer in flood(with_a_key, RATE, AT_ONCE, MORE)} == {200, 429}
    assert public.post(f"/carts/{cart}/refresh", headers=client).status == 200
    # A place is free again each second: of several in a row one finds none.
    flood(lambda _: new_cart(public, client), RATE, AT_ONCE, 1)
