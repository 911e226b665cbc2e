"""The checker itself: finds nothing in healthy stores, and finds each kind of corruption."""

import sqlite3
from contextlib import closing

import invariants
import pytest
from shop import Shop


@pytest.fixture(scope="module")
def healthy(make_platform, tmp_path_factory):
    """Copies of stores with an order in every status, a rejected one, and a cart left over."""
    bed = make_platform(gateway=False)
    shop = Shop(bed)
    product = shop.make_product(inventory=100, price=2)
    other = shop.make_product(inventory=50, price=3)
    shop.adjust_stock(product, -7)
    paths = ([], ["processing"], ["shipped"], ["processing", "shipped", "delivered"], ["cancelled"])
    for statuses in paths:
        order = shop.buy({product: 2, other: 1})
        for status in statuses:
            shop.set_status(order["id"], status)
    refused = shop.make_cart({product: 1, other: 1})
    shop.change_product(product, price=4)
    assert shop.post_order(refused).status == 409
    invariants.check(bed)

    directory = tmp_path_factory.mktemp("healthy")
    copy(bed.directory, directory)
    return directory


def copy(source, target):
    """Files to corrupt at will, whichever store the platform has."""
    with closing(invariants.attach(source)) as connection:
        for name, schema in invariants.SCHEMAS.items():
            with closing(sqlite3.connect(target / f"{name}.db")) as backup:
                connection.backup(backup, name=schema)


def test_healthy_stores_have_no_faults(healthy):
    assert invariants.faults(healthy) == []
    assert invariants.under_way(healthy) == []


ANY_PLACED = "(SELECT id FROM orders WHERE saga = 'placed' AND status = 'pending')"

CORRUPTIONS = {
    # product
    "a unit appeared": ("product", "UPDATE products SET inventory = inventory + 1"),
    "a unit vanished from the shelf": (
        "product",
        "UPDATE products SET inventory = inventory - 1, shipped = shipped + 1",
    ),
    "a unit is reserved twice": (
        "product",
        "UPDATE products SET inventory = inventory - 1, reserved = reserved + 1",
    ),
    "stock is below zero": (
        "product",
        "UPDATE products SET inventory = inventory + reserved + 1, reserved = -1",
    ),
    "an adjustment is lost": (
        "product",
        "DELETE FROM stock_movements WHERE reference IS NULL AND delta = -7",
    ),
    "stock was released twice": (
        "product",
        "INSERT INTO stock_movements (product_id, id, delta, reason, reference, created_at)"
        " SELECT product_id, 'twice', delta, reason, reference, created_at"
        " FROM stock_movements WHERE reason = 'release' LIMIT 1",
    ),
    "a hold has no movement": (
        "product",
        "DELETE FROM stock_movements WHERE reason = 'hold' AND reference IN"
        " (SELECT order_id FROM reservations WHERE state = 'held')",
    ),
    "a reservation lost its lines": ("product", "DELETE FROM reservation_items"),
    "a pending order's stock is gone": (
        "product",
        "UPDATE reservations SET state = 'released' WHERE state = 'held'",
    ),
    "a cancelled order's stock is held": (
        "product",
        "UPDATE reservations SET state = 'held' WHERE state = 'released'",
    ),
    "stock is held for nobody": (
        "product",
        "INSERT INTO reservations VALUES ('nobody', 'held', 0, 0)",
    ),
    "another quantity is held": (
        "product",
        "UPDATE reservation_items SET quantity = quantity + 1",
    ),
    "a product's key waits for ever": (
        "product",
        "INSERT INTO idempotency_keys (operation, key, fingerprint, status, headers, content_type,"
        " body, created_at) VALUES ('adjustStock', 'k', 'f', 0, '', '', '', 0)",
    ),
    # cart
    "a checkout stays open": (
        "cart",
        "INSERT INTO checkouts (cart_id, order_id, state, created_at)"
        " VALUES ('c', 'o', 'open', 0)",
    ),
    "a cart was not consumed": (
        "cart",
        "UPDATE checkouts SET state = 'released' WHERE state = 'consumed'",
    ),
    "a cart was consumed for nothing": (
        "cart",
        "UPDATE checkouts SET state = 'consumed' WHERE state = 'released'",
    ),
    "the snapshot held more": ("cart", "UPDATE checkout_lines SET quantity = quantity + 1"),
    "the snapshot had another price": (
        "cart",
        "UPDATE checkout_lines SET unit_price = unit_price + 1",
    ),
    "a line is in no cart": (
        "cart",
        "INSERT INTO cart_lines SELECT 'nowhere', product_id, name, unit_price, quantity,"
        " position, seen_at FROM cart_lines LIMIT 1",
    ),
    "a cart names a strange order": ("cart", "UPDATE carts SET last_order_id = 'strange'"),
    # order
    "an order is gone": ("order", f"DELETE FROM orders WHERE id IN {ANY_PLACED}"),
    "an order lost its lines": (
        "order",
        f"DELETE FROM order_lines WHERE order_id IN {ANY_PLACED}",
    ),
    "a rejected order is placed": (
        "order",
        "UPDATE orders SET saga = 'placed' WHERE saga = 'rejected'",
    ),
    "a checkout never ended": (
        "order",
        "UPDATE orders SET saga = 'placing' WHERE saga = 'rejected'",
    ),
    "an effect is left": (
        "order",
        "INSERT INTO order_effects (order_id, kind, target, cart_id, attempts, next_attempt_at,"
        " created_at) SELECT id, 'release_stock', 'product', cart_id, 0, 0, 0"
        " FROM orders LIMIT 1",
    ),
    "a line costs more": ("order", "UPDATE order_lines SET line_total = line_total + 1"),
    "a total is wrong": ("order", "UPDATE orders SET total_amount = total_amount + 1"),
    "a shipped order is pending": (
        "order",
        "UPDATE orders SET status = 'pending' WHERE status = 'shipped'",
    ),
    "a history is missing": ("order", "DELETE FROM order_history"),
    "a cancelled order went on": (
        "order",
        "UPDATE order_history SET status = 'delivered' WHERE status = 'cancelled'",
    ),
    "a change has no history": (
        "order",
        "UPDATE orders SET version = version + 1 WHERE saga = 'placed'",
    ),
    "an order's key waits for ever": (
        "order",
        "INSERT INTO idempotency_keys (operation, key, fingerprint, status, headers, content_type,"
        " body, created_at) VALUES ('createOrder', 'k', 'f', 0, '', '', '', 0)",
    ),
}


def corrupted(healthy, directory, corruption):
    """Copies the stores and corrupts them; returns the faults found."""
    copy(healthy, directory)
    name, sql = CORRUPTIONS[corruption]
    with closing(sqlite3.connect(directory / f"{name}.db")) as store, store:
        store.execute("PRAGMA ignore_check_constraints = ON")
        assert store.execute(sql).rowcount > 0, "this corrupts nothing"
    return invariants.faults(directory)


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_corruption_is_found(healthy, tmp_path, corruption):
    assert corrupted(healthy, tmp_path, corruption)


def test_every_rule_finds_something(healthy, tmp_path):
    found = "\n".join(
        fault for corruption in CORRUPTIONS for fault in corrupted(healthy, tmp_path, corruption)
    )
    rules = [*invariants.STOCK_RULES, *invariants.SETTLED_RULES]
    assert [rule for rule in rules if rule not in found] == []


@pytest.mark.storeless
def test_damaged_file_is_found(healthy, tmp_path):
    copy(healthy, tmp_path)
    with closing(sqlite3.connect(tmp_path / "cart.db")) as store, store:
        # An index that no longer knows its rows.
        store.execute("PRAGMA writable_schema = ON")
        store.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, '(user_id,', '(merged_into,')"
            " WHERE name = 'carts_user_id'"
        )
    assert any(fault.startswith("integrity of cart") for fault in invariants.faults(tmp_path))
