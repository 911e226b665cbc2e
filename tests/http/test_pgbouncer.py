"""Orders, races and imports once more, through a PgBouncer that lends a session of the server for one
transaction only. From 1.21 on it supports prepared statements of the protocol."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import stores
from testbed import SLOWNESS

TESTS = ("orders", "races", "bulk", "idempotency")

# Fewer sessions than a worker has connections: who kept one would starve the others.
CONFIGURATION = """
[databases]
* = host={server}
[pgbouncer]
unix_socket_dir = {directory}
unix_socket_mode = 0777
listen_port = 5432
auth_type = trust
auth_file = {directory}/users
pool_mode = transaction
max_prepared_statements = 100
default_pool_size = 4
max_client_conn = 1000
"""


def version():
    """Of the one on PATH; (0,) where there is none."""
    if not shutil.which("pgbouncer"):
        return (0,)
    told = subprocess.run(["pgbouncer", "--version"], capture_output=True, text=True, check=True)
    return tuple(map(int, re.search(r"PgBouncer (\d+)\.(\d+)", told.stdout).groups()))


@pytest.fixture
def bouncer():
    """The URL of the server's database "postgres" through a PgBouncer of its own."""
    url = os.environ["TEST_DATABASE_URL"]
    server = re.search(r"[?&]host=([^&]+)", url).group(1)
    # It refuses to run as root; the server does not, either.
    owner = Path(server).stat()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-", dir="/tmp") as directory:
        folder = Path(directory)
        (folder / "users").write_text('"postgres" ""\n')
        (folder / "ini").write_text(CONFIGURATION.format(server=server, directory=directory))
        os.chown(directory, owner.st_uid, owner.st_gid)
        drop = ["setpriv", f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [*(drop if os.getuid() == 0 else []), "pgbouncer", folder / "ini"],
                stdout=log,
                stderr=log,
            )
        try:
            deadline = time.monotonic() + 10
            while not (folder / ".s.PGSQL.5432").exists():
                assert process.poll() is None and time.monotonic() < deadline, (
                    folder / "log"
                ).read_text()
                time.sleep(0.05)
            yield url.replace(server, directory)
        finally:
            process.terminate()
            process.wait(10)


@pytest.mark.skipif(not stores.POSTGRES, reason="the store is not PostgreSQL")
@pytest.mark.skipif(version() < (1, 21), reason="needs PgBouncer 1.21 or newer on PATH")
def test_transactions_are_all_that_a_session_is_lent_for(bouncer):
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *(here / f"test_{name}.py" for name in TESTS)],
        env={**os.environ, "TEST_DATABASE_URL": bouncer},
        capture_output=True,
        text=True,
        timeout=300 * SLOWNESS,
    )
    assert done.returncode == 0, done.stdout
