"""Bad input, for every operation: a 4xx that names the place, an unharmed worker, flat memory."""

import json
import re
import socket
from urllib.parse import quote

import pytest
from broken import BEYOND_64_BITS, LARGE, broken_bodies
from client import is_problem
from documents import operations_of, source_operations
from testbed import SERVICES, VARIANT
from world import World, make_product

EVERY_OPERATION = source_operations()
WITH_JSON = source_operations(lambda operation: operation.has_json_body())
WITH_BODY = source_operations(lambda operation: operation.body)
WITH_QUERY = source_operations(lambda operation: operation.parameters_in("query"))
WITH_HEADERS = source_operations(lambda operation: operation.parameters_in("header"))
PAGED = source_operations(
    lambda operation: any(parameter["name"] == "cursor" for parameter in operation.parameters)
)


class Target:
    """An operation, where to send it, and valid input of it to be spoilt."""

    def __init__(self, platform, world, operation):
        service = platform.services[operation.service]
        self.operation = operation
        self.client = getattr(service, operation.listener)
        self.port = self.client.port
        self.path = world.path_of(operation)
        self.required = world.query_of(operation)
        self.example = world.body_of(operation) if operation.body else ""
        text = self.example if isinstance(self.example, str) else json.dumps(self.example)
        self.body = text.encode()

    def query(self, text):
        return f"{self.path}{self.required}{'&' if self.required else '?'}{text}"

    def request(self, path=None, body=None, headers=None):
        """Valid where nothing else is said."""
        sent = {}
        if self.operation.body:
            sent["Content-Type"] = self.operation.media_type()
            body = self.body if body is None else body
        path = self.path + self.required if path is None else path
        method = self.operation.method
        return self.client.request(method, path, body=body, headers={**sent, **(headers or {})})


@pytest.fixture(scope="module")
def world(platform):
    return World(platform)


@pytest.fixture(scope="module")
def targets(platform, world):
    found = {}
    for name in SERVICES:
        document = platform.services[name].health.get("/openapi.json").json()
        for identifier, operation in operations_of(document, name).items():
            found[name, identifier] = Target(platform, world, operation)
    return found


@pytest.fixture(autouse=True, scope="module")
def nothing_happened(platform, world):
    """Whatever was sent: the workers are the same, and so are the things it was sent to."""
    paths = {
        "product": f"/products/{world.product['id']}",
        "cart": f"/carts/{world.full_cart['id']}",
        "order": f"/orders/{world.order['id']}",
    }

    def look():
        return [
            (service.worker.pid, service.public.get(paths[name]).json())
            for name, service in platform.services.items()
        ]

    before = look()
    yield
    assert look() == before
    for service in platform.services.values():
        assert service.worker.alive()


def head_of(target):
    """The start of a raw request."""
    line = f"{target.operation.method} {target.path}{target.required} HTTP/1.1\r\nHost: localhost\r\n"
    return line.encode()


def refusal(answer, where, pointers, status=422):
    """None, or how the answer fails to be a problem that names one of the pointers."""
    if answer.status != status:
        return f"{answer.status} {answer.body[:200]!r}"
    errors = is_problem(answer, status)["errors"]
    if not any(error["in"] == where and error["pointer"] in pointers for error in errors):
        return f"names {errors}"
    if not all(error["detail"] for error in errors):
        return f"says nothing: {errors}"
    return None


def shown(data):
    return data if len(data) < 200 else data[:80] + b" ... " + data[-80:]


# ---- bodies ----


@pytest.mark.parametrize(("name", "identifier"), WITH_JSON)
def test_broken_bodies(targets, name, identifier):
    target = targets[name, identifier]
    wrong = []
    for body, pointers in broken_bodies(target.operation, target.example):
        fault = refusal(target.request(body=body), "body", pointers)
        if fault:
            wrong.append((shown(body), pointers, fault))
    assert not wrong, "\n".join(map(str, wrong))


PRODUCT = {"name": "Lamp", "price": 1, "tags": ["a"]}
LINE = {"product_id": "x", "quantity": 1}
BY_HAND = [
    ("product", "createProduct", {**PRODUCT, "price": 19.999}, "/price"),
    ("product", "createProduct", {**PRODUCT, "price": -0.01}, "/price"),
    ("product", "createProduct", {**PRODUCT, "price": 10_000_000}, "/price"),
    ("product", "createProduct", {**PRODUCT, "name": "   "}, "/name"),
    ("product", "createProduct", {**PRODUCT, "tags": ["a", "a"]}, "/tags/1"),
    ("product", "createProduct", {**PRODUCT, "tags": ["a", ""]}, "/tags/1"),
    ("product", "createProduct", {**PRODUCT, "tags": ["a", 1]}, "/tags/1"),
    ("product", "createProduct", {**PRODUCT, "id": "mine"}, "/id"),
    ("product", "createProduct", {**PRODUCT, "version": 7}, "/version"),
    ("product", "createProduct", {**PRODUCT, "currency": "EUR"}, "/currency"),
    ("product", "createProduct", {**PRODUCT, "reserved": 1}, "/reserved"),
    ("product", "createProduct", {**PRODUCT, "inventory": -1}, "/inventory"),
    ("product", "createProduct", {**PRODUCT, "sku": None}, "/sku"),
    ("product", "replaceProduct", {**PRODUCT, "price": 0.001}, "/price"),
    ("product", "patchProduct", {"price": None}, "/price"),
    ("product", "patchProduct", {"name": None}, "/name"),
    ("product", "patchProduct", {"created_at": None}, "/created_at"),
    ("product", "patchProduct", {"tags": {"0": "a"}}, "/tags"),
    ("product", "adjustStock", {"delta": 0, "reason": "none"}, "/delta"),
    ("product", "adjustStock", {"delta": 1.5, "reason": "half"}, "/delta"),
    ("product", "adjustStock", {"delta": 1}, "/reason"),
    ("product", "holdStock", {"items": []}, "/items"),
    ("product", "holdStock", {"items": [{**LINE, "quantity": 0}]}, "/items/0/quantity"),
    ("product", "holdStock", {"items": [LINE, {**LINE, "quantity": -1}]}, "/items/1/quantity"),
    ("product", "holdStock", {"items": [LINE] * 201}, "/items"),
    ("cart", "addItem", {**LINE, "quantity": 0}, "/quantity"),
    ("cart", "addItem", {**LINE, "quantity": -1}, "/quantity"),
    ("cart", "addItem", {**LINE, "quantity": 1000}, "/quantity"),
    ("cart", "addItem", {**LINE, "unit_price": 0.01}, "/unit_price"),
    ("cart", "setItem", {"quantity": -1}, "/quantity"),
    ("cart", "setItem", {"quantity": 1000}, "/quantity"),
    ("cart", "createCart", {"user_id": ""}, "/user_id"),
    ("cart", "mergeCart", {"source_cart_id": ""}, "/source_cart_id"),
    ("order", "createOrder", {"user_id": "u"}, "/cart_id"),
    ("order", "createOrder", {"user_id": "u", "cart_id": "c", "total_amount": 0}, "/total_amount"),
    ("order", "setOrderStatus", {}, "/status"),
    ("order", "setOrderStatus", {"status": "paid"}, "/status"),
    ("order", "setOrderStatus", {"status": "shipped", "tracking_number": ""}, "/tracking_number"),
]


@pytest.mark.parametrize(("name", "identifier", "body", "pointer"), BY_HAND)
def test_broken_rules(targets, name, identifier, body, pointer):
    answer = targets[name, identifier].request(body=json.dumps(body).encode())
    assert refusal(answer, "body", [pointer]) is None, answer


def test_every_fault_is_named_at_once(product):
    body = {"name": "", "price": "1", "tags": [1, "", "ok"], "inventory": -1, "colour": "red"}
    errors = is_problem(product.public.post("/products?x=1", json=body), 422)["errors"]
    named = {(error["in"], error["pointer"]) for error in errors}
    places = ["/name", "/price", "/tags/0", "/tags/1", "/inventory", "/colour"]
    assert named == {("query", "/x"), *(("body", place) for place in places)}


def test_many_faults_are_named_up_to_a_limit(product):
    body = {f"member{number}": 1 for number in range(900)}
    problem = is_problem(product.public.post("/products", json=body), 422)
    assert len(problem["errors"]) == 32


@pytest.mark.parametrize("text", ["NaN", "'1'", "1.x", "\"\\u0000\"", *BEYOND_64_BITS])
def test_what_is_no_json_is_named_by_line_and_column(product, text):
    body = f'{{\n  "name": "Lamp",\n  "price": {text}\n}}'.encode()
    headers = {"Content-Type": "application/json"}
    answer = product.public.post("/products", body=body, headers=headers)
    (error,) = is_problem(answer, 422)["errors"]
    assert re.search("line 3, column 1[0-9]$", error["detail"]), error


@pytest.mark.parametrize(("name", "identifier"), WITH_BODY)
def test_wrong_content_types(targets, name, identifier):
    target = targets[name, identifier]
    wrong = [
        "text/plain", "application/x-www-form-urlencoded", "application/jsonx", "application",
        "application/", "json", "*/*", "application/json, text/plain", "x" * 2000, "\xe4",
    ]  # fmt: skip
    for content_type in wrong:
        answer = target.request(headers={"Content-Type": content_type.encode("latin-1")})
        is_problem(answer, 415)
    is_problem(target.client.raw(head_of(target) + b"Content-Length: 2\r\n\r\n{}"), 415)


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "x"])
@pytest.mark.parametrize(("name", "identifier"), WITH_BODY)
def test_an_empty_body_is_none_whatever_its_type(targets, name, identifier, content_type):
    """What is answered is what is answered without a type."""
    target = targets[name, identifier]
    without = target.client.raw(head_of(target) + b"Content-Length: 0\r\n\r\n")
    line = f"Content-Type: {content_type}\r\n".encode()
    for length in (b"Content-Length: 0\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"):
        answer = target.client.raw(head_of(target) + line + length)
        assert answer.status == without.status != 415, answer
        if target.operation.body_required and target.operation.has_json_body():
            assert refusal(answer, "body", [""]) is None, answer


@pytest.mark.parametrize(
    "content_type",
    ["APPLICATION/JSON", "application/json; charset=utf-8", 'application/json ;x="y"'],
)
def test_spellings_of_the_content_type(product, content_type):
    body = json.dumps(PRODUCT).encode()
    answer = product.public.post("/products", body=body, headers={"Content-Type": content_type})
    assert answer.status == 201, answer


def test_a_byte_order_mark_before_a_body(product):
    body = b"\xef\xbb\xbf" + json.dumps(PRODUCT).encode()
    answer = product.public.post("/products", body=body, headers={"Content-Type": "application/json"})
    assert answer.status == 201, answer
    answer = product.public.patch(
        f"/products/{answer.json()['id']}",
        body=b'\xef\xbb\xbf{"name": "Marked"}',
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert answer.json()["name"] == "Marked", answer


@pytest.mark.parametrize(("name", "identifier"), WITH_JSON)
def test_oversize_bodies(targets, name, identifier):
    target = targets[name, identifier]
    body = b'{"' + b"a" * (1 << 20) + b'":1}'
    is_problem(target.request(body=body), 413)
    target.client.close()
    pieces = [body[at : at + 100_000] for at in range(0, len(body), 100_000)]
    is_problem(target.request(body=pieces), 413)
    target.client.close()


@pytest.mark.parametrize(("name", "identifier"), WITH_JSON)
def test_the_limit_is_exactly_the_documents(targets, name, identifier):
    target = targets[name, identifier]
    limit = target.operation.max_bytes
    is_problem(target.request(body=b" " * limit), 422)
    detail = is_problem(target.request(body=b" " * (limit + 1)), 413)["detail"]
    target.client.close()
    assert str(limit) in detail


ASTRAL = "\U0001f600"
LARGEST_BODIES = {
    ("product", "createProduct"): {
        "name": ASTRAL * 200,
        "description": ASTRAL * 5000,
        "price": 1.25,
        "sku": ASTRAL * 64,
        "category": ASTRAL * 100,
        "tags": [ASTRAL * 48 + f"{number:02}" for number in range(20)],
        "image_url": "https://example.com/" + "a" * 2028,
        "inventory": 10**9,
        "low_stock_threshold": 10**9,
    },
    ("product", "holdStock"): {
        "items": [
            {"product_id": f"0190a1b2-c3d4-7e5f-8a6b-{number:012}", "quantity": 10**9}
            for number in range(200)
        ]
    },
    ("cart", "createCart"): {"user_id": ASTRAL * 128},
    ("order", "setOrderStatus"): {"reason": ASTRAL * 500, "tracking_number": ASTRAL * 100},
}


@pytest.mark.parametrize(("name", "identifier"), LARGEST_BODIES)
def test_the_largest_bodies_fit(targets, name, identifier):
    """Escaped throughout, as many programs write them, and in the way that takes most lines."""
    body = json.dumps(LARGEST_BODIES[name, identifier], indent=4).encode()
    answer = targets[name, identifier].request(body=body)
    assert answer.status != 413, answer


# ---- the query ----


@pytest.mark.parametrize(("name", "identifier"), EVERY_OPERATION)
def test_unknown_parameters(targets, name, identifier):
    target = targets[name, identifier]
    wrong = []
    for text, pointer in (
        ("bogus=1", "/bogus"),
        ("bogus", "/bogus"),
        ("=1", "/"),
        ("Limit=1", "/Limit"),
        ("a%2Fb~=1", "/a~1b~0"),
        ("limit[]=1", "/limit[]"),
        ("%C3%A4=1", "/ä"),
        ("x=1&x=2", "/x"),
        (quote("' OR 1=1 --"), "/' OR 1=1 --"),
        ("%zz=1", ""),
        ("%=1", ""),
        ("a%4=1", ""),
        ("%FF=1", ""),
        ("%C0%80=1", ""),
        ("a%00b=1", ""),
        ("%0D%0ASet-Cookie:x=1", ""),
        ("&".join(f"p{number}=1" for number in range(500)), "/p0"),
    ):
        answer = target.request(path=target.query(text))
        fault = refusal(answer, "query", [pointer])
        if fault:
            wrong.append((text[:80], pointer, fault))
        assert answer.header("Set-Cookie") is None
    assert not wrong, "\n".join(map(str, wrong))


OF_A_TYPE = {
    "integer": ["", "x", "1.5", "1e1", "+1", "%201", "1%20", "0x10", "01", "1,2", "%D9%A1"],
    "number": ["", "x", "1,5", "%2B1", "NaN", "Infinity", "0x10", "1.", ".5", "-1"],
    "boolean": ["", "1", "0", "yes", "TRUE", "True", "true%20", "null"],
    "string": [],
}
BAD_TEXT = [
    "%", "%4", "%zz", "a%", "%FF", "%C3", "%C0%80", "%ED%A0%80", "%F4%90%80%80", "%00", "a%00b",
    "x%0D%0ASet-Cookie:%20x=1", "%0A", "%09", "%1B[0m", "%7F", "%C2%9B0m",
]  # fmt: skip


def bad_values(operation, parameter):
    schema = operation.resolve(parameter["schema"])
    yield from BAD_TEXT
    yield from OF_A_TYPE[schema["type"]]
    if schema["type"] in ("integer", "number"):
        yield from (*LARGE, *BEYOND_64_BITS)
    if "maxLength" in schema:
        yield "a" * (schema["maxLength"] + 1) if schema["maxLength"] < 7000 else "%00"
    if schema.get("minLength"):
        yield ""
    if "enum" in schema:
        yield from ("no-such", "", schema["enum"][0].upper(), schema["enum"][0] + "%20")
    if schema.get("format") == "date-time":
        yield from ("", "1", "now", "2026-01-31", "2026-02-30T00:00:00Z", "2026-01-31T25:00:00Z")
    if "x-decimals" in schema:
        yield from ("0.001", "19.999", "1e-3")
    if parameter["name"] == "limit":
        yield from ("0", "-1", "201", "100000")
    if parameter["name"] == "q":
        yield "+".join(["word"] * 17)
    if parameter["name"] == "ids":
        yield ",".join(["x"] * 101)


@pytest.mark.parametrize(("name", "identifier"), WITH_QUERY)
def test_bad_parameters(targets, name, identifier):
    target = targets[name, identifier]
    wrong = []
    for parameter in target.operation.parameters_in("query"):
        known = parameter["name"]
        # Those that are required are in the query already.
        start = f"{target.path}?" if parameter.get("required") else target.query("")
        for value in bad_values(target.operation, parameter):
            answer = target.request(path=f"{start}{known}={value}")
            fault = refusal(answer, "query", [f"/{known}"])
            if fault:
                wrong.append((known, value[:80], fault))
            assert answer.header("Set-Cookie") is None
    assert not wrong, "\n".join(map(str, wrong))


@pytest.mark.parametrize(("name", "identifier"), WITH_QUERY)
def test_repeated_parameters(targets, name, identifier):
    target = targets[name, identifier]
    valid = {"integer": "1", "number": "1", "boolean": "true", "string": "x"}
    for parameter in target.operation.parameters_in("query"):
        schema = target.operation.resolve(parameter["schema"])
        value = parameter.get("example", schema.get("enum", [valid[schema["type"]]])[0])
        pair = f"{parameter['name']}={quote(value)}"
        answer = target.request(path=f"{target.path}?{pair}&{pair}")
        assert refusal(answer, "query", [f"/{parameter['name']}"]) is None, answer


CURSORS = [
    "x", "AA", "AAAA", "====", "!!!!", "LQ", "a" * 4096, "Y3JlYXRlZF9hdAA", "LWNyZWF0ZWRfYXQA",
    "LWNyZWF0ZWRfYXQAMQA", "LWNyZWF0ZWRfYXQAeAB5AA", "LWNyZWF0ZWRfYXQAMQAyADMA",
    "LWNyZWF0ZWRfYXQAOTIyMzM3MjAzNjg1NDc3NTgwOAB4AA", "..%2F..%2Fetc", "%C3%A4",
    # Of the right kind, with a field that is no text: the byte 0xFF.
    "LWNyZWF0ZWRfYXQAMQD_AA", "Y3JlYXRlZF9hdAAxAP8A", "bW92ZW1lbnRzAP8A",
]  # fmt: skip


@pytest.mark.parametrize(("name", "identifier"), PAGED)
def test_bad_cursors(targets, name, identifier):
    target = targets[name, identifier]
    for cursor in CURSORS:
        answer = target.request(path=target.query(f"cursor={cursor}"))
        assert refusal(answer, "query", ["/cursor"]) is None, (cursor, answer)


def test_a_cursor_belongs_to_its_listing(product):
    for _ in range(3):
        make_product(product)
    answer = product.public.get("/products?limit=1")
    cursor = answer.header("Link").split("cursor=")[1].split(">")[0]
    assert product.public.get(f"/products?limit=1&cursor={cursor}").status == 200
    movements = f"/products/{answer.json()[0]['id']}/stock/movements"
    others = ["/products?sort=name", "/products?sort=created_at", "/products?q=lamp"]
    for path in (*others, f"{movements}?limit=1"):
        answer = product.public.get(f"{path}&cursor={cursor}")
        assert refusal(answer, "query", ["/cursor"]) is None, (path, answer)
    for spoilt in (cursor[:-1], cursor + "A", cursor[1:], cursor.swapcase()):
        answer = product.public.get(f"/products?cursor={spoilt}")
        assert refusal(answer, "query", ["/cursor"]) is None, (spoilt, answer)


# ---- headers ----

BAD_HEADERS = {
    "Idempotency-Key": [
        b"a" * 258, b'"' + b"a" * 256 + b'"', b"a b", b'"a b"', b"a\tb", b'a"b', b'"a', b'a"', b'""',
        b"\xe4", "ä".encode(), b"a\x01b", b"\x7f",
    ],
    "If-Match": [b"a" * 1025, b"\xff", b'"\x01"', b'"\x7f"'],
    "If-None-Match": [b"a" * 1025, b"\xff", b'"\x01"', b'"\x7f"'],
}  # fmt: skip


@pytest.mark.parametrize(("name", "identifier"), WITH_HEADERS)
def test_bad_headers(targets, name, identifier):
    target = targets[name, identifier]
    for parameter in target.operation.parameters_in("header"):
        for value in BAD_HEADERS[parameter["name"]]:
            answer = raw_request(target, {parameter["name"]: value})
            fault = refusal(answer, "header", [f"/{parameter['name']}"])
            assert fault is None, (parameter["name"], value, fault)


def raw_request(target, headers):
    """With header values of any bytes."""
    head = head_of(target)
    if target.operation.body:
        head += b"Content-Type: %s\r\n" % target.operation.media_type().encode()
    for name, value in headers.items():
        head += b"%s: %s\r\n" % (name.encode(), value)
    head += b"Content-Length: %d\r\n\r\n" % len(target.body)
    return target.client.raw(head + target.body)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Request-ID", b"a\x01b"),
        ("X-Request-ID", b'"},{"'),
        ("traceparent", b"\x00\x01" * 20),
        ("User-Agent", b"\x1b[31m"),
        ("Accept-Encoding", b"\xff" * 1000),
        ("Content-Type", b"application/json\x00text/plain"),
        ("Content-Type", b'application/json"\\'),
    ],
)
def test_odd_headers_do_no_harm(product, header, value):
    body = json.dumps({"name": ""}).encode()
    head = (b"POST /products HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % len(body))
    if header != "Content-Type":
        head += b"Content-Type: application/json\r\n"
    answer = product.public.raw(head + header.encode() + b": " + value + b"\r\n\r\n" + body)
    assert answer.status in (400, 415, 422), answer
    is_problem(answer, answer.status)


# ---- bodies that are not as long as they say ----


def hang_up(port, data):
    """Sends what there is and closes at once."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as sock:
        sock.sendall(data)


@pytest.mark.parametrize(("name", "identifier"), WITH_BODY)
def test_bodies_cut_short(targets, name, identifier):
    target = targets[name, identifier]
    head = head_of(target) + b"Content-Type: %s\r\n" % target.operation.media_type().encode()
    body = target.body
    half = body[: len(body) // 2]
    for sent in (
        head + b"Content-Length: %d\r\n\r\n" % len(body) + half,
        head + b"Content-Length: 1000000\r\n\r\n" + half,
        head + b"Content-Length: %d\r\n\r\n" % len(body),
        head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + half,
        head + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n" + half,
    ):
        hang_up(target.port, sent)
    for sent in (
        head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body,
        head + b"Content-Length: -1\r\n\r\n" + body,
        head + b"Content-Length: 99999999999999999999\r\n\r\n" + body,
        head + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ):
        is_problem(target.client.raw(sent), 400)


def test_a_body_longer_than_it_says_is_cut(product):
    """What follows is another request, and not a good one: never a part of the first one's body."""
    body = json.dumps(PRODUCT).encode()
    head = b"POST /products HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    answer = product.public.raw(head + b"Content-Length: %d\r\n\r\n" % (len(body) - 1) + body)
    assert refusal(answer, "body", [""]) is None, answer


def test_bodies_where_none_is_asked_for_do_not_disturb_the_next_request(product):
    path = f"/products/{make_product(product)['id']}"
    for _ in range(20):
        for body in (b"x", b"{}" * 1000):
            assert product.public.request("GET", path, body=body).status == 200
            is_problem(product.public.request("GET", "/nothing/here", body=body), 404)
        long = b"a" * 300_000
        is_problem(product.public.request("GET", path, body=long), 413)
        is_problem(product.public.request("GET", "/nothing/here", body=long), 404)
        is_problem(product.public.request("DELETE", path, body=long), 413)
        assert product.public.get(path).status == 200
        is_problem(product.public.request("POST", path, body=b"x"), 405)


# ---- memory ----


def bad_requests(targets, name):
    """An endless mixture of all of it."""
    pool = [target for (service, _), target in targets.items() if service == name]
    bodies = {
        target: [body for body, _ in broken_bodies(target.operation, target.example)]
        for target in pool
        if target.operation.has_json_body()
    }
    turn = 0
    while True:
        for target in pool:
            turn += 1
            yield target, target.query(f"bogus={turn}&%zz&limit=x&cursor=%FF"), None
            if target in bodies:
                yield target, target.path, bodies[target][turn * 7 % len(bodies[target])]


@pytest.mark.parametrize("name", SERVICES)
def test_memory_stays_flat(platform, targets, name):
    """Sanitizers keep freed memory and report leaks themselves: no bound for them."""
    service = platform.services[name]
    requests = bad_requests(targets, name)
    pid = service.worker.pid

    def send(count):
        for _ in range(count):
            target, path, body = next(requests)
            assert 400 <= target.request(path=path, body=body).status < 500

    send(1500)
    warm = service.memory_kib()
    send(3000)
    grown = service.memory_kib() - warm
    assert service.worker.pid == pid and service.worker.alive()
    if VARIANT == "release":
        assert grown < 512, f"{grown} KiB more after 3000 bad requests"
