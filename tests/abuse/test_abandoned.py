"""Requests whose clients have left before their turn cost nothing."""

import contextlib
import sqlite3
import subprocess
from contextlib import closing

import fastcgi
import pytest
import stores
from observed import figure, in_flight
from shop import done, new_id
from testbed import wait_until

ABANDONED = 'http_requests_total{operation="createProduct",status="499"}'
COUNT = 60
WRITERS = 8  # at once on PostgreSQL: so many had begun

LOCK = "BEGIN; LOCK TABLE products IN SHARE MODE; SELECT pg_sleep(60)"
LOCKS = "SELECT pid FROM pg_locks WHERE relation = 'products'::regclass AND mode = 'ShareLock'"


@pytest.fixture(scope="module")
def product(make_platform):
    return make_platform(services=("product",), gateway=False).product


@contextlib.contextmanager
def held_writer(store):
    """Writers of products must wait."""
    if stores.POSTGRES:
        with subprocess.Popen(["psql", "-q", store.url, "-c", LOCK], stderr=subprocess.DEVNULL):
            wait_until(lambda: store.read(f"{LOCKS} AND granted"), 10, "the table is locked")
            try:
                yield
            finally:
                store.read(f"SELECT pg_terminate_backend(pid) FROM ({LOCKS}) AS locks")
    else:
        with closing(sqlite3.connect(store.path, isolation_level=None, timeout=10)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            yield


def test_abandoned_writes_are_not_begun(product):
    """Held up together, and carried on after all but one of their clients have hung up."""
    skus = [new_id() for _ in range(COUNT)]
    before = figure(product, ABANDONED)
    with contextlib.ExitStack() as stack:
        connections = [fastcgi.Connection(product.socket) for _ in skus]
        for connection in connections:
            stack.callback(connection.close)
        with held_writer(product.store):
            for sku, connection in zip(skus, connections):
                body = {"name": "Mug", "price": 1, "sku": sku}
                connection.send(fastcgi.request("POST", "/products", json=body))
            wait_until(lambda: in_flight(product) == COUNT, 10, "all are received")
            *gone, patient = connections
            for connection in gone:
                connection.close()
        assert patient.receive()[0] == 201
    wait_until(lambda: in_flight(product) == 0, 10, "the others are done")
    made = [sku for sku in skus if done(product.public.get(f"/products?sku={sku}"), 200)]
    assert skus[-1] in made
    assert len(made) - 1 <= (WRITERS if stores.POSTGRES else 0)
    assert figure(product, ABANDONED) - before == COUNT - len(made)
