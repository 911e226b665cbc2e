"""How a worker gets its connections: two are enough to serve, and neither a resolver that hangs nor a
name that moves delays requests."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import threading

import fastcgi
import pytest
import stores
from testbed import READY_WITHIN, Process, program, wait_until

pytestmark = pytest.mark.skipif(not stores.POSTGRES, reason="about a server's connections")

NAME = "database.test"


class Door:
    """In front of the server's Unix socket, on a port of its own: admits this many connections, and the
    others wait."""

    def __init__(self, address="127.0.0.1", port=0, allowed=1_000_000):
        self.folder = re.search("host=([^&]+)", os.environ["TEST_DATABASE_URL"])[1]
        self.listener = socket.create_server((address, port), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.places = threading.Semaphore(allowed)
        self.came = 0
        self.inside = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.came += 1
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        self.places.acquire()
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{self.folder}/.s.PGSQL.5432")
        self.inside.append(client)
        threading.Thread(target=pump, args=(client, server), daemon=True).start()
        pump(server, client)

    def cut(self):
        """Closes the connections that were admitted."""
        while self.inside:
            with contextlib.suppress(OSError):
                self.inside.pop().shutdown(socket.SHUT_RDWR)

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()


def pump(source, target):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


class Worker(Process):
    def __init__(self, folder, store):
        super().__init__("product-worker", folder / "log", "KILL")
        self.folder = folder
        self.store = store
        self.socket = folder / "s"

    def run(self, host, port, *prefix, **settings):
        settings["DATABASE_URL"] = f"postgresql://postgres@{host}:{port}/{self.store.database}?sslmode=disable"
        spawn = ["spawn-fcgi", "-n", "-s", self.socket, "--", *program("product")]
        self.start([*prefix, *spawn], settings, self.folder)
        wait_until(lambda: '"started"' in self.logged() or not self.alive(), READY_WITHIN, "it starts")
        assert self.alive(), self.logged()

    def ask(self, *request, **parameters):
        connection = fastcgi.Connection(self.socket)
        try:
            connection.send(fastcgi.request(*request, **parameters))
            return connection.receive()[0]
        finally:
            connection.close()

    def ready(self):
        return self.ask("GET", "/readyz", LISTENER="internal") == 200

    def makes_a_product(self):
        return self.ask("POST", "/products", {"name": "Mug", "price": 1}) == 201


@pytest.fixture
def worker(tmp_path_factory):
    folder = tmp_path_factory.mktemp("w")
    store = stores.PostgresStore(folder.parent.name + "-" + folder.name)
    store.create()
    worker = Worker(folder, store)
    try:
        yield worker
    finally:
        if worker.alive():
            worker.end(signal.SIGKILL)
        store.drop()


def test_two_connections_are_enough_to_serve(worker):
    """Many workers that start at once do not overwhelm a server that is slow to accept connections."""
    door = Door(allowed=2)
    with contextlib.closing(door):
        worker.run("127.0.0.1", door.port, DB_POOL_SIZE=4)
        assert worker.ready() and worker.makes_a_product()
        # The others come one by one, and none is given up: the next one waits at the door.
        wait_until(lambda: door.came == 3, READY_WITHIN, "the next one comes")
        assert worker.ready() and worker.makes_a_product()
        assert (door.came, len(door.inside)) == (3, 2)
        door.places.release(1000)
        wait_until(lambda: len(door.inside) == 8 + 4, READY_WITHIN, "all are open")
        assert '"warn"' not in worker.logged()
        assert worker.end(signal.SIGTERM) == 0


# ---- names ----


def may_mount():
    return os.getuid() == 0 and subprocess.run(["unshare", "-m", "true"], check=False).returncode == 0


@pytest.fixture
def names(worker):
    """The worker's own /etc/hosts, and a name server that never answers."""
    hosts, resolver = worker.folder / "hosts", worker.folder / "resolv.conf"
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # Another run of the tests has another one.
    address = "127." + ".".join(str(random.randint(1, 254)) for _ in range(3))
    server.bind((address, 53))
    server.setblocking(False)
    resolver.write_text(f"nameserver {address}\noptions timeout:30 attempts:5\n")
    hosts.touch()
    mounts = f"mount --bind {hosts} /etc/hosts && mount --bind {resolver} /etc/resolv.conf"
    prefix = ["unshare", "-m", "sh", "-c", f'{mounts} && exec "$@"', "sh"]

    def was_asked():
        try:
            return NAME.split(".")[0].encode() in server.recv(512)
        except BlockingIOError:
            return False

    with contextlib.closing(server):
        yield hosts, prefix, was_asked


@pytest.mark.skipif(not may_mount(), reason="only root has files of its own in /etc")
def test_a_resolver_that_hangs_keeps_nobody_waiting(worker, names):
    hosts, prefix, was_asked = names
    door = Door()
    with contextlib.closing(door):
        hosts.write_text(f"127.0.0.1 {NAME}\n")
        worker.run(NAME, door.port, *prefix)
        assert worker.makes_a_product()
        hosts.write_text("")
        wait_until(lambda: len(door.inside) > 8, READY_WITHIN, "connections are open")
        wait_until(lambda: door.cut() or worker.makes_a_product() and was_asked(),
                   READY_WITHIN, "it serves while its name server is silent")  # fmt: skip
        assert worker.ask("GET", "/livez", LISTENER="internal") == 200


@pytest.mark.skipif(not may_mount(), reason="only root has files of its own in /etc")
def test_a_name_that_moves_is_followed(worker, names):
    hosts, prefix, _ = names
    door = Door()
    with contextlib.closing(door):
        hosts.write_text(f"127.0.0.1 {NAME}\n")
        worker.run(NAME, door.port, *prefix)
        assert worker.makes_a_product()
    with contextlib.closing(Door("127.0.0.2", door.port)):
        hosts.write_text(f"127.0.0.2 {NAME}\n")
        wait_until(worker.ready, READY_WITHIN, "it has found the server")
        assert worker.makes_a_product()
