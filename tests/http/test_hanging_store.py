"""A store that hangs: every client hears it from the worker, which knows what is wrong (503), and none
from nginx, which only knows that no answer came (504)."""

import contextlib
import os
import signal
import sqlite3
from pathlib import Path

import pytest
import stores
from client import is_problem
from shop import at_once, done
from testbed import READY_WITHIN, STOP_WITHIN, wait_until

CLIENTS = 12


@pytest.fixture(scope="module")
def bed(make_platform):
    return make_platform(services=("product",), gateway=False)


def stat(pid):
    """The state and the parent, of a process that is there (proc(5))."""
    state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    return state, int(parent)


def stop(pid):
    """Until it has: it may still answer meanwhile."""

    def has_stopped():
        try:
            return stat(pid)[0] in "TZX"
        except (FileNotFoundError, ProcessLookupError):
            return True

    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    wait_until(has_stopped, STOP_WITHIN, "a process of the server stops")


@contextlib.contextmanager
def stopped(store):
    """Its server answers no one, neither connected clients nor new ones."""
    ((session,),) = store.read(
        "SELECT pid FROM pg_stat_activity WHERE datname = ? AND pid <> pg_backend_pid() LIMIT 1", store.database
    )
    _, server = stat(session)
    processes = [server]
    try:
        # First of all: workers open connections while they serve.
        stop(server)
        processes += map(int, Path(f"/proc/{server}/task/{server}/children").read_text().split())
        for pid in processes[1:]:
            stop(pid)
        yield
    finally:
        for pid in processes:
            # Once it goes on, whoever was given up ends.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def locked(store):
    with contextlib.closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


def test_clients_are_told_by_the_worker(bed):
    client = bed.product.public
    body = {"name": "Mug", "price": 1}
    product = done(client.post("/products", body), 201)["id"]
    hangs = stopped if stores.POSTGRES else locked
    writes = [
        lambda one: one.post("/products", {"name": "Lamp", "price": 1}),
        lambda one: one.patch(f"/products/{product}", {"price": 2}),
    ]
    reads = [
        lambda one: one.get(f"/products/{product}"),
        lambda one: one.get("/products?q=lamp&in_stock=true"),
        lambda one: one.get("/products?min_price=1&sort=name&count=true"),
    ]
    # SQLite's readers never wait for a writer.
    calls = writes + reads if stores.POSTGRES else writes
    with hangs(bed.product.store):
        answers = at_once(CLIENTS, client.clone, lambda one, number: calls[number % len(calls)](one))
        for answer in answers:
            is_problem(answer, 503)
            assert int(answer.header("Retry-After")) >= 1
    wait_until(bed.product.ready, READY_WITHIN, "it works again by itself")
    for call in writes + reads:
        assert call(client).status in (200, 201)
