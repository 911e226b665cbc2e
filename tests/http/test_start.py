"""Starting and stopping a worker: bad settings, other programs' databases, probes, what remains."""

import json
import platform as machine
import signal
import socket
import sqlite3
import subprocess
from contextlib import closing

import fastcgi
import invariants
import pytest
import stores
from client import is_problem
from testbed import (
    READY_WITHIN,
    ROOT,
    SERVICES,
    VARIANT,
    entries_of_log,
    environment,
    free_ports,
    program,
)


def command(name, directory):
    prefix = ["setarch", machine.machine(), "-R"] if VARIANT == "tsan" else []
    program = ROOT / "build" / VARIANT / f"{name}-service"
    return [*prefix, "spawn-fcgi", "-n", "-s", directory / "socket", "--", program]


def run_worker(name, directory, settings):
    """Starts a worker that should refuse: its exit status and log."""
    settings = {"DATABASE_URL": f"sqlite:///{directory}/{name}.db", **settings}
    ended = subprocess.run(
        command(name, directory),
        env=environment(settings),
        cwd=directory,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=READY_WITHIN,
    )
    return ended.returncode, ended.stderr


def messages(log):
    """The lines of a log that must contain nothing but JSON objects."""
    return [entry["message"] + " " + entry.get("error.message", "")
            for entry in map(json.loads, log.splitlines())]  # fmt: skip


EVERY = [
    ("WORKER_THREADS", ["0", "-1", "65", "two", "2.5", "1e3", " 2", "2 ", "99999999999999999999"]),
    ("DB_POOL_SIZE", ["0", "1", "-1", "65", "many"]),
    ("LOG_LEVEL", ["loud", "INFO", "7"]),
    ("CURRENCY", ["usd", "US", "DOLLAR", "XYZ", "US$"]),
    ("DATABASE_URL", ["sqlite:", "mysql://x/y", "file.db", "sqlite:///no/such/directory/x.db"]),
    ("CONTRACT_CHECK_RESPONSES", ["yes", "2"]),
    ("IDEMPOTENCY_KEYS_MAX", ["0", "-1", "many"]),
]
SIBLINGS = ["ftp://127.0.0.1", "127.0.0.1:9001", "http://", "http://a:0", "http://a:65536",
            "http://a/", "http://a?b", "http://user:secret@a", "http://a b", "https://a"]  # fmt: skip
OF_ONE = [
    ("cart", "CART_TTL_DAYS", ["0", "-1", "3651", "month"]),
    ("cart", "CARTS_MAX", ["0", "1", "many"]),
    ("cart", "PRODUCT_SERVICE_URL", SIBLINGS),
    ("order", "PRODUCT_SERVICE_URL", SIBLINGS),
    ("order", "CART_SERVICE_URL", SIBLINGS),
]


def bad_settings():
    for number, (variable, values) in enumerate(EVERY):
        for other, value in enumerate(values):
            yield SERVICES[(number + other) % 3], variable, value
        for service in SERVICES:
            yield service, variable, values[0]
    for service, variable, values in OF_ONE:
        for value in values:
            yield service, variable, value


@pytest.mark.storeless
@pytest.mark.parametrize(("service", "variable", "value"), sorted(set(bad_settings())))
def test_bad_setting_stops_the_start_and_is_named(tmp_path, service, variable, value):
    status, log = run_worker(service, tmp_path, {variable: value})
    assert status == 1
    assert any(variable in message for message in messages(log)), log
    assert not list(tmp_path.glob("*.db*"))


@pytest.mark.storeless
def test_every_bad_setting_is_named_at_once(tmp_path):
    settings = {"WORKER_THREADS": "x", "CURRENCY": "x", "LOG_LEVEL": "x", "DB_POOL_SIZE": "x"}
    status, log = run_worker("product", tmp_path, settings)
    assert status == 1
    for variable in settings:
        assert variable in log


def test_empty_setting_is_the_default(make_platform):
    names = ("WORKER_THREADS", "DB_POOL_SIZE", "LOG_LEVEL", "CURRENCY", "CART_TTL_DAYS")
    bed = make_platform(services=("cart",), gateway=False, worker=dict.fromkeys(names, ""))
    assert bed.cart.public.post("/carts", {"user_id": "a"}).json()["currency"] == "USD"


def test_other_currency(make_platform):
    bed = make_platform(services=("product",), gateway=False, worker={"CURRENCY": "JPY"})
    product = bed.product.public.post("/products", {"name": "Yunomi", "price": 1200})
    assert b'"price":1200,"' in product.body.replace(b" ", b"")
    assert product.json()["currency"] == "JPY"
    is_problem(bed.product.public.post("/products", {"name": "Yunomi", "price": 0.5}), 422)


@pytest.mark.storeless
def test_worker_needs_its_listening_socket(tmp_path):
    program = ROOT / "build" / VARIANT / "product-service"
    prefix = ["setarch", machine.machine(), "-R"] if VARIANT == "tsan" else []
    ended = subprocess.run(
        [*prefix, program],
        env=environment({"DATABASE_URL": f"sqlite:///{tmp_path}/p.db"}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=READY_WITHIN,
    )
    assert ended.returncode == 1
    assert any("spawn-fcgi" in message for message in messages(ended.stderr))


# ---- databases ----


@pytest.fixture(scope="module")
def own(make_platform):
    """Workers that tests start and stop."""
    return make_platform(gateway=False)


def dump(directory, name):
    with closing(invariants.attach(directory, [name])) as store:
        with closing(sqlite3.connect(":memory:")) as copy:
            store.backup(copy, name=invariants.SCHEMAS[name])
            return list(copy.iterdump())


@pytest.mark.storeless
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_worker_that_waits_for_its_database_ends_when_told(tmp_path, signum):
    (port,) = free_ports(1)
    worker = subprocess.Popen(
        command("product", tmp_path),
        env=environment({"DATABASE_URL": f"postgresql://127.0.0.1:{port}/product"}),
        stderr=subprocess.PIPE,
        text=True,
    )
    with worker:
        assert "trying again" in worker.stderr.readline()
        worker.send_signal(signum)
        try:
            assert worker.wait(READY_WITHIN) == 0
        finally:
            worker.kill()


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize(
    ("sql", "complaint"),
    [
        (
            "INSERT INTO schema_migrations SELECT max(version) + 1, 'of tomorrow', 0"
            " FROM schema_migrations",
            "newer than this program",
        ),
        ("UPDATE schema_migrations SET name = 'of another program'", "not this program's"),
    ],
)
def test_database_of_another_program_is_refused(own, tmp_path, name, sql, complaint):
    own.services[name].stop_worker()
    other = stores.find(tmp_path, name)
    own.services[name].store.copy(other)
    other.write(sql)
    before = dump(tmp_path, name)
    status, log = run_worker(name, tmp_path, {"DATABASE_URL": other.url})
    assert status == 1
    assert any(complaint in message for message in messages(log)), log
    assert dump(tmp_path, name) == before
    other.drop()
    own.services[name].start_worker()


def test_prices_stay_in_their_currency(own, tmp_path):
    """12.99 USD must become neither 1.299 KWD nor 1,299 JPY."""
    lamp = own.product.public.post("/products", {"name": "Lamp", "price": 12.99}).json()["id"]
    own.product.stop_worker()
    for other in ("KWD", "JPY", "EUR"):
        settings = {"DATABASE_URL": own.product.store.url, "CURRENCY": other}
        status, log = run_worker("product", tmp_path, settings)
        assert status == 1
        expected = f'CURRENCY="{other}": expected USD, the currency of the prices in this database '
        assert expected in messages(log)
    own.product.start_worker()
    assert own.product.public.get(f"/products/{lamp}").json()["price"] == 12.99


@pytest.mark.storeless
def test_file_that_is_no_database_is_refused(tmp_path):
    database = tmp_path / "product.db"
    database.write_bytes(b"precious notes\n" * 500)
    status, log = run_worker("product", tmp_path, {})
    assert status == 1
    assert any("DATABASE_URL" in message for message in messages(log))
    assert database.read_bytes() == b"precious notes\n" * 500


@pytest.mark.storeless
def test_database_of_a_program_without_versions_is_left_alone(tmp_path):
    with closing(sqlite3.connect(tmp_path / "product.db")) as store, store:
        store.execute("CREATE TABLE customers (name TEXT)")
    status, log = run_worker("product", tmp_path, {})
    assert status == 1
    (message,) = (m for m in messages(log) if "DATABASE_URL" in m)
    assert f"sqlite:///{tmp_path}/product.db: " in message and '"customers"' in message
    with closing(sqlite3.connect(tmp_path / "product.db")) as store:
        assert store.execute("SELECT name FROM sqlite_schema").fetchall() == [("customers",)]


@pytest.mark.storeless
def test_directory_in_the_place_of_the_file_is_named(tmp_path):
    (tmp_path / "product.db").mkdir()
    status, log = run_worker("product", tmp_path, {})
    assert status == 1
    assert any(f"{tmp_path}/product.db" in m and "Is a directory" in m for m in messages(log)), log


@pytest.mark.storeless
def test_full_disk_is_named(tmp_path):
    """Less room than the schema needs, by a limit on the size of files."""
    script = 'ulimit -f 40 && trap "" XFSZ && exec "$@"'
    ended = subprocess.run(
        ["bash", "-c", script, "bash", *command("product", tmp_path)],
        env=environment({"DATABASE_URL": f"sqlite:///{tmp_path}/product.db"}),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=READY_WITHIN,
    )  # fmt: skip
    assert ended.returncode == 1
    assert any(f"{tmp_path}/product.db" in m and "disk" in m for m in messages(ended.stderr))


def test_data_is_there_after_a_restart(own):
    product = own.product.public.post("/products", {"name": "Kept", "price": 1}).json()
    own.product.restart_worker()
    assert own.product.public.get(f"/products/{product['id']}").json() == product
    own.product.kill_worker()
    own.product.start_worker()
    assert own.product.public.get(f"/products/{product['id']}").json() == product


# ---- probes ----


@pytest.mark.parametrize("name", SERVICES)
def test_probes(own, name):
    service = own.services[name]
    assert service.health.get("/livez").json() == {"status": "alive"}
    assert service.health.get("/readyz").json() == {"status": "ready"}
    assert service.health.get("/metrics").header("Content-Type").startswith("text/plain")
    for path in ("/livez", "/readyz", "/metrics"):
        is_problem(service.public.get(path), 404)


def test_probes_of_a_worker_that_is_gone(own):
    own.product.stop_worker()
    for path in ("/livez", "/readyz"):
        assert own.product.health.get(path).status in (502, 503)
    own.product.start_worker()


def test_not_ready_while_draining(own):
    """A connection with a request under way keeps the worker from ending; then the worker checks it."""
    worker = own.product.worker
    slow = fastcgi.Connection(own.product.socket)
    probe = fastcgi.Connection(own.product.socket)
    upload = fastcgi.request("POST", "/products", {"name": "Slow", "price": 1})
    ready = fastcgi.request("GET", "/readyz", LISTENER="internal")
    probe.send(ready)
    assert probe.receive()[0] == 200
    slow.send(upload[:-20])
    probe.send(ready)
    assert probe.receive()[0] == 200
    own.product.expected_down = True
    worker.signal(signal.SIGTERM)
    # No connection is taken any more, and an idle one is closed: nginx answers 502 for it.
    assert probe.socket.recv(1) == b""
    with pytest.raises((ConnectionRefusedError, BrokenPipeError, ConnectionResetError)):
        while True:
            fastcgi.Connection(own.product.socket).send(ready)
    assert own.product.health.get("/readyz").status in (502, 503)
    assert worker.alive()
    slow.close()
    probe.close()
    assert worker.popen.wait(READY_WITHIN) == 0
    own.product.start_worker()


# ---- files that somebody removes or replaces ----


def remove(path, _):
    path.unlink()


def replace_by_moving(path, other):
    other.rename(path)


def replace_by_copying(path, other):
    path.write_bytes(other.read_bytes())


@pytest.mark.skipif(stores.POSTGRES, reason="PostgreSQL looks after its files")
@pytest.mark.parametrize("harm", [remove, replace_by_moving, replace_by_copying])
def test_nothing_is_taken_for_a_file_that_is_gone(own, tmp_path, harm):
    product, other = own.product, tmp_path / "other.db"
    product.restart_worker()
    path, aside = product.store.path, tmp_path / "aside"
    before = path.read_bytes()
    other.write_bytes(before[: 2 * 4096])
    aside.hardlink_to(path)
    harm(path, other)
    assert product.health.get("/readyz").status == 503
    refused = is_problem(product.public.post("/products", {"name": "Lost", "price": 1}), 503)
    assert refused["code"] == "unavailable"
    assert product.health.get("/livez").status == 200
    told = [e for e in entries_of_log(product.worker.logged()) if "is not what it was" in e["message"]]
    assert told[-1]["file.path"] == str(path)
    # The right one is put back.
    aside.replace(path)
    if path.stat().st_size < len(before):
        path.write_bytes(before)
    assert product.health.get("/readyz").status == 200
    kept = product.public.post("/products", {"name": "Kept", "price": 1}).json()
    product.restart_worker()
    assert product.public.get(f"/products/{kept['id']}").status == 200


@pytest.mark.skipif(stores.POSTGRES, reason="PostgreSQL looks after its files")
def test_check_tells_of_a_copy_without_its_log(own, tmp_path):
    own.product.public.post("/products", {"name": "Missing", "price": 1})
    own.product.public.post("/products", {"name": "Missing too", "price": 1})
    (tmp_path / "product.db").write_bytes(own.product.store.path.read_bytes())
    settings = {"DATABASE_URL": f"sqlite:///{tmp_path}/product.db"}
    for status, expected in ((1, "product: file-whole: database "), (0, "product: 0 violations")):
        ended = subprocess.run(
            [*program("product"), "--check"],
            env=environment(settings), capture_output=True, text=True, timeout=READY_WITHIN,
        )  # fmt: skip
        assert (ended.returncode, ended.stdout[: len(expected)]) == (status, expected)
        # SQLite's own backup is whole.
        (tmp_path / "product.db").unlink()
        with closing(sqlite3.connect(own.product.store.path)) as store:
            with closing(sqlite3.connect(tmp_path / "product.db")) as backup:
                store.backup(backup)


# ---- what is left ----


def test_nothing_is_left_behind(own):
    """After SIGTERM: one file per service with everything that was committed, and the empty file for
    the orders' leases; no core, no journal."""
    for service in own.services.values():
        assert service.stop_worker() == 0
    left = {path.name for path in own.directory.iterdir() if path.is_file()}
    for name in SERVICES:
        left -= {f"{name}.db", f"{name}-worker.log", f"{name}-nginx.log"}
    left -= {"order.db-sessions"}
    assert left == set()
    for service in own.services.values():
        with pytest.raises(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(service.socket))
        service.start_worker()
