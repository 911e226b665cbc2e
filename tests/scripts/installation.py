"""The platform as its scripts run it: a clone of its own, on private ports.

The clone is a folder of links to this repository's files with programs, a var/ and a backup/ of its own,
so that commands work as the documents write them. For another user it is a copy.
"""

import contextlib
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import invariants
import stores
from client import Client
from testbed import READY_WITHIN, ROOT, SERVICES, VARIANT, environment, wait_until

REPLICAS = 3
BLOCK = 10 * REPLICAS + 4  # ports
PATIENCE = 10 * READY_WITHIN
EVENTUALLY = 60  # seconds, for what a busy machine takes its time to do
OWN = (".git", ".pytest_cache", "backup", "build", "fcgi-apps", "var")
ANSWERED = '"http.response.status_code"'


class Installation:
    def __init__(self, directory, user=None):
        """user: (uid, gid) of another user, who gets a copy."""
        self.directory = directory
        self.state = directory / "var"
        self.user = user
        first, self.reserved = free_block()
        kinds = ("PORT", "INTERNAL_PORT", "HEALTH_PORT")
        names = [f"{service.upper()}_{kind}" for kind in kinds for service in SERVICES]
        self.ports = {name: first + number for number, name in enumerate(names)}
        # Replicas are 10 ports apart; what is there once comes after them.
        names = ("GATEWAY_PORT", "PRODUCT_BALANCER_PORT", "CART_BALANCER_PORT", "PROMETHEUS_PORT")
        self.ports |= {name: first + 10 * REPLICAS + number for number, name in enumerate(names)}
        self.settings = {**self.ports, "RATE_LIMIT_RPS": 0, "STORING_LIMIT_RPS": 0, "CONTRACT_CHECK_RESPONSES": 1}
        # Of the flags that the programs were compiled with: `make up` compiles nothing.
        if "CI" in os.environ:
            self.settings["CI"] = os.environ["CI"]
        self.gateway = Client(self.ports["GATEWAY_PORT"])
        for service in SERVICES:
            public, internal, health = (Client(self.ports[f"{service.upper()}_{kind}"]) for kind in kinds)
            setattr(self, service, SimpleNamespace(public=public, internal=internal, health=health))
        self.clone()

    def clone(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.user:
            for name in ("scripts", "nginx"):
                shutil.copytree(ROOT / name, self.directory / name)
            programs = self.directory / "build" / "release"
            programs.mkdir(parents=True)
            for service in SERVICES:
                shutil.copy(ROOT / "build" / VARIANT / f"{service}-service", programs)
            for path in (self.directory, *self.directory.rglob("*")):
                os.chown(path, *self.user)
            return
        for path in ROOT.iterdir():
            if path.name not in OWN:
                (self.directory / path.name).symlink_to(path)
        # Whoever edits or builds the repository meanwhile changes nothing here.
        for name, source in (("fcgi-apps", "fcgi-apps"), ("build/release", f"build/{VARIANT}")):
            ignored = shutil.ignore_patterns("node_modules", "tests", "fuzz")
            shutil.copytree(ROOT / source, self.directory / name, ignore=ignored)
        (self.directory / "build" / "docs-ui").symlink_to(ROOT / "build" / "docs-ui")

    # ---- running scripts ----

    def command(self, words):
        if not self.user:
            return words
        uid, gid = self.user
        return ["setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *words]

    def start(self, *words, **settings):
        """Starts a command in the clone; finish() reads its output."""
        chosen = environment({**self.settings, "HOME": self.directory, **settings})
        if "AUTH" not in settings:
            del chosen["AUTH"]  # left to the script, as by whoever types no more than the command
        return subprocess.Popen(
            self.command([*map(str, words)]),
            env=chosen,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    @staticmethod
    def finish(process):
        """The exit status and what was printed."""
        printed, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, printed

    def run(self, script, **settings):
        return self.finish(self.start(f"scripts/{script}", **settings))

    def works(self, script, **settings):
        return self.good(self.run(script, **settings))

    def shell(self, commands, **settings):
        """Commands as a document has them, up to the first one that fails."""
        return self.good(self.finish(self.start("bash", "-ec", commands, **settings)))

    def good(self, result):
        status, printed = result
        assert status == 0, printed + self.logs()
        return printed

    def refuses(self, script, *words, **settings):
        """Asserts that it ends with status 1 and one line that contains these words."""
        status, printed = self.run(script, **settings)
        assert status == 1, printed
        assert printed.startswith("error: ") and printed.count("\n") == 1, printed
        for word in words:
            assert word in printed
        return printed

    def logs(self):
        return "".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}"
            for log in sorted(self.state.glob("log/*.log"))
        )

    # ---- processes ----

    def pid_file(self, process):
        return self.state / "run" / f"{process}.pid"

    def pid(self, process):
        return int(self.pid_file(process).read_text().split()[0])

    def notes(self):
        """The recorded pid of each of its processes; other processes, such as a database's, come and
        go."""
        return {path.stem: self.pid(path.stem) for path in self.state.glob("run/*.pid")}

    def end(self, process, signum):
        """Kills one of its processes; returns once nothing listens for it any more."""
        pid = self.pid(process)
        os.kill(pid, signum)
        wait_until(lambda: not alive(pid), READY_WITHIN, f"{process} ends")

    def processes(self):
        """All processes in the clone's folder, whoever started them."""
        inside = f"{self.directory.resolve()}/"
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if f"{os.readlink(process / 'cwd')}/".startswith(inside) and alive(process.name):
                    found.append(int(process.name))
            except OSError:
                continue  # ended just now
        return found

    def kill_everything(self):
        killed = self.processes()
        for pid in killed:
            # Its server may have ended it meanwhile.
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        # Amid its end a process has no folder any more, but may still listen.
        wait_until(lambda: not any(map(alive, killed)), READY_WITHIN, "all of them are gone")
        self.await_nothing()

    def await_nothing(self, seconds=READY_WITHIN):
        wait_until(lambda: not self.processes(), seconds, "all of its processes end")

    def is_clean(self):
        """Asserts that nothing is running, and that nothing is recorded as running."""
        left = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in self.processes()}
        assert not left
        assert not list(self.state.glob("run/*.pid"))
        assert not (self.state / "run" / "choice").exists()

    def served(self, service):
        """Requests that each replica's sidecar logged."""
        names = [service, *(f"{service}-{number}" for number in range(2, REPLICAS + 1))]
        logs = [self.state / "log" / f"{name}-nginx.log" for name in names]
        return [log.read_text().count(ANSWERED) for log in logs]

    # ---- data ----

    def files(self):
        """A hash of each of SQLite's files."""
        found = sorted((self.state / "data").glob("*.db*"))
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}

    def faults(self, db):
        """Checks the invariants across the three databases, once nothing is under way."""
        host = self.state / "postgres"
        cluster = {"TEST_DATABASE_URL": f"postgresql:///postgres?host={host}&user=postgres"}

        def find(_, name):
            if db == "postgres":
                return stores.PostgresStore(name)
            return stores.SqliteStore(self.state / "data" / f"{name}.db")

        with mock.patch.dict(os.environ, cluster), mock.patch.object(stores, "find", find):
            invariants.settle(self.state, 15)
            return invariants.faults(self.state)

    def destroy(self):
        """Stops what is running, and fails if that does not work."""
        for service in (self.product, self.cart, self.order):
            service.public.close()
            service.internal.close()
            service.health.close()
        self.gateway.close()
        try:
            self.works("down.sh")
            self.await_nothing()
        finally:
            self.kill_everything()
            shutil.rmtree(self.directory)
            self.reserved.close()


def free_block():
    """The first of so many free ports that they hold all replicas, and what keeps other installations from
    them: a socket whose name is there once on a machine. `make up` comes much later, and takes no others.
    Below those of testbed.free_ports()."""
    while True:
        first = random.randrange(10000, 20000 - BLOCK, BLOCK)
        reserved = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            reserved.bind(f"\0shop-tests-{first}")
            if all(is_free(port) for port in range(first, first + BLOCK)):
                return first, reserved
        reserved.close()


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def within(seconds, condition):
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
