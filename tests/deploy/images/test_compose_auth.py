"""docker-compose.auth.yml: whoever calls is asked for a token of a provider, whose keys the
sidecars fetch over TLS."""

import json

import manifests
import pytest
import test_docs
from access import ISSUER
from conftest import podman, run
from pods import ask
from test_compose import Project, own_environment

SETTINGS = {"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": "shop"}


@pytest.fixture(scope="module")
def project(provider, tmp_path_factory):
    # Existing ones are kept.
    run(manifests.ROOT / "docker/make-keys.sh")
    # The provider's authority is nobody's but ours.
    (text,) = [block for block in test_docs.BLOCKS if "AUTH_CA_FILE:" in block]
    file = tmp_path_factory.mktemp("compose") / "authority.yml"
    file.write_text(text.replace("./provider-ca.crt", str(provider.authority)))
    found = Project("auth", own_environment() | SETTINGS, file)
    try:
        found.up()
        # These three networks lead to the outside.
        provider.start(*(f"{found.name}_{service}" for service in manifests.SERVICES))
        found.await_health()
        yield found
    finally:
        provider.stop()
        found.remove()


def call(project, path, method="GET", body=None, headers=()):
    status, text = ask(project.url("gateway", path), method, body, headers)
    return status, json.loads(text)


def made(answer, status=201):
    assert answer[0] == status, answer
    return answer[1]


@pytest.mark.parametrize("buyer", ["ada", None])
def test_customers_and_guests_buy_and_see_their_own(project, provider, buyer):
    staff = provider.headers("boss", "products:write stock:write")
    lamp = {"name": "Lamp", "price": 24.9, "inventory": 3}
    lamp = made(call(project, "/products", "POST", lamp, staff))["id"]
    headers = provider.headers(buyer) if buyer else {}
    cart = made(call(project, "/carts", "POST", {}, headers))
    headers = headers or {"Cart-Secret": cart["secret"]}
    line = {"product_id": lamp, "quantity": 2}
    made(call(project, f"/carts/{cart['id']}/items", "POST", line, headers), 200)
    order = made(call(project, "/orders", "POST", {"cart_id": cart["id"]}, headers))
    path = f"/orders/{order['id']}"
    assert made(call(project, path, headers=headers), 200) == order
    assert call(project, path)[0] == 401
    assert call(project, path, headers=provider.headers("eve"))[0] == 404


def test_prices_are_nobody_s_to_change(project):
    assert call(project, "/products", "POST", {"name": "Lamp", "price": 1})[0] == 401


def test_siblings_alone_are_asked_by_siblings(project):
    """Their keys open the internal port; that it is reached at all proves nothing."""
    script = (
        "exec 3<>/dev/tcp/cart/9000; printf 'DELETE /internal/carts/c-1/checkouts/o-1 HTTP/1.0\\r\\n%s\\r\\n' \"$0\" >&3; "
        "read -r _ status _ <&3; echo $status"
    )
    worker = project.container("order-worker")
    key = podman("exec", worker, "cat", "/run/keys/order/cart").stdout.strip()
    for shown, status in (("", "401"), (f"Authorization: Bearer {key}\r\n", "204")):
        done = podman("exec", worker, "timeout", "5", "bash", "-c", script, shown)
        assert done.stdout.strip() == status


@pytest.mark.parametrize("missing", SETTINGS)
def test_without_a_setting_nothing_starts(missing):
    environment = own_environment() | SETTINGS
    del environment[missing]
    project = Project("auth", environment)
    try:
        done = project.compose("up", "-d", "--no-build")
        assert done.returncode != 0 and missing in done.stdout + done.stderr
        assert podman("ps", "-a", "-q", "--filter", f"name={project.name}").stdout == ""
    finally:
        project.remove()
