"""Bad queries and headers, for every operation: a 4xx that names the place."""

import json
from urllib.parse import quote

import pytest
from broken import BEYOND_64_BITS, LARGE
from client import is_problem
from documents import source_operations
from targets import head_of, refusal
from world import make_product

pytestmark = pytest.mark.usefixtures("nothing_happened")
EVERY_OPERATION = source_operations()
WITH_QUERY = source_operations(lambda operation: operation.parameters_in("query"))
WITH_HEADERS = source_operations(lambda operation: operation.parameters_in("header"))
PAGED = source_operations(
    lambda operation: any(parameter["name"] == "cursor" for parameter in operation.parameters)
)


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
        # What must be there is in the query already.
        start = target.query("")
        if f"?{known}=" in start:
            start = f"{target.path}?"
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
    "Cart-Secret": [b"a" * 129, b"\xff", b"a\x01b", b"\x7f"],
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
