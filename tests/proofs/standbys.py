"""A PostgreSQL primary with synchronous standbys, as an operator runs them; in their place for one module.

    with Standbys() as cluster:
        cluster.url            of all members; for TEST_DATABASE_URL (tests/http/stores.py)
        cluster.fail_over()    the primary is killed, and the standby that has most is promoted
        cluster.bring_back()   the old primary becomes a standby

A commit is told once one of the standbys has it on its disk. Whoever connects finds the member that
takes writes by itself (target_session_attrs), and so do the standbys.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import stores
from cluster import STARTED_WITHIN, as_server, programs
from testbed import Process, wait_until

MEMBERS = 3


class Member:
    def __init__(self, cluster, number):
        self.cluster = cluster
        self.name = f"member{number}"
        self.directory = cluster.directory / self.name
        self.data = self.directory / "data"
        self.server = Process(self.name, cluster.directory / f"{self.name}.log", "QUIT")

    def run(self, program, *arguments):
        command = [*self.cluster.prefix, self.cluster.programs / program, *arguments]
        done = subprocess.run(command, capture_output=True, cwd=self.directory, text=True)
        assert done.returncode == 0, done.stderr

    def make_primary(self):
        self.run(
            "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
            "--data-checksums", "--no-sync",
        )  # fmt: skip

    def make_standby(self, primary):
        self.run("pg_basebackup", "-D", self.data, "-d", primary.url, "-c", "fast", "--no-sync")
        self.follow()

    def follow(self):
        signal_file = self.data / "standby.signal"
        signal_file.touch()
        if self.cluster.user:
            os.chown(signal_file, self.cluster.user.pw_uid, self.cluster.user.pw_gid)

    def rewind(self, primary):
        """What only this member has written is taken back: nobody was told of it."""
        # Before 16, pg_rewind learns of a promotion from the checkpoint after it.
        stores.psql(primary.url, "CHECKPOINT")
        self.run("pg_rewind", "-D", self.data, "--source-server", primary.url, "--no-sync")
        self.follow()

    def start(self):
        # Of all others one at least has a commit before it is told.
        others = ", ".join(m.name for m in self.cluster.members if m is not self)
        settings = {
            "listen_addresses": "",
            "max_connections": 400,
            "shared_buffers": "64MB",
            "cluster_name": self.name,
            "primary_conninfo": f"{self.cluster.conninfo} application_name={self.name}",
            "synchronous_standby_names": f"ANY 1 ({others})",
            "wal_keep_size": "1GB",
            "wal_retrieve_retry_interval": "200ms",
        }
        # In the file that is read last; pg_rewind starts the server by itself, and has to keep what it needs.
        lines = [f"{name} = '{value}'\n" for name, value in settings.items()]
        (self.data / "postgresql.auto.conf").write_text("".join(lines))
        program = self.cluster.programs / "postgres"
        command = [*self.cluster.prefix, program, "-D", self.data, "-k", self.directory]
        self.server.start(command, {}, self.directory)
        wait_until(self.answers, STARTED_WITHIN, f"{self.name} starts")

    def answers(self):
        command = [self.cluster.programs / "pg_isready", "-q", "-h", self.directory]
        return subprocess.run(command).returncode == 0

    @property
    def url(self):
        return f"postgresql:///postgres?host={self.directory}&user=postgres"

    def ask(self, query):
        return stores.psql(self.url, query)[0]


class Standbys:
    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.directory = Path(tempfile.mkdtemp(prefix="standbys-", dir="/tmp"))
            stack.callback(shutil.rmtree, self.directory)
            self.programs = programs()
            self.prefix, self.user = as_server()
            self.directory.chmod(0o711)
            self.members = [Member(self, number) for number in range(MEMBERS)]
            for member in self.members:
                member.directory.mkdir(mode=0o711)
                if self.user:
                    os.chown(member.directory, self.user.pw_uid, self.user.pw_gid)
                stack.callback(member.server.end, signal.SIGQUIT)
            self.primary = self.members[0]
            self.primary.make_primary()
            # Its first standbys are made while it would wait for them.
            self.primary.start()
            for member in self.standbys:
                member.make_standby(self.primary)
                member.start()
            self.wait_for_standbys(MEMBERS - 1)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    @property
    def hosts(self):
        return ",".join(str(member.directory) for member in self.members)

    @property
    def conninfo(self):
        return f"host={self.hosts} user=postgres target_session_attrs=read-write"

    @property
    def url(self):
        attributes = "user=postgres&target_session_attrs=read-write"
        return f"postgresql:///postgres?host={self.hosts}&{attributes}"

    def wait_for_standbys(self, count):
        def streaming():
            query = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
            return int(self.primary.ask(query)) == count

        wait_until(streaming, STARTED_WITHIN, f"{count} standbys follow")

    @property
    def standbys(self):
        return [member for member in self.members if member is not self.primary]

    def stop_standbys(self):
        for member in self.standbys:
            member.server.end(signal.SIGQUIT)

    def start_standbys(self):
        for member in self.standbys:
            member.start()
        self.wait_for_standbys(MEMBERS - 1)

    def fail_over(self):
        """As an operator does: nothing that was told is lost, for the one that has most is promoted."""
        self.primary.server.end(signal.SIGKILL)
        received = "SELECT pg_last_wal_receive_lsn() - '0/0'"
        self.old = self.primary
        self.primary = max(self.standbys, key=lambda member: int(member.ask(received)))
        assert self.primary.ask("SELECT pg_promote()") == "t"

    def bring_back(self):
        self.old.rewind(self.primary)
        self.old.start()
        self.wait_for_standbys(MEMBERS - 1)
