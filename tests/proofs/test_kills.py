"""Workers are killed and paused at random while 32 customers of every kind are busy: one of each
service on SQLite, three on PostgreSQL. A request that sleeps longer than its lease places nothing."""

import random
import re
import signal
import threading
import time

import pytest
from bed import EVENTUALLY, seconds
from journal import Journal
from load import Load
from session import Session
from testbed import wait_until

# Longer than a checkout's lease: its thread wakes up when others have ended what it began.
LONG_PAUSE = 8


class Chaos:
    """What can happen to a worker; seeded, so that a failure names its sequence."""

    def __init__(self, bed, seed):
        self.bed = bed
        self.dice = random.Random(seed)
        self.events = []

    def kill(self, service):
        service.kill_worker()
        time.sleep(self.dice.uniform(0, 0.5))
        service.start_worker()

    def pause(self, service, duration=None):
        service.worker.signal(signal.SIGSTOP)
        time.sleep(duration or self.dice.uniform(0.1, 2))
        service.worker.signal(signal.SIGCONT)

    def strike(self):
        service = self.dice.choice(list(self.bed.services.values()))
        what = self.dice.choice((self.kill, self.kill, self.pause))
        self.events.append((what.__name__, service.name))
        what(service)

    def run(self, duration):
        end = time.monotonic() + duration
        while time.monotonic() < end:
            time.sleep(self.dice.uniform(0.1, 0.8))
            self.strike()


@pytest.fixture(scope="module")
def bed(make_bed):
    with make_bed() as bed:
        yield bed


# Rejected after the lease, so by a sweeper and not by the request.
GIVEN_UP = "SELECT id FROM orders WHERE saga = 'rejected' AND updated_at > lease_until"
PLACED_LATE = "SELECT id FROM orders WHERE saga = 'placed' AND created_at > lease_until"


def finish(bed, journal, load):
    assert load.errors == []
    bed.check(journal)
    assert not set(journal.statuses) - {200, 201, 409, 502, 503, 504, "broken"}, journal.statuses
    assert bed.store("order").read(PLACED_LATE) == []


@pytest.mark.asked
def test_random_kills_and_pauses(bed):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chaos = Chaos(bed, seed)
    journal = Journal()
    with Load(bed.gateway.port, journal) as load:
        chaos.run(seconds(15))
        load.wait_for_enough()
    print(chaos.events, journal.statuses)
    finish(bed, journal, load)
    assert chaos.events


def test_paused_beyond_all_leases(bed):
    """Threads of all services wake up when their work has been given up."""
    journal = Journal()
    chaos = Chaos(bed, 0)
    with Load(bed.gateway.port, journal) as load:
        pauses = []
        for service in {one.name: one for one in bed.services.values()}.values():
            time.sleep(1)
            pauses.append(threading.Thread(target=chaos.pause, args=(service, LONG_PAUSE)))
            pauses[-1].start()
        for pause in pauses:
            pause.join()
        time.sleep(2)
        load.wait_for_enough()
    finish(bed, journal, load)
    assert journal.slowest >= LONG_PAUSE / 2


def unavailable(service):
    """How many orders its worker has answered with 503."""
    figures = service.health.get("/metrics").body.decode()
    found = re.search(r'^http_requests_total\{operation="createOrder",status="503"\} (\d+)$', figures, re.M)
    return int(found[1]) if found else 0


def asleep(service):
    return service.worker.logged().count('"message":"failpoint"')


# Before the cart is asked, before the stock is, and with everything in hand but the order.
SLEEPS = ("after_begin", "after_open", "after_hold")


def test_sleeping_requests(bed):
    """Three requests fall asleep in one worker. Meanwhile any replica gives up their orders, and the
    orders stay rejected when the requests wake up."""
    sleeper = next(one for one in bed.services.values() if one.name == "order")
    journal = Journal()
    with Load(bed.gateway.port, journal) as load:
        before = set(bed.store("order").read(GIVEN_UP))
        sleeper.restart_worker(FAILPOINT=",".join(f"{point}:pause@9" for point in SLEEPS))
        # A slow machine's sweeper may give up others as well.
        wait_until(lambda: asleep(sleeper) == len(SLEEPS), EVENTUALLY, "they fall asleep")
        with Session(bed.store("order")) as orders:
            wanted = len(before) + len(SLEEPS)
            wait_until(lambda: len(orders.read(GIVEN_UP)) >= wanted, EVENTUALLY, "given up")
        given_up = set(bed.store("order").read(GIVEN_UP)) - before
        assert asleep(sleeper) == len(SLEEPS)
        # Their clients have been told by the sidecar long since.
        wait_until(lambda: unavailable(sleeper) >= len(SLEEPS), EVENTUALLY, "they wake up")
        load.wait_for_enough()
    finish(bed, journal, load)
    assert given_up <= set(bed.store("order").read(GIVEN_UP))


def test_all_killed_at_once(bed):
    """As when the machine goes down."""
    journal = Journal()
    with Load(bed.gateway.port, journal) as load:
        for _ in range(2):
            time.sleep(1.5)
            for service in bed.services.values():
                service.kill_worker()
            for service in bed.services.values():
                service.start_worker()
        time.sleep(1)
        load.wait_for_enough()
    finish(bed, journal, load)
    assert journal.statuses[502] + journal.statuses["broken"] > 0
