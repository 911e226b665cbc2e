"""Workloads of the dev overlay as pods of podman, which takes most of Kubernetes' manifests.

What differs from a cluster: podman names emptyDir volumes without the pod's name, asks probes
with a curl that the images do not have, publishes every port on the machine and knows no projected
volumes: so volumes are renamed, probes are asked by the tests, ports are not mentioned, pods having
addresses, and files are lent from a folder. Without a DATABASE_URL of PostgreSQL the database is a
SQLite file beside the socket.
"""

import base64
import contextlib
import copy
import json
import shutil
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import manifests
import yaml
from conftest import podman

DEV = "k8s/overlays/dev"
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def ask(url, method="GET", body=None, headers=()):
    """Status and body."""
    # As through kubectl port-forward: a pod's address is no host name of the shop.
    request = urllib.request.Request(url, headers={"Host": "localhost", **dict(headers)}, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def probe_answers(url):
    try:
        return ask(url)[0] == 200
    except OSError:
        return False


def purchase(pods):
    """Buys two of three lamps through the public ports; returns the order's path."""
    product, cart, order = (pods[service] for service in manifests.SERVICES)
    lamp = {"name": "Lamp", "price": 24.9, "inventory": 3}
    status, body = ask(product.url(8000, "/products"), "POST", lamp)
    assert status == 201, body
    lamp = json.loads(body)["id"]
    status, body = ask(cart.url(8000, "/carts"), "POST", {"user_id": "ada"})
    assert status == 201, body
    basket = json.loads(body)["id"]
    line = {"product_id": lamp, "quantity": 2}
    status, body = ask(cart.url(8000, f"/carts/{basket}/items"), "POST", line)
    assert status == 200, body
    wish = {"user_id": "ada", "cart_id": basket}
    status, body = ask(order.url(8000, "/orders"), "POST", wish)
    assert status == 201, body
    placed = json.loads(body)
    assert placed["total_amount"] == 49.8
    assert json.loads(ask(product.url(8000, f"/products/{lamp}"))[1])["inventory"] == 1
    return f"/orders/{placed['id']}"


def secret(name, key, value):
    """podman's form of a Secret that a secretKeyRef refers to."""
    encoded = base64.b64encode(value.encode()).decode()
    podman("secret", "create", name, "-", input=json.dumps({key: encoded}))


class Workload:
    """One pod of a workload, reachable by its Service's name in the network."""

    def __init__(self, workload, alias, image, network, name):
        self.name = name
        self.network = network
        self.attachment = f"{network}:alias={alias}"
        self.spec = manifests.pod(workload)
        self.labels = manifests.pod_labels(workload)
        self.secret = f"{name}-database"
        # A kubelet starts nothing again in a pod that is ending; podman would.
        self.manifest = copy.deepcopy(self.spec) | {"restartPolicy": "Never"}
        for container in self.manifest["containers"]:
            container["image"] = image
            container.pop("ports", None)
            for probe in PROBES:
                del container[probe]
            for mount in container["volumeMounts"]:
                mount["name"] = f"{name}-{mount['name']}"
            for entry in container.get("env", []):
                if "secretKeyRef" in entry.get("valueFrom", {}):
                    entry["valueFrom"]["secretKeyRef"]["name"] = self.secret
        for volume in self.manifest["volumes"]:
            volume["name"] = f"{name}-{volume['name']}"
        self.volumes = [v["name"] for v in self.manifest["volumes"] if "emptyDir" in v]

    def play(self, config_maps=()):
        """Starts it."""
        metadata = {"name": self.name, "labels": self.labels}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": self.manifest}
        text = yaml.safe_dump_all([*config_maps, pod])
        podman("kube", "play", "--network", self.attachment, "-", input=text)
        infra = json.loads(podman("pod", "inspect", self.name).stdout)["InfraContainerID"]
        networks = json.loads(podman("inspect", infra).stdout)[0]["NetworkSettings"]["Networks"]
        self.address = networks[self.network]["IPAddress"]

    def container(self, role):
        return f"{self.name}-{role}"

    def logs(self, role):
        done = podman("logs", self.container(role))
        return done.stdout + done.stderr

    def stop(self):
        podman("pod", "rm", "-f", "-t", "20", self.name)

    def remove(self):
        podman("pod", "rm", "-f", "-t", "0", self.name, check=False)
        podman("secret", "rm", self.secret, check=False)
        podman("volume", "rm", "-f", *self.volumes, check=False)


class Pod(Workload):
    """One replica of a service."""

    overlay = DEV

    def __init__(self, service, image, network, name, database_url=None):
        documents = manifests.render(self.overlay)
        deployment = manifests.named(documents, "Deployment", f"{service}-service")
        super().__init__(deployment, f"{service}-service", image, network, name)
        self.service = service
        try:
            secret(self.secret, "url", database_url or f"sqlite:////run/app/{service}.db")
            self.prepare()
            self.play(manifests.of_kind(documents, "ConfigMap"))
        except BaseException:
            self.remove()
            raise

    def prepare(self):
        """Turns what podman does not know of the overlay into what it knows."""

    def url(self, port, path):
        return f"http://{self.address}:{port}{path}"

    def is_ready(self):
        """As a kubelet sees it: the readiness probes of both containers."""
        probes = [c["readinessProbe"]["httpGet"]["path"] for c in self.spec["containers"]]
        return all(probe_answers(self.url(9200, path)) for path in probes)

    def await_ready(self):
        deadline = time.monotonic() + 30
        while not self.is_ready():
            assert time.monotonic() < deadline, self.logs("worker") + self.logs("nginx")
            time.sleep(0.1)

    def stop_container(self, role, hook=True):
        """What a kubelet does: its preStop hook, then SIGTERM, then the wait for its end."""
        spec = {c["name"]: c for c in self.spec["containers"]}[role]
        if hook:
            podman("exec", self.container(role), *spec["lifecycle"]["preStop"]["exec"]["command"])
        podman("kill", "--signal", "TERM", self.container(role))
        return int(podman("wait", self.container(role)).stdout)

    def terminate(self, order, hooks=True):
        """Stops both containers, the first in order slightly before the other; their exit codes and the
        time it took."""
        codes = {}

        def stop(role):
            codes[role] = self.stop_container(role, hooks)

        threads = []
        started = time.monotonic()
        for role in order:
            threads.append(threading.Thread(target=stop, args=(role,)))
            threads[-1].start()
            time.sleep(0.5)
        for thread in threads:
            thread.join()
        return codes, time.monotonic() - started


@contextlib.contextmanager
def running(images, network, database_urls=None):
    """A ready pod of each service, by service. Without URLs each has a SQLite database."""
    found = {}
    try:
        for service in manifests.SERVICES:
            url = (database_urls or {}).get(service)
            found[service] = Pod(service, images[service], network, f"{network}-{service}", url)
        for pod in found.values():
            pod.await_ready()
        yield found
    finally:
        for pod in found.values():
            pod.remove()


class Database(Workload):
    """The plain PostgreSQL. Its data stay in a volume when it stops."""

    def __init__(self, image, network, name):
        documents = manifests.render(DEV)
        workload = manifests.named(documents, "StatefulSet", "postgres")
        service = workload["spec"]["serviceName"]
        super().__init__(workload, service, image, network, name)
        self.files = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.files.chmod(0o755)
        for volume in self.manifest["volumes"]:
            if "emptyDir" not in volume:
                self.lend(volume, documents)
        for claim in workload["spec"]["volumeClaimTemplates"]:
            volume = f"{name}-{claim['metadata']['name']}"
            self.volumes.append(volume)
            self.manifest["volumes"].append(
                {"name": volume, "persistentVolumeClaim": {"claimName": volume}}
            )
        password = manifests.secrets()["postgres-superuser"]["stringData"]["password"]
        try:
            secret(self.secret, "password", password)
            self.play()
        except BaseException:
            self.remove()
            raise

    def lend(self, volume, documents):
        """Turns a volume of a ConfigMap or of Secrets into a folder."""
        files = {}
        if "configMap" in volume:
            source = volume.pop("configMap")
            mode = source["defaultMode"]
            files = manifests.named(documents, "ConfigMap", source["name"])["data"]
        else:
            source = volume.pop("projected")
            mode = source.get("defaultMode", 0o644)
            for entry in (entry["secret"] for entry in source["sources"]):
                data = manifests.secrets()[entry["name"]]["stringData"]
                files |= {item["path"]: data[item["key"]] for item in entry["items"]}
        folder = self.files / volume["name"]
        folder.mkdir(mode=0o755)
        for file, text in files.items():
            (folder / file).write_text(text)
            (folder / file).chmod(mode)
        volume["hostPath"] = {"path": str(folder), "type": "Directory"}

    def is_ready(self):
        command = self.spec["containers"][0]["readinessProbe"]["exec"]["command"]
        return podman("exec", self.container("postgres"), *command, check=False).returncode == 0

    def await_ready(self):
        deadline = time.monotonic() + 60
        while not self.is_ready():
            assert time.monotonic() < deadline, self.logs("postgres")
            time.sleep(0.2)

    def remove(self):
        super().remove()
        shutil.rmtree(self.files)
