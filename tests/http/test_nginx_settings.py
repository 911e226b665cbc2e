"""Settings of nginx/render.sh: a bad one is named."""

import re
import subprocess

import pytest
from testbed import ROOT, environment

pytestmark = pytest.mark.storeless


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("sidecar", "SERVICE", "stock"),
        ("sidecar", "PUBLIC_PORT", "70000"),
        ("sidecar", "PUBLIC_PORT", "80; root /"),
        ("sidecar", "INTERNAL_PORT", "8000"),
        ("internal", "HEALTH_PORT", "9000"),
        ("sidecar", "HEALTH_PORT", "health"),
        ("sidecar", "LISTEN_ADDRESS", "localhost"),
        ("sidecar", "WORKER_SOCKET", '/run/"; root /'),
        ("sidecar", "ROOT_PATH", "/products/"),
        ("sidecar", "ROOT_PATH", "products"),
        ("sidecar", "ROOT_PATH", "/(a"),
        ("sidecar", "RATE_LIMIT_RPS", "-1"),
        ("sidecar", "RATE_LIMIT_RPS", "fast"),
        ("sidecar", "STORING_LIMIT_RPS", "-1"),
        ("sidecar", "TRUSTED_PROXIES", "127.0.0.1,proxy"),
        ("sidecar", "TRUSTED_PROXIES", "unix:public.sock"),
        ("sidecar", "WORKER_PROCESSES", "0"),
        ("sidecar", "ROUTES", "/nowhere"),
        ("sidecar", "CONNECTIONS", "many"),
        ("sidecar", "CLIENT_CONNECTIONS", "-1"),
        ("sidecar", "SERVER_NAMES", "shop.example;"),
        ("sidecar", "SERVER_NAMES", "Shop.example"),
        ("gateway", "SERVER_NAMES", "~."),
        ("gateway", "SOURCE_ADDRESS", "localhost"),
        ("sidecar", "CORS_ALLOW_ORIGINS", "*,https://shop.example"),
        ("sidecar", "CORS_ALLOW_ORIGINS", "https://shop.example/"),
        ("sidecar", "CORS_ALLOW_ORIGINS", "https://*.example"),
        ("sidecar", "CORS_ALLOW_ORIGINS", "https://shop.example:*"),
        ("sidecar", "CORS_ALLOW_ORIGINS", "shop.example"),
        ("sidecar", "CORS_ALLOW_ORIGINS", "null"),
        ("sidecar", "CORS_ALLOW_ORIGINS", "https://a.example,"),
        ("sidecar", "CORS_ALLOW_ORIGINS", "https://a.example\nhttps://b.example"),
        ("internal", "AUTH_ISSUER", "shop"),
        ("internal", "AUTH_ISSUER", "http://id.example"),
        ("internal", "AUTH_ISSUER", "https://id.example?a=b"),
        ("internal", "AUTH_ISSUER", 'https://id.example/"; root /'),
        ("internal", "AUTH_ISSUER", "https://id.example/$uri"),
        ("internal", "AUTH_JWKS", "http://id.example/keys"),
        ("internal", "AUTH_JWKS", "https://user@id.example/keys"),
        ("internal", "AUTH_JWKS", "https:///keys"),
        ("internal", "SERVICE_JWKS", "http://kubernetes.example/keys"),
        ("gateway", "GATEWAY_PORT", "0"),
        ("gateway", "CART_PORT", "x"),
        ("gateway", "ORDER_ADDRESS", 'unix:/run/"; root /'),
        ("balancer", "CART_ADDRESS", "unix:/run/cart.sock"),
    ],
)
def test_a_bad_setting_is_named(kind, name, value):
    is_refused(kind, {"SERVICE": "product", name: value}, name)


def is_refused(kind, settings, name):
    run = subprocess.run(
        [ROOT / "nginx" / "render.sh", kind],
        env=environment(settings),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 2
    assert run.stdout == ""
    assert name in run.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_CA_FILE", "/nowhere"),
        ("SERVICE_CA_FILE", "/nowhere"),
        ("PROVIDER_SOCKET", '/run/"; root /'),
        ("RESOLVERS", "name.example"),
        ("RESOLVERS", "127.0.0.1; root /"),
    ],
)
def test_a_bad_setting_of_fetching_is_named(name, value):
    good = {"SERVICE": "cart", "AUTH_ISSUER": "https://id.example", "AUTH_CA_FILE": "/etc/hostname"}
    good["SERVICE_CA_FILE"] = "/etc/hostname"
    is_refused("internal", good | {name: value}, name)


@pytest.mark.parametrize(("name", "at"), [("AUTH_JWKS", "/keys"), ("SERVICE_JWKS", "/service-keys")])
@pytest.mark.parametrize(
    ("address", "asked"),
    [("https://id.example:8443", "https://id.example:8443/"), ("https://id.example/a?b", "https://id.example/a?b")],
)
def test_keys_are_where_their_address_says(tmp_path, name, at, address, asked):
    """nginx would ask one without a path for the path that the worker asks for."""
    (tmp_path / "routes").write_text("public GET 0 /carts listCarts\n")
    settings = {"SERVICE": "cart", "ROUTES": tmp_path / "routes", name: address}
    settings |= {"AUTH_CA_FILE": "/etc/hostname", "SERVICE_CA_FILE": "/etc/hostname"}
    rendered = subprocess.check_output(
        [ROOT / "nginx" / "render.sh", "internal"], env=environment(settings), text=True
    )
    assert f'\t\t{at} "{asked}";\n' in rendered


def test_a_unix_socket_has_no_replicas():
    settings = {"PRODUCT_ADDRESS": "unix:/run/product.sock", "PRODUCT_PORT": "8001,8011"}
    is_refused("gateway", settings, "PRODUCT_PORT")


def test_siblings_are_waited_for_as_long_past_a_mark():
    """Whether a replica is marked as away or not."""
    settings = {"PRODUCT_INTERNAL_PORT": "9001,9011", "CART_INTERNAL_PORT": "9002,9012"}
    rendered = subprocess.check_output(
        [ROOT / "nginx" / "render.sh", "balancer"], env=environment(settings), text=True
    )
    assert len(set(re.findall(r"proxy_read_timeout (\S+);", rendered))) == 1
