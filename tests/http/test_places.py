"""There are few places for imports and exports: who may not have one gets none, however slowly it sends. The
worker sees the head of a request before any of its body is taken."""

import contextlib
import json
import re
import select
import socket
import uuid

import pytest
import tokens
from bulk import MIB, NDJSON, NDJSON_TYPE, PATIENCE, begin, line_of
from client import is_problem
from sidecar import entries_of, flood
from testbed import hung, wait_until
from world import unique

pytestmark = pytest.mark.storeless

provider, forger = tokens.Provider(), tokens.Provider()
# Tokens are signed when the tests are collected, long before they run in a slow build.
DAY = 86400
STRANGERS = {
    "nobody": ({}, 401),
    "no token": ({"Authorization": "Basic YTpi"}, 401),
    "forged": (forger.headers("eve", "products:write products:read"), 401),
    "expired": (provider.headers("eve", "products:write products:read", lifetime=-300), 401),
    "guest": ({"Cart-Secret": "gst_" + "A" * 43}, 401),
    "customer": (provider.headers("eve", lifetime=DAY), 403),
    "other staff": (provider.headers("eve", "orders:write stock:write carts:write", lifetime=DAY), 403),
}
STAFF = provider.headers("ada", "products:write products:read", lifetime=DAY)
EXPORT = ("GET", "/products/export")
IMPORT = ("POST", "/products/bulk")


@pytest.fixture(scope="module")
def asking(make_platform, tmp_path_factory):
    """make(nginx settings): a product service that asks for tokens and believes which address it is."""

    def make(**nginx):
        settings = tokens.settings(provider, tmp_path_factory.mktemp("auth"))
        nginx = {"TRUSTED_PROXIES": "127.0.0.1", **nginx}
        return make_platform(services=("product",), worker=settings, nginx=nginx)

    return make


@pytest.fixture(scope="module")
def bed(asking):
    return asking()


def import_one(client, headers, address="203.0.113.9"):
    headers = {**NDJSON, **headers, "X-Forwarded-For": address}
    return client.post("/products/bulk", body=line_of(unique("PLACE")), headers=headers)


def export(client, headers, address="203.0.113.9"):
    return client.get("/products/export", headers={**headers, "X-Forwarded-For": address})


def lines_of(headers):
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


@contextlib.contextmanager
def slow(port, operation, headers, length, count=8):
    """Connections from two addresses that have sent the head, and as much of the body as one byte."""
    length = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    with contextlib.ExitStack() as stack:
        connections = []
        for number in range(count):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            more = f"{length}\r\nContent-Type: {NDJSON_TYPE}\r\n{lines_of(headers)}"
            begin(sock, *operation, f"203.0.113.{number % 2}", more)
            sock.sendall(b"{" if "Content" in length else b"1\r\n{\r\n")
            connections.append(sock)
        yield connections


def head_of(sock):
    """What came: the status and the lines of the headers."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        assert piece, data
        data += piece
    return data.partition(b"\r\n\r\n")[0].decode()


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize(
    ("operation", "length"), [(IMPORT, 32 * MIB), (IMPORT, None), (EXPORT, 9000)],
    ids=["import", "chunked import", "export"],
)  # fmt: skip
def test_a_stranger_takes_no_place(bed, stranger, operation, length):
    product = bed.product
    headers, status = STRANGERS[stranger]
    with slow(product.public_port, operation, headers, length) as connections:
        assert import_one(product.public, STAFF).status == 200
        assert export(product.public, STAFF).status == 200
        assert {int(head_of(sock).split()[1]) for sock in connections} == {status}
        # They may go on sending for a while, so that they see the answer.
        assert import_one(product.public, STAFF, "203.0.113.0").status == 200
        assert export(product.public, STAFF, "203.0.113.0").status == 200
        assert list((product.nginx.directory / "nginx-body").iterdir()) == []


def test_staff_takes_places(bed):
    """As before: two of one address, four in all."""
    port = bed.product.public_port
    with slow(port, IMPORT, STAFF, MIB, count=6) as connections:
        wait_until(lambda: len(select.select(connections, [], [], 0)[0]) == 2, PATIENCE, "two are refused")
        is_problem(import_one(bed.product.public, STAFF), 429, "too-many-requests")
    wait_until(lambda: import_one(bed.product.public, STAFF).status == 200, PATIENCE, "a place is free")


def told(answer):
    """All that an answer says but for what is its own."""
    own = ("Date", "X-Request-ID", "traceparent")
    headers = [(name, value) for name, value in answer.headers.items() if name not in own]
    return answer.status, sorted(headers), re.sub(r'"request_id":"[^"]*"', "", answer.body.decode())


@pytest.mark.parametrize("stranger", STRANGERS)
@pytest.mark.parametrize("port", ["sidecar", "gateway"])
def test_the_answer_is_the_workers(bed, stranger, port):
    """The same as where no place is to be had, also after all of a long body. The connection can be used again
    then, but for that of the gateway, which does not read what the sidecar does not want."""
    client = bed.gateway.clone() if port == "gateway" else bed.product.public
    headers, status = STRANGERS[stranger]
    other = client.post("/products", json={"name": "x", "price": 1}, headers=headers)
    for size in (None, 100, MIB):
        body = size and b" " * size
        answer = client.post("/products/bulk", body=body, headers={**NDJSON, **headers})
        is_problem(answer, status)
        assert told(answer) == told(other)
        if port == "gateway":
            client.close()
    scope = told(export(client, headers))[2].replace("products:read", "products:write")
    assert scope == told(other)[2]
    answer = client.head("/products/export", headers=headers)
    assert answer.status == status and answer.body == b"" and answer.header("WWW-Authenticate")


def test_two_tokens(bed):
    head = f"POST /products/bulk HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n{lines_of(STAFF) * 2}\r\n"
    is_problem(bed.product.public.raw(head.encode()), 400)


@pytest.mark.parametrize(("who", "first"), [("nobody", 401), ("customer", 403), ("staff", 100)])
def test_nobody_is_told_to_go_on_in_vain(bed, who, first):
    headers = STAFF if who == "staff" else STRANGERS[who][0]
    body = line_of(unique("EXPECT"))
    with socket.create_connection(("127.0.0.1", bed.product.public_port), timeout=20) as sock:
        more = f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\nContent-Type: {NDJSON_TYPE}\r\n"
        begin(sock, *IMPORT, None, more + lines_of(headers))
        assert int(head_of(sock).split()[1]) == first
        if first == 100:
            sock.sendall(body)
            assert int(head_of(sock).split()[1]) == 200


def counted(product):
    text = product.health.get("/metrics").body.decode()
    requests = re.findall(r'^http_requests_total{operation="(\w+Products)",status="(\w+)"} (\d+)', text, re.M)
    refused = re.findall(r'^auth_refused_total{reason="(\w+)"} (\d+)', text, re.M)
    return {(*names, int(count)) for *names, count in requests + refused}


def test_a_request_counts_once(bed):
    """In the metrics and in the log."""
    product, before = bed.product, counted(bed.product)
    was = {names: count for *names, count in before for names in [tuple(names)]}
    expected = []
    for who, (status, reason) in {
        "staff": ("200", None), "nobody": ("other", None), "customer": ("403", None), "forged": ("other", "signature"),
    }.items():  # fmt: skip
        headers = STAFF if who == "staff" else STRANGERS[who][0]
        request = f"counted-{uuid.uuid4()}"
        import_one(product.public, {**headers, "X-Request-ID": request})
        (entry,) = entries_of(product.nginx, request)
        assert entry["http.request.method"] == "POST" and entry["url.path"] == "/products/bulk"
        expected += [("importProducts", status)] + ([(reason,)] if reason else [])
    changed = {}
    for *names, count in counted(product):
        more = count - was.get(tuple(names), 0)
        if more:
            changed[tuple(names)] = more
    assert changed == {names: expected.count(names) for names in expected}


def test_a_users_quota_counts_a_request_once(asking):
    """From wherever it comes; with a burst of 50 seconds."""
    product = asking(STORING_LIMIT_RPS=1).product

    def ask(number):
        key = {**STAFF, "Idempotency-Key": str(uuid.uuid4())}
        return import_one(product.public, key, f"198.18.{number // 256}.{number % 256}")

    answers = flood(ask, 1, 50)
    assert [answer.status for answer in answers[:51]] == [200] * 51
    refused = answers[-1]
    assert is_problem(refused, 429)["detail"] == "Too many requests of this user: slow down"
    assert refused.header("Retry-After") == "1"


def test_a_worker_without_keys(make_platform, tmp_path):
    """Nobody can be known then, so nobody gets a place."""
    settings = tokens.settings(provider, tmp_path)
    settings["AUTH_JWKS"] = "http://127.0.0.1:9/keys"
    bed = make_platform(services=("product",), gateway=False, worker=settings, probe="/livez")
    answer = import_one(bed.product.public, STAFF)
    is_problem(answer, 503, "unavailable")
    assert answer.header("Retry-After") == "1"
    other = bed.product.public.post("/products", json={"name": "x", "price": 1}, headers=STAFF)
    assert told(answer) == told(other)
    with slow(bed.product.public_port, IMPORT, STAFF, MIB) as connections:
        assert {int(head_of(sock).split()[1]) for sock in connections} == {503}


def test_a_worker_that_is_away_or_hangs(asking):
    product = asking().product
    product.nginx.stop()
    product.nginx.run(lambda text: re.sub(r"(fastcgi_read_timeout) \d+s", r"\1 1s", text))
    with hung(product):
        answer = import_one(product.public, STAFF)
        is_problem(answer, 502, "bad-gateway")
        assert answer.header("Connection") == "close"
    assert product.stop_worker() == 0
    answer = import_one(product.public, STAFF)
    is_problem(answer, 502, "bad-gateway")
    assert answer.header("Connection") == "close"


def test_the_question_is_not_for_clients(service):
    is_problem(service.public.get("/.admission"), 404, "not-found")


def test_where_everybody_may_do_everything(service):
    """AUTH=off; also with a token, which nobody looks at."""
    for headers in ({}, STRANGERS["forged"][0]):
        assert import_one(service.public, headers).status == 200
        assert export(service.public, headers).status == 200
    answer = service.public.request("OPTIONS", "/products/bulk")
    is_problem(answer, 405)
    assert answer.header("Allow") == "POST"
    results = service.public.post("/products/bulk?mode=merge", body=line_of(unique("M")), headers=NDJSON)
    assert json.loads(results.body)["status"] == "created"
