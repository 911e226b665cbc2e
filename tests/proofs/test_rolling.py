"""All nine workers and sidecars are replaced one after the other under load: no client notices."""

import time

from bed import EVENTUALLY, seconds
from journal import Journal
from load import Load
from testbed import wait_until


def replace(service):
    """In the order of docs/OPERATIONS.md: first it gets nothing new, then the sidecar finishes, then
    the worker does; the new ones get something when they are ready."""
    marks = list(service.away_marks())
    for mark in marks:
        mark.touch()
    service.wait_until_idle()
    before = service.worker.pid, service.nginx.pid
    assert service.nginx.stop() == 0
    assert service.stop_worker() == 0
    service.start_worker()
    service.nginx.run()
    wait_until(service.ready, EVENTUALLY, f"{service.instance} is ready")
    for mark in marks:
        mark.unlink()
    assert service.worker.pid != before[0] and service.nginx.pid != before[1]


def test_rolling_restart(make_bed):
    journal = Journal()
    with make_bed() as bed:
        assert len(bed.services) == 9
        with Load(bed.gateway.port, journal) as load:
            for service in bed.services.values():
                time.sleep(seconds(0.5))
                replace(service)
            time.sleep(seconds(0.5))
        print(journal.statuses, journal.slowest)
        assert load.errors == []
        assert set(journal.statuses) <= {200, 201, 409}, journal.statuses
        bed.check(journal)
