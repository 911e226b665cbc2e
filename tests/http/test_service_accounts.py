"""Siblings that show tokens of the cluster: the kubelet's, which it replaces before they expire."""

import json

import pytest
import tokens
from client import is_problem
from test_fetched_keys import Certificates, Provider
from test_start import messages, run_worker
from testbed import wait_until
from world import made

CLUSTER = "https://kubernetes.default.svc.cluster.local"
ACCOUNT = "system:serviceaccount:shop:order"
PATH = "/internal/reservations/o-1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def cluster():
    return tokens.Provider("cluster")


def account(cluster, callee, sub=ACCOUNT, **claims):
    """As the kubelet's: for one audience, without type, scopes or client."""
    claims = {"iss": CLUSTER, "aud": [callee], "scope": None, "client_id": None, **claims}
    return cluster.token(sub, **claims)


def vouching(cluster, folder):
    """The settings by which a cluster vouches for siblings."""
    (folder / "cluster.json").write_text(json.dumps(cluster.jwks()))
    return {
        "SERVICE_ISSUER": CLUSTER,
        "SERVICE_AUDIENCE": "shop-services",
        "SERVICE_JWKS": folder / "cluster.json",
        "SERVICE_NAMESPACE": "shop",
    }


def settings(cluster, folder, provider):
    given = tokens.settings(provider, folder)
    del given["SERVICE_KEYS"]
    for callee in ("cart", "product"):
        (given["SERVICE_TOKENS"] / callee).write_text(account(cluster, "shop-services"))
    return given | vouching(cluster, folder)


@pytest.fixture(scope="module")
def provider():
    return tokens.Provider()


@pytest.fixture(scope="module")
def bed(make_platform, cluster, folder, provider):
    return make_platform(gateway=False, worker=settings(cluster, folder, provider))


def ask(bed, token):
    return bed.product.internal.delete(PATH, headers={"Authorization": f"Bearer {token}"})


def test_a_sibling_is_known_by_its_account(bed, cluster):
    assert ask(bed, account(cluster, "shop-services")).status == 204
    refused = ask(bed, account(cluster, "shop-services", "system:serviceaccount:shop:cart"))
    assert is_problem(refused, 403)["code"] == "forbidden"


@pytest.mark.parametrize(
    ("sub", "claims"),
    [
        ("system:serviceaccount:other:order", {}),
        ("system:serviceaccount:shop2:order", {}),
        ("system:serviceaccount:shop", {}),
        ("system:serviceaccount:", {}),
        ("system:node:order", {}),
        ("order", {}),
        (ACCOUNT, {"aud": ["other"]}),
        (ACCOUNT, {"iss": tokens.issuer.ISSUER}),
        (ACCOUNT, {"lifetime": -60}),
    ],
)
def test_others_are_not(bed, cluster, sub, claims):
    refused = ask(bed, account(cluster, "shop-services", sub, **claims))
    assert is_problem(refused, 401)["code"] == "invalid-token"


def test_a_customer_is_no_sibling_and_a_sibling_no_customer(bed, cluster, provider):
    customer = provider.token(ACCOUNT, "admin")
    assert ask(bed, customer).status == 401
    answer = bed.cart.public.get(
        "/carts", headers={"Authorization": f"Bearer {account(cluster, 'shop-services')}"}
    )
    assert answer.status == 401


def buy(bed, provider):
    admin, ada = provider.headers("boss", "admin"), provider.headers("ada")
    body = {"name": "Lamp", "price": 5, "inventory": 10}
    product = made(bed.product.public.post("/products", json=body, headers=admin))["id"]
    cart = made(bed.cart.public.post("/carts", json={}, headers=ada))["id"]
    line = {"product_id": product, "quantity": 1}
    made(bed.cart.public.post(f"/carts/{cart}/items", json=line, headers=ada), 200)
    return bed.order.public.post("/orders", json={"cart_id": cart}, headers=ada)


def test_a_token_that_is_replaced_counts_at_once(bed, cluster, folder, provider):
    assert made(buy(bed, provider))["user_id"] == "ada"
    shown = folder / "order/cart"
    good = shown.read_text()
    shown.write_text(account(cluster, "shop-services", lifetime=-60))
    assert is_problem(buy(bed, provider), 503)["code"] == "unavailable"
    fresh = folder / "fresh"
    fresh.write_text(good)
    fresh.replace(shown)
    assert made(buy(bed, provider))["user_id"] == "ada"


@pytest.mark.storeless
@pytest.mark.parametrize("name", ["SERVICE_AUDIENCE", "SERVICE_JWKS", "SERVICE_NAMESPACE"])
def test_what_is_missing_is_named(tmp_path, cluster, provider, name):
    given = settings(cluster, tmp_path, provider)
    status, log = run_worker("product", tmp_path, {**given, name: ""})
    assert status == 1 and any(name in message for message in messages(log))


def test_the_clusters_keys_come_through_the_sidecar(make_platform, cluster, provider, tmp_path):
    """As the Kubernetes API gives them: to accounts, whose token the worker shows."""
    api = Provider(Certificates(tmp_path))
    api.key, api.jwk = cluster.key, cluster.jwk
    mine = tmp_path / "api"
    mine.write_text("the-workers-own\n")
    fetched = {"SERVICE_JWKS": f"{api.issuer}/keys", "SERVICE_JWKS_TOKEN": mine}
    try:
        bed = make_platform(
            services=("product",), gateway=False,
            worker=settings(cluster, tmp_path, provider) | fetched,
            nginx={"SERVICE_CA_FILE": api.certificates.ca_file},
        )  # fmt: skip
        token = account(cluster, "shop-services")
        wait_until(lambda: ask(bed, token).status == 204, 20, "the keys have come")
        assert api.seen["Authorization"] == "Bearer the-workers-own"
    finally:
        api.close()
    assert ask(bed, token).status == 204


@pytest.mark.storeless
@pytest.mark.parametrize("content", [None, "", "a b"])
def test_what_a_fetch_shows_must_be_there(tmp_path, cluster, provider, content):
    if content is not None:
        (tmp_path / "api").write_text(content)
    given = settings(cluster, tmp_path, provider)
    given |= {"SERVICE_JWKS": "https://kubernetes.example/openid/v1/jwks", "SERVICE_JWKS_TOKEN": tmp_path / "api"}
    status, log = run_worker("product", tmp_path, given)
    assert status == 1 and any("SERVICE_JWKS_TOKEN" in message for message in messages(log))
