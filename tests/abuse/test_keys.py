"""Idempotency-Keys that anonymous requests store: bounded in total, and reported."""

import re
import time

import pytest
from client import is_problem
from testbed import SERVICES, SLOWNESS
from world import unique

MOST = 5

# A worker counts every 15 s.
PATIENCE = 40 * SLOWNESS

SENT = {
    "product": ("/products", {"name": "n", "price": 1}),
    "cart": ("/carts", {"user_id": "u"}),
    "order": ("/orders", {"cart_id": "00000000-0000-4000-8000-000000000000", "user_id": "u"}),
}


@pytest.fixture(scope="module")
def bed(make_platform):
    return make_platform(gateway=False, worker={"IDEMPOTENCY_KEYS_MAX": MOST})


def send(bed, name, key=None):
    path, body = SENT[name]
    headers = {"Idempotency-Key": key} if key else {}
    return getattr(bed, name).public.post(path, json=body, headers=headers)


def stored(bed, name):
    figures = getattr(bed, name).health.get("/metrics").body.decode()
    return int(re.search(r"^idempotency_keys (\d+)$", figures, re.M)[1])


def test_no_more_than_the_most_are_stored(bed):
    """Requests without a key, and repeated requests, are not affected."""
    firsts = {}
    for name in SERVICES:
        keys = [unique("key") for _ in range(MOST)]
        firsts[name] = keys[0], [send(bed, name, key) for key in keys][0]
    until = time.monotonic() + PATIENCE
    while any(stored(bed, name) < MOST for name in SERVICES):
        assert time.monotonic() < until
        time.sleep(0.2)
    for name, (key, first) in firsts.items():
        refused = send(bed, name, unique("key"))
        is_problem(refused, 503, "keys-full")
        assert refused.header("Retry-After") == "60"
        again = send(bed, name, key)
        assert (again.status, again.body) == (first.status, first.body)
        assert send(bed, name).status == first.status
