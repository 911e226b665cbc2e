"""Three replicas of each service, and a PostgreSQL that is restarted, killed and disconnected."""

import time

import pytest
from bed import EVENTUALLY, seconds
from client import Client
from cluster import Cluster
from journal import Journal
from load import Load
from testbed import wait_until


@pytest.fixture(scope="module")
def cluster():
    with Cluster() as cluster:
        yield cluster


def finish(bed, journal, load):
    print(journal.statuses, journal.slowest)
    assert load.errors == []
    assert not set(journal.statuses) - {200, 201, 409, 503}, journal.statuses
    bed.check(journal, within=20)


@pytest.mark.parametrize("mode", ["fast", pytest.param("immediate", marks=pytest.mark.asked)])
def test_restart(bed, cluster, mode):
    """Refused clearly while it is away, and served as before when it is back, without restarting our
    services."""
    journal = Journal()
    pids = {name: service.worker.pid for name, service in bed.services.items()}
    with Load(bed.gateway.port, journal) as load:
        time.sleep(seconds(3))
        cluster.stop(mode)
        for service in bed.services.values():
            wait_until(lambda: not service.ready(), EVENTUALLY, f"{service.name} is not ready")
            with Client(service.health_port) as client:
                assert client.get("/livez").status == 200
                assert client.get("/readyz").status == 503
        time.sleep(1)
        cluster.start()
        for service in bed.services.values():
            wait_until(service.ready, EVENTUALLY, f"{service.name} is ready again")
        load.wait_for_enough()
        time.sleep(seconds(3))
    assert journal.statuses[503] > 0
    assert {name: service.worker.pid for name, service in bed.services.items()} == pids
    finish(bed, journal, load)


def test_connections_cut(bed, cluster):
    """Again and again, at any moment, even in the middle of a commit."""
    journal = Journal()
    with Load(bed.gateway.port, journal) as load:
        end = time.monotonic() + seconds(8)
        cut = 0
        while time.monotonic() < end or cut <= 20:
            time.sleep(0.5)
            cut += cluster.cut_connections()
        load.wait_for_enough()
    finish(bed, journal, load)
