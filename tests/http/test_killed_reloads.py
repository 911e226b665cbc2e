"""kill -9 of workers while they read new keys, from a file or fetched: no half-read keys count, the next
worker starts, and no order is stuck."""

import base64
import contextlib
import json
import os
import random
import threading
import time

import invariants
import pytest
import tokens
from cryptography.hazmat.primitives.asymmetric import rsa
from market import open_market
from shop import new_id
from test_fetched_keys import Provider as Fetched
from test_fetched_keys import Shop
from test_operations import run as run_program
from testbed import SERVICES, SLOWNESS, wait_until
from world import made

SOON = 30 * SLOWNESS
LOOKED_AT = 1  # how often workers look at a file, in seconds
REFUSALS = (401, 403)


def ask(bed, provider):
    return bed.cart.public.get("/carts", headers=provider.headers("ada")).status


def replace(folder, text):
    (folder / "fresh").write_text(text)
    (folder / "fresh").replace(folder / "jwks.json")


# ---- a file that is half written


@contextlib.contextmanager
def half_of(folder, text):
    """A file that has so far half of the text, which a worker has read, and waits for the rest."""
    os.mkfifo(folder / "fifo")
    (folder / "fifo").replace(folder / "jwks.json")
    writers = []

    def is_open():
        with contextlib.suppress(OSError):  # no reader so far
            writers.append(os.open(folder / "jwks.json", os.O_WRONLY | os.O_NONBLOCK))
        return writers

    wait_until(is_open, SOON, "the worker reads the keys anew")
    try:
        os.write(writers[0], text[: len(text) // 2].encode())
        yield
    finally:
        os.close(writers[0])


@pytest.fixture
def rotated(make_platform, tmp_path):
    """A cart service, its provider, and that after a rotation."""
    before, after = tokens.Provider("before"), tokens.Provider("after")
    bed = make_platform(services=("cart",), gateway=False, worker=tokens.settings(before, tmp_path))
    assert (ask(bed, before), ask(bed, after)) == (200, 401)
    return bed, before, after


@pytest.mark.storeless
def test_a_worker_dies_with_half_of_the_keys(rotated, tmp_path):
    bed, before, after = rotated
    text = json.dumps(after.jwks())
    with half_of(tmp_path, text):
        # Nobody waits for the rest.
        assert {ask(bed, before) for _ in range(20)} == {200}
        assert ask(bed, after) == 401
        bed.cart.kill_worker()
    replace(tmp_path, text)
    bed.cart.start_worker()
    assert (ask(bed, before), ask(bed, after)) == (401, 200)


@pytest.mark.storeless
def test_half_of_the_keys_are_none(rotated, tmp_path):
    """The writer has died: what was known counts, and a new worker says what it lacks."""
    bed, before, after = rotated
    text = json.dumps(after.jwks())
    with half_of(tmp_path, text):
        pass
    message = "cannot read the provider's keys anew"
    wait_until(lambda: message in bed.cart.worker.logged(), SOON, message)
    assert (ask(bed, before), ask(bed, after)) == (200, 401)
    (tmp_path / "jwks.json").unlink()
    (tmp_path / "jwks.json").write_text(text[: len(text) // 2])
    bed.cart.kill_worker()
    with pytest.raises(Exception, match="AUTH_JWKS"):
        bed.cart.start_worker()
    replace(tmp_path, text)
    bed.cart.start_worker()
    assert (ask(bed, before), ask(bed, after)) == (401, 200)


# ---- fetched


class Slow(Fetched):
    """Stops in the middle of its keys for as long as it is told to."""

    def __init__(self):
        super().__init__()
        self.goes_on, self.stopped = threading.Event(), threading.Event()

    def answer(self, request):
        if self.goes_on.is_set() or "/keys" not in request.path:
            super().answer(request)
            return
        body = json.dumps(self.jwks()).encode()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body[: len(body) // 2])
        request.wfile.flush()
        self.stopped.set()
        self.goes_on.wait(SOON)


@pytest.mark.storeless
def test_a_worker_dies_while_it_fetches_keys(make_platform, tmp_path):
    provider = Slow()
    try:
        shop = Shop(make_platform, tmp_path, provider, probe="/livez")
        for _ in range(2):
            assert provider.stopped.wait(SOON)
            provider.stopped.clear()
            assert shop.answer().status == 503
            shop.cart.kill_worker()
            shop.cart.start_worker()
        assert shop.answer().status == 503
        provider.goes_on.set()
        wait_until(lambda: shop.answer().status != 503, SOON, "there are keys")
        assert shop.answer().status == 200
        shop.cart.kill_worker()
        shop.cart.start_worker()
        shop.await_status(200)
    finally:
        provider.goes_on.set()
        provider.close()


# ---- while customers buy


def many_keys(provider):
    """Its keys among others that take time to check: a worker is busy with the set for a part of the second."""
    number = rsa.generate_private_key(65537, 2048).public_key().public_numbers().n
    n = base64.urlsafe_b64encode(number.to_bytes(256, "big")).rstrip(b"=").decode()
    others = [{"kty": "RSA", "n": n, "e": "AQAB", "kid": f"other-{i}"} for i in range(30)]
    return others + provider.jwks()["keys"]


class Customer:
    """Buys until told to stop, and asks again for what got no answer or a temporary one."""

    def __init__(self, market, name):
        self.market, self.name = market, name
        self.clients = {s: market.bed.services[s].public.clone() for s in ("cart", "order")}
        self.bought, self.refused, self.failed = [], [], None
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.buy)

    def insist(self, service, path, body):
        key = {"Idempotency-Key": new_id()}
        deadline = time.monotonic() + SOON
        while True:
            with contextlib.suppress(OSError):
                headers = {**self.market.token(self.name), **key}
                answer = self.clients[service].post(path, json=body, headers=headers)
                if answer.status in (200, 201):
                    return answer.json()
                if answer.status in REFUSALS:
                    self.refused.append(answer)
            assert time.monotonic() < deadline, f"{path} is stuck"
            time.sleep(0.02)

    def buy(self):
        try:
            while not self.over.is_set():
                cart = self.insist("cart", "/carts", {})["id"]
                self.insist("cart", f"/carts/{cart}/items", {"product_id": self.market.product, "quantity": 1})
                self.bought.append(self.insist("order", "/orders", {"cart_id": cart})["id"])
        except BaseException as error:
            self.failed = error


def test_workers_die_while_keys_are_replaced_and_customers_buy(make_platform, tmp_path):
    market, dice = open_market(make_platform, tmp_path), random.Random(14)
    bed, keys = market.bed, many_keys(market.provider)
    customers = [Customer(market, name) for name in ("ada", "bob")]
    for customer in customers:
        customer.thread.start()
    try:
        for attempt, name in enumerate(("order", "cart", "product")):
            dice.shuffle(keys)
            text = json.dumps({"keys": keys})
            if attempt % 2:
                # As one should not: those who look in between see half of it.
                (tmp_path / "jwks.json").write_text(text[:1000])
                time.sleep(LOOKED_AT / 2)
                (tmp_path / "jwks.json").write_text(text)
            else:
                replace(tmp_path, text)
            time.sleep(dice.uniform(0, LOOKED_AT))
            bed.services[name].kill_worker()
            bed.services[name].start_worker()
    finally:
        for customer in customers:
            customer.over.set()
        for customer in customers:
            customer.thread.join()
    for customer in customers:
        assert customer.failed is None, customer.failed
        # Each of their tokens was good at each moment.
        assert customer.refused == []
        listed = made(bed.order.public.get("/orders?limit=200", headers=market.token(customer.name)), 200)
        # The list has the latest first.
        assert [order["id"] for order in listed] == customer.bought[:-201:-1] != []
    invariants.check(bed, SOON)
    for name in SERVICES:
        checked = run_program(name, bed.services[name].store.url, "--check", CART_DATABASE_URL=bed.cart.store.url)
        assert checked == (0, [f"{name}: 0 violations"], "")
