"""What the sidecar does itself: headers, internal paths, errors, host names, caching, compression,
prefixes."""

import gzip
import json
import re
import socket
import threading
import time
import uuid

import pytest
from client import Client, is_problem
from sidecar import LAMP, SHOP, TRACE, TRACEPARENT, by_public_port
from testbed import SERVICES, hung
from world import unique

pytestmark = pytest.mark.storeless


# ---- HTTPS ----


def test_browsers_are_held_to_https_where_it_is_used(make_platform):
    """Also by nginx' own answers; never over plain HTTP, and not at localhost."""
    bed = make_platform(services=("cart",), gateway=False, nginx={"SERVER_NAMES": "shop.example.com"})

    def told(path="/docs", proto=None, host="shop.example.com"):
        headers = {"Host": host} | ({"X-Forwarded-Proto": proto} if proto else {})
        return bed.cart.public.get(path, headers=headers).header("Strict-Transport-Security")

    assert told(proto="https") == told("/nothing", "https") == "max-age=31536000"
    assert told(proto="https", host="other.example.com") == "max-age=31536000"
    for proto, host in ((None, "shop.example.com"), ("http", "shop.example.com"), ("https", "localhost")):
        assert told(proto=proto, host=host) is None


# ---- request id and trace ----


@pytest.mark.parametrize("sent", ["a", "A-b_c.9", "x" * 128])
def test_request_id_of_the_client_is_kept(product, sent):
    answer = product.public.get("/products", headers={"X-Request-ID": sent})
    assert answer.status == 200
    assert answer.header("X-Request-ID") == sent


@pytest.mark.parametrize("sent", [None, "", "x" * 129, "a b", "a,b", 'a"b', "ä", "a/b"])
def test_request_id_is_made_where_the_clients_is_unusable(product, sent):
    headers = {} if sent is None else {"X-Request-ID": sent.encode("latin-1")}
    seen = {product.public.get("/products", headers=headers).header("X-Request-ID") for _ in "ab"}
    assert len(seen) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in seen)


def test_request_id_reaches_the_worker(product):
    answer = product.public.get("/products/unknown", headers={"X-Request-ID": "from-me"})
    assert is_problem(answer, 404)["request_id"] == "from-me"


@pytest.mark.parametrize(
    ("sent", "trace", "flags"),
    [
        (TRACEPARENT, TRACE, "01"),
        (f"00-{TRACE}-b7ad6b7169203331-00", TRACE, "00"),
        (f"cc-{TRACE}-b7ad6b7169203331-01-more", TRACE, "01"),
        (None, None, "01"),
        ("nonsense", None, "01"),
        (f"00-{TRACE}-b7ad6b7169203331-01-more", None, "01"),
        (f"ff-{TRACE}-b7ad6b7169203331-01", None, "01"),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", None, "01"),
        (f"00-{TRACE}-{'0' * 16}-01", None, "01"),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", None, "01"),
    ],
)
def test_traceparent(product, sent, trace, flags):
    headers = {"traceparent": sent} if sent else {}
    answer = product.public.get("/products", headers=headers)
    made = re.fullmatch(
        "00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})", answer.header("traceparent")
    )
    assert made, answer.headers
    if trace:
        assert made.group(1) == trace
    else:
        assert made.group(1) == answer.header("X-Request-ID") != TRACE
    assert made.group(2) not in ("b7ad6b7169203331", "0" * 16)
    assert made.group(3) == flags


def test_security_headers_are_on_answers_and_errors(product):
    for path in ("/products", "/livez"):
        answer = product.public.get(path)
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("X-Frame-Options") == "DENY"
        assert answer.header("Referrer-Policy") == "no-referrer"
        assert "frame-ancestors 'none'" in answer.header("Content-Security-Policy")
        assert answer.header("Server") == "nginx"


# ---- internal paths ----

SPELLINGS = [
    "/livez",
    "/livez/",
    "/readyz",
    "/metrics",
    "/metrics?x=1",
    "/internal",
    "/internal/",
    "/internal/reservations/1",
    "//internal/reservations/1",
    "/./internal/reservations/1",
    "/products/../internal/reservations/1",
    "/products/..//internal/./reservations/1",
    "/%69nternal/reservations/1",
    "/%69%6E%74%65%72%6E%61%6C/reservations/1",
    "/products/%2e%2e/internal/reservations/1",
    "/products/%2E%2E%2Finternal/reservations/1",
    "/%2finternal/reservations/1",
    "/internal%2freservations%2f1",
    "/INTERNAL/reservations/1",
    "/Livez",
    "/live%7A",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_internal_paths_are_not_public(product, spelling):
    for method in ("GET", "PUT", "DELETE"):
        is_problem(by_public_port(product, method, spelling), 404, "not-found")


def test_absolute_form_does_not_get_around_it(product):
    is_problem(by_public_port(product, "GET", "http://localhost/readyz"), 404, "not-found")


@pytest.mark.parametrize("name", SERVICES)
def test_probes_and_metrics_are_on_the_health_port(platform, name):
    service = platform.services[name]
    for path in ("/livez", "/readyz", "/metrics", "/nginx-status"):
        assert service.health.get(path).status == 200
        is_problem(service.public.get(path), 404, "not-found")
        is_problem(service.internal.get(path), 404, "not-found")


@pytest.mark.parametrize("prefix", ["", "/products"])
def test_nothing_is_changed_at_an_internal_port(product, prefix):
    """However the path is spelled."""
    made = product.public.post("/products", json=LAMP).json()
    path = f"{prefix}/products/{made['id']}"
    ndjson = {"Content-Type": "application/x-ndjson"}
    for client in (product.internal, product.health):
        is_problem(client.patch(path, json={"price": 0.01}), 404, "not-found")
        is_problem(client.put(path, json=LAMP), 404, "not-found")
        is_problem(client.delete(path), 404, "not-found")
        is_problem(client.post(f"{path}/stock", json={"delta": 1}), 404, "not-found")
        is_problem(client.post(f"{prefix}/products", json=LAMP), 404, "not-found")
        is_problem(client.post(f"{prefix}/products/bulk", body=b"{}", headers=ndjson), 404, "not-found")
        is_problem(client.get(f"{prefix}/products/export"), 404, "not-found")
        is_problem(client.get(f"{prefix}/products/%65xport/"), 404, "not-found")
        is_problem(client.get(f"{prefix}/docs"), 404, "not-found")
    is_problem(product.health.get(path), 404, "not-found")
    is_problem(product.health.put("/internal/reservations/1", json={}), 404, "not-found")
    assert product.public.get(path).json()["price"] == 19.99


# ---- errors that nginx makes ----


@pytest.mark.parametrize(
    ("status", "request_line_and_headers"),
    [
        (400, b"GET / HTTP/1.1\r\n"),
        (400, b"GET /%zz HTTP/1.1\r\nHost: localhost\r\n"),
        (400, b"GET /a%00b HTTP/1.1\r\nHost: localhost\r\n"),
        (400, b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n"),
        (400, b"POST /products HTTP/1.1\r\nHost: localhost\r\nContent-Length: one\r\n"),
        (400, b"POST /products HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n"),
        (400, b"POST /products HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
        (405, b"TRACE / HTTP/1.1\r\nHost: localhost\r\n"),
        (414, b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 9000 + b"\r\n"),
        (431, b"GET / HTTP/1.1\r\nHost: localhost\r\n" + (b"X-Many: " + b"a" * 7000 + b"\r\n") * 6),
        (501, b"POST /products HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n"),
        (505, b"GET / HTTP/2.0\r\nHost: localhost\r\n"),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_unreadable_requests_get_a_problem(product, status, request_line_and_headers):
    is_problem(product.public.raw(request_line_and_headers + b"\r\n"), status)


def test_method_that_nginx_refuses_names_the_others(product):
    answer = product.public.raw(b"TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert "GET" in answer.header("Allow")


def test_body_over_a_mebibyte(product):
    body = b'{"name": "' + b"a" * (1 << 20) + b'", "price": 1}'
    headers = {"Content-Type": "application/json", **SHOP}
    answer = product.public.clone().post("/products", body=body, headers=headers)
    is_problem(answer, 413, "content-too-large")
    assert answer.header("Access-Control-Allow-Origin") == SHOP["Origin"]
    pieces = (body[i : i + 65536] for i in range(0, len(body), 65536))
    answer = product.public.clone().post("/products", body=pieces, headers=headers)
    is_problem(answer, 413, "content-too-large")


@pytest.mark.parametrize("path", ["/products", "/products/bulk"])
def test_compressed_bodies_are_refused_as_such(product, path):
    """Not reported as invalid JSON."""
    body = gzip.compress(json.dumps({**LAMP, "sku": unique("GZIP")}).encode())
    media_type = "application/json" if path == "/products" else "application/x-ndjson"
    headers = {"Content-Type": media_type, "Content-Encoding": "gzip", **SHOP}
    answer = product.public.post(path, body=body, headers=headers)
    assert "Content-Encoding" in is_problem(answer, 415, "unsupported-media-type")["detail"]
    assert answer.header("Access-Control-Allow-Origin") == SHOP["Origin"]


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_a_content_encoding_that_is_none(product, encoding):
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = product.public.post("/products", body=json.dumps(LAMP).encode(), headers=headers)
    assert answer.status == 201, answer


def test_a_content_encoding_of_no_body_says_nothing(product, order):
    """Libraries send it with every request once it is a default header."""
    headers = {"Content-Encoding": "gzip"}
    for body in (None, b"", b"{}"):
        assert product.public.get("/products", body=body, headers=headers).status == 200
    path = f"/orders/{uuid.uuid4()}/status?status=processing"
    is_problem(order.public.put(path, body=b"", headers=headers), 404)
    is_problem(order.public.put(path, body=b"{}", headers=headers), 415)


def test_errors_of_the_worker_pass_through(product):
    answer = product.public.post("/products", json={"name": "Lamp"})
    problem = is_problem(answer, 422)
    assert problem["errors"]
    assert is_problem(product.public.get("/products/unknown"), 404)["detail"] == "Product not found"


@pytest.fixture(scope="module")
def lonely(make_platform):
    """A product service whose worker may be stopped."""
    return make_platform(
        services=("product",), gateway=True, nginx={"CORS_ALLOW_ORIGINS": SHOP["Origin"]}
    )


def test_worker_down_and_back(lonely):
    product = lonely.product
    assert product.public.get("/products").status == 200
    assert product.stop_worker() == 0
    for client in (product.public, lonely.gateway):
        answer = client.get("/products", headers=SHOP)
        is_problem(answer, 502, "bad-gateway")
        assert int(answer.header("Retry-After")) >= 1
        assert answer.header("Access-Control-Allow-Origin") == SHOP["Origin"]
        is_problem(client.post("/products", json=LAMP), 502, "bad-gateway")
    product.start_worker()
    assert product.public.get("/products").json() == []
    assert lonely.gateway.post("/products", json=LAMP).status == 201


def kept_connection_ends(port, path, status):
    """Whether the sidecar says so in this answer, on a connection that was used before."""
    with Client(port) as client:
        assert client.get("/nothing").header("Connection") == "keep-alive"
        answer = client.get(path)
        is_problem(answer, status)
        return answer.header("Connection") == "close"


@pytest.mark.parametrize("half", ["public", "internal"])
def test_a_connection_ends_where_the_worker_is_away(lonely, half):
    """A balancer of connections, such as kube-proxy, never moves an established one."""
    product = lonely.product
    path = {"public": "/products", "internal": "/products/x"}[half]
    assert product.stop_worker() == 0
    try:
        assert kept_connection_ends(getattr(product, half).port, path, 502)
    finally:
        product.start_worker()
    with Client(product.public_port) as client:
        assert client.get("/products/unknown").header("Connection") == "keep-alive"


def test_a_connection_ends_where_the_worker_hangs(lonely):
    """With a sidecar that has short time-outs."""
    product = lonely.product
    assert product.nginx.stop() == 0
    product.nginx.run(lambda text: re.sub(r"(fastcgi_read_timeout) \d+s", r"\1 1s", text))
    try:
        with hung(product):
            assert kept_connection_ends(product.public_port, "/products", 504)
    finally:
        assert product.nginx.stop() == 0
        product.nginx.run()
        # Kept connections ended with it.
        product.public.close()
        product.internal.close()
        product.health.close()


class Impostor(threading.Thread):
    """Stands in for the worker: reads a little of each request and hangs up."""

    def __init__(self, path):
        super().__init__(daemon=True)
        path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.requests = 0

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                self.requests += 1

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join()


def test_post_is_sent_once(lonely):
    product = lonely.product
    assert product.stop_worker() == 0
    impostor = Impostor(product.socket)
    impostor.start()
    try:
        for client in (product.public, lonely.gateway):
            impostor.requests = 0
            is_problem(client.post("/products", json=LAMP), 502, "bad-gateway")
            assert impostor.requests == 1
    finally:
        impostor.stop()
        product.start_worker()


def test_a_silent_client_loses_its_connection(product):
    with socket.create_connection(("127.0.0.1", product.public_port), timeout=60) as sock:
        started = time.monotonic()
        sock.sendall(b"GET /products HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            pass
        assert time.monotonic() - started > 5


# ---- host names ----


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1", "127.0.0.1:8001", "[::1]", "[::1]:8001"])
def test_own_names_are_served(platform, host):
    for client in (platform.product.public, platform.gateway, platform.product.internal):
        assert client.get("/products", headers={"Host": host}).status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "evil.example:8001", "127.0.0.1.evil.example", "x.svc.evil.example"]
)
def test_other_names_are_not(platform, host):
    for client in (platform.product.public, platform.gateway, platform.product.internal):
        answer = client.get("/products", headers={"Host": host})
        is_problem(answer, 421, "misdirected-request")
        assert answer.header("Access-Control-Allow-Origin") is None
        absolute = f"GET http://{host}/products HTTP/1.1\r\nHost: localhost\r\n\r\n"
        is_problem(client.raw(absolute.encode()), 421, "misdirected-request")


@pytest.mark.parametrize("host", ["10.1.2.3:9000", "[fd00::1]", "product", "product-service:9000",
                                  "product-service.shop.svc.cluster.local"])  # fmt: skip
def test_names_inside_a_cluster(product, host):
    assert product.internal.get("/products?limit=1", headers={"Host": host}).status == 200
    assert product.health.get("/readyz", headers={"Host": host}).status == 200
    is_problem(product.public.get("/products", headers={"Host": host}), 421)


def test_further_names(make_platform):
    bed = make_platform(
        services=("product",), gateway=True, nginx={"SERVER_NAMES": "shop.example, *.shop.example"}
    )
    for host in ("shop.example", "www.shop.example:8080", "localhost"):
        assert bed.product.public.get("/products", headers={"Host": host}).status == 200
    is_problem(bed.product.public.get("/products", headers={"Host": "example"}), 421)


# ---- caches ----


def test_what_caches_may_keep(platform):
    assert platform.product.public.post("/products", json=LAMP).header("Cache-Control") == "no-cache"
    for path in ("/products", "/products/unknown", "/openapi.json"):
        assert platform.product.public.get(path).header("Cache-Control") == "no-cache"
    for client in (platform.cart.public, platform.gateway):
        for path in ("/carts?user_id=nobody", "/carts/unknown", "/carts?limit=x"):
            assert client.get(path).header("Cache-Control") == "no-store"
    for path in ("/orders?user_id=nobody", "/orders/unknown", "/nothing"):
        assert platform.order.public.get(path).header("Cache-Control") == "no-store"
    assert platform.gateway.get("/nothing").header("Cache-Control") == "no-store"
    page = platform.cart.public.get("/docs").body.decode()
    file = platform.cart.public.get("/docs/" + re.search(r'docs/([^"]+)"', page)[1])
    assert "immutable" in file.header("Cache-Control")


# ---- compression ----


def test_compression_over_a_kibibyte_only(product):
    packed = {"Accept-Encoding": "gzip"}
    plain = product.public.get("/openapi.json")
    assert plain.header("Content-Encoding") is None
    answer = product.public.get("/openapi.json", headers=packed)
    assert answer.header("Content-Encoding") == "gzip"
    assert "Accept-Encoding" in ", ".join(answer.headers.get_all("Vary"))
    assert gzip.decompress(answer.body) == plain.body
    assert len(answer.body) < len(plain.body) / 2
    assert product.public.get("/", headers=packed).header("Content-Encoding") is None
    assert product.health.get("/openapi.json", headers=packed).header("Content-Encoding") is None


# ---- ROOT_PATH ----


@pytest.mark.parametrize("root", ["/products", "/shop/v1.0"])
def test_root_path(make_platform, root):
    bed = make_platform(services=("product",), gateway=False, nginx={"ROOT_PATH": root})
    client = bed.product.public

    # Below the prefix and without it; Location says which way it came.
    for prefix, path in ((root, f"{root}/products"), ("", "/products")):
        created = client.post(path, json=LAMP)
        assert created.status == 201, created
        identifier = created.json()["id"]
        assert created.header("Location") == f"{prefix}/products/{identifier}"
        assert client.get(created.header("Location")).json()["id"] == identifier
        for slash in ("", "/"):
            assert client.get(f"{path}{slash}").status == 200
            assert client.get(f"{root}/openapi.json{slash}").json()["openapi"]
            assert b"<title>" in client.get(f"{root}/redoc{slash}").body
            page = client.get(f"{root}/docs{slash}").body.decode()
            assert client.get(f"{root}/docs/" + re.search(r'docs/([^"]+)"', page)[1]).status == 200
    assert len(client.get("/products").json()) == 2

    # Where the document sends its readers, paths are found.
    at = f"http://127.0.0.1:{bed.product.public_port}"
    for path, address in ((root, at + root.removeprefix("/products")), ("", at)):
        (server,) = client.get(f"{path}/openapi.json").json()["servers"]
        assert server == {"url": address}
        assert client.get(address.removeprefix(at) + f"/products/{identifier}").status == 200

    # The bare prefix is the service's front page, unless it is the collection's own path.
    bare = client.get(root).json()
    assert bare == client.get(root + "/").json()
    if root == "/products":
        assert len(bare) == 2
    else:
        assert bare == {"message": "Product Service API"}

    for path in (f"{root}/livez", f"{root}/internal/reservations/1", "/livez", f"/x/..{root}/readyz"):
        is_problem(by_public_port(bed.product, "GET", path), 404, "not-found")
    # A prefix ends at a slash.
    is_problem(client.get(f"{root}x/products"), 404)
    assert bed.product.health.get("/livez").status == 200
