"""AUTH is turned on, and off again, in the steps of docs/SECURITY.md; what customers see of it."""

import time

import stores
from bed import seconds
from client import is_problem
from journal import Customer, Journal
from people import SETTINGS, Person

# What Order has in between.
CALLER = {name: SETTINGS[name] for name in SETTINGS if name == "SERVICE_TOKENS"}
SIBLINGS = ("product", "cart")


def turn(bed, siblings, wanted):
    for name, settings in (("order", CALLER), *((name, wanted) for name in siblings), ("order", wanted)):
        time.sleep(seconds(0.5))
        bed.turn(name, settings)


def turn_on(bed, siblings=SIBLINGS):
    turn(bed, siblings, SETTINGS)


def turn_off(bed, siblings=SIBLINGS):
    turn(bed, siblings, {})


def nobody_was_refused(journal):
    """With replicas no client noticed anything."""
    print(journal.statuses, journal.slowest)
    passing = set() if stores.POSTGRES else {502, 503, 504, "broken"}
    assert set(journal.statuses) <= {200, 201, 409} | passing, journal.statuses


def everybody_sees_their_own(bed, load):
    """What they bought, whenever; for others it is not there."""
    stranger = Customer(bed.gateway.port, Journal(), person=Person(guest=False))
    for customer in load.customers:
        for order in customer.placed:
            found = customer.get(f"/orders/{order}")
            assert found.status == 200 and found.json()["user_id"] == customer.person.name, found
            assert customer.get(f"/carts/{found.json()['cart_id']}").status == 200
            is_problem(stranger.get(f"/orders/{order}"), 404, "not-found")
    assert any(customer.placed for customer in load.customers)
    is_problem(bed.gateway.get(f"/orders/{order}"), 401, "unauthorized")
