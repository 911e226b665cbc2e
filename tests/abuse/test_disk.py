"""Disk space that anonymous requests fill: how much of what was sent stays in the stores, for every
operation that writes. docs/OPERATIONS.md has the figures."""

import json

import pytest
import stores
from documents import source_operations
from shop import Shop, new_id
from testbed import SERVICES

# Requests of each kind: enough that a page more or less does not matter.
TIMES = 150

# The most bytes that may stay of each byte sent. Import is the highest: the shortest line that makes
# a product takes 33 bytes, and leaves a row, its words and its ledger.
CEILING = 12
CEILINGS = {"importProducts": 25}

SIZE = (
    "SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class AS c"
    " JOIN pg_namespace AS n ON n.oid = relnamespace WHERE relkind = 'r' AND nspname = 'public'"
    if stores.POSTGRES
    else "SELECT (pages.page_count - free.freelist_count) * size.page_size"
    " FROM pragma_page_count AS pages, pragma_freelist_count AS free, pragma_page_size AS size"
)


def size_of(store):
    """What stays; not what PostgreSQL's autovacuum will remove."""
    if stores.POSTGRES:
        stores.psql(store.url, "VACUUM FULL")
    return store.read(SIZE)[0][0]


class Meter:
    """Sends requests, each with a new Idempotency-Key where the operation takes one."""

    def __init__(self, shop, keyed):
        self.shop = shop
        self.keyed = keyed
        self.sent = 0

    def send(self, client, method, path, json_body=None, body=None, headers=()):
        headers = dict(headers)
        if json_body is not None:
            body = json.dumps(json_body, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        if self.keyed:
            headers["Idempotency-Key"] = new_id()
        length = len(body or b"")
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1:8080", f"Content-Length: {length}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.sent += sum(len(line) + 2 for line in lines) + 2 + length
        answer = client.request(method, path, body=body, headers=headers)
        assert answer.status != 429 and answer.status < 500, answer
        return answer

    def stored(self):
        return sum(size_of(getattr(self.shop.bed, name).store) for name in SERVICES)


def full_cart(shop, user="user-1"):
    cart_id = shop.make_cart(user=user)
    for product_id in shop.hundred:
        shop.add_item(cart_id, product_id)
    return cart_id


# ---- what is sent, by operation: a function that prepares, and returns what sends once ----


def create_product(shop, meter):
    return lambda: meter.send(shop.product, "POST", "/products", {"name": "n", "price": 1})


def replace_product(shop, meter):
    path = f"/products/{shop.make_product()}"
    return lambda: meter.send(shop.product, "PUT", path, {"name": "n", "price": 1})


def patch_product(shop, meter):
    path = f"/products/{shop.make_product()}"
    headers = {"Content-Type": "application/merge-patch+json"}
    return lambda: meter.send(shop.product, "PATCH", path, body=b'{"price":2}', headers=headers)


def delete_product(shop, meter):
    ids = iter([shop.make_product() for _ in range(TIMES)])
    return lambda: meter.send(shop.product, "DELETE", f"/products/{next(ids)}")


def restore_product(shop, meter):
    product_id = shop.make_product(description="d" * 5000)

    def send():
        shop.delete_product(product_id)
        meter.send(shop.product, "POST", f"/products/{product_id}/restore")

    return send


def adjust_stock(shop, meter):
    path = f"/products/{shop.make_product(description='d' * 5000)}/stock"
    return lambda: meter.send(shop.product, "POST", path, {"delta": 1, "reason": "r"})


def import_products(shop, meter):
    """The shortest lines that each make a product."""
    headers = {"Content-Type": "application/x-ndjson"}
    numbers = iter(range(TIMES))

    def send():
        first = 10 * next(numbers)
        lines = (b'{"sku":"%03x","name":"n","price":1}\n' % (first + n) for n in range(10))
        meter.send(shop.product, "POST", "/products/bulk", body=b"".join(lines), headers=headers)

    return send


def import_bad_lines(shop, meter):
    """Each line has a result that is a hundred times as long."""
    headers = {"Content-Type": "application/x-ndjson"}
    body = b"x\n" * 10_000
    return lambda: meter.send(shop.product, "POST", "/products/bulk", body=body, headers=headers)


def create_cart(shop, meter):
    return lambda: meter.send(shop.cart, "POST", "/carts", {"user_id": "u"})


def add_item(shop, meter):
    path = f"/carts/{full_cart(shop)}/items"
    body = {"product_id": shop.hundred[0], "quantity": 1}
    return lambda: meter.send(shop.cart, "POST", path, body)


def set_item(shop, meter):
    path = f"/carts/{full_cart(shop)}/items/{shop.hundred[0]}"
    return lambda: meter.send(shop.cart, "PUT", path, {"quantity": 2})


def remove_item(shop, meter):
    path = f"/carts/{full_cart(shop)}/items/{new_id()}"
    return lambda: meter.send(shop.cart, "DELETE", path)


def clear_cart(shop, meter):
    path = f"/carts/{shop.make_cart()}"
    return lambda: meter.send(shop.cart, "DELETE", path)


def refresh_cart(shop, meter):
    path = f"/carts/{full_cart(shop)}/refresh"
    return lambda: meter.send(shop.cart, "POST", path)


def merge_cart(shop, meter):
    path, body = f"/carts/{full_cart(shop)}/merge", {"source_cart_id": shop.make_cart()}
    return lambda: meter.send(shop.cart, "POST", path, body)


def order_nothing(shop, meter):
    return lambda: meter.send(
        shop.order, "POST", "/orders", {"user_id": "u", "cart_id": new_id()}
    )


def order_as_a_stranger(shop, meter):
    body = {"user_id": "stranger", "cart_id": full_cart(shop)}
    return lambda: meter.send(shop.order, "POST", "/orders", body)


def order_at_old_prices(shop, meter):
    """The longest refusal: a hundred lines with two prices each."""
    body = {"user_id": "user-1", "cart_id": full_cart(shop)}
    for product_id in shop.hundred:
        shop.change_product(product_id, price=2 + shop.read_product(product_id)["price"])
    return lambda: meter.send(shop.order, "POST", "/orders", body)


def buy(shop, meter):
    """Includes filling the cart, which an order empties."""
    cart_id = shop.make_cart()

    def send():
        for product_id in shop.hundred[:20]:
            item = {"product_id": product_id, "quantity": 1}
            meter.send(shop.cart, "POST", f"/carts/{cart_id}/items", item)
        order = {"user_id": "user-1", "cart_id": cart_id}
        assert meter.send(shop.order, "POST", "/orders", order).status == 201

    return send


def set_status(shop, meter):
    path = f"/orders/{shop.buy({shop.hundred[0]: 1})['id']}/status"
    numbers = iter(range(TIMES))
    return lambda: meter.send(
        shop.order, "PUT", path, {"status": "pending", "tracking_number": str(next(numbers))}
    )


KINDS = {
    "createProduct": [create_product],
    "replaceProduct": [replace_product],
    "patchProduct": [patch_product],
    "deleteProduct": [delete_product],
    "restoreProduct": [restore_product],
    "adjustStock": [adjust_stock],
    "importProducts": [import_products, import_bad_lines],
    "createCart": [create_cart],
    "addItem": [add_item],
    "setItem": [set_item],
    "removeItem": [remove_item],
    "clearCart": [clear_cart],
    "refreshCart": [refresh_cart],
    "mergeCart": [merge_cart],
    "createOrder": [order_nothing, order_as_a_stranger, order_at_old_prices, buy],
    "setOrderStatus": [set_status],
}

WRITING = {}
source_operations(
    lambda operation: operation.method != "GET"
    and not operation.internal
    and WRITING.setdefault(operation.id, operation)
)


@pytest.fixture(scope="module")
def shop(make_platform):
    """Without a limit on requests: the test measures how much each one leaves."""
    shop = Shop(make_platform(gateway=False))
    shop.hundred = [shop.make_product(inventory=900_000) for _ in range(100)]
    return shop


def test_every_operation_that_writes_is_measured():
    assert set(KINDS) == set(WRITING)


@pytest.mark.parametrize(
    ("identifier", "prepare"),
    [(identifier, prepare) for identifier, kinds in KINDS.items() for prepare in kinds],
)
def test_bytes_stored_per_byte_sent(shop, identifier, prepare):
    parameters = WRITING[identifier].parameters
    keyed = any(parameter["name"] == "Idempotency-Key" for parameter in parameters)
    meter = Meter(shop, keyed)
    send = prepare(shop, meter)
    before = meter.stored()
    times = TIMES if prepare is not buy else 15
    for _ in range(times):
        send()
    stored = meter.stored() - before
    ratio = stored / meter.sent
    print(f"{prepare.__name__}: {ratio:.2f} bytes stored per byte sent, {stored / times:.0f} a time")
    assert ratio <= CEILINGS.get(identifier, CEILING)
