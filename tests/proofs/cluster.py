"""A private PostgreSQL cluster that proofs may restart; in its place for one module.

    with Cluster() as cluster:
        cluster.url               for TEST_DATABASE_URL (tests/http/stores.py)
        cluster.stop("immediate") as after a power cut
        cluster.start()
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import stores
from testbed import Process, wait_until

STOP = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
STARTED_WITHIN = 60


def programs():
    """The newest server's folder, or None."""
    found = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda p: int(p.parent.name), default=None)


def as_server():
    """The server refuses to run as root: a prefix for its commands, and who that is."""
    if os.geteuid() != 0:
        return [], None
    user = pwd.getpwnam("postgres")
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"], user


class Cluster:
    """Use as a context manager. Reached by a Unix socket in its own folder only."""

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="postgres-", dir="/tmp"))
        self.programs = programs()
        self.prefix, user = as_server()
        if user:
            os.chown(self.directory, user.pw_uid, user.pw_gid)
            self.directory.chmod(0o711)
        subprocess.run(
            [*self.prefix, self.programs / "initdb", "-D", self.directory / "data", "-U", "postgres",
             "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"],
            check=True, capture_output=True, cwd=self.directory,
        )  # fmt: skip
        self.server = Process("postgres", self.directory / "log", "QUIT")
        self.start()
        return self

    def __exit__(self, *_):
        self.server.end(signal.SIGQUIT)
        shutil.rmtree(self.directory)

    def start(self):
        self.server.start(
            [*self.prefix, self.programs / "postgres", "-D", self.directory / "data",
             "-k", self.directory, "-c", "listen_addresses=", "-c", "max_connections=400",
             "-c", "shared_buffers=64MB"],
            {}, self.directory,
        )  # fmt: skip
        wait_until(self.answers, STARTED_WITHIN, "PostgreSQL starts")

    def stop(self, mode):
        self.server.end(STOP[mode])

    def answers(self):
        command = [self.programs / "pg_isready", "-q", "-h", self.directory]
        return subprocess.run(command).returncode == 0

    @property
    def url(self):
        return f"postgresql:///postgres?host={self.directory}&user=postgres"

    def cut_connections(self):
        """All of workers, and how many there were."""
        cut = stores.psql(
            self.url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname <> 'postgres' AND backend_type = 'client backend'",
        )
        return len(cut)
