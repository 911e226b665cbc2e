"""Many runs on a few platforms side by side: each waits for leases and time-outs most of its time.

    with Laboratory(names, attempt, Bed, gateway=False) as laboratory:
        laboratory.result(name)     waits for attempt(bed, name); raises what it raised

A platform does one run after the other, and is replaced by a new one after a failed run.
"""

import queue
import threading
from concurrent.futures import Future

import pytest

PLATFORMS = 14

# So that many of them fit on one machine, and one server.
SMALL = {"nginx": {"WORKER_PROCESSES": 1}, "worker": {"DB_POOL_SIZE": 2}}

# For one run, counted from the end of the one that was asked for before.
PATIENCE = 600


def asked_for(request, names):
    """Those of the names that tests of this session have as their parameter "name"."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    return [call.params["name"] for call in calls if call and call.params.get("name") in names]


def parameters(runs, asked):
    """Their names, those that stand for their kind marked."""
    assert asked <= runs.keys()
    return [pytest.param(name, marks=[pytest.mark.asked] if name in asked else []) for name in runs]


class Laboratory:
    def __init__(self, names, attempt, make_bed, **options):
        self.attempt = attempt
        self.make_bed = make_bed
        self.options = {**SMALL, **options}
        self.unnoticed = []
        self.futures = {name: Future() for name in names}
        self.runs = queue.SimpleQueue()
        for name in names:
            self.runs.put(name)
        # Processes end with the thread that started them (testbed.py).
        platforms = min(PLATFORMS, len(names))
        self.threads = [threading.Thread(target=self.work) for _ in range(platforms)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join()

    def result(self, name):
        return self.futures[name].result(timeout=PATIENCE)

    def work(self):
        failed = True
        while failed and not self.runs.empty():
            failed = False
            try:
                with self.make_bed(**self.options) as bed:
                    while not failed and (name := self.take()):
                        failed = not self.run(bed, name)
            except BaseException as error:  # not started, or something odd in a log
                if not failed:
                    self.unnoticed.append(error)

    def take(self):
        try:
            return self.runs.get_nowait()
        except queue.Empty:
            return None

    def run(self, bed, name):
        try:
            self.attempt(bed, name)
        except BaseException as error:
            for service in bed.services.values():
                error.add_note(f"--- {service.worker.name}\n{service.worker.logged()[-3000:]}")
            self.futures[name].set_exception(error)
            return False
        self.futures[name].set_result(None)
        return True
