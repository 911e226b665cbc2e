"""Three replicas of each service on a primary and two synchronous standbys: the primary is killed."""

import time

import pytest
from bed import EVENTUALLY, seconds
from client import Client
from journal import Customer, Journal
from load import Load
from standbys import Standbys
from testbed import wait_until

SERVES_AGAIN_WITHIN = 10


@pytest.fixture(scope="module")
def cluster():
    with Standbys() as cluster:
        yield cluster


def buys(port):
    """Whether an order gets through, without trying twice."""
    customer = Customer(port, Journal(), patience=0.01)
    product = customer.make_product(inventory=1)
    if not product:
        return False
    cart = customer.fill_cart({product.json()["id"]: 1})
    order = cart and customer.order(cart)
    return bool(order) and order.status == 201


def test_a_standby_takes_over(bed, cluster):
    """Nothing that was told is lost, and the services find the new primary by themselves; when the
    old one is back as a standby, that one can be lost as well."""
    journal = Journal()
    pids = {name: service.worker.pid for name, service in bed.services.items()}
    with Load(bed.gateway.port, journal) as load:
        for _ in range(2):
            time.sleep(seconds(3))
            cluster.fail_over()
            promoted = time.monotonic()
            wait_until(lambda: buys(bed.gateway.port), EVENTUALLY, "an order gets through")
            took = time.monotonic() - promoted
            print(f"served again {took:.1f} s after the promotion")
            assert took < SERVES_AGAIN_WITHIN + bed.metronome.slack
            for service in bed.services.values():
                wait_until(service.ready, EVENTUALLY, f"{service.name} is ready again")
            cluster.bring_back()
        load.wait_for_enough()
        time.sleep(seconds(3))
    assert {name: service.worker.pid for name, service in bed.services.items()} == pids
    with Client(bed.gateway.port) as client:
        assert client.get("/products?limit=1").status == 200
    print(journal.statuses, journal.slowest)
    assert load.errors == []
    bed.check(journal, within=20)


def test_nothing_is_told_that_is_on_no_standby(bed, cluster):
    """While there is no standby, a write is refused clearly and shown to nobody. Its retry succeeds."""
    customer = Customer(bed.gateway.port, Journal())
    body = {"name": "Mug", "price": 1, "inventory": 1, "sku": "alone"}
    call = customer.call("POST", "/products", body, "products:write stock:write")
    cluster.stop_standbys()
    for _ in range(2):
        answer = customer.send(call)
        assert answer.status in (503, 504), answer
        assert customer.client.get("/products?sku=alone").json() == []
    cluster.start_standbys()
    made = customer.insist(call)
    assert made.status == 201
    assert [one["id"] for one in customer.client.get("/products?sku=alone").json()] == [made.json()["id"]]
