"""The dev overlay with its PostgreSQL: the StatefulSet and the three Deployments."""

import json
import time

import manifests
import pytest
from conftest import podman
from pods import Database, ask, purchase, running


@pytest.fixture(scope="module")
def database(postgres_image, network):
    found = Database(postgres_image, network, f"{network}-postgres")
    try:
        found.await_ready()
        yield found
    finally:
        found.remove()


@pytest.fixture(scope="module")
def pods(images, database, network):
    secrets = manifests.secrets()
    urls = {s: secrets[f"{s}-database"]["stringData"]["url"] for s in manifests.SERVICES}
    with running(images, network, urls) as found:
        yield found


def test_the_database_is_locked_in(database):
    found = json.loads(podman("inspect", database.container("postgres")).stdout)[0]
    assert found["Config"]["User"].startswith("999")
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert found["EffectiveCaps"] in (None, [])


def query(database, role, password, name):
    """SELECT 1 over TCP, as that role, in that database."""
    # From the loopback address the image trusts everybody.
    url = f"postgresql://{role}:{password}@{database.address}/{name}"
    return podman(
        "exec", database.container("postgres"), "psql", "-X", "-w", "-At", "-c", "SELECT 1", url, check=False
    )


def test_a_role_reaches_its_own_database_only(database):
    for role in manifests.SERVICES:
        password = manifests.secrets()[f"{role}-database"]["stringData"]["password"]
        assert query(database, role, "wrong", role).returncode != 0
        for name in (*manifests.SERVICES, "postgres", "template1"):
            done = query(database, role, password, name)
            assert (done.returncode == 0) == (name == role), f"{role} in {name}: {done.stderr}"
            assert role == name or "permission denied" in done.stderr


def test_an_order_outlives_the_database_pod(database, pods):
    """A new pod on the old volume; the workers find it again by themselves."""
    order = pods["order"]
    path = purchase(pods)
    before = json.loads(ask(order.url(8000, path))[1])
    database.stop()
    deadline = time.monotonic() + 30
    while any(pod.is_ready() for pod in pods.values()):
        assert time.monotonic() < deadline, "ready without a database"
        time.sleep(0.2)
    assert all(ask(pod.url(9200, "/livez"))[0] == 200 for pod in pods.values())
    database.play()
    database.await_ready()
    for pod in pods.values():
        pod.await_ready()
    after = json.loads(ask(order.url(8000, path))[1])
    assert after["total_amount"] == before["total_amount"]
    assert after["items"] == before["items"]
    purchase(pods)
