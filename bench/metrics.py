"""What recording its metrics costs a request."""

import statistics

import load
from report import at_most, prose, table
from shop import Shop
from stack import BUILT, LOOP_THREADS

PRODUCTS = 1000
CONNECTIONS = 32
MOST = 2  # percent


class Metrics:
    def __init__(self, stack, scale, say):
        say("what metrics cost")
        shop = Shop(stack, "metrics")
        self.get = shop.rows(shop.load(PRODUCTS))["get"]
        self.scale = scale
        self.get.spell(CONNECTIONS, 1)
        self.ns = {1: [], LOOP_THREADS: []}
        for _ in range(scale.pair_rounds):
            self.get.measure(CONNECTIONS, scale.pair_seconds)
            for threads, taken in self.ns.items():
                taken.append(load.run([BUILT / "metrics_cost", threads])["ns"])

    def failures(self):
        return load.failures([self.get])

    def _share(self, threads):
        """Percent of GET one's processor time."""
        ns = statistics.median(self.ns[threads])
        return ns / 1e3 / self.get.cells[CONNECTIONS].cpu_us * 100

    def floors(self):
        text = f"metrics ≤ {MOST} % of GET one's CPU, c={CONNECTIONS}"
        return [at_most(text, max(map(self._share, self.ns)), MOST, " %")]

    def sections(self):
        cpu = self.get.cells[CONNECTIONS].cpu_us
        lines = [
            [
                "one thread" if threads == 1 else f"{threads} threads, same counters",
                f"{statistics.median(taken):.0f}",
                f"{cpu:.1f}",
                f"{self._share(threads):.2f} %",
            ]
            for threads, taken in self.ns.items()
        ]
        about = prose(
            f"""
            `bench/metrics_cost.c`, linked with the services' own libraries, does what the responder
            does to record a request: it reads the clock and calls `metrics_count()`, every 2 µs or
            so; the same without recording is subtracted. GET one was loaded in turns with it,
            {CONNECTIONS} connections."""
        )
        header = ["", "ns a request", "GET one, CPU µs", "share"]
        return [f"## Cost of metrics\n\n{about}\n\n{table(header, lines)}"]


measure = Metrics
