"""The pages at /docs and /redoc: what they refer to, their policy, compression and caching."""

import gzip
import re

import pytest
import tokens
from client import is_problem
from testbed import SERVICES

pytestmark = pytest.mark.storeless

PACKED = {"Accept-Encoding": "gzip"}
PAGES = ("docs", "redoc")
ADDRESS = re.compile(r'(?:src|stylesheet" href)="([^"]+)"')


def files_of(client, path):
    """The addresses that the page at this path refers to."""
    page = client.get(path)
    assert page.status == 200, page
    assert page.header("Content-Type") == "text/html; charset=utf-8"
    found = ADDRESS.findall(page.body.decode())
    assert found, page
    return found


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("name", SERVICES)
def test_files_are_where_the_page_says(platform, name, page, slash):
    for client, root in ((platform.services[name].public, ""), (platform.gateway, f"/{name}s")):
        for address in files_of(client, f"{root}/{page}{slash}"):
            # Relative to the page, whatever it was reached under.
            assert address.startswith("../" if slash else "docs/")
            file = client.get(f"{root}/{address.removeprefix('../')}")
            assert file.status == 200, file
            assert file.header("Content-Type") in ("text/javascript", "text/css")


@pytest.mark.parametrize("page", PAGES)
def test_policy_lets_nothing_inline_run(platform, page):
    for client, root in ((platform.product.public, ""), (platform.gateway, "/products")):
        policy = client.get(f"{root}/{page}").header("Content-Security-Policy")
        assert policy.startswith("default-src 'none'; ")
        assert "script-src 'self';" in policy and "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


def test_a_service_that_asks_nobody_says_so(platform):
    assert b"AUTH=off" in platform.product.public.get("/docs").body
    assert b"AUTH=off" not in platform.product.public.get("/redoc").body


@pytest.fixture(scope="module")
def asking(make_platform, tmp_path_factory):
    """make_platform() with AUTH=jwt and such settings."""
    folder = tmp_path_factory.mktemp("auth")
    settings = tokens.settings(tokens.Provider(), folder)
    return lambda **more: make_platform(
        services=("product",), gateway=False, worker={**settings, **more}
    ).product.public


def test_people_sign_in_with_the_client_that_is_set(asking):
    client = asking(AUTH_DOCS_CLIENT='"<docs>&', AUTH_ISSUER="https://id.example:8443/realms/shop")
    page = client.get("/docs")
    text = page.body.decode()
    assert 'data-issuer="https://id.example:8443/realms/shop"' in text and 'data-audience="shop"' in text
    assert 'data-client="&#34;&#60;docs&#62;&#38;"' in text
    policy = page.header("Content-Security-Policy").split("; ")
    assert "connect-src 'self' https://id.example:8443" in policy
    assert "script-src 'self'" in policy and b"AUTH=off" not in page.body
    policy = client.get("/redoc").header("Content-Security-Policy").split("; ")
    assert "connect-src 'self'" in policy


def test_without_a_client_tokens_are_only_pasted(asking):
    page = asking().get("/docs")
    assert b"data-" not in page.body and b"AUTH=off" not in page.body
    assert "connect-src 'self'" in page.header("Content-Security-Policy").split("; ")


def test_other_answers_keep_the_policy_of_nginx(product):
    page = product.public.get("/docs/redoc.000000000000000.js")
    is_problem(page, 404, "not-found")
    assert page.header("Content-Security-Policy") == "default-src 'none'; frame-ancestors 'none'"


def test_files_are_sent_compressed_and_unpacked_for_who_cannot(product):
    for address in files_of(product.public, "/docs"):
        packed = product.public.get(f"/{address}", headers=PACKED)
        plain = product.public.get(f"/{address}")
        assert packed.header("Content-Encoding") == "gzip"
        assert plain.header("Content-Encoding") is None
        assert gzip.decompress(packed.body) == plain.body
        for answer in (packed, plain):
            assert "Accept-Encoding" in ", ".join(answer.headers.get_all("Vary"))


def test_files_are_cached_for_ever_and_pages_are_not(product):
    assert product.public.get("/docs").header("Cache-Control") == "no-cache"
    address = files_of(product.public, "/docs")[0]
    file = product.public.get(f"/{address}", headers=PACKED)
    assert file.header("Cache-Control") == "public, max-age=31536000, immutable"
    for tag in (file.header("ETag"), product.public.get(f"/{address}").header("ETag"), "*"):
        again = product.public.get(f"/{address}", headers={**PACKED, "If-None-Match": tag})
        assert (again.status, again.body) == (304, b"")
    other = product.public.get(f"/{address}", headers={**PACKED, "If-None-Match": '"1"'})
    assert other.body == file.body


@pytest.mark.parametrize("name", SERVICES)
def test_the_document_tells_the_address_it_was_asked_at(platform, name):
    """Absolute, because tools use it unchanged; through the gateway, the gateway's address."""
    for client, path in ((platform.services[name].public, ""), (platform.gateway, f"/{name}s")):
        document = client.get(f"{path}/openapi.json").json()
        assert document["servers"] == [{"url": f"http://127.0.0.1:{client.port}"}]


@pytest.mark.parametrize(
    ("host", "headers", "address"),
    [
        ("localhost:8001", {}, "http://localhost:8001"),
        ("localhost", {"X-Forwarded-Proto": "https"}, "https://localhost"),
        ("[::1]:80", {"X-Forwarded-Proto": "gopher"}, "http://[::1]:80"),
    ],
)
def test_names_of_the_address(product, host, headers, address):
    answer = product.public.get("/openapi.json", headers={"Host": host, **headers})
    assert answer.json()["servers"] == [{"url": address}]
