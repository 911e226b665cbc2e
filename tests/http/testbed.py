"""A private platform: real workers under spawn-fcgi behind real nginx, on free ports, in a
directory of its own. Several may run at once, in one test run or in many.

start_new_session keeps Ctrl-C to pytest, which then stops everything in order; should pytest
itself be killed, the kernel ends the processes (PR_SET_PDEATHSIG, so start them on the main thread).
"""

import contextlib
import functools
import itertools
import json
import os
import platform as machine
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import stores
from client import Client

ROOT = Path(__file__).resolve().parent.parent.parent
VARIANT = os.environ.get("VARIANT", "release")
SERVICES = ("product", "cart", "order")
# Sanitizers make everything slower.
SLOWNESS = {"asan": 4, "tsan": 10}.get(VARIANT, 1)
READY_WITHIN = 30 * SLOWNESS
STOP_WITHIN = 30 * SLOWNESS
MARK_SEEN_WITHIN = 1.1  # that a replica is away (nginx/render.sh)

SANITIZER_REPORT = re.compile(
    r"(AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error:)"
)
# A socket that is missing or not open to all yet: spawn-fcgi is just about to make it. A port that
# another platform still had: nginx tries again.
NGINX_FAULT = re.compile(
    r"\[(crit|alert|emerg)\](?!.* connect\(\) to unix:\S+ failed \((2|13): )"
    r"(?!.* bind\(\) to \S+ failed \(98: )"
)
# Taken over from whoever runs the tests; every other setting is ours.
INHERITED = ("PATH", "HOME", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS")
# A worker's settings that its sidecar gets as well.
SHARED = ("AUTH_ISSUER", "AUTH_JWKS", "SERVICE_JWKS")

# What a shell starts in the background ignores these; its children would, too.
for signum in (signal.SIGHUP, signal.SIGQUIT):
    signal.signal(signum, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# Platforms that are up, for what is reported when a test fails.
running = []

PORTS = 240  # of one test run
taking_ports = threading.Lock()


class StartError(Exception):
    """A process that did not start, with its log."""


class PortTaken(Exception):
    """Another program was quicker."""


def environment(settings):
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {**inherited, "TZ": "UTC", "AUTH": "off", **{name: str(value) for name, value in settings.items()}}


@functools.cache
def own_ports():
    """Those that no other test run takes, in turn, and what keeps them from it: a socket whose name is there
    once on a machine. Below the ephemeral range, so that no outgoing connection takes one before nginx does."""
    while True:
        first = random.randrange(20000, 32000, PORTS)
        reserved = socket.socket(socket.AF_UNIX)
        with contextlib.suppress(OSError):
            reserved.bind(f"\0shop-tests-{first}")
            return itertools.cycle(range(first, first + PORTS)), reserved
        reserved.close()


def free_ports(count):
    """None of them is given again soon: who has one may let go of it for a moment."""
    found = []
    with taking_ports:
        ports, _ = own_ports()
        while len(found) < count:
            port = next(ports)
            with socket.socket() as probe:
                # As servers do: a connection that has ended keeps nobody from listening.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                with contextlib.suppress(OSError):
                    probe.bind(("127.0.0.1", port))
                    found.append(port)
    return found


def lines_of_log(text):
    """Without the last one while it is written, and there in part only."""
    complete, _, _ = text.rpartition("\n")
    return complete.splitlines()


def entries_of_log(text):
    """Its lines, parsed."""
    return [json.loads(line) for line in lines_of_log(text)]


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise StartError(f"not within {seconds} s: {what}")
        time.sleep(0.02)


class Process:
    """A program that logs to a file."""

    def __init__(self, name, log, death_signal):
        self.name = name
        self.log = log
        self.death_signal = death_signal
        self.popen = None

    def start(self, command, env, cwd):
        with self.log.open("ab") as out:
            self.popen = subprocess.Popen(
                ["setpriv", "--pdeathsig", self.death_signal, *map(str, command)],
                env=environment(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    @property
    def pid(self):
        return self.popen.pid

    def alive(self):
        return self.popen is not None and self.popen.poll() is None

    def signal(self, signum):
        self.popen.send_signal(signum)

    def pause(self):
        """SIGSTOP, until it has reached every thread: one may still answer a request meanwhile."""
        self.signal(signal.SIGSTOP)
        wait_until(self.paused, STOP_WITHIN, f"every thread of {self.name} stops")

    def paused(self):
        tasks = Path(f"/proc/{self.popen.pid}/task").glob("*/stat")
        return all(task.read_text().rpartition(")")[2].split()[0] == "T" for task in tasks)

    def end(self, signum):
        """Sends a signal and waits; returns the exit status (negative: the signal that ended it)."""
        if self.alive():
            self.signal(signum)
        try:
            return self.popen.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            # It leads a session of its own: what it started ends with it.
            left = subprocess.run(
                ["ps", "-o", "pid,ppid,stat,wchan:20,args", "-s", str(self.pid)],
                capture_output=True,
                text=True,
            ).stdout
            os.killpg(self.pid, signal.SIGKILL)
            self.popen.wait()
            fault = f"{self.name} did not end within {STOP_WITHIN} s:\n{left}"
            raise AssertionError(fault + self.logged()[-4000:]) from None

    def logged(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def failed_to_start(self, what):
        return StartError(f"{self.name}: {what}\n{self.logged()[-4000:]}")


class Nginx(Process):
    def __init__(self, bed, name, kind, settings):
        super().__init__(f"{name}-nginx", bed.directory / f"{name}-nginx.log", "TERM")
        self.root = bed.root
        self.directory = bed.directory / f"{name}-nginx"
        self.access_log = self.directory / "access.log"
        self.kind = kind
        self.settings = {
            "LISTEN_ADDRESS": "127.0.0.1",
            "RUNTIME_DIR": self.directory,
            "ACCESS_LOG": self.access_log,
            # By default, what one client may have is not what a test is about.
            "CONNECTIONS": 0,
            "CLIENT_CONNECTIONS": 0,
            **settings,
        }

    def render(self, kind, file):
        rendered = subprocess.run(
            [self.root / "nginx" / "render.sh", kind],
            env=environment(self.settings),
            check=True,
            capture_output=True,
        )
        (self.directory / file).write_bytes(rendered.stdout)
        return self.directory / file

    def run(self, edit=None):
        """edit: changes the rendered configurations."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.log.unlink(missing_ok=True)
        self.directory.mkdir()
        pid_files = [self.directory / "nginx.pid"]
        if self.kind == "sidecar":
            self.settings["ROUTES"] = self.directory / "routes"
            self.settings["ROUTES"].write_bytes(routes(self.settings["SERVICE"], self.root))
            pid_files.append(self.directory / "internal.pid")
        configurations = [self.render(self.kind, "nginx.conf")]
        if self.kind == "sidecar":
            configurations.append(self.render("internal", "internal.conf"))
        for file in configurations if edit else ():
            file.write_text(edit(file.read_text()))
        self.start(
            [self.root / "nginx" / "serve.sh", self.directory, *configurations],
            {"RUNTIME_DIR": self.directory},
            self.directory,
        )
        # Written once the ports are bound.
        wait_until(
            lambda: not self.alive() or all(file.exists() and file.read_text() for file in pid_files),
            READY_WITHIN,
            f"{self.name} starts",
        )
        if not self.alive():
            if "Address already in use" in self.logged():
                raise PortTaken
            raise self.failed_to_start("ended")

    def stop(self, signum=signal.SIGQUIT):
        return self.end(signum)

    def access_entries(self):
        """The access log, parsed: fails unless each line is one JSON object."""
        return entries_of_log(self.access_log.read_text())


@functools.cache
def routes(service, root):
    """What a sidecar has to know of its worker."""
    return subprocess.run(
        [*program(service, root), "--routes"], env=environment({}), check=True, capture_output=True
    ).stdout


def program(service, root=ROOT):
    """The command that starts a worker. The thread sanitizer needs fixed addresses."""
    prefix = [shutil.which("setarch"), machine.machine(), "-R"] if VARIANT == "tsan" else []
    return [*prefix, root / "build" / VARIANT / f"{service}-service"]


class Service:
    """One service: its worker and, if the platform has one, its sidecar."""

    def __init__(self, bed, name, ports, nginx_settings):
        """ports: the public, the internal and the health port."""
        public_port, internal_port, health_port = ports
        self.bed = bed
        self.name = name
        self.socket = bed.directory / f"{name}.sock"
        self.provider_socket = bed.directory / f"{name}-provider.sock"
        self.store = stores.find(bed.directory, name)
        self.worker = Process(f"{name}-worker", bed.directory / f"{name}-worker.log", "KILL")
        self.nginx = Nginx(
            bed,
            name,
            "sidecar",
            {
                "SERVICE": name,
                "ROOT_PATH": f"/{name}s",
                "PUBLIC_PORT": public_port,
                "INTERNAL_PORT": internal_port,
                "HEALTH_PORT": health_port,
                "WORKER_SOCKET": self.socket,
                "PROVIDER_SOCKET": self.provider_socket,
                "RATE_LIMIT_RPS": 0,
                "STORING_LIMIT_RPS": 0,
                **nginx_settings,
            },
        )
        self.public_port = public_port
        self.internal_port = internal_port
        self.health_port = health_port
        self.public = Client(public_port)
        self.internal = Client(internal_port)
        self.health = Client(health_port)
        self.expected_down = True

    def start_worker(self, **settings):
        """Starts the worker and waits until it is ready; settings add to the platform's."""
        self.worker.start(
            ["spawn-fcgi", "-n", "-s", self.socket, "-M", "0600", "-b", "4096", "--",
             *program(self.name, self.nginx.root)],
            {"PROVIDER_SOCKET": self.provider_socket, **self.bed.worker_settings(self.name), **settings},
            self.bed.directory,
        )  # fmt: skip
        self.expected_down = False
        wait_until(
            lambda: not self.worker.alive() or self.ready(), READY_WITHIN, f"{self.name} is ready"
        )
        if not self.worker.alive():
            self.expected_down = True
            raise self.worker.failed_to_start("ended")

    def ready(self):
        if not self.socket.exists():
            return False
        with Client(self.health_port, timeout=5) as probe:
            try:
                return probe.get(self.bed.probe).status == 200
            except OSError:
                return False

    def stop_worker(self):
        """SIGTERM; returns the exit status."""
        self.expected_down = True
        return self.worker.end(signal.SIGTERM)

    def kill_worker(self):
        """SIGKILL: no chance to finish anything."""
        self.expected_down = True
        self.worker.end(signal.SIGKILL)

    def restart_worker(self, **settings):
        status = self.stop_worker()
        assert status == 0, f"{self.name} ended with {status}"
        self.start_worker(**settings)

    def memory_kib(self):
        status = Path(f"/proc/{self.worker.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+)", status, re.M).group(1))


@contextlib.contextmanager
def hung(service):
    """Accepts connections and requests, and never answers."""
    service.worker.pause()
    try:
        yield
    finally:
        service.worker.signal(signal.SIGCONT)


class Platform:
    """Use as a context manager. services: which of them; nginx, worker: settings to add; root:
    where they were built; probe: what answers 200 once a worker has started."""

    def __init__(
        self, services=SERVICES, gateway=True, nginx=None, worker=None, root=ROOT, probe="/readyz"
    ):
        self.root = root
        self.probe = probe
        self.wanted = services
        self.with_gateway = gateway
        self.extra_worker_settings = worker or {}
        shared = {name: worker[name] for name in SHARED if name in self.extra_worker_settings}
        self.nginx_settings = {**shared, **(nginx or {})}
        self.services = {}
        self.gateway_nginx = None
        self.gateway = None

    def worker_settings(self, name):
        settings = {
            "DATABASE_URL": stores.find(self.directory, name).url,
            "CONTRACT_CHECK_RESPONSES": 1,
        }
        for sibling in ("product", "cart"):
            if sibling in self.services:
                port = self.services[sibling].internal_port
                settings[f"{sibling.upper()}_SERVICE_URL"] = f"http://127.0.0.1:{port}"
        return {**settings, **self.extra_worker_settings}

    def __enter__(self):
        # Short: a Unix socket's path may have 107 bytes only.
        self.directory = Path(tempfile.mkdtemp(prefix="platform-", dir="/tmp"))
        running.append(self)
        try:
            for name in self.wanted:
                stores.find(self.directory, name).create()
            self.start_nginx()
            for service in self.services.values():
                service.start_worker()
        except BaseException:
            self.destroy()
            raise
        return self

    def start_nginx(self):
        """Starts all nginx first: they find out whether the ports are free, and the workers need to
        know the ports."""
        while True:
            gateway_port, *ports = free_ports(1 + 3 * len(self.wanted))
            self.services = {
                name: Service(self, name, ports[3 * i : 3 * i + 3], self.nginx_settings)
                for i, name in enumerate(self.wanted)
            }
            for name, service in self.services.items():
                setattr(self, name, service)
            try:
                for service in self.services.values():
                    service.nginx.run()
                if self.with_gateway:
                    self.start_gateway(gateway_port)
                return
            except PortTaken:
                self.kill_all()

    def start_gateway(self, port):
        settings = {f"{s.name.upper()}_PORT": s.public_port for s in self.services.values()}
        cors = self.nginx_settings.get("CORS_ALLOW_ORIGINS", "")
        settings |= {"GATEWAY_PORT": port, "CORS_ALLOW_ORIGINS": cors}
        self.gateway_nginx = Nginx(self, "gateway", "gateway", settings)
        self.gateway = Client(port)
        self.gateway_nginx.run()

    def processes(self):
        for service in self.services.values():
            yield service.worker
            yield service.nginx
        if self.gateway_nginx:
            yield self.gateway_nginx

    def kill_all(self):
        for process in self.processes():
            if process.alive():
                is_nginx = isinstance(process, Nginx)
                process.end(signal.SIGTERM if is_nginx else signal.SIGKILL)

    def destroy(self):
        try:
            self.kill_all()
            for name in self.wanted:
                stores.find(self.directory, name).drop()
        finally:
            running.remove(self)
            shutil.rmtree(self.directory, ignore_errors=True)

    def __exit__(self, kind, *_):
        try:
            if kind is None:
                self.stop_and_check()
        finally:
            self.destroy()

    def stop_and_check(self):
        """Stops callers before callees and asserts that nothing went wrong unnoticed."""
        faults = []
        for service in reversed(self.services.values()):
            if not service.expected_down:
                if not service.worker.alive():
                    faults.append(f"{service.name}: died, status {service.worker.popen.poll()}")
                elif (status := service.stop_worker()) != 0:
                    faults.append(f"{service.name}: ended with status {status}")
            faults += [f"{service.name}: {line}" for line in worker_faults(service.worker.logged())]
        for process in self.processes():
            if isinstance(process, Nginx):
                if process.alive() and process.stop() != 0:
                    faults.append(f"{process.name}: ended with an error")
                log = process.logged().splitlines()
                faults += [f"{process.name}: {line}" for line in log if NGINX_FAULT.search(line)]
        assert not faults, "\n".join(faults)


def worker_faults(log):
    """Lines that no worker may log: not JSON, a sanitizer's report, an answer against the contract."""
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            yield line
            continue
        if "contract" in str(entry.get("message", "")):
            yield line
