"""Bad bodies, for every operation: a 4xx that names the place, an unharmed worker, flat memory."""

import json
import re
import socket

import pytest
from broken import BEYOND_64_BITS, broken_bodies
from client import is_problem
from documents import source_operations
from targets import WITH_BODY, head_of, refusal
from testbed import SERVICES, VARIANT
from world import make_product

pytestmark = pytest.mark.usefixtures("nothing_happened")
WITH_JSON = source_operations(lambda operation: operation.has_json_body())


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
    """The answer is the same as without a type."""
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
    ("cart", "createCart"): {"user_id": ASTRAL * 255},
    ("order", "setOrderStatus"): {"reason": ASTRAL * 500, "tracking_number": ASTRAL * 100},
}


@pytest.mark.parametrize(("name", "identifier"), LARGEST_BODIES)
def test_the_largest_bodies_fit(targets, name, identifier):
    """Escaped throughout, as many programs write them, and in the way that takes most lines."""
    body = json.dumps(LARGEST_BODIES[name, identifier], indent=4).encode()
    answer = targets[name, identifier].request(body=body)
    assert answer.status != 413, answer


# ---- bodies that are not as long as they say ----


def hang_up(port, data):
    """Sends this and closes at once."""
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
    """The surplus is another, malformed request, never a part of the first one's body."""
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
    """An endless mixture of all bad requests."""
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
    """Sanitizers keep freed memory and report leaks themselves, so no bound applies to them."""
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
