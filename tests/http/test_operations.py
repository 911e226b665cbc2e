"""What an operator does with the programs: --check, moving to PostgreSQL, other arguments."""

import platform as machine
import re
import sqlite3
import subprocess
from contextlib import closing
from types import SimpleNamespace

import invariants
import pytest
import stores
from shop import Shop, new_id
from testbed import ROOT, SERVICES, SLOWNESS, VARIANT, environment

PATHS = ([], ["processing"], ["shipped"], ["processing", "shipped", "delivered"], ["cancelled"])


def run(name, url, *arguments, **settings):
    """(exit status, lines on stdout, stderr) of a service's program."""
    prefix = ["setarch", machine.machine(), "-R"] if VARIANT == "tsan" else []
    ended = subprocess.run(
        [*prefix, ROOT / "build" / VARIANT / f"{name}-service", *arguments],
        env=environment({"DATABASE_URL": url, **settings}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30 * SLOWNESS,
    )
    return ended.returncode, ended.stdout.splitlines(), ended.stderr


def trade(bed, directory):
    """Orders in every status, a refused one, an open checkout, a deleted product and a restored one,
    keys; the stores are in directory."""
    shop = Shop(bed)
    mug = shop.make_product(inventory=100, price=2, name='"Big" mug', tags=["kitchen", "blue"])
    tea = shop.make_product(inventory=50, price=3, name="Grüner Tee ☕", sku=new_id())
    shop.delete_product(shop.make_product(inventory=5, name="Discontinued"))
    shop.delete_product(mug)
    assert shop.product.post(f"/products/{mug}/restore").status == 200
    shop.adjust_stock(mug, -7)
    for statuses in PATHS:
        order = shop.buy({mug: 2, tea: 1})
        for status in statuses:
            shop.set_status(order["id"], status)
    refused = shop.make_cart({mug: 1, tea: 1})
    shop.change_product(mug, price=4)
    assert shop.post_order(refused, key=new_id()).status == 409
    key = new_id()
    shop.change_product(mug, price=2)
    cart = shop.make_cart({mug: 1})
    answer = shop.post_order(cart, key=key)
    assert answer.status == 201
    open_cart = shop.make_cart({tea: 3})
    path = f"/internal/carts/{open_cart}/checkouts/{new_id()}"
    assert bed.cart.internal.put(path).status == 200
    invariants.settle(directory, 15)
    return SimpleNamespace(
        shop=shop, mug=mug, tea=tea, cart=cart, open_cart=open_cart, key=key, answer=answer
    )


@pytest.fixture(scope="module")
def traded(make_platform):
    bed = make_platform(gateway=False)
    trade(bed, bed.directory)
    return bed


# ---- --check ----


@pytest.mark.parametrize("name", SERVICES)
def test_check_finds_nothing_beside_a_running_worker(traded, name):
    status, lines, log = run(name, traded.services[name].store.url, "--check")
    assert (status, lines, log) == (0, [f"{name}: 0 violations"], "")


@pytest.mark.parametrize(
    ("name", "sql", "rules"),
    [
        (
            "product",
            "UPDATE products SET inventory = inventory + 1 WHERE deleted_at IS NULL",
            ["stock-adds-up"] * 2 + ["ledger-gives-inventory"] * 2,
        ),
        (
            "cart",
            "UPDATE checkouts SET finished_at = created_at WHERE state = 'open'",
            ["checkouts-fit-their-state"],
        ),
        (
            "order",
            "UPDATE orders SET status = 'processing' WHERE saga = 'placed' AND status = 'cancelled'",
            ["history-ends-with-status"],
        ),
    ],
)
def test_check_tells_each_violation_in_a_line(traded, tmp_path, name, sql, rules):
    traded.services[name].stop_worker()
    other = stores.find(tmp_path, name)
    traded.services[name].store.copy(other)
    traded.services[name].start_worker()
    try:
        assert other.write(sql) > 0
        status, lines, log = run(name, other.url, "--check")
        assert (status, log) == (1, "")
        assert lines.pop() == f"{name}: {len(rules)} violations"
        for line, rule in zip(lines, rules, strict=True):
            assert re.fullmatch(rf"{name}: {rule}: [0-9a-f-]{{36}} .{{10,}}", line)
    finally:
        other.drop()


# Who an order is said to be of, and what of the cart's database says otherwise.
OTHER_OWNERS = {
    "an order of another user": ("order", "UPDATE orders SET user_id = 'eve' WHERE id = ?"),
    "an order of a guest": ("order", "UPDATE orders SET user_id = '' WHERE id = ?"),
    "a cart of another user": ("cart", "UPDATE carts SET user_id = 'eve' WHERE last_order_id = ?"),
    "a checkout of a cart that is gone": (
        "cart",
        "UPDATE checkouts SET user_id = 'eve', cart_id = 'gone' WHERE order_id = ?",
        "UPDATE orders SET cart_id = 'gone' WHERE id = ?",
    ),
}


@pytest.mark.parametrize("case", OTHER_OWNERS)
def test_check_finds_an_order_whose_owner_is_not_its_carts(traded, tmp_path, case):
    name, sql, *others = OTHER_OWNERS[case]
    order = traded.order.store.read("SELECT id FROM orders WHERE saga = 'placed' ORDER BY id")[1][0]
    copies = {}
    for service in ("cart", "order"):
        copies[service] = stores.find(tmp_path, service)
        traded.services[service].stop_worker()
        traded.services[service].store.copy(copies[service])
        traded.services[service].start_worker()
    try:
        carts = {"CART_DATABASE_URL": copies["cart"].url}
        assert run("order", copies["order"].url, "--check", **carts) == (0, ["order: 0 violations"], "")
        assert copies[name].write(sql, order) == 1
        for more in others:
            assert copies["order"].write(more, order) == 1
        status, lines, log = run("order", copies["order"].url, "--check", **carts)
        assert (status, log) == (1, "")
        rule, last = lines
        assert rule.startswith(f"order: orders-are-their-carts-users: {order} is of ")
        assert ('"eve"' in rule) != ("a guest" in rule)
        assert last == "order: 1 violations"
    finally:
        for copy in copies.values():
            copy.drop()


def test_check_compares_owners_in_their_normal_form(traded, tmp_path):
    """Ids of before are brought into it one service after the other; what has none is no guest's."""
    copies = {service: stores.find(tmp_path, service) for service in ("cart", "order")}
    for service, copy in copies.items():
        traded.services[service].stop_worker()
        traded.services[service].store.copy(copy)
        traded.services[service].start_worker()
    try:
        carts = {"CART_DATABASE_URL": copies["cart"].url}
        copies["order"].write("UPDATE orders SET user_id = ? WHERE saga = 'placed'", "Zoe\u0308 ")
        copies["cart"].write("UPDATE carts SET user_id = ?", "Zo\u00eb")
        copies["cart"].write("UPDATE checkouts SET user_id = ?", "Zoe\u0308")
        assert run("order", copies["order"].url, "--check", **carts)[0] == 0
        copies["order"].write("UPDATE orders SET user_id = '' WHERE saga = 'placed'")
        copies["cart"].write("UPDATE carts SET user_id = ?", "\u200b")
        copies["cart"].write("UPDATE checkouts SET user_id = ?", "\u200b")
        assert run("order", copies["order"].url, "--check", **carts)[0] == 1
    finally:
        for copy in copies.values():
            copy.drop()


def test_check_against_what_is_no_database_of_carts(traded, tmp_path):
    url = traded.order.store.url
    status, lines, log = run("order", url, "--check", CART_DATABASE_URL=f"sqlite:///{tmp_path}/none.db")
    assert (status, lines) == (2, [])
    assert log.startswith("order: cannot open CART_DATABASE_URL: ")
    status, lines, _ = run("order", url, "--check", CART_DATABASE_URL=traded.product.store.url)
    assert (status, lines) == (2, [])
    assert run("cart", traded.cart.store.url, "--check", CART_DATABASE_URL="none")[0] == 0


def test_check_cuts_long_lists_and_shows_control_characters_as_such(traded, tmp_path):
    traded.cart.stop_worker()
    other = stores.find(tmp_path, "cart")
    traded.cart.store.copy(other)
    traded.cart.start_worker()
    try:
        other.write(
            "INSERT INTO checkout_lines (cart_id, order_id, product_id, name, unit_price, quantity,"
            " position) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)"
            " SELECT ?, 'order', 'product' || i, 'Mug', 1, 1, i FROM n",
            "cart\nof\x1b[31m",
        )
        status, lines, _ = run("cart", other.url, "--check")
        assert status == 1
        assert len(lines) == 102
        assert lines[0].startswith("cart: checkout-lines-are-valid: cart?of?[31m 1 of product")
        assert lines[-2:] == [
            "cart: checkout-lines-are-valid: … and 50 more",
            "cart: 150 violations",
        ]
    finally:
        other.drop()


@pytest.mark.skipif(stores.POSTGRES, reason="about files")
def test_check_of_a_file(traded, tmp_path):
    traded.product.stop_worker()
    store = stores.find(tmp_path, "product")
    traded.product.store.copy(store)
    traded.product.start_worker()
    before = store.path.read_bytes()
    assert run("product", store.url, "--check")[0] == 0
    assert store.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["product.db"]

    # Nobody enforces references here.
    store.write("DELETE FROM reservations WHERE state = 'held'")
    status, lines, _ = run("product", store.url, "--check")
    assert status == 1
    assert any("product: references-exist: reservation_items" in line for line in lines)

    store.path.write_bytes(before)
    page = 4096 * (store.read("SELECT rootpage FROM pragma_table_list JOIN sqlite_schema USING (name)"
                              " WHERE name = 'stock_movements'")[0][0] - 1)  # fmt: skip
    store.path.write_bytes(before[:page] + bytes(64) + before[page + 64 :])
    status, lines, log = run("product", store.url, "--check")
    assert status in (1, 2)
    assert "file-intact" in "".join(lines) or "malformed" in log


@pytest.mark.parametrize("name", SERVICES)
def test_check_that_cannot_be_made(traded, tmp_path, name):
    status, lines, log = run(name, f"sqlite:///{tmp_path}/none.db", "--check")
    assert (status, lines) == (2, [])
    assert f"{name}: cannot open the database: " in log
    assert list(tmp_path.iterdir()) == []
    of_another = traded.services["cart" if name == "product" else "product"].store.url
    status, lines, log = run(name, of_another, "--check")
    assert (status, lines) == (2, [])
    assert "not this program's" in log
    assert run(name, "mysql://a/b", "--check")[0] == 2


@pytest.mark.storeless
@pytest.mark.parametrize("name", SERVICES)
def test_other_arguments(tmp_path, name):
    url = f"sqlite:///{tmp_path}/none.db"
    for arguments in (["--chekc"], ["--check", "more"], ["--copy-to"], ["-c"], [""]):
        status, lines, log = run(name, url, *arguments)
        assert (status, lines) == (2, [])
        assert log.startswith(f"usage: {name}-service [")
    status, lines, log = run(name, url, "--help")
    assert (status, log) == (0, "")
    assert lines[0].startswith(f"usage: {name}-service [")
    status, lines, log = run(name, url, "--version")
    assert (status, log) == (0, "")
    assert re.fullmatch(rf"{name}-service \S+", lines[0])
    status, lines, log = run(name, url, "--routes")
    assert (status, log) == (0, "")
    assert len(lines) > 10
    for line in lines:
        callers, method, size, path, _ = line.split()
        assert ("public" in callers.split(",")) != bool(re.match("/(internal|livez|readyz|metrics)", path))
        assert (int(size) > 0) <= (method in ("POST", "PUT", "PATCH"))
    assert "public POST 16384 /orders createOrder" in lines or name != "order"
    assert "public,cart GET 0 /products/{id} getProduct" in lines or name != "product"
    assert "operator GET 0 /metrics getMetrics" in lines
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SERVICES)
def test_copy_that_cannot_be_made(traded, tmp_path, name):
    url = traded.services[name].store.url
    nowhere = f"postgresql:///none?host={tmp_path}"
    for source, target, reason in (
        (url, f"sqlite:///{tmp_path}/other.db", "must be PostgreSQL"),
        (url, nowhere, "cannot open the database"),
        (f"sqlite:///{tmp_path}/none.db", nowhere, "cannot open the database"),
    ):
        status, lines, log = run(name, source, "--copy-to", target)
        assert (status, lines) == (2, [])
        assert reason in log
    assert list(tmp_path.iterdir()) == []


# ---- moving to PostgreSQL ----


def rows_of(store, tables=None):
    """{table: {column: …} of each row, in some fixed order}, as the services wrote them."""
    with closing(sqlite3.connect("file::memory:", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        store.attach(connection, "its")
        if tables is None:
            found = connection.execute("SELECT name FROM its.sqlite_schema WHERE type = 'table'")
            tables = [row["name"] for row in found]
        content = {}
        for table in set(tables) - {"product_words_due"}:  # what PostgreSQL's index still lacks
            rows = [dict(row) for row in connection.execute(f"SELECT * FROM its.{table}")]
            for row in rows:
                row.pop("search", None)  # PostgreSQL's index
                row.pop("applied_at", None)  # of its own migrations
            content[table] = sorted(rows, key=lambda row: sorted(map(str, row.items())))
        return content


@pytest.mark.skipif(not stores.POSTGRES, reason="needs a cluster: runs with STORE=postgres")
def test_move_to_postgres(make_platform, tmp_path):
    """A platform runs on files, moves with all its data, and continues where it was."""
    bed = make_platform(gateway=False)
    files = {name: stores.SqliteStore(tmp_path / f"{name}.db") for name in SERVICES}
    for name, service in bed.services.items():
        service.restart_worker(DATABASE_URL=files[name].url)
    before = trade(bed, tmp_path)
    for service in bed.services.values():
        assert service.stop_worker() == 0
    bed.product.store.write("DELETE FROM prices")  # as if no worker had started on it

    for name, service in bed.services.items():
        status, lines, log = run(name, files[name].url, "--copy-to", service.store.url)
        assert (status, log) == (0, "")
        assert re.fullmatch(rf"{name}: [1-9]\d* rows copied", lines[0])
        assert lines[1:] == [f"{name}: 0 violations"]
        copied = rows_of(service.store)
        assert copied == rows_of(files[name], copied)
        assert sum(map(len, copied.values())) > 10
        again = run(name, files[name].url, "--copy-to", service.store.url)
        assert again[0] == 2
        assert "must be empty" in again[2]
        assert rows_of(service.store) == copied

    for service in bed.services.values():
        service.start_worker()
    shop = Shop(bed)
    replayed = shop.post_order(before.cart, key=before.key)
    assert (replayed.status, replayed.body) == (201, before.answer.body)
    assert shop.quantities(before.open_cart) == {before.tea: 3}
    found = shop.product.get("/products?q=gruner").json()
    assert [product["id"] for product in found] == [before.tea]
    new = shop.make_product(name="New here", inventory=3)
    numbers = bed.product.store.read("SELECT id FROM products ORDER BY seq DESC LIMIT 1")
    assert numbers == [(new,)]
    order = shop.buy({before.mug: 1, new: 3})
    shop.set_status(order["id"], "shipped")
    invariants.settle(bed.directory, 15)
    assert shop.stock(new) == (0, 0)
    for name, service in bed.services.items():
        assert run(name, service.store.url, "--check")[0] == 0
