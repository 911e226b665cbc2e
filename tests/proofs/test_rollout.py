"""AUTH is turned on under load as docs/SECURITY.md says, step by step, and off again the other way round.

Replicas are replaced one by one and no client notices. On SQLite the one worker of a service is away
for a moment, and clients who send the same again lose nothing.
"""

import random
import time

import people
import pytest
import stores
from bed import seconds
from client import is_problem
from journal import Customer, Journal
from load import Known, Load

pytestmark = [
    pytest.mark.asked,
    pytest.mark.skipif(people.AUTH == "off", reason="only with AUTH=jwt"),
]


def turn(bed, steps):
    """Services of one step in any order."""
    for step in steps:
        for name, settings in random.sample(step, len(step)):
            time.sleep(seconds(0.5))
            bed.turn(name, settings)


def everybody_sees_their_own(bed, load):
    """What they bought, whenever; for others it is not there."""
    stranger = Customer(bed.gateway.port, Journal(), person=people.Person(guest=False))
    for customer in load.customers:
        for order in customer.placed:
            found = customer.get(f"/orders/{order}")
            assert found.status == 200 and found.json()["user_id"] == customer.person.name, found
            assert customer.get(f"/carts/{found.json()['cart_id']}").status == 200
            is_problem(stranger.get(f"/orders/{order}"), 404, "not-found")
    assert any(customer.placed for customer in load.customers)
    is_problem(bed.gateway.get(f"/orders/{order}"), 401, "unauthorized")


def test_turned_on_and_off(make_bed):
    journal = Journal()
    with make_bed(asks=False) as bed:
        with Load(bed.gateway.port, journal, kind=Known) as load:
            turn(bed, people.TURNING_ON)
            load.wait_for_enough()
        everybody_sees_their_own(bed, load)
        with Load(bed.gateway.port, journal, kind=Known) as again:
            turn(bed, people.TURNING_OFF)
            again.wait_for_enough()
        print(journal.statuses, journal.slowest)
        assert load.errors + again.errors == []
        if stores.POSTGRES:
            assert set(journal.statuses) <= {200, 201, 409}, journal.statuses
        bed.check(journal)
