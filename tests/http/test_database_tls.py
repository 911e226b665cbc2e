"""A worker and PostgreSQL over TLS, with the settings and the server's rules of the manifests: the
worker accepts only a certificate of the right CA for the name that it asked for."""

import contextlib
import re
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from testbed import ROOT, Platform, environment, free_ports, program

pytestmark = pytest.mark.storeless

SETTINGS = (ROOT / "k8s/postgres/tls/kustomization.yaml").read_text()
MODE = re.search(r"name: PGSSLMODE, value: ([a-z-]+)", SETTINGS)[1]
RULES = re.findall(r"^      - (host\w* .*)$", (ROOT / "k8s/postgres/cluster.yaml").read_text(), re.M)
# The operator's names for it (k8s/postgres/make-secrets.sh uses the first).
NAME = "postgres-rw"
SERVER = """
. scripts/postgres.sh
postgres_find ''
postgres_own "$1"
postgres_own "$1/server.key"
postgres_init "$1/data" --no-sync >"$1/log" 2>&1
exec $postgres_as setpriv --pdeathsig QUIT "$postgres_programs/postgres" -D "$1/data" -k "$1" -p "$2" \
    -c listen_addresses=127.0.0.1 -c fsync=off -c hba_file="$1/pg_hba.conf" \
    -c ssl=on -c ssl_cert_file="$1/server.crt" -c ssl_key_file="$1/server.key" >>"$1/log" 2>&1
"""


def run(*command):
    subprocess.run([*map(str, command)], check=True, capture_output=True)


def make_ca(folder, name):
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={name}",
        "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.crt")  # fmt: skip


class Server:
    def __init__(self, folder):
        self.folder = folder
        (self.port,) = free_ports(1)
        make_ca(folder, "ca")
        make_ca(folder, "stranger")
        run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}",
            "-addext", f"subjectAltName=DNS:{NAME},DNS:{NAME}.shop", "-keyout", folder / "server.key",
            "-out", folder / "server.csr")  # fmt: skip
        run("openssl", "x509", "-req", "-in", folder / "server.csr", "-CA", folder / "ca.crt",
            "-CAkey", folder / "ca.key", "-copy_extensions", "copyall", "-out", folder / "server.crt")  # fmt: skip
        folder.chmod(0o711)
        rules = ["local all all trust", *RULES, "host all all all scram-sha-256"]
        (folder / "pg_hba.conf").write_text("\n".join(rules) + "\n")
        self.process = subprocess.Popen(["bash", "-euc", SERVER, "-", folder, str(self.port)], cwd=ROOT)

    def sql(self, text):
        command = ["psql", "-X", "-At", "-h", self.folder, "-p", str(self.port), "-U", "postgres", "-c", text]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def await_start(self):
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(subprocess.CalledProcessError):
                return self.sql("SELECT 1")
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)


@pytest.fixture(scope="module")
def server():
    # Short: it has a Unix socket in it.
    with tempfile.TemporaryDirectory(dir="/tmp", prefix="tls-") as folder:
        found = Server(Path(folder))
        try:
            found.await_start()
            found.sql("CREATE ROLE product LOGIN PASSWORD 'secret'")
            found.sql("CREATE DATABASE product OWNER product")
            yield found
        finally:
            found.process.terminate()
            found.process.wait()


def settings(server, name=NAME, ca="ca", mode=MODE):
    return {
        "DATABASE_URL": f"postgresql://product:secret@{name}:{server.port}/product?hostaddr=127.0.0.1",
        "PGSSLMODE": mode,
        "PGSSLROOTCERT": server.folder / f"{ca}.crt",
    }


@pytest.mark.parametrize("name", [NAME, f"{NAME}.shop"])
def test_a_worker_speaks_with_the_right_server(server, name):
    with Platform(services=("product",), gateway=False, worker=settings(server, name)) as bed:
        answer = bed.product.public.post("/products", {"name": "Lamp", "price": 1})
        assert answer.status == 201, answer
        encrypted = server.sql(
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'product'"
        )
        assert encrypted == "t"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ca": "stranger"}, "certificate verify failed"),
        ({"name": "localhost"}, "does not match host name"),
        ({"ca": "missing"}, "does not exist"),
        ({"mode": "disable"}, "no encryption"),
    ],
)
def test_it_speaks_with_nobody_else(server, change, words):
    """Nor does the server accept a connection without encryption."""
    command = [*program("product"), "--check"]
    wrong = environment(settings(server, **change))
    done = subprocess.run(command, env=wrong, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr
