"""The platform as the proofs maltreat it, and the question they all end with."""

import os
import time

import invariants
import journal as journals
import testbed
from proxy import Proxy

# How long everything together may take; the loads scale with it.
MINUTES = float(os.environ.get("PROOF_MINUTES", "5"))

# What is under way when a process is back is finished after so many seconds.
SETTLED_WITHIN = 10

# The exit status of a process that a failpoint ended (base/failpoint.c).
FAILPOINT_STATUS = 86


def seconds(by_default):
    """A duration that is right for five minutes, scaled to those allowed."""
    return by_default * MINUTES / 5


class Bed(testbed.Platform):
    """Use as a context manager, like testbed.Platform. With proxies=True the services reach each
    other through .proxies["product"] and .proxies["cart"]."""

    def __init__(self, proxies=False, **options):
        super().__init__(**options)
        self.with_proxies = proxies
        self.proxies = {}

    def start_nginx(self):
        super().start_nginx()
        if self.with_proxies:
            for name in ("product", "cart"):
                self.proxies[name] = Proxy(self.services[name].internal_port).__enter__()

    def worker_settings(self, name):
        settings = super().worker_settings(name)
        for sibling, proxy in self.proxies.items():
            settings[f"{sibling.upper()}_SERVICE_URL"] = f"http://127.0.0.1:{proxy.port}"
        return settings

    def destroy(self):
        super().destroy()
        for proxy in self.proxies.values():
            proxy.__exit__()

    @property
    def stores(self):
        """The directory with the databases."""
        return self.directory

    def settle(self, within=SETTLED_WITHIN):
        """Waits until nothing is under way; returns how long that took."""
        start = time.monotonic()
        invariants.settle(self.stores, within)
        return time.monotonic() - start

    def check(self, journal=None, within=SETTLED_WITHIN):
        """Every proof's end: settled in time, no rule broken, nothing acknowledged lost."""
        self.settle(within)
        found = invariants.faults(self.stores)
        if journal:
            found += journals.faults(journal, self.stores)
        assert not found, "\n".join(found)

    def wait_for_death(self, service, within=15):
        """Of a worker at a failpoint."""
        testbed.wait_until(lambda: not service.worker.alive(), within, f"{service.name} dies")
        service.expected_down = True
        assert service.worker.popen.returncode == FAILPOINT_STATUS, service.worker.logged()[-2000:]
