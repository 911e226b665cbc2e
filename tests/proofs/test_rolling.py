"""All nine workers and sidecars are replaced one after the other under load: no client notices."""

import time

from bed import seconds
from journal import Journal
from load import Load


def test_rolling_restart(make_bed):
    journal = Journal()
    with make_bed() as bed:
        assert len(bed.services) == 9
        with Load(bed.gateway.port, journal) as load:
            for service in bed.services.values():
                time.sleep(seconds(0.5))
                service.replace()
            time.sleep(seconds(0.5))
        print(journal.statuses, journal.slowest)
        assert load.errors == []
        assert set(journal.statuses) <= {200, 201, 409}, journal.statuses
        bed.check(journal)
