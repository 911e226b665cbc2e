"""The checks that proofs end with: they find nothing in healthy stores, and each acknowledged thing
that is lost, doubled or changed."""

import shutil
import sqlite3
from contextlib import closing

import journal as journals
import pytest
from bed import Bed
from journal import Customer, Journal

pytestmark = pytest.mark.asked

LOSSES = {
    "an order is gone": ("order", "DELETE FROM orders"),
    "an order is taken back": ("order", "UPDATE orders SET saga = 'rejected'"),
    "an order costs something else": ("order", "UPDATE orders SET total_amount = 1"),
    "an order is another user's": ("order", "UPDATE orders SET user_id = 'somebody'"),
    "a cart was ordered twice": (
        "order",
        "INSERT INTO orders (id, user_id, cart_id, saga, lease_until, status, total_amount, currency,"
        " version, created_at, updated_at) SELECT id || '2', user_id, cart_id, saga, lease_until, status,"
        " total_amount, currency, version, created_at, updated_at FROM orders",
    ),
    "a status is forgotten": ("order", "DELETE FROM order_history WHERE status = 'shipped'"),
    "a status is of somebody else": ("order", "UPDATE order_history SET actor = 'somebody'"),
    "an adjustment is of somebody else": (
        "product",
        "UPDATE stock_movements SET actor = 'somebody' WHERE delta = 7",
    ),
    "an adjustment is lost": ("product", "DELETE FROM stock_movements WHERE delta = 7"),
    "an adjustment was made twice": (
        "product",
        "INSERT INTO stock_movements (product_id, id, delta, reason, reference, created_at)"
        " SELECT product_id, id || '2', delta, reason, reference, created_at"
        " FROM stock_movements WHERE delta = 7",
    ),
    "an adjustment was another": ("product", "UPDATE stock_movements SET delta = 8 WHERE delta = 7"),
    "a product is another": ("product", "UPDATE products SET id = id || '2'"),
    "an item is lost": ("cart", "DELETE FROM cart_lines"),
    "a cart is consumed and still full": (
        "cart",
        "INSERT INTO cart_lines SELECT cart_id, product_id, name, unit_price, quantity, position, 0"
        " FROM checkout_lines JOIN checkouts USING (cart_id, order_id) WHERE state = 'consumed'",
    ),
    "an item was added twice": ("cart", "UPDATE cart_lines SET quantity = quantity * 2"),
    "a key is forgotten": ("order", "DELETE FROM idempotency_keys"),
    "a key has another outcome": ("cart", "UPDATE idempotency_keys SET body = '{}'"),
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory):
    """A journal, and copies of the stores it is about."""
    directory = tmp_path_factory.mktemp("healthy")
    journal = Journal()
    with Bed() as bed:
        customer = Customer(bed.gateway.port, journal)
        product = customer.make_product(inventory=50).json()["id"]
        assert customer.adjust_stock(product, 7).status == 200
        order = customer.order(customer.fill_cart({product: 2})).json()
        assert customer.set_status(order["id"], "shipped").status == 200
        assert customer.fill_cart({product: 3})
        bed.check(journal)
        shutil.copytree(bed.snapshot(), directory, dirs_exist_ok=True)
    return journal, directory


def test_healthy_stores_have_no_faults(healthy):
    assert journals.faults(*healthy) == []


@pytest.mark.parametrize("loss", LOSSES)
def test_loss_is_found(healthy, tmp_path, loss):
    journal, directory = healthy
    shutil.copytree(directory, tmp_path, dirs_exist_ok=True)
    name, sql = LOSSES[loss]
    with closing(sqlite3.connect(tmp_path / f"{name}.db")) as store, store:
        assert store.execute(sql).rowcount > 0, "this loses nothing"
    assert journals.faults(journal, tmp_path)


def test_two_outcomes_are_found(healthy):
    """One key, and two answers that differ."""
    journal, directory = healthy
    first, second = [call for call in journal.calls if call.key][:2]
    first.answers.append(second.answers[0])
    try:
        assert journals.faults(journal, directory)
    finally:
        first.answers.pop()
