"""A private PostgreSQL server with Debian's settings: every commit is on the disk."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from stack import INHERITED, READY_WITHIN, StackError

SCRIPT = Path(__file__).resolve().parent / "postgres.sh"
# A worker has 8 writers and a few readers; the largest part runs twelve workers.
CONNECTIONS = 500


def program(name):
    """Its path; Debian's commands of that name are slow to find it."""
    done = subprocess.run([SCRIPT, "programs"], env=INHERITED, capture_output=True, text=True)
    if done.returncode != 0:
        raise StackError(done.stderr.strip())
    return f"{done.stdout.strip()}/{name}"


class Cluster:
    def __init__(self, stack, name="postgres"):
        self.stack = stack
        self.name = name
        self.folder = stack.path(name)
        self.folder.mkdir()
        stack.directory.chmod(0o711)  # the server is not root and passes through
        made = subprocess.run([SCRIPT, "init", self.folder], env=INHERITED, capture_output=True)
        if made.returncode != 0:
            raise StackError(f"initdb: {made.stderr.decode(errors='replace')}")
        self.is_ready = program("pg_isready")
        self.start()
        deadline = time.monotonic() + READY_WITHIN
        while not self.accepts():
            if time.monotonic() > deadline or self.process.popen.poll() is not None:
                raise StackError(f"PostgreSQL does not start:\n{self.process.last_words()}")
            time.sleep(0.05)

    def start(self):
        command = [SCRIPT, "run", self.folder, "-c", f"max_connections={CONNECTIONS}"]
        # SIGQUIT: the data is thrown away, nobody waits for a checkpoint.
        self.process = self.stack.start(self.name, command, ends_by=signal.SIGQUIT)

    def start_where_ended(self):
        """What a supervisor does. It ends at once while a process of the one before still lives."""
        if self.process.popen.poll() is not None:
            self.start()

    def kill(self):
        """All its processes, as when the machine is gone."""
        for pid in self.process.pids():
            with suppress(ProcessLookupError):  # they see that the first of them is gone
                os.kill(pid, signal.SIGKILL)
        self.process.popen.wait()

    def cpu_seconds(self):
        return self.process.tree_cpu_seconds()

    def accepts(self):
        command = [self.is_ready, "-q", "-h", self.folder]
        return subprocess.run(command, env=INHERITED, check=False).returncode == 0

    def url(self, database):
        return f"postgresql:///{database}?host={self.folder}&user=postgres"

    def create(self, database):
        self.run("postgres", f'CREATE DATABASE "{database}"')
        return self.url(database)

    def run(self, database, statement):
        """Rows, each a string of columns between `|`."""
        done = self._psql(database, statement)
        if done.returncode != 0:
            raise StackError(f"{statement}: {done.stderr.strip()}")
        return done.stdout.splitlines()

    def size(self, database):
        """Bytes on the disk."""
        return int(self.run(database, "SELECT pg_database_size(current_database())")[0])

    def _psql(self, database, statement):
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", self.url(database), "-c", statement]
        return subprocess.run(command, env=INHERITED, capture_output=True, text=True, check=False)
