"""How much memory one request may cost a worker: the worst bodies and queries that each operation's
limits allow, for every operation of every document, and the largest answers that the shop's limits
allow."""

import json
import re
from pathlib import Path

import catalogue
import pytest
import stores
from documents import operations_of, source_operations
from testbed import wait_until
from world import World, made, make_product, unique

GROWTH_MAX = 8 << 10  # KiB

# Connections to PostgreSQL, which are opened one by one while the worker serves already.
READERS = 4
WRITERS = 8  # storage/postgres.c
SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)

ASTRAL = "\U0001f600"  # 4 bytes, 12 where it is escaped
LARGEST_PRODUCT = {
    "name": ASTRAL * 200,
    "description": ASTRAL * 5000,
    "price": 9999999.99,
    "category": ASTRAL * 100,
    "tags": [ASTRAL * 48 + f"{number:02}" for number in range(20)],
    "image_url": "https://example.com/" + "a" * 2028,
}

# ---- what is sent ----


def filled(start, element, end, size):
    """start, as many elements with commas between as fit into size, end."""
    count = (size - len(start) - len(end)) // (len(element) + 1)
    return start + ",".join([element] * count) + end


def many_members(size, count=990):
    """As many unknown names as fit, each different."""
    length = max(size // count - 12, 4)
    members = (f'"{str(number).ljust(length, "~")}":{{}}' for number in range(count))
    return ("{" + ",".join(members) + "}")[: size - 1] + "}"


def bodies(size):
    yield filled("[", "{}", "]", size)
    yield filled("[", "{}", "]", min(size, 2900)).ljust(size)
    yield filled("[" * 15, '{"a":{}}', "]" * 15, min(size, 4400)).ljust(size)
    yield "[" * size
    yield '{"a":' * (size // 5)
    yield '"' + "a" * (size - 2) + '"'
    yield '"' + "\\u0061" * ((size - 2) // 6) + '"'
    yield "9" * size
    yield "0." + "1" * (size - 2)
    yield '{"' + "a" * (size - 5) + '":1}'
    yield many_members(size)
    # A character that is three in Normalization Form C.
    for name in ("name", "user_id", "reason"):
        yield f'{{"{name}":"' + "\U0001d160" * ((size - len(name) - 7) // 4) + '"}'


def lines(size):
    """For an import: lines of every kind of body, and lines that are stored or refused one by one."""
    line = 65_000
    for body in (filled("[", "{}", "]", line), many_members(line), '"' + "a" * line + '"'):
        yield (body + "\n") * (size // (line + 1))
    yield "{}\n" * 100_000
    yield "1" * size
    stored = json.dumps({**LARGEST_PRODUCT, "sku": "SKU"}, ensure_ascii=False)
    yield "".join(stored.replace("SKU", unique("LARGE")) + "\n" for _ in range(200))


def queries(operation):
    parameters = operation.parameters_in("query")
    yield "&".join(f"{number}=" for number in range(900))
    yield "&".join(f"{parameter['name']}=%F0%9F%98%80" for parameter in parameters)
    for name, value in {
        "limit": "200",
        "q": "+".join(["e%CC%81"] * 16),
        "ids": "+" * 7000,
        "user_id": "%F0%9D%85%A0" * 500,
        "category": "%F0%9D%85%A0" * 500,
        "cursor": "A" * 4096,
    }.items():
        if any(parameter["name"] == name for parameter in parameters):
            yield f"{name}={value}"


# ---- what it costs ----


class Meter:
    """The highest resident memory of a worker during an action."""

    def __init__(self, service):
        self.folder = Path(f"/proc/{service.worker.pid}")

    def read(self, name):
        text = (self.folder / "status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1])

    def growth(self, request):
        """In KiB. proc(5): 5 sets the peak to what is resident now."""
        (self.folder / "clear_refs").write_text("5")
        before = self.read("VmRSS")
        request()
        return self.read("VmHWM") - before


@pytest.fixture(scope="module")
def bed(make_platform):
    """Checking answers again is switched off, as it is outside of tests. Freed memory is returned at
    once (mallopt(3)): otherwise a request could use what the one before it left."""
    return make_platform(
        gateway=False,
        worker={
            "CONTRACT_CHECK_RESPONSES": 0,
            "DB_POOL_SIZE": READERS,
            "MALLOC_TRIM_THRESHOLD_": 0,
            "MALLOC_TOP_PAD_": 0,
            "MALLOC_MMAP_THRESHOLD_": 128 << 10,
        },
    )


@pytest.fixture(scope="module")
def world(bed):
    world = World(bed)
    world.open_checkout()
    fill(bed, world.user)
    return world


def number(width, of):
    return f"lpad(({of})::text, {width}, '0')" if stores.POSTGRES else f"printf('%0{width}d', {of})"


FULL = 201  # more than the longest page


def fill(bed, user):
    """Pages of maximum length: of the largest products, and of carts and orders with 100 lines and 100
    history entries."""
    for _ in range(FULL):
        made(bed.product.public.post("/products", json={**LARGEST_PRODUCT, "sku": unique("FULL")}))
    counting = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)"
    one, owner = number(12, "i"), number(12, "i / 100")
    bed.cart.store.write(
        f"{counting} INSERT INTO carts (id, user_id, version, created_at, updated_at, expires_at,"
        f" emptied_version) SELECT 'c' || {one}, '{user}', 1, i, i, 4000000000000000, 0 FROM n",
        FULL,
    )
    bed.cart.store.write(
        f"{counting} INSERT INTO cart_lines (cart_id, product_id, name, unit_price, quantity,"
        f" position, seen_at) SELECT 'c' || {owner}, {one}, '{ASTRAL * 200}', 1, 1, i, i FROM n",
        FULL * 100,
    )
    bed.order.store.write(
        f"{counting} INSERT INTO orders (id, user_id, cart_id, saga, lease_until, status,"
        f" total_amount, currency, version, created_at, updated_at)"
        f" SELECT 'o' || {one}, '{user}', 'c', 'placed', 0, 'pending', 0, 'USD', 1, i, i FROM n",
        FULL,
    )
    bed.order.store.write(
        f"{counting} INSERT INTO order_lines (order_id, position, product_id, name, price,"
        f" quantity, line_total) SELECT 'o' || {owner}, i, {one}, '{ASTRAL * 200}', 1, 1, 1 FROM n",
        FULL * 100,
    )
    bed.order.store.write(
        f"{counting} INSERT INTO order_history (order_id, version, status, reason, tracking_number,"
        f" at) SELECT 'o' || {owner}, i, 'pending', '{ASTRAL * 500}', '{ASTRAL * 100}', i FROM n",
        FULL * 100,
    )


def requests_of(bed, world, operation):
    """[(what it is, a function that sends it)]"""
    service = bed.services[operation.service]
    client = getattr(service, operation.listener)
    headers = {"Content-Type": operation.media_type()} if operation.body else {}
    required = world.query_of(operation)

    def send(path, body=None, **more):
        with client.clone() as alone:
            alone.request(operation.method, path, body=body, headers={**headers, **more})

    def path_with(query):
        return world.path_of(operation) + required + ("&" if required else "?") + query

    yield "plain", lambda: send(world.path_of(operation) + required)
    for query in queries(operation):
        yield f"?{query[:20]}", lambda query=query: send(path_with(query))
    if operation.has_json_body():
        for body in bodies(operation.max_bytes):
            text = body.encode()
            yield f"{text[:20]} of {len(text)}", lambda text=text: send(path_with(""), text)
    elif operation.body:
        for body in lines(operation.max_bytes):
            text = body.encode()
            yield f"{text[:20]} of {len(text)}", lambda text=text: send(path_with(""), text)
        for body in lines(1 << 20):
            text = body.encode()[: 1 << 20]
            key = {"Idempotency-Key": unique("key")}
            yield f"keyed {text[:20]}", lambda text=text, key=key: send(path_with(""), text, **key)


def renew(world, operation):
    """Restores what an earlier request may have deleted or closed."""
    if "{" not in operation.path:
        return
    if operation.service == "product":
        world.product = make_product(world.platform.product, inventory=100)
    if operation.id == "restoreProduct":
        path = f"/products/{world.product['id']}"
        assert world.platform.product.public.delete(path).status == 204
    if operation.service == "cart":
        world.full_cart = world.make_cart(quantity=2)
        world.new_order_id = unique("order")
    if operation.id in ("releaseCheckout", "consumeCheckout"):
        world.open_checkout()


@pytest.mark.parametrize(("name", "identifier"), source_operations())
def test_peak_of_a_request(bed, world, name, identifier):
    """In a worker that has done nothing else, and that has returned the memory in the end."""
    service = bed.services[name]
    document = service.health.get("/openapi.json").json()
    operation = operations_of(document, name)[identifier]
    service.restart_worker()
    if stores.POSTGRES:
        wait_until(
            lambda: service.store.read(SESSIONS)[0][0] >= READERS + WRITERS, 30, "all connections are open"
        )
    meter = Meter(service)
    at_rest = meter.read("VmRSS")
    grown = {}
    for what, send in requests_of(bed, world, operation):
        renew(world, operation)
        grown[what] = meter.growth(send)
    assert not {what: kib for what, kib in grown.items() if kib > GROWTH_MAX}
    assert service.worker.alive()
    wait_until(
        lambda: meter.read("VmRSS") - at_rest < GROWTH_MAX, 30, f"{name} gave its memory back"
    )


@pytest.mark.parametrize("name", ["product", "cart", "order"])
def test_full_pages_have_all(bed, world, name):
    """Pages of very large resources end early and lose nothing."""
    client = bed.services[name].public
    path = f"/{name}s"
    query = f"?limit=200&user_id={world.user}" if name != "product" else "?limit=200"
    found = []
    while query:
        page = client.get(path + query)
        assert page.status == 200
        assert 0 < len(page.json()) <= 200
        found += [entry["id"] for entry in page.json()]
        link = re.fullmatch('<([^>]+)>; rel="next"', page.headers.get("Link", ""))
        query = link and link[1]
    assert len(found) == len(set(found)) >= FULL


def test_memory_is_given_back(bed, world):
    """After many of the largest ones."""
    service = bed.product
    meter = Meter(service)
    before = meter.read("VmRSS")
    for _ in range(30):
        assert service.public.get("/products?limit=200").status == 200
    assert meter.read("VmRSS") - before < GROWTH_MAX


def scattered(start, count):
    """Lines of an import that change every page of every index."""
    products = (
        {"sku": unique("SKU"), "name": f"N{place:06}", "price": place, "category": "scattered"}
        for place in (number * 7919 % catalogue.SIZE for number in range(start, start + count))
    )
    return "".join(json.dumps(product) + "\n" for product in products)


@pytest.mark.parametrize("keyed", [False, True], ids=["chunks", "keyed"])
def test_import_into_a_large_catalogue(bed, world, keyed):
    """The undo log that the store keeps for an import is not in memory."""
    service = bed.product
    prefix = unique("large")
    columns = {
        "id": f"'{prefix}' || i",
        "name": f"'N' || {catalogue.padded(6)} || '{'n' * 190}'",
        "price": "i * 100",
        "inventory": "0",
        "category": "'scattered'",
        "tags": "'[]'",
        "description": "''",
        "created_at": "i",
        "updated_at": "i",
    }
    catalogue.insert(service, "products", columns)
    make_product(service)  # the index of words follows with the next commit
    body = scattered(keyed * 5000, 5000)
    headers = {"Content-Type": "application/x-ndjson"}
    if keyed:
        headers["Idempotency-Key"] = unique("key")

    def send():
        answer = service.public.post("/products/bulk", body=body, headers=headers)
        assert answer.body.count(b'"created"') == 5000

    assert Meter(service).growth(send) < GROWTH_MAX
