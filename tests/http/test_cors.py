"""Which pages may call the sidecar from a browser (CORS)."""

import pytest
from sidecar import EXPOSED, SHOP, preflight

pytestmark = pytest.mark.storeless


@pytest.mark.parametrize(
    "origin", ["https://shop.example", "http://localhost", "http://localhost:3000"]
)
@pytest.mark.parametrize("path", ["/products", "/products/unknown", "/livez"])
def test_listed_origin(product, origin, path):
    answer = product.public.get(path, headers={"Origin": origin})
    assert answer.header("Access-Control-Allow-Origin") == origin
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    assert answer.header("Access-Control-Expose-Headers") == EXPOSED
    assert "Origin" in answer.headers.get_all("Vary")


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "null",
        "https://shop.example.evil",
        "https://evil-shop.example",
        "http://shop.example",
        "https://shop.example:8443",
        "http://localhost.evil:80",
        "http://localhost:3000/",
        "http://localhost:",
        "https://localhost:3000",
        "http://evil/http://localhost:3000",
    ],
)
def test_unlisted_origin(product, origin):
    for method, extra in (("GET", {}), ("OPTIONS", {"Access-Control-Request-Method": "PUT"})):
        headers = {"Origin": origin, **extra} if origin else extra
        answer = product.public.request(method, "/products", headers=headers)
        assert not [name for name in answer.headers if name.startswith("Access-Control-")]
        assert "Origin" in answer.headers.get_all("Vary")


def test_preflight_is_answered_for_a_listed_origin(product):
    answer = product.public.request(
        "OPTIONS", "/products/x", headers=preflight("http://localhost:5173")
    )
    assert answer.status == 204 and answer.body == b""
    assert answer.header("Access-Control-Allow-Origin") == "http://localhost:5173"
    assert answer.header("Access-Control-Allow-Credentials") == "true"
    methods = answer.header("Access-Control-Allow-Methods").split(", ")
    assert {"GET", "POST", "PUT", "PATCH", "DELETE"} <= set(methods)
    headers = answer.header("Access-Control-Allow-Headers").lower().split(", ")
    assert {"authorization", "content-type", "idempotency-key", "if-match", "traceparent"} <= set(headers)
    assert int(answer.header("Access-Control-Max-Age")) > 0


def test_preflight_of_an_unlisted_origin_allows_nothing(product):
    answer = product.public.request(
        "OPTIONS", "/products", headers=preflight("https://evil.example")
    )
    assert answer.status == 204
    assert not [name for name in answer.headers if name.startswith("Access-Control-")]


def test_options_without_an_origin_names_the_methods(product):
    answer = product.public.request("OPTIONS", "/products")
    assert "GET" in answer.header("Allow")


def test_other_ports_have_no_cors(product):
    for client, path in ((product.internal, "/products"), (product.health, "/openapi.json")):
        answer = client.get(path, headers=SHOP)
        assert answer.status == 200
        assert answer.header("Access-Control-Allow-Origin") is None
        assert client.request("OPTIONS", path, headers=preflight(SHOP["Origin"])).status == 404


def test_any_origin_never_gets_credentials(make_platform):
    bed = make_platform(
        services=("product",), gateway=False, nginx={"CORS_ALLOW_ORIGINS": "*"}
    )
    answer = bed.product.public.get("/products", headers={"Origin": "https://any.example"})
    assert answer.header("Access-Control-Allow-Origin") == "*"
    assert answer.header("Access-Control-Allow-Credentials") is None
    assert answer.header("Access-Control-Expose-Headers") == EXPOSED
