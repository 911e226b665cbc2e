"""Deployments of the dev overlay as pods of podman, which takes most of Kubernetes' manifests.

What differs from a cluster: podman names emptyDir volumes without the pod's name asks probes
with a curl that the images do not have, and publishes every port on the machine: so volumes are
renamed, probes are asked by the tests, and ports are not mentioned, pods having addresses. The
database is a SQLite file beside the socket.
"""

import base64
import copy
import json
import threading
import time
import urllib.request

import manifests
import yaml
from conftest import podman

DEV = "k8s/overlays/dev"


def probe_answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


class Pod:
    """One replica of a service, reachable by its Service's name within the network."""

    def __init__(self, service, image, network, name):
        self.name = name
        self.service = service
        documents = copy.deepcopy(manifests.render(DEV))
        deployment = manifests.named(documents, "Deployment", f"{service}-service")
        self.spec = manifests.pod(deployment)
        self.secret = f"{name}-database"
        # A kubelet starts nothing again in a pod that is ending; podman would.
        manifest = copy.deepcopy(self.spec) | {"restartPolicy": "Never"}
        for container in manifest["containers"]:
            container["image"] = image
            container.pop("ports", None)
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                del container[probe]
            for mount in container["volumeMounts"]:
                mount["name"] = f"{name}-{mount['name']}"
            for entry in container.get("env", []):
                entry["valueFrom"]["secretKeyRef"]["name"] = self.secret
        for volume in manifest["volumes"]:
            volume["name"] = f"{name}-{volume['name']}"
        self.volumes = [volume["name"] for volume in manifest["volumes"]]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": manifests.pod_labels(deployment)},
            "spec": manifest,
        }
        value = base64.b64encode(f"sqlite:////run/app/{service}.db".encode()).decode()
        documents = [*manifests.of_kind(documents, "ConfigMap"), pod]
        try:
            podman("secret", "create", self.secret, "-", input=json.dumps({"url": value}))
            self.address = self.play(documents, f"{network}:alias={service}-service", network)
        except BaseException:
            self.remove()
            raise

    def play(self, documents, attachment, network):
        """Starts it and returns its address."""
        podman("kube", "play", "--network", attachment, "-", input=yaml.safe_dump_all(documents))
        infra = json.loads(podman("pod", "inspect", self.name).stdout)["InfraContainerID"]
        networks = json.loads(podman("inspect", infra).stdout)[0]["NetworkSettings"]["Networks"]
        return networks[network]["IPAddress"]

    def url(self, port, path):
        return f"http://{self.address}:{port}{path}"

    def container(self, role):
        return f"{self.name}-{role}"

    def logs(self, role):
        done = podman("logs", self.container(role))
        return done.stdout + done.stderr

    def await_ready(self):
        """As the kubelet does: the readiness probes of both containers."""
        probes = [c["readinessProbe"]["httpGet"]["path"] for c in self.spec["containers"]]
        deadline = time.monotonic() + 30
        while not all(probe_answers(self.url(9000, path)) for path in probes):
            assert time.monotonic() < deadline, self.logs("worker") + self.logs("nginx")
            time.sleep(0.1)

    def stop_container(self, role, hook=True):
        """Its preStop hook, then SIGTERM, then the wait for its end: what a kubelet does."""
        spec = {c["name"]: c for c in self.spec["containers"]}[role]
        if hook:
            podman("exec", self.container(role), *spec["lifecycle"]["preStop"]["exec"]["command"])
        podman("kill", "--signal", "TERM", self.container(role))
        return int(podman("wait", self.container(role)).stdout)

    def terminate(self, order, hooks=True):
        """Both containers at once, the first in order a little before; their exit codes, and
        how long it took."""
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

    def remove(self):
        podman("pod", "rm", "-f", "-t", "0", self.name, check=False)
        podman("secret", "rm", self.secret, check=False)
        podman("volume", "rm", "-f", *self.volumes, check=False)
