"""A pod of a Deployment is replaced while requests come in, with the hooks, signals and graces of the
manifest: no request may be lost, whichever of its two containers the kubelet stops first."""

import http.client
import json
import threading
import time

import pytest
from pods import Pod

CLIENTS = 16
PAUSE = 0.01  # seconds between a client's requests
# How long proxies go on sending to a pod that is ending.
ENDPOINTS_FORGOTTEN_AFTER = 4
ORDERS = [("nginx", "worker"), ("worker", "nginx")]


class Load:
    """Clients that read and write over kept connections to whichever pods are endpoints. Like
    Envoy, they give a pod's connections up while it waits: at once here, within
    cluster_max_connection_lifetime_ms there (k8s/ingress.yaml)."""

    def __init__(self, *addresses):
        self.endpoints = list(addresses)
        self.lost = []
        self.answers = {}
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(n,)) for n in range(CLIENTS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def client(self, number):
        connections = {}
        turn = number
        while not self.stopping.is_set():
            turn += 1
            with self.lock:
                endpoints = list(self.endpoints)
            for gone in set(connections) - set(endpoints):
                connections.pop(gone).close()
            address = endpoints[turn % len(endpoints)]
            connection = connections.setdefault(
                address, http.client.HTTPConnection(address, 8000, timeout=20)
            )
            outcome = self.exchange(connection, number, turn)
            time.sleep(PAUSE)
            with self.lock:
                self.answers[address] = self.answers.get(address, 0) + 1
                if outcome:
                    self.lost.append((address, outcome))

    @staticmethod
    def exchange(connection, number, turn):
        """What went wrong, or None."""
        # As the ingress says it: the limit of requests is for each client's address, a name is asked for.
        headers = {"Host": "localhost", "X-Forwarded-For": f"198.51.100.{number}"}
        try:
            if turn % 4 == 0:
                body = json.dumps({"name": f"Lamp {turn}", "price": 1})
                headers["Content-Type"] = "application/json"
                connection.request("POST", "/products", body, headers)
            else:
                connection.request("GET", "/products?limit=5", headers=headers)
            answer = connection.getresponse()
            answer.read()
            return None if answer.status in (200, 201) else str(answer.status)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            return repr(error)


@pytest.fixture
def pair(images, network):
    """Two ready replicas of the product service."""
    found = []
    try:
        for name in ("old", "new"):
            found.append(Pod("product", images["product"], network, f"{network}-{name}"))
        for pod in found:
            pod.await_ready()
        yield found
    finally:
        for pod in found:
            pod.remove()


@pytest.mark.parametrize("order", ORDERS, ids=["nginx-first", "worker-first"])
def test_a_rollout_loses_no_request(pair, order):
    old, new = pair
    with Load(old.address, new.address) as load:
        time.sleep(1)

        def forget():
            with load.lock:
                load.endpoints.remove(old.address)
                load.until_forgotten = dict(load.answers)

        timer = threading.Timer(ENDPOINTS_FORGOTTEN_AFTER, forget)
        timer.start()
        codes, seconds = old.terminate(order)
        time.sleep(1)
    answers = dict(load.answers)
    print(f"{sum(answers.values())} requests, ended after {seconds:.1f} s, lost: {len(load.lost)}")
    assert load.lost == []
    assert codes == {"nginx": 0, "worker": 0}
    assert seconds < old.spec["terminationGracePeriodSeconds"]
    # The old pod was in use until it was forgotten, the new one until the end.
    assert load.until_forgotten[old.address] > 100
    assert answers[new.address] > load.until_forgotten[new.address]
    log = old.logs("worker")
    assert log.index('"draining"') < log.index('"stopped"')


def test_without_hooks_requests_are_lost(pair):
    """Otherwise the test above would prove nothing."""
    old, new = pair
    with Load(old.address, new.address) as load:
        time.sleep(1)
        old.terminate(("worker", "nginx"), hooks=False)
    assert load.lost
