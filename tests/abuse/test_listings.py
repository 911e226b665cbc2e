"""Listings that read much: their cost is bounded, and does not affect others."""

import re

import pytest
import stores
from shop import Shop, done

MANY = 10_050
NUMBERS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"


def insert(service, table, rows, count):
    """Rows numbered by i, written directly to the store."""
    columns = ", ".join(rows)
    values = ", ".join(rows.values())
    # The order of words that both stores take: PostgreSQL's WITH may stand before INSERT, too.
    service.store.write(f"{NUMBERS} INSERT INTO {table} ({columns}) SELECT {values} FROM n", count)


@pytest.fixture(scope="module")
def bed(make_platform):
    return make_platform(gateway=False)


@pytest.fixture(scope="module")
def product_id(bed):
    return Shop(bed).make_product()


def identifier(prefix):
    """SQL: ids in the form of a UUID of version 7."""
    padded = "lpad(i::text, 12, '0')" if stores.POSTGRES else "printf('%012d', i)"
    return f"'{prefix}-0000-7000-8000-' || {padded}"


PRODUCTS = {
    "id": identifier("0a000000"),
    "name": "'Thing ' || i",
    "price": "i",
    "inventory": "5",
    "tags": "'[]'",
    "description": "''",
    "created_at": "i",
    "updated_at": "i",
}
MOVEMENTS = {
    "id": identifier("0b000000"),
    "delta": "1",
    "reason": "'counted'",
    "created_at": "i",
}
CARTS = {
    "id": identifier("0c000000"),
    "user_id": "'many'",
    "version": "1",
    "created_at": "i",
    "updated_at": "i",
    "expires_at": "4000000000000000",
    "emptied_version": "0",
}
ORDERS = {
    "id": identifier("0d000000"),
    "user_id": "'many'",
    "cart_id": identifier("0c000000"),
    "saga": "'placed'",
    "lease_until": "0",
    "status": "'pending'",
    "total_amount": "0",
    "currency": "'USD'",
    "version": "1",
    "created_at": "i",
    "updated_at": "i",
}
ORDER_LINES = {
    "order_id": ORDERS["id"],
    "position": "0",
    "product_id": identifier("0a000000"),
    "name": "'Thing'",
    "price": "0",
    "quantity": "1",
    "line_total": "0",
}
ORDER_HISTORY = {"order_id": ORDERS["id"], "version": "1", "status": "'pending'", "at": "i"}


def total(client, path):
    answer = client.get(f"{path}{'&' if '?' in path else '?'}count=true&limit=1")
    done(answer, 200)
    return int(answer.header("X-Total-Count")), answer.header("X-Total-Count-Relation")


def test_counts_are_bounded_and_say_so(bed, product_id):
    ledger = f"/products/{product_id}/stock/movements"
    movements = {"product_id": f"'{product_id}'", **MOVEMENTS}
    listings = [
        (bed.product, "/products?min_price=0.01", {"products": PRODUCTS}),
        (bed.product, ledger, {"stock_movements": movements}),
        (bed.cart, "/carts?user_id=many", {"carts": CARTS}),
        (
            bed.order,
            "/orders?user_id=many",
            {"orders": ORDERS, "order_lines": ORDER_LINES, "order_history": ORDER_HISTORY},
        ),
    ]
    for service, path, tables in listings:
        few, relation = total(service.public, path)
        assert few < 10 and relation == "eq"
        for table, rows in tables.items():
            insert(service, table, rows, MANY)
        assert total(service.public, path) == (10_000, "gte")


def test_a_range_of_the_other_time_is_walked_in_bounded_pages(bed):
    """The last five of many, by a time that the listing is not sorted by."""
    ids = identifier("0e000000")
    insert(bed.order, "orders", {**ORDERS, "id": ids, "user_id": "'walked'"}, MANY)
    insert(bed.order, "order_lines", {**ORDER_LINES, "order_id": ids}, MANY)
    insert(bed.order, "order_history", {**ORDER_HISTORY, "order_id": ids}, MANY)
    last = f"1970-01-01T00:00:00.{MANY - 4:06}Z"
    for query in (f"sort=created_at&updated_after={last}", f"sort=updated_at&created_after={last}"):
        path = f"/orders?user_id=walked&{query}"
        assert total(bed.order.public, path) == (0, "gte")
        first = bed.order.public.get(path)
        assert done(first, 200) == []
        following = re.fullmatch(r'<(\?.*)>; rel="next"', first.header("Link"))[1]
        second = bed.order.public.get(f"/orders{following}")
        assert len(done(second, 200)) == 5
        assert second.header("Link") is None


def test_expired_carts_are_walked_over_in_bounded_pages(bed):
    """Expired carts stay until they are deleted, which may happen at any moment; only the last cart is
    alive."""
    user = {**CARTS, "user_id": "'dead'"}
    insert(bed.cart, "carts", {**user, "id": identifier("0f000000")}, 1)
    dead = {"id": identifier("0f000001"), "created_at": "i + 1", "expires_at": "1"}
    insert(bed.cart, "carts", {**user, **dead}, MANY)
    path, found, pages = "/carts?user_id=dead&count=true", [], 0
    while path:
        answer = bed.cart.public.get(path)
        found += done(answer, 200)
        pages += 1
        total = int(answer.header("X-Total-Count")), answer.header("X-Total-Count-Relation")
        assert total in ((0, "gte"), (1, "eq"))
        following = re.fullmatch(r'<(\?.*)>; rel="next"', answer.header("Link") or "")
        path = following and f"/carts{following[1]}"
    assert len(found) == 1
    assert pages <= MANY / 2000 + 1
