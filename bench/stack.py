"""Processes of one benchmark run: started in a private directory, ended whatever happens."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "build" / "bench"
ON_DISK = "/var/tmp"  # /tmp may be memory, where a commit costs nothing
READY_WITHIN = 20  # seconds
# Threads of the services' event loop on this machine.
LOOP_THREADS = min(max(os.cpu_count() or 2, 2), 8)
STOP_WITHIN = 10
# Nothing else: settings of the shell that calls must not change what is measured.
INHERITED = {"PATH": os.environ["PATH"], "AUTH": "off", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


class StackError(Exception):
    """Something did not start, with what it said."""


def free_ports(count):
    """Ports nobody listens on now; all of them held until all are known, so none comes twice."""
    holders = []
    for _ in range(count):
        holder = socket.socket()
        holder.bind(("127.0.0.1", 0))
        holders.append(holder)
    ports = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return ports


def http_status(port, path, timeout=5):
    """The status of a GET, or 0 while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def cpu_seconds_of(pid, ended_children=False):
    """User and system time so far (proc(5): fields 14 and 15, of children 16 and 17, in ticks)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended_children else 13])) / os.sysconf("SC_CLK_TCK")


class Process:
    def __init__(self, name, popen, log, ends_by):
        self.name = name
        self.popen = popen
        self.log = log
        self.ends_by = ends_by

    @property
    def pid(self):
        return self.popen.pid

    def pids(self):
        """Its own and those of its children."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [self.pid, *map(int, children)]

    def cpu_seconds(self):
        return cpu_seconds_of(self.pid)

    def tree_cpu_seconds(self):
        """Its own and its children's, those that have ended included."""
        parent, *children = self.pids()
        total = cpu_seconds_of(parent, ended_children=True)
        for pid in children:
            with suppress(FileNotFoundError):  # ended meanwhile: a worker of autovacuum
                total += cpu_seconds_of(pid)
        return total

    def memory_kib(self, field="VmRSS"):
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise StackError(f"{self.name}: no {field}")

    def kill(self):
        self.popen.kill()
        self.popen.wait()

    def stop(self):
        if self.popen.poll() is None:
            self.popen.send_signal(self.ends_by)
            try:
                self.popen.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.popen.returncode

    def last_words(self):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])


class Stack:
    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="bench-", dir=ON_DISK))
        self.processes = []
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return self.directory / name

    def start(self, name, command, ends_by=signal.SIGTERM, cwd=None, **environment):
        log = self.path(name + ".log")
        with log.open("ab") as out:
            popen = subprocess.Popen(
                [str(part) for part in command],
                cwd=cwd or self.directory,
                env={**INHERITED, **{key: str(value) for key, value in environment.items()}},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C reaches us only: we stop them in order
            )
        process = Process(name, popen, log, ends_by)
        self.processes.append(process)
        return process

    def start_fastcgi(self, name, program, *arguments, **environment):
        """Under spawn-fcgi, as in production. It execs the program, so the pid is the worker's."""
        unix = self.path(name + ".sock")
        unix.unlink(missing_ok=True)
        command = ["spawn-fcgi", "-n", "-s", unix, "-b", "4096", "--", program]
        return self.start(name, command + list(arguments), **environment)

    def write_lines(self, name, lines):
        path = self.path(name.replace(" ", "-").replace(",", "") + ".txt")
        path.write_text("\n".join(lines) + "\n")
        return path

    def _wait_for(self, process, family, address):
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and process.popen.poll() is None:
            with socket.socket(family) as probe:
                try:
                    probe.connect(address)
                    return
                except OSError:
                    time.sleep(0.02)
        raise StackError(f"{process.name} does not listen:\n{process.last_words()}")

    def wait_for_socket(self, process, unix):
        self._wait_for(process, socket.AF_UNIX, str(unix))

    def wait_for_port(self, process, port):
        self._wait_for(process, socket.AF_INET, ("127.0.0.1", port))
