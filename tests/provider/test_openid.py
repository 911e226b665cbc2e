"""Tokens of a certified provider, which the workers know by its issuer alone."""

import os
import threading
import time

import pytest
import tokens
from client import is_problem
from openid import OpenIdProvider, make_key
from testbed import SERVICES, wait_until
from world import made

SCOPES = "products:write stock:write orders:read orders:write"
REDIRECT = "http://127.0.0.1/signed-in"
COOLDOWN = 30  # of an unknown key (responder/key_source.h)
FETCHED_WITHIN = 20

# They wait most of a minute. tests/http/test_fetched_keys.py and test_auth_settings.py have what is quick.
long = pytest.mark.skipif("LONG" not in os.environ, reason="make test-provider LONG=1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("openid")


@pytest.fixture(scope="module")
def provider(folder):
    settings = {"audience": "shop", "scopes": SCOPES, "redirects": [REDIRECT], "keys": [make_key("1")]}
    with OpenIdProvider(folder, **settings) as provider:
        yield provider


@pytest.fixture(scope="module")
def bed(make_platform, provider, folder):
    settings = tokens.settings(tokens.Provider(), folder)
    settings |= {"AUTH_ISSUER": provider.issuer, "AUTH_JWKS": ""}
    bed = make_platform(worker=settings)
    for service in SERVICES:
        wait_until(lambda: reaches(bed, service, provider.token()), FETCHED_WITHIN, f"{service} has keys")
    return bed


def shown(token):
    return {"Authorization": f"Bearer {token}"}


def reaches(bed, service, token):
    """Whether the service knows whose token it is."""
    path = "/products/export" if service == "product" else f"/{service}s"
    return bed.gateway.get(path, headers=shown(token)).status in (200, 403)


def age(service):
    figures = service.health.get("/metrics").body.decode().splitlines()
    return int(next(line for line in figures if line.startswith("jwks_age_seconds ")).split()[1])


def buy(bed, staff, customer):
    """From the catalogue to the delivered order; returns the customer's orders."""
    lamp = {"name": "Lamp", "price": 19.99, "inventory": 5}
    product = made(bed.gateway.post("/products", json=lamp, headers=shown(staff)))
    cart = made(bed.gateway.post("/carts", json={}, headers=shown(customer)))
    line = {"product_id": product["id"], "quantity": 2}
    made(bed.gateway.post(f"/carts/{cart['id']}/items", json=line, headers=shown(customer)), 200)
    order = made(bed.gateway.post("/orders", json={"cart_id": cart["id"]}, headers=shown(customer)))
    for status in ("processing", "shipped", "delivered"):
        path, body = f"/orders/{order['id']}/status", {"status": status}
        assert bed.gateway.put(path, json=body, headers=shown(customer)).status == 403
        made(bed.gateway.put(path, json=body, headers=shown(staff)), 200)
    return made(bed.gateway.get("/orders", headers=shown(customer)), 200)


def test_programs_buy_by_client_credentials(bed, provider):
    orders = buy(bed, provider.token(SCOPES), provider.token())
    assert [(order["user_id"], order["status"]) for order in orders] == [("backend", "delivered")]


def test_a_person_signs_in_and_buys(bed, provider):
    signed_in = provider.sign_in("ada", REDIRECT)
    orders = buy(bed, provider.token(SCOPES), signed_in["access_token"])
    assert [order["user_id"] for order in orders] == ["ada"]


def test_who_signs_in_gets_no_scope_by_asking(bed, provider):
    token = provider.sign_in("ada", REDIRECT)["access_token"]
    refused = bed.gateway.post("/products", json={"name": "Lamp", "price": 1}, headers=shown(token))
    assert is_problem(refused, 403)["code"] == "insufficient-scope"


@pytest.mark.parametrize("service", ["cart", "order"])
def test_tokens_for_something_else_are_refused(bed, provider, service):
    """Another audience, and an ID token, which says who signed in to the client and opens nothing."""
    wrong = {
        "audience": provider.token(resource="https://other.example"),
        "ID token": provider.sign_in("ada", REDIRECT)["id_token"],
    }
    for what, token in wrong.items():
        refused = bed.gateway.get(f"/{service}s", headers=shown(token))
        assert is_problem(refused, 401)["code"] == "invalid-token", what
    figures = getattr(bed, service).health.get("/metrics").body.decode()
    assert '\nauth_refused_total{reason="audience"} 2\n' in figures


class Load:
    """Asks for carts without a pause, with a token that is taken anew for each; a client that is told to
    come again does."""

    def __init__(self, bed, token):
        self.bed, self.token = bed, token
        self.statuses, self.retries = [], 0
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.run) for _ in range(2)]

    def run(self):
        with self.bed.gateway.clone() as client:
            while not self.stopping.is_set():
                answer = client.get("/carts", headers=shown(self.token))
                if answer.status == 503 and self.retries < 1000:
                    self.retries += 1
                    time.sleep(int(answer.header("Retry-After")))
                else:
                    self.statuses.append(answer.status)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()


@long
def test_new_keys_under_load_lose_no_request(bed, provider):
    """Unannounced: nobody knew the new key before the first token by it. Those by the old key count on."""
    old = provider.token()
    wait_until(lambda: age(bed.cart) > COOLDOWN, 2 * COOLDOWN, "an unknown key is asked for at once")
    with Load(bed, old) as load:
        before = provider.settings["keys"]
        provider.stop()
        provider.start(keys=[make_key("2"), *before])
        load.token = provider.token()
        assert load.token.split(".")[0] != old.split(".")[0]
        wait_until(lambda: age(bed.cart) < COOLDOWN / 2, FETCHED_WITHIN, "the new key has come")
        done = len(load.statuses)
        wait_until(lambda: len(load.statuses) > done + 50, FETCHED_WITHIN, "tokens by it count")
        load.token = old
        done = len(load.statuses)
        wait_until(lambda: len(load.statuses) > done + 50, FETCHED_WITHIN, "and those by the old one")
    assert set(load.statuses) == {200}


@long
def test_the_provider_is_away_for_long(bed, provider):
    """Its tokens count until they expire, also with workers that started meanwhile."""
    staff, customer = provider.token(SCOPES), provider.token()
    for name in SERVICES:
        wait_until(lambda: reaches(bed, name, customer), FETCHED_WITHIN, f"{name} has the newest keys")
    provider.stop()
    try:
        # Longer than the sidecar's copies count without being asked for again.
        wait_until(lambda: age(bed.cart) > 7, FETCHED_WITHIN, "the keys grow old")
        for name in SERVICES:
            service = getattr(bed, name)
            service.restart_worker()
            wait_until(lambda: reaches(bed, name, customer), FETCHED_WITHIN, f"{name} has keys")
        buy(bed, staff, customer)
        made_up = tokens.Provider("3").token("ada", iss=provider.issuer)
        assert not reaches(bed, "cart", made_up)
    finally:
        provider.start()
    wait_until(
        lambda: all(age(getattr(bed, name)) < 7 for name in SERVICES), FETCHED_WITHIN, "they are renewed"
    )
