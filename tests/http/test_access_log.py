"""What nginx logs of requests and errors."""

import re

import pytest
from sidecar import TRACE, TRACEPARENT, entries_of
from testbed import wait_until

pytestmark = pytest.mark.storeless


@pytest.fixture(scope="module")
def lonely(make_platform):
    """A product service whose worker may be stopped."""
    return make_platform(services=("product",), gateway=False)


def test_access_log_uses_ecs_names(product):
    headers = {"X-Request-ID": "logged-1", "traceparent": TRACEPARENT, "User-Agent": 'te"st\\1'}
    answer = product.public.get("/products?q=secret", headers=headers)
    (entry,) = entries_of(product.nginx, "logged-1")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", entry["@timestamp"])
    assert entry["service.name"] == "product"
    assert entry["labels.listener"] == "public"
    assert entry["http.request.method"] == "GET"
    assert entry["url.path"] == "/products"
    assert entry["http.response.status_code"] == 200
    assert entry["http.response.body.bytes"] == len(answer.body)
    assert entry["http.response.bytes"] > len(answer.body)
    assert isinstance(entry["event.duration"], int)
    assert isinstance(entry["nginx.upstream.duration"], int)
    assert entry["client.address"] == "127.0.0.1"
    assert entry["user_agent.original"] == 'te"st\\1'
    assert entry["trace.id"] == TRACE


def test_access_log_of_errors_by_nginx_has_the_request_itself(product):
    body = b"a" * (2 << 20)
    headers = {"X-Request-ID": "logged-2", "Content-Type": "application/json"}
    assert product.public.clone().post("/products", body=body, headers=headers).status == 413
    (entry,) = entries_of(product.nginx, "logged-2")
    assert entry["http.request.method"] == "POST"
    assert entry["url.path"] == "/products"
    assert entry["http.response.status_code"] == 413
    assert entry["nginx.upstream.duration"] is None


def test_access_log_stays_json_whatever_is_sent(product):
    product.public.raw(
        b'GET /\xff"\\ HTTP/1.1\r\nHost: localhost\r\nUser-Agent: \xff\x01"\r\n'
        b"X-Request-ID: logged-3\r\nConnection: close\r\n\r\n"
    )
    (entry,) = entries_of(product.nginx, "logged-3")
    assert entry["url.path"] == "(not ASCII)"
    assert entry["user_agent.original"] == "(not ASCII)"
    product.public.get("/", headers={"X-Request-ID": "logged-4"})
    (entry,) = entries_of(product.nginx, "logged-4")
    assert entry["user_agent.original"] == ""


def test_error_log_steers_no_terminal(lonely):
    """nginx logs a request's Referer as it came, next to the error."""
    assert lonely.product.stop_worker() == 0
    lonely.product.public.raw(
        b"GET /products?\xc2\x9b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Referer: http://a/\x1b[2J\x1b]0;owned\x07\xc2\x9b31m\x7f\r\n\r\n"
    )

    def found():
        return [line for line in lonely.product.nginx.log.read_bytes().splitlines(True) if b"owned" in line]

    wait_until(lambda: any(line.endswith(b"\n") for line in found()), 10, "the error is logged")
    lonely.product.start_worker()
    assert all(re.fullmatch(rb"[\t -~]*\n", line) for line in found())


def test_access_log_has_no_probes(product):
    before = len(product.nginx.access_entries())
    for path in ("/livez", "/readyz/", "/metrics?x=1"):
        product.health.get(path)
    for client, path, listener in (
        (product.internal, "/products", "internal"), (product.health, "/openapi.json", "health"),
    ):  # fmt: skip
        client.get(path, headers={"X-Request-ID": f"logged-{listener}"})
        (entry,) = entries_of(product.nginx, f"logged-{listener}")
        assert entry["labels.listener"] == listener
    logged = product.nginx.access_entries()[before:]
    assert not [e for e in logged if re.match("/(livez|readyz|metrics)", e["url.path"])]
