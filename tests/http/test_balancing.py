"""The gateway in front of several replicas: one that is marked as away gets nothing new
(nginx/render.sh)."""

import time

import pytest
from client import Client
from testbed import MARK_SEEN_WITHIN, Nginx, free_ports, wait_until

pytestmark = pytest.mark.storeless


@pytest.fixture(scope="module")
def gateway(platform):
    """Uses the sidecars of product and cart as two replicas of product: the cart's has no /products, so
    its 404 shows which one was asked."""
    ports = platform.product.public_port, platform.cart.public_port
    (port,) = free_ports(1)
    settings = {"GATEWAY_PORT": port, "PRODUCT_PORT": ",".join(map(str, ports))}
    nginx = Nginx(platform, "balancing", "gateway", settings)
    nginx.run()
    yield nginx
    assert nginx.stop() == 0


@pytest.fixture
def asked(gateway):
    """asked(): the statuses of many requests."""
    with Client(gateway.settings["GATEWAY_PORT"]) as client:
        yield lambda: {client.get("/products?limit=1").status for _ in range(20)}


def test_all_are_asked(asked):
    assert asked() == {200, 404}


@pytest.mark.parametrize("away, answered", [("cart", 200), ("product", 404)])
def test_marked_one_is_left_alone(platform, gateway, asked, away, answered):
    mark = gateway.directory / "away" / str(platform.services[away].public_port)
    mark.parent.mkdir(exist_ok=True)
    mark.touch()
    time.sleep(MARK_SEEN_WITHIN)
    assert asked() == {answered}
    mark.unlink()
    time.sleep(MARK_SEEN_WITHIN)
    assert asked() == {200, 404}
    mark.parent.rmdir()
    time.sleep(MARK_SEEN_WITHIN)
    assert asked() == {200, 404}


def test_requests_go_on_unchanged_past_the_mark(platform, gateway):
    mark = gateway.directory / "away" / str(platform.cart.public_port)
    path = "/products/a%20b%2Fc/%C3%A9"
    mark.parent.mkdir()
    mark.touch()
    time.sleep(MARK_SEEN_WITHIN)
    with Client(gateway.settings["GATEWAY_PORT"]) as client:
        assert client.get(path).status == 404
        assert client.get("/products?limit=0").status == 422
        assert client.post("/products", {"name": "Mug", "price": 1, "inventory": 1}).status == 201
    mark.unlink()
    mark.parent.rmdir()
    nginx = platform.product.nginx
    wait_until(lambda: path in [entry["url.path"] for entry in nginx.access_entries()], 10, "it is logged")
