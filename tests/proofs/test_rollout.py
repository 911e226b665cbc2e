"""AUTH is turned on under load as docs/SECURITY.md says, step by step, and off again the other way round;
keys are replaced in its steps.

Replicas are replaced one by one and no client notices. On SQLite the one worker of a service is away
for a moment, and clients who send the same again lose nothing.
"""

import secrets
import time

import people
import pytest
import stores
import tokens
from bed import MINUTES, seconds
from journal import Journal
from load import Known, Load
from rollout import everybody_sees_their_own, nobody_was_refused, turn_off, turn_on
from testbed import SERVICES

# Replicas are many, and each takes a while.
ALL_STEPS = MINUTES >= 5 or not stores.POSTGRES

pytestmark = pytest.mark.skipif(people.AUTH == "off", reason="only with AUTH=jwt")


@pytest.mark.asked
def test_turned_on_and_off(make_bed):
    journal = Journal()
    with make_bed(asks=False) as bed:
        with Load(bed.gateway.port, journal, kind=Known) as load:
            turn_on(bed)
            load.wait_for_enough()
        everybody_sees_their_own(bed, load)
        assert load.errors == []
        if ALL_STEPS:
            with Load(bed.gateway.port, journal, kind=Known) as load:
                turn_off(bed)
                load.wait_for_enough()
            assert load.errors == []
        nobody_was_refused(journal)
        bed.check(journal)


def replace(bed, *names):
    for name in names:
        time.sleep(seconds(2.5))
        bed.replace(name)


@pytest.mark.skipif(not ALL_STEPS, reason="replaces 21 replicas: only with PROOF_MINUTES=5")
@pytest.mark.asked
def test_keys_are_replaced(make_bed, tmp_path):
    """Those of guests and those between services: known everywhere before anybody uses them."""
    settings = tokens.settings(people.provider, tmp_path)
    guests, services = settings["GUEST_KEYS"], settings["SERVICE_KEYS"]
    new_guests, new_secret = (f"{secrets.token_hex(32)}\n" for _ in range(2))
    old_guests, new_service = guests.read_text(), f"order {new_secret}"
    journal = Journal()
    with make_bed(worker=settings) as bed:
        with Load(bed.gateway.port, journal) as load:
            guests.write_text(old_guests + new_guests)
            services.write_text(services.read_text() + new_service)
            replace(bed, *SERVICES)
            guests.write_text(new_guests + old_guests)
            for callee in ("product", "cart"):
                (settings["SERVICE_TOKENS"] / callee).write_text(new_secret)
            replace(bed, "order", "cart")
            services.write_text(new_service)
            replace(bed, "product", "cart")
            load.wait_for_enough()
        assert load.errors == []
        nobody_was_refused(journal)
        bed.check(journal)
