"""The commands of docs/OPERATIONS.md and README.md, as they are written there."""

import json
import shutil

import pytest
from documents import commands
from shop import Shop, done
from testbed import ROOT, SERVICES
from trading import Trade, changed

OPERATIONS = "docs/OPERATIONS.md"

pytestmark = pytest.mark.skipif(
    not shutil.which("sqlite3"), reason="the documented commands need Debian's sqlite3"
)


def goes_back_to_its_backup(installation, db, back_up, restore):
    installation.works("up.sh", DB=db)
    trade = Trade(installation)
    assert installation.faults(db) == []
    before = trade.seen()
    installation.shell(back_up)
    later = Shop(installation).make_product(name="Later")
    assert before != trade.seen()
    trade.close()
    printed = installation.shell(restore)
    assert all(f"{name}: 0 violations\n" in printed for name in SERVICES)
    assert changed(before, trade.seen()) == set()
    assert installation.product.public.get(f"/products/{later}").status == 404
    trade.sent_again_is_answered_alike()
    assert installation.faults(db) == []


def test_back_up_and_restore_sqlite(installation):
    goes_back_to_its_backup(installation, "sqlite", *commands(OPERATIONS, "### SQLite"))


def test_back_up_and_restore_postgres(installation):
    back_up, restore, dump = commands(OPERATIONS, "### PostgreSQL")
    goes_back_to_its_backup(installation, "postgres", back_up, restore)

    server = f"postgresql:///{{}}?host={installation.state}/postgres&user=postgres"
    installation.shell(f"psql -qc 'CREATE DATABASE other' '{server.format('postgres')}'")
    other = {"PRODUCT_DATABASE_URL": server.format("other")}
    installation.shell(dump, **other)
    checked = installation.shell("build/release/product-service --check",
                                 DATABASE_URL=other["PRODUCT_DATABASE_URL"])  # fmt: skip
    assert checked == "product: 0 violations\n"
    export = "SELECT id, name, inventory FROM products ORDER BY id"
    both = [installation.shell(f'psql -XAtc "{export}" "{server.format(name)}"')
            for name in ("product", "other")]  # fmt: skip
    assert both[0] == both[1] and both[0].count("\n") > 200


def test_check(installation):
    (check,) = commands(OPERATIONS, "## Checking a database")
    installation.works("up.sh")
    assert installation.shell(check) == "".join(f"{name}: 0 violations\n" for name in SERVICES)


def test_one_worker_by_hand(installation):
    (by_hand,) = commands(OPERATIONS, "## Running it")
    installation.works("up.sh")
    installation.works("down.sh")
    socket = installation.state / "run" / "product.sock"
    socket.unlink(missing_ok=True)
    worker = installation.start("bash", "-ec", f"exec env {by_hand}")
    try:
        # spawn-fcgi makes the socket; only the worker's first line tells that it takes signals.
        first = worker.stdout.readline()
        assert socket.stat().st_mode & 0o777 == 0o600
    finally:
        worker.terminate()
        status, printed = installation.finish(worker)
    assert status == 0, first + printed
    assert json.loads(first)["message"] == "started"


def test_psql(installation):
    (psql,) = commands(OPERATIONS, "## On PostgreSQL, with replicas")
    installation.works("up.sh", DB="postgres")
    assert installation.shell(f"{psql.strip()} -XAtc 'SELECT count(*) FROM products'") == "200\n"


def test_bulk_edits(installation):
    """Of what was exported before a sale."""
    installation.works("up.sh")
    (edits,) = commands(OPERATIONS, "## Imports and exports")
    edits = edits.replace(":8080/", f":{installation.ports['GATEWAY_PORT']}/")
    export, take = edits.split("\n", 1)
    installation.shell(export)
    shop = Shop(installation)
    (lamp,) = done(installation.gateway.get("/products?sku=LGT-001"), 200)
    shop.buy({lamp["id"]: 2})
    printed = installation.shell(f"sed -i 's/Halo/Corona/' products.ndjson\n{take}")
    assert [json.loads(line)["status"] for line in printed.splitlines()] == ["updated"] * 200
    after = shop.read_product(lamp["id"])
    assert (after["name"], after["inventory"]) == ("Desk Lamp Corona", lamp["inventory"] - 2)


def test_requests_of_the_readme(installation):
    """At the default addresses."""
    first, requests = commands("README.md", "## Try it")[:2]
    installation.works("up.sh")
    assert "Everything went as promised." in installation.shell(first)
    requests = requests.replace(":8080/", f":{installation.ports['GATEWAY_PORT']}/")
    shown = installation.shell(requests)
    lamps, rest = json.JSONDecoder().raw_decode(shown)
    assert len(lamps) == 3
    lights, end = json.JSONDecoder().raw_decode(shown[rest:].lstrip())
    assert [light["category"] for light in lights] == ["lighting"] * len(lights) and lights
    cart = json.loads(shown[rest:].lstrip()[end:])
    found = done(installation.gateway.get(f"/carts/{cart['id']}"), 200)
    assert found["user_id"] == "ada"


def test_addresses_of_the_documents():
    """The addresses in the documents are the defaults."""
    settings = (ROOT / "scripts" / "settings.sh").read_text()
    table = (ROOT / OPERATIONS).read_text()
    for service, number in zip(SERVICES, (1, 2, 3), strict=True):
        name = service.upper()
        assert f"{name}_PORT:=800{number}" in settings
        assert f"{name}_INTERNAL_PORT:=900{number}" in settings
        assert f"{name}_HEALTH_PORT:=920{number}" in settings
        first = f"800{number}, internal 900{number}, health 920{number}"
        assert f"| {service} | {first} | 801{number}, 901{number}, 921{number} |" in table
