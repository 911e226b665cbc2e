"""How long a service is away after kill -9 of its worker, or of PostgreSQL."""

import json
import random
import statistics
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from load import percentile
from postgres import Cluster
from report import at_most, prose, table
from shop import SERVICES, Shop
from shopper import PAUSE, Shopper
from stack import StackError, http_status

PRODUCTS = 1000
WITHIN = 1000  # milliseconds
SETTLE = (0.1, 0.3)  # seconds between a recovery and the next kill, so that it hits any moment
AWAY_AT_MOST = 30  # seconds
SHOPPER = Path(__file__).resolve().parent / "shopper.py"


class Victim:
    """A shop that loses what it runs on."""

    def __init__(self, stack, store, cluster):
        self.stack = stack
        self.cluster = cluster
        self.shop = Shop(stack, store.lower(), cluster)
        ids = self.shop.load(PRODUCTS)
        cart, order = Shopper(*self._ports()).buy(ids[0])
        # Reads of the database: readiness alone would say less.
        self.paths = {
            "product": f"/products/{ids[0]}",
            "cart": f"/carts/{cart}",
            "order": f"/orders/{order}",
        }
        self.to_buy = stack.write_lines(f"{store}-to-buy", ids)

    def _ports(self):
        return self.shop.ports["cart"], self.shop.ports["order"]

    @contextmanager
    def shopping(self, became):
        """Somebody buys meanwhile; appends what became of it."""
        command = [sys.executable, SHOPPER, *self._ports(), self.to_buy]
        shopper = self.stack.start("shopper", command)
        yield
        shopper.stop()
        count = json.loads(shopper.last_words().splitlines()[-1])
        became.append(f"{count['bought']:,} purchases, {count['failed']:,} tries in vain")

    def kill_worker(self, service):
        """Milliseconds until it answers again."""
        one = self.shop.services[service][0]
        began = time.monotonic()
        one.worker.kill()
        one.start_worker()
        return (one.wait_for_200(one.public_port, self.paths[service]) - began) * 1e3

    def kill_cluster(self):
        """Milliseconds until it takes connections, and until all three services answer again."""
        began = time.monotonic()
        self.cluster.kill()
        self.cluster.start()
        deadline = began + AWAY_AT_MOST
        self._wait("PostgreSQL", self.cluster.accepts, deadline)
        accepts = time.monotonic()
        for service, path in self.paths.items():
            port = self.shop.ports[service]
            self._wait(service, lambda: http_status(port, path) == 200, deadline)
        return (accepts - began) * 1e3, (time.monotonic() - began) * 1e3

    def _wait(self, what, is_back, deadline):
        while not is_back():
            self.cluster.start_where_ended()
            if time.monotonic() > deadline:
                raise StackError(f"{what} is not back after PostgreSQL was killed")
            time.sleep(0.002)


def settle(chance):
    time.sleep(chance.uniform(*SETTLE))


class Recovery:
    def __init__(self, stack, scale, say):
        self.chance = random.Random(1)
        self.workers = {}
        self.cluster = {}
        self.shopping = {}
        self._kill_workers(Victim(stack, "SQLite", None), "SQLite", scale.kills, say)
        victim = Victim(stack, "PostgreSQL", Cluster(stack))
        self._kill_workers(victim, "PostgreSQL", scale.kills, say)
        self._kill_cluster(victim, scale.cluster_kills, say)

    def _kill_workers(self, victim, store, count, say):
        say(f"killing each worker {count} times on {store}")
        with victim.shopping(self.shopping.setdefault(f"Workers on {store}", [])):
            for _ in range(count):
                for service in SERVICES:
                    settle(self.chance)
                    times = self.workers.setdefault(f"{service} worker, {store}", [])
                    times.append(victim.kill_worker(service))

    def _kill_cluster(self, victim, count, say):
        say(f"killing PostgreSQL {count} times")
        with victim.shopping(self.shopping.setdefault("PostgreSQL", [])):
            for _ in range(count):
                time.sleep(1)  # something to recover is written meanwhile
                accepts, answer = victim.kill_cluster()
                self.cluster.setdefault("PostgreSQL, takes connections", []).append(accepts)
                self.cluster.setdefault("… all three services answer", []).append(answer)

    def failures(self):
        return 0  # what fails while nobody is there is not counted

    def floors(self):
        return [
            at_most(f"{title}: p99 after kill -9 ≤ 1 s", percentile(times, 0.99), WITHIN, " ms")
            for title, times in self.workers.items()
        ]

    def sections(self):
        lines = [
            [
                title,
                len(times),
                f"{statistics.median(times):.0f}",
                f"{percentile(times, 0.99):.0f}",
            ]
            for title, times in {**self.workers, **self.cluster}.items()
        ]
        about = prose(
            f"""
            Milliseconds from the signal to the first 200 of a read through nginx. The benchmark is
            the supervisor: it waits for the end of what it killed and starts it again at once,
            which is part of the time; a supervisor that waits first (Kubernetes after repeated
            deaths) adds its delay. PostgreSQL is killed with all its processes, so its time
            includes the recovery of its data. Meanwhile one shopper buys, {PAUSE * 1e3:.0f} ms
            between tries. {"; ".join(self._became())}. p99 is the nearest rank: of less than a
            hundred, the slowest."""
        )
        header = ["killed", "times", "p50 ms", "p99 ms"]
        return [f"## Recovery after kill -9\n\n{about}\n\n{table(header, lines)}"]

    def _became(self):
        return [f"{what} killed: {became[0]}" for what, became in self.shopping.items()]


measure = Recovery
