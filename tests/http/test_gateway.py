"""What the gateway passes on, and what it answers itself."""

import time

import pytest
from client import Client, is_problem
from sidecar import SHOP, TRACE, TRACEPARENT, preflight

pytestmark = pytest.mark.storeless


@pytest.mark.parametrize(
    "path", ["/products", "/products/", "/carts?user_id=nobody", "/orders?user_id=nobody"]
)
def test_gateway_passes_prefixes_on(platform, path):
    answer = platform.gateway.get(path)
    assert answer.status == 200 and isinstance(answer.json(), list), answer


@pytest.mark.parametrize("path", ["/", "/docs", "/product", "/productsx", "/cartsx/1", "/livez"])
def test_gateway_knows_nothing_else(platform, path):
    answer = platform.gateway.get(path, headers=SHOP)
    is_problem(answer, 404, "not-found")
    assert answer.header("Access-Control-Allow-Origin") == SHOP["Origin"]
    assert answer.header("Vary") == "Origin"


@pytest.mark.parametrize("path", ["/products/../livez", "/products/%2e%2e/internal/x", "/orders/../readyz"])
def test_gateway_hides_internal_paths(platform, path):
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    is_problem(platform.gateway.raw(request.encode()), 404, "not-found")


def test_gateway_adds_nothing_twice(platform):
    headers = {**SHOP, "X-Request-ID": "through-1", "traceparent": TRACEPARENT}
    for path in ("/products", "/products/unknown"):
        answer = platform.gateway.get(path, headers=headers)
        assert answer.header("X-Request-ID") == "through-1"
        assert TRACE in answer.header("traceparent")
        assert answer.header("Access-Control-Allow-Origin") == SHOP["Origin"]
        assert answer.header("Access-Control-Allow-Credentials") == "true"
        assert answer.headers.get_all("Vary").count("Origin") == 1
    answer = platform.gateway.request("OPTIONS", "/products", headers=preflight(SHOP["Origin"]))
    assert answer.status == 204
    assert "PUT" in answer.header("Access-Control-Allow-Methods")


def test_gateway_leaves_the_body_limit_to_the_sidecar(platform):
    body = b"a" * (2 << 20)
    headers = {"Content-Type": "application/json"}
    answer = platform.gateway.clone().post("/products", body=body, headers=headers)
    is_problem(answer, 413, "content-too-large")


def test_gateway_keeps_the_connection_of_who_is_refused_before_the_body(platform):
    """nginx closes a connection if it has not seen the end of the body, although it announced
    keep-alive."""

    def body():
        time.sleep(0.05)
        yield b"{}"

    with Client(platform.gateway.port) as client:
        for _ in range(3):
            is_problem(client.request("PUT", "/carts", body=body()), 405)


def test_gateway_serves_http_1_0(platform):
    answer = platform.gateway.raw(b"GET /products?limit=1 HTTP/1.0\r\n\r\n")
    assert answer.status == 200, answer


def test_gateway_keeps_its_connections(platform):
    with Client(platform.gateway.port) as client:
        assert client.get("/products").status == 200
        sock = client.connection.sock
        for _ in range(20):
            assert client.get("/products").status == 200
        assert client.connection.sock is sock
