"""The rendered production overlay's Deployments, run as pods: whoever calls is asked for a token."""

import contextlib
import json
import secrets
import time

import manifests
import pytest
from access import AccessPod, write
from conftest import podman
from pods import ask, probe_answers

ORDER = "/orders"


@pytest.fixture(scope="module")
def make_pod(images, network, provider, tmp_path_factory):
    """make_pod(service, name): it has been started, and is removed with the module."""
    with contextlib.ExitStack() as stack:
        folder = tmp_path_factory.mktemp("production")
        AccessPod.overlay = manifests.compose(folder, "overlays/production", "auth/provider-ca")
        AccessPod.provider = provider
        AccessPod.guest_keys = f"{secrets.token_hex(32)}\n"

        def make(service, name):
            pod = AccessPod(service, images[service], network, f"{network}-{name}")
            stack.callback(pod.remove)
            return pod

        yield make


@pytest.fixture(scope="module")
def pods(network, provider, make_pod):
    """Of each service; the provider has come after them."""
    found = {service: make_pod(service, service) for service in manifests.SERVICES}
    await_life(found["cart"])
    assert not found["cart"].is_ready()
    provider.start(network)
    for pod in found.values():
        pod.await_ready()
    return found


def await_life(pod):
    deadline = time.monotonic() + 30
    while not probe_answers(pod.url(9200, "/livez")):
        assert time.monotonic() < deadline, pod.logs("worker") + pod.logs("nginx")
        time.sleep(0.1)


def made(answer, status=201):
    assert answer[0] == status, answer
    return json.loads(answer[1])


def call(pod, path, method="GET", body=None, **headers):
    return ask(pod.url(8000, path), method, body, headers)


class Buyer:
    """A customer with a token, or, without headers, a guest."""

    def __init__(self, pods, provider, headers=None):
        self.pods = pods
        self.headers = headers or {}
        staff = provider.headers("boss", "products:write stock:write")
        lamp = {"name": "Lamp", "price": 24.9, "inventory": 9}
        self.lamp = made(call(pods["product"], "/products", "POST", lamp, **staff))["id"]

    def fill_cart(self):
        cart = made(call(self.pods["cart"], "/carts", "POST", {}, **self.headers))
        if not self.headers:
            self.headers = {"Cart-Secret": cart["secret"]}
        line = {"product_id": self.lamp, "quantity": 2}
        path = f"/carts/{cart['id']}/items"
        made(call(self.pods["cart"], path, "POST", line, **self.headers), 200)
        return cart["id"]

    def order(self):
        return call(self.pods["order"], ORDER, "POST", {"cart_id": self.fill_cart()}, **self.headers)


def test_a_customer_buys_and_nobody_else_sees_it(pods, provider):
    """Order shows its siblings the tokens of its account."""
    ada = Buyer(pods, provider, provider.headers("ada"))
    order = made(ada.order())
    assert (order["user_id"], order["total_amount"]) == ("ada", 49.8)
    path = f"{ORDER}/{order['id']}"
    assert made(call(pods["order"], path, **ada.headers), 200) == order
    assert call(pods["order"], path)[0] == 401
    assert call(pods["order"], path, **provider.headers("eve"))[0] == 404
    assert call(pods["order"], path, **provider.headers("eve", aud="other"))[0] == 401
    assert made(call(pods["product"], f"/products/{ada.lamp}"), 200)["inventory"] == 7


def test_a_guest_buys(pods, provider):
    guest = Buyer(pods, provider)
    order = made(guest.order())
    path = f"{ORDER}/{order['id']}"
    assert made(call(pods["order"], path, **guest.headers), 200) == order
    assert call(pods["order"], path)[0] == 401


@pytest.mark.parametrize("callee", ["product", "cart"])
def test_the_internal_port_knows_the_cluster_s_accounts_only(pods, provider, callee):
    path = {"product": "/internal/reservations/o-1", "cart": "/internal/carts/c-1/checkouts/o-1"}[callee]
    audience = f"{callee}-service"
    shown = {
        "nothing": None,
        "a customer's": provider.token("ada", "admin"),
        "another account's": provider.account("cart", audience),
        "one for somebody else": provider.account("order", "other-service"),
    }
    for what, token in shown.items():
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        status, _ = ask(pods[callee].url(9000, path), "DELETE", headers=headers)
        assert status == (403 if what == "another account's" else 401), what


def test_a_token_that_the_kubelet_replaces_counts_at_once(pods, provider):
    order = pods["order"]
    (volume,) = [v["name"] for v in order.manifest["volumes"] if v["name"].endswith("-service-tokens")]
    folder = order.folder(volume)
    ada = Buyer(pods, provider, provider.headers("ada"))

    def replace(**claims):
        write(folder, {to: provider.account("order", f"{to}-service", **claims) for to in ("cart", "product")})

    replace(lifetime=-60)
    assert ada.order()[0] == 503
    replace()
    made(ada.order())


def give_keys(pod, keys):
    (volume,) = [v["name"] for v in pod.manifest["volumes"] if v["name"].endswith("-guest-keys")]
    write(pod.folder(volume), {"keys": "".join(keys)})
    podman("restart", pod.container("worker"))
    pod.await_ready()


def test_guests_keys_are_rotated(pods, provider):
    """docs/SECURITY.md: first all take the new one, then it makes secrets. Cart is a step ahead."""
    old, new = AccessPod.guest_keys, f"{secrets.token_hex(32)}\n"
    guest = Buyer(pods, provider)
    cart = guest.fill_cart()
    give_keys(pods["order"], [old, new])
    give_keys(pods["cart"], [new, old])
    made(call(pods["order"], ORDER, "POST", {"cart_id": cart}, **guest.headers))
    made(Buyer(pods, provider).order())


def test_a_rollout_waits_while_the_provider_is_away(pods, provider, make_pod):
    """A pod without keys takes the place of none that has them; restarted, a worker has its sidecar's."""
    provider.stop()
    new = make_pod("cart", "new")
    await_life(new)
    # Longer than a kubelet asks before it believes.
    for _ in range(8):
        assert not new.is_ready()
        time.sleep(1)
    assert call(new, "/carts", **provider.headers("ada"))[0] == 503
    assert call(new, "/carts", "POST", {})[0] == 201
    old = pods["cart"]
    podman("restart", old.container("worker"))
    old.await_ready()
    assert call(old, "/carts", **provider.headers("ada"))[0] == 200
    provider.start(new.network)
    new.await_ready()
    assert call(new, "/carts", **provider.headers("ada"))[0] == 200
