"""The platform as the proofs maltreat it, and the question they all end with.

It runs on SQLite or PostgreSQL, as STORE says (tests/http/stores.py), and asks who calls, or not, as
AUTH says (people.py).
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time

import invariants
import journal as journals
import people
import stores
import testbed
from metronome import Metronome
from proxy import Proxy
from session import Session

# How long everything together may take; the loads scale with it.
MINUTES = float(os.environ.get("PROOF_MINUTES", "5"))

# What is under way when a process is back is finished after so many seconds.
SETTLED_WITHIN = 10

# A request has 5 s in all; nginx and Python need a moment, too.
ANSWERED_WITHIN = 5.5

# For what no deadline is claimed of, but has to happen.
EVENTUALLY = 60

# A busy machine takes its time to start and to stop so many processes, too.
testbed.READY_WITHIN = testbed.STOP_WITHIN = EVENTUALLY

# The exit status of a process that a failpoint ended (base/failpoint.c).
FAILPOINT_STATUS = 86

# The rules look things up in ways that the services never do.
INDEXES = {
    "product": "CREATE INDEX movements_by_order ON stock_movements (product_id, reference, id);"
    "CREATE INDEX items_by_product ON reservation_items (product_id, order_id, quantity);"
}


def seconds(by_default):
    """A duration that is right for five minutes, scaled to those allowed."""
    return by_default * MINUTES / 5


class Bed(testbed.Platform):
    """Use as a context manager, like testbed.Platform. With proxies=True the services reach each
    other through .proxies["product"] and .proxies["cart"]. With asks=False AUTH is off at first."""

    def __init__(self, proxies=False, asks=True, worker=None, **options):
        access = people.SETTINGS if asks else {}
        super().__init__(worker={**access, **(worker or {})}, **options)
        self.own_settings = {}
        self.with_proxies = proxies
        self.proxies = {}
        self.metronome = Metronome()

    def __enter__(self):
        self.metronome.__enter__()
        return super().__enter__()

    def start_nginx(self):
        super().start_nginx()
        if self.with_proxies:
            for name in ("product", "cart"):
                self.proxies[name] = Proxy(self.services[name].internal_port).__enter__()

    def worker_settings(self, name):
        settings = super().worker_settings(name)
        for sibling, proxy in self.proxies.items():
            settings[f"{sibling.upper()}_SERVICE_URL"] = f"http://127.0.0.1:{proxy.port}"
        return {**settings, **self.own_settings.get(name, {})}

    def replace(self, name):
        """A service's worker and sidecar by new ones: it is away for a moment."""
        service = self.services[name]
        assert service.nginx.stop() == 0
        assert service.stop_worker() == 0
        service.nginx.run()
        service.start_worker()

    def turn(self, name, settings):
        """Replaces a service by one that has these settings besides the platform's."""
        self.own_settings[name] = settings
        self.replace(name)

    def destroy(self):
        try:
            super().destroy()
        finally:
            for proxy in self.proxies.values():
                proxy.__exit__()
            self.metronome.__exit__()

    def store(self, name):
        return stores.find(self.directory, name)

    def snapshot(self):
        """A directory with copies of the databases, SQLite files whatever they are here."""
        directory = self.directory / "snapshot"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for name in self.wanted:
            with (
                contextlib.closing(sqlite3.connect("file::memory:", uri=True)) as connection,
                contextlib.closing(sqlite3.connect(directory / f"{name}.db")) as copy,
            ):
                self.store(name).attach(connection, "source")
                connection.backup(copy, name="source")
                copy.executescript("PRAGMA journal_mode = OFF;" + INDEXES.get(name, ""))
        return directory

    def settle(self, within=SETTLED_WITHIN):
        """Waits until nothing is under way; fails after so many seconds."""
        start = time.monotonic()
        with Session(self.store("order")) as session:
            while left := session.read(invariants.UNDER_WAY):
                waited = time.monotonic() - start
                assert waited < within + self.metronome.slack, f"not settled: {left[:5]}"
                time.sleep(0.05)

    def check(self, journal=None, within=SETTLED_WITHIN):
        """The end of every proof: settled in time, no rule broken, nothing acknowledged lost."""
        self.settle(within)
        directory = self.snapshot()
        found = invariants.faults(directory)
        if journal:
            found += journals.faults(journal, directory)
        for name in self.wanted:
            found += self.own_faults(name)
        assert not found, "\n".join(found)

    def own_faults(self, name):
        """What the service itself finds in its database."""
        checked = subprocess.run(
            [testbed.ROOT / "build" / testbed.VARIANT / f"{name}-service", "--check"],
            env=testbed.environment(
                {"DATABASE_URL": self.store(name).url, "CART_DATABASE_URL": self.store("cart").url}
            ),
            cwd=self.directory,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return [] if checked.returncode == 0 else [checked.stdout or f"{name}: {checked.returncode}"]

    def check_patience(self, journal):
        """No client had to wait longer than documented."""
        limit = ANSWERED_WITHIN + self.metronome.slack
        assert journal.slowest < limit, f"{journal.slowest} s, of {limit} s"

    def wait_for_death(self, service, within=EVENTUALLY):
        """Of a worker at a failpoint."""
        testbed.wait_until(lambda: not service.worker.alive(), within, f"{service.name} dies")
        service.expected_down = True
        assert service.worker.popen.returncode == FAILPOINT_STATUS, service.worker.logged()[-2000:]
