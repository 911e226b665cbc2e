"""Load on one address and what it cost: requests, latency, processor time of the workers."""

import json
import math
import statistics
import subprocess
from pathlib import Path

from stack import BUILT

LOAD_LUA = Path(__file__).resolve().parent / "load.lua"
WRK_THREADS = 2


def percentile(times, share):
    """The nearest rank."""
    return sorted(times)[math.ceil(share * len(times)) - 1]


class Sample:
    """One spell of load."""

    def __init__(self, result, cpu_seconds):
        self.requests = result["requests"]
        self.seconds = result["seconds"]
        self.p50_us = result["p50_us"]
        self.p99_us = result["p99_us"]
        self.refused = result["refused"]
        self.broken = result["broken"]
        self.cpu_seconds = cpu_seconds


class Cell:
    """All spells of one row at one number of connections."""

    def __init__(self):
        self.samples = []

    def _sum(self, field):
        return sum(getattr(sample, field) for sample in self.samples)

    @property
    def rate(self):
        return self._sum("requests") / self._sum("seconds")

    @property
    def cpu_us(self):
        """Of the workers, a request."""
        return self._sum("cpu_seconds") * 1e6 / max(self._sum("requests"), 1)

    @property
    def p50_ms(self):
        return statistics.median(sample.p50_us for sample in self.samples) / 1e3

    @property
    def p99_ms(self):
        return statistics.median(sample.p99_us for sample in self.samples) / 1e3

    @property
    def failures(self):
        return self._sum("refused") + self._sum("broken")


def run(command):
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def wrk(port, connections, seconds, mode, argument, headers=()):
    threads = min(WRK_THREADS, connections)
    more = [word for header in headers for word in ("-H", header)]
    return run(
        ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", *more]
        + ["-s", LOAD_LUA, f"http://127.0.0.1:{port}", "--", mode, argument]
    )


class Row:
    """One line of the table: how to load it and whose processor time it takes."""

    posts = 0  # every spell of POSTs makes names of its own

    def __init__(self, title, port, processes=(), paths=None, headers=()):
        self.title = title
        self.port = port
        self.processes = processes
        self.paths = paths  # file for GETs; None: POST
        self.headers = headers
        self.cells = {}

    def _load(self, connections, seconds):
        if self.paths:
            return wrk(self.port, connections, seconds, "get", self.paths, self.headers)
        Row.posts += 1
        return wrk(self.port, connections, seconds, "post", f"r{Row.posts}")

    def spell(self, connections, seconds):
        before = sum(process.cpu_seconds() for process in self.processes)
        result = self._load(connections, seconds)
        return Sample(result, sum(process.cpu_seconds() for process in self.processes) - before)

    def measure(self, connections, seconds):
        sample = self.spell(connections, seconds)
        self.cells.setdefault(connections, Cell()).samples.append(sample)


class CheckoutRow(Row):
    def __init__(self, title, cart_port, order_port, processes, product_ids):
        super().__init__(title, order_port, processes, product_ids)
        self.cart_port = cart_port

    def _load(self, connections, seconds):
        return run(
            [BUILT / "checkout", self.cart_port, self.port, connections, seconds, self.paths]
        )


def failures(rows):
    return sum(cell.failures for row in rows for cell in row.cells.values())


def measure_interleaved(rows, connection_counts, rounds, seconds, say):
    """Every row in turn, and again, backwards every other time: noise on the machine, and what it
    does more and more or less and less, meets all of them alike."""
    say("warming up")
    for row in rows:
        row.spell(connection_counts[0], 1)
    for number in range(rounds):
        for connections in connection_counts:
            say(f"round {number + 1} of {rounds}, {connections} connections")
            for row in rows if number % 2 == 0 else reversed(rows):
                row.measure(connections, seconds)
