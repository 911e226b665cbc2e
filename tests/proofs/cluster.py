"""A private PostgreSQL cluster that proofs may restart, and what is read out of it.

    with Cluster() as cluster:
        cluster.create("orders")                  a database
        cluster.url("orders")                     for a worker's DATABASE_URL
        cluster.restart("immediate")              as after a power cut
        cluster.export("orders", path)            all its tables, as an SQLite file
"""

import csv
import os
import pwd
import shutil
import signal
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

from testbed import Process, wait_until

STOP = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
STARTED_WITHIN = 30
NULL = "\\N"


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

    def restart(self, mode):
        self.stop(mode)
        self.start()

    def answers(self):
        command = [self.programs / "pg_isready", "-q", "-h", self.directory]
        return subprocess.run(command).returncode == 0

    def url(self, database):
        return f"postgresql:///{database}?host={self.directory}&user=postgres"

    def psql(self, database, sql):
        """What it prints, as CSV without headers."""
        done = subprocess.run(
            ["psql", "-X", "-q", "--csv", "-t", "-v", "ON_ERROR_STOP=1", "-P", f"null={NULL}",
             self.url(database)],
            input=sql, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def query(self, database, sql):
        """Rows of texts; None is NULL."""
        rows = csv.reader(self.psql(database, sql).splitlines(keepends=True))
        return [[None if value == NULL else value for value in row] for row in rows]

    def create(self, database):
        self.psql("postgres", f'CREATE DATABASE "{database}"')

    def drop(self, database):
        self.psql("postgres", f'DROP DATABASE "{database}" WITH (FORCE)')

    def cut_connections(self):
        """All of workers, and how many there were."""
        rows = self.query(
            "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname <> 'postgres' AND backend_type = 'client backend'",
        )
        return len(rows)

    def export(self, database, path):
        path.unlink(missing_ok=True)
        columns = {}
        for table, name, kind in self.query(
            database,
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type IN ('bigint', 'text')"
            " ORDER BY table_name, ordinal_position",
        ):
            columns.setdefault(table, []).append((name, kind))
        with closing(sqlite3.connect(path)) as store, store:
            for table, members in columns.items():
                definition = ", ".join(f'"{name}" {kind}' for name, kind in members)
                store.execute(f'CREATE TABLE "{table}" ({definition})')
                names = ", ".join(f'"{name}"' for name, _ in members)
                rows = self.query(database, f'SELECT {names} FROM "{table}"')
                marks = ", ".join("?" * len(members))
                store.executemany(f'INSERT INTO "{table}" VALUES ({marks})', rows)
