"""make up DB=postgres REPLICAS=3: three workers and sidecars of each service, through the gateway; and
the same with AUTH=1."""

import functools
import signal
from collections import Counter

import pytest
from conftest import installed
from installation import EVENTUALLY, REPLICAS, within
from shop import done
from testbed import SERVICES


@pytest.fixture(scope="module", params=["off", "1"], ids=["open", "AUTH=1"])
def installation(request):
    with installed() as platform:
        platform.chosen = {"DB": "postgres", "REPLICAS": REPLICAS, "AUTH": request.param}
        platform.works("up.sh", **platform.chosen)
        yield platform


@pytest.fixture(scope="module")
def show(installation):
    """show(user, scopes): what somebody shows; nothing where nobody is asked."""

    @functools.cache
    def headers(user, scopes=""):
        if installation.chosen["AUTH"] == "off":
            return {}
        token = installation.shell(f"make token USER={user} SCOPES='{scopes}'").split()[-1]
        return {"Authorization": f"Bearer {token}"}

    return headers


def buy(client, show, product, quantity=1):
    """Through the gateway; the answer to the order."""
    shown = show("replicas")
    cart = done(client.post("/carts", {"user_id": "replicas"}, headers=shown), 201)["id"]
    item = {"product_id": product, "quantity": quantity}
    done(client.post(f"/carts/{cart}/items", item, headers=shown), 200)
    return client.post("/orders", {"user_id": "replicas", "cart_id": cart}, headers=shown)


def make_product(client, show, inventory=100):
    body = {"name": "Replicated mug", "price": 2, "inventory": inventory}
    shown = show("staff", "products:write stock:write")
    return done(client.post("/products", body, headers=shown), 201)["id"]


def test_demo(installation):
    printed = installation.works("demo.py")
    assert "Everything went as promised." in printed


def test_status_lists_all(installation):
    printed = installation.works("status.sh")
    lines = {line.split()[0]: line for line in printed.splitlines()[1:]}
    for service in SERVICES:
        for name in (service, f"{service}-2", f"{service}-3"):
            assert lines[name].endswith("ready") and "not ready" not in lines[name]
    assert {"balancer", "postgres", "gateway"} <= lines.keys()


def test_replicas_share_the_processors(installation):
    """One nginx process each: three sidecars with one per processor would only compete with each
    other."""
    for service in SERVICES:
        for name in (service, f"{service}-2", f"{service}-3"):
            configuration = installation.state / "run" / f"{name}-nginx.conf"
            assert "\nworker_processes 1;\n" in configuration.read_text()


def more(installation, service, before):
    """Requests that each replica got since."""
    return [now - then for now, then in zip(installation.served(service), before[service])]


def test_requests_are_spread(installation, show):
    """For clients, and for siblings. Replicas are chosen at random: one of three gets fewer than 5 of
    60 requests once in 300,000 times."""
    client = installation.gateway
    before = {service: installation.served(service) for service in SERVICES}
    product = make_product(client, show)
    for _ in range(60):
        assert buy(client, show, product).status == 201
    stock = done(client.get(f"/products/{product}"), 200)
    assert (stock["inventory"], stock["reserved"]) == (40, 60)
    for service in SERVICES:
        # A line is written after the answer.
        within(EVENTUALLY, lambda: min(more(installation, service, before)) >= 5)  # noqa: B023
        assert min(more(installation, service, before)) >= 5, more(installation, service, before)


def test_up_again_changes_nothing(installation):
    assert "It is up already." in installation.works("up.sh")
    for other in ({"REPLICAS": 1}, {"DB": "sqlite"}, {"DB": "sqlite", "REPLICAS": 1}):
        status, printed = installation.run("up.sh", **other)
        assert status == 1, printed
    status, printed = installation.run("reset-data.sh")
    assert status == 1 and "make down" in printed
    installation.works("status.sh")


@pytest.mark.parametrize("service", SERVICES)
def test_without_a_replica(installation, show, service):
    """Its worker and sidecar are gone: the others serve all clients, and no client notices."""
    client = installation.gateway.clone()
    product = make_product(client, show)
    installation.end(f"{service}-2-nginx", signal.SIGQUIT)
    installation.end(f"{service}-2-worker", signal.SIGKILL)
    statuses = Counter(buy(client, show, product).status for _ in range(10))
    assert statuses == {201: 10}
    status, printed = installation.run("status.sh")
    assert status == 1 and "not ready" in printed
    installation.works("up.sh")
    installation.works("status.sh")


def test_reads_go_on_without_a_worker(installation, show):
    """Its sidecar is there and says 502: for reads, the next replica is asked."""
    client = installation.gateway.clone()
    product = make_product(client, show)
    installation.end("product-3-worker", signal.SIGKILL)
    assert {client.get(f"/products/{product}").status for _ in range(30)} == {200}
    installation.works("up.sh")


def test_data_is_there_after_a_restart(installation, show):
    client = installation.gateway
    product = done(client.get(f"/products/{make_product(client, show)}"), 200)
    client.close()
    assert "postgres" in installation.works("down.sh")
    assert installation.works("down.sh") == "Nothing runs.\n"
    installation.works("up.sh", **installation.chosen)
    assert done(client.get(f"/products/{product['id']}"), 200) == product
