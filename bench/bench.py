"""Measures part after part, each with processes of its own, and prints what came out. Called by
run.sh with `quick` and the names of the parts wanted, all but `shops` where none is named."""

import signal
import sys
import time
from pathlib import Path

import compare
import flat
import metrics
import recovery
import replicas
import report
import shops
import stores
import tokens
from stack import Stack

HERE = Path(__file__).resolve().parent
PARTS = {
    "compare": compare,
    "flat": flat,
    "stores": stores,
    "replicas": replicas,
    "recovery": recovery,
    "metrics": metrics,
    "tokens": tokens,
}
# Takes a gigabyte from npm, so only where it is asked for.
ASKED_FOR = {"shops": shops}
BEGAN = time.monotonic()


class Scale:
    """How long and how much."""

    def __init__(self, quick):
        self.quick = quick
        self.rounds = 1 if quick else 2
        self.seconds = 1 if quick else 2
        self.large = 20000 if quick else 1000000
        self.flat_rounds = 1 if quick else 3
        # Many short ones: in turns the sides meet the same minute of the machine. Even, so that each
        # comes first as often as last.
        self.pair_rounds = 2 if quick else 12
        self.pair_seconds = 1
        self.kills = 5 if quick else 50
        self.cluster_kills = 2 if quick else 5

    def spells(self):
        return f"Each row was loaded {self.rounds} × {self.seconds} s"

    def pair_spells(self):
        return f"Each row was loaded {self.pair_rounds} × {self.pair_seconds} s"


def say(text):
    print(f"[{time.monotonic() - BEGAN:4.0f} s] {text}", flush=True)


def measure(name, scale):
    say(f"== {name}")
    with Stack() as stack:
        return {**PARTS, **ASKED_FOR}[name].measure(stack, scale, say)


def written_to(wanted, quick):
    """The file that has the results of just these parts, or None; and how it begins."""
    if wanted == list(ASKED_FOR):
        return None if quick else HERE / "SHOPS.md", shops.head()
    return HERE / "RESULTS.md" if wanted == list(PARTS) and not quick else None, report.head()


def main():
    arguments = sys.argv[1:]
    quick = "quick" in arguments
    wanted = [name for name in (*PARTS, *ASKED_FOR) if name in arguments] or list(PARTS)
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda number, _: sys.exit(128 + number))
    scale = Scale(quick)
    parts = [measure(name, scale) for name in wanted]
    floors = [floor for part in parts for floor in part.floors()]
    failed = sum(part.failures() for part in parts)
    floors.append(report.at_most("no request failed", failed, 0, ""))
    path, begins = written_to(wanted, quick)
    text = report.document(begins, parts, floors)
    print("\n" + text)
    if path:
        path.write_text(text)
        say(f"written to {path}")
    sys.exit(0 if all(floor.holds for floor in floors) else 1)


if __name__ == "__main__":
    main()
