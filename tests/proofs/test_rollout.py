"""AUTH is turned on under load as docs/SECURITY.md says, step by step, and off again the other way round.

Replicas are replaced one by one and no client notices. On SQLite the one worker of a service is away
for a moment, and clients who send the same again lose nothing.
"""

import people
import pytest
import stores
from journal import Journal
from load import Known, Load
from rollout import everybody_sees_their_own, turn_off, turn_on

pytestmark = [
    pytest.mark.asked,
    pytest.mark.skipif(people.AUTH == "off", reason="only with AUTH=jwt"),
]


def test_turned_on_and_off(make_bed):
    journal = Journal()
    with make_bed(asks=False) as bed:
        with Load(bed.gateway.port, journal, kind=Known) as load:
            turn_on(bed)
            load.wait_for_enough()
        everybody_sees_their_own(bed, load)
        with Load(bed.gateway.port, journal, kind=Known) as again:
            turn_off(bed)
            again.wait_for_enough()
        print(journal.statuses, journal.slowest)
        assert load.errors + again.errors == []
        if stores.POSTGRES:
            assert set(journal.statuses) <= {200, 201, 409}, journal.statuses
        bed.check(journal)
