"""Workers that start on the same socket: one serves, and none takes over from a worker of another
database."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import termios

import fastcgi
import pytest
from testbed import READY_WITHIN, Process, environment, program, wait_until

pytestmark = pytest.mark.storeless

OTHER = "another worker serves this socket from another database"
KILLED = "a worker that was killed served this socket from another database"


class Worker(Process):
    def __init__(self, folder, name, service="product"):
        super().__init__(name, folder / f"{name}.log", "KILL")
        self.folder = folder
        self.service = service
        self.socket = folder / "s"

    def start(self, command, env, cwd):
        self.log.unlink(missing_ok=True)
        super().start(command, env, cwd)

    def run(self, database=None, **settings):
        url = f"sqlite:///{self.folder}/{database or self.name}.db"
        self.start(
            ["spawn-fcgi", "-n", "-s", self.socket, "-M", "0600", "--", *program(self.service)],
            {"DATABASE_URL": url, **settings},
            self.folder,
        )
        return self

    def said(self, message):
        return message in self.logged()

    def serves(self):
        wait_until(lambda: self.said('"started"') or not self.alive(), READY_WITHIN, "it starts")
        return self.alive()

    def refuses(self, message):
        """Its error log entry."""
        assert self.popen.wait(READY_WITHIN) == 1
        (entry,) = [e for e in map(json.loads, self.logged().splitlines()) if message in e["message"]]
        return entry

    def products(self):
        connection = fastcgi.Connection(self.socket)
        try:
            connection.send(fastcgi.request("GET", "/products"))
            return connection.receive()[0]
        finally:
            connection.close()


@pytest.fixture
def workers(tmp_path_factory):
    """Starts workers on one socket, by the names of their databases."""
    folder = tmp_path_factory.mktemp("s")
    made = []

    def make(name, **of):
        made.append(Worker(folder, f"{name}", **of))
        return made[-1]

    yield make
    for worker in made:
        if worker.alive():
            worker.end(signal.SIGKILL)


def test_second_worker_is_refused_and_told_of_the_first(workers):
    """Even if the socket file was removed, which is all that spawn-fcgi looks at."""
    one, two = workers("one").run(), workers("two")
    assert one.serves()
    one.socket.unlink()
    entry = two.run().refuses(OTHER)
    assert f"process {one.pid} on {socket.gethostname()}" in entry["error.message"]
    assert entry["error.message"].endswith("/one.db")
    assert not list(two.folder.glob("two.db*"))
    # The first one knows that nobody reaches it any more, and makes room for its own successor.
    assert one.popen.wait(READY_WITHIN) == 1
    assert one.said("the socket was removed or replaced")
    assert one.run().serves()
    assert one.products() == 200


def test_none_takes_over_from_a_killed_one_with_another_database(workers):
    one, two = workers("one").run(), workers("two")
    assert one.serves()
    one.end(signal.SIGKILL)
    entry = two.run().refuses(KILLED)
    assert entry["error.message"].endswith("/one.db")
    assert entry["file.path"] == f"{one.socket}.lock"
    # A relative path leads to the same file.
    one.start(
        ["spawn-fcgi", "-n", "-s", one.socket, "--", *program("product")],
        {"DATABASE_URL": "sqlite:///one.db"},
        one.folder,
    )
    assert one.serves()
    one.end(signal.SIGKILL)
    # What the message says.
    (one.folder / "s.lock").unlink()
    assert two.run().serves()


def test_another_database_after_an_end_in_order(workers):
    one, two = workers("one").run(), workers("two")
    assert one.serves()
    assert one.end(signal.SIGTERM) == 0
    assert not list(one.folder.glob("s.lock"))
    assert two.run().serves()


def test_a_start_that_failed_binds_nobody(workers):
    one, two = workers("one"), workers("two")
    (one.folder / "one.db").write_bytes(b"no database\n" * 500)
    assert one.run().popen.wait(READY_WITHIN) == 1
    assert two.run().serves()


@pytest.mark.parametrize("database", [None, "same"])
def test_of_those_that_start_at_once_one_serves(workers, database):
    """spawn-fcgi sees no other one, and each takes the socket from the one before."""
    all_of_them = [workers(f"w{number}") for number in range(6)]
    for worker in all_of_them:
        worker.run(database)
    one = all_of_them[0]

    def settled():
        started = [worker for worker in all_of_them if worker.alive() and worker.said('"started"')]
        return len(started) == 1 or not any(worker.alive() for worker in all_of_them)

    wait_until(settled, READY_WITHIN, "one is left")
    serving = [worker for worker in all_of_them if worker.alive() and worker.said('"started"')]
    # Those whose socket was taken away have ended: a supervisor starts them again.
    if not serving:
        serving = [one.run(database)]
        assert one.serves()
    assert serving[0].products() == 200


def unread(connection):
    """How much of what was sent the other side has not read yet (unix(7))."""
    return struct.unpack("i", fcntl.ioctl(connection, termios.TIOCOUTQ, bytes(4)))[0]


def test_the_successor_waits_for_requests_of_the_one_before(workers):
    one, two = workers("one").run(), workers("two")
    assert one.serves()
    slow = fastcgi.Connection(one.socket)
    slow.send(fastcgi.request("POST", "/products", {"name": "Slow", "price": 1})[:-20])
    wait_until(lambda: not unread(slow.socket), READY_WITHIN, "it is read")
    one.signal(signal.SIGTERM)
    wait_until(lambda: one.said('"draining"'), READY_WITHIN, "it drains")
    two.run("one")
    wait_until(lambda: two.said("waiting for the worker"), READY_WITHIN, "the second one waits")
    assert not two.said('"started"')
    slow.close()
    assert two.serves()
    assert one.popen.wait(READY_WITHIN) == 0
    assert two.products() == 200
    assert two.end(signal.SIGTERM) == 0


def test_a_folder_that_takes_no_lock_is_named(workers):
    one = workers("one")
    (one.folder / "s.lock").mkdir()
    entry = one.run().refuses("cannot lock the socket's place")
    assert entry["file.path"] == f"{one.socket}.lock"


def test_a_socket_without_a_file_needs_none(tmp_path):
    """TCP: the kernel gives a port to one."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        worker = subprocess.Popen(
            program("product"),
            env=environment({"DATABASE_URL": f"sqlite:///{tmp_path}/p.db"}),
            stdin=listener,
            stderr=subprocess.PIPE,
            text=True,
        )
        with worker:
            assert any('"started"' in line for line in worker.stderr)
            worker.terminate()
            assert worker.wait(READY_WITHIN) == 0
    assert sorted(os.listdir(tmp_path)) == ["p.db"]
