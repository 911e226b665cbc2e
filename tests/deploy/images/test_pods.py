"""The rendered dev overlay's Deployments, run as pods."""

import json

import manifests
import pytest
from conftest import podman
from pods import ask, purchase, running

PREFIXES = {"product": "/products", "cart": "/carts", "order": "/orders"}


@pytest.fixture(scope="module")
def pods(images, network):
    with running(images, network) as found:
        yield found


@pytest.fixture(params=manifests.SERVICES)
def pod(request, pods):
    return pods[request.param]


def test_sidecar_answers_under_its_prefix(pod):
    prefix = PREFIXES[pod.service]
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert ask(pod.url(8000, prefix + path))[0] == 200


@pytest.mark.parametrize("path", ["/internal/x", "/metrics", "/livez", "/readyz"])
def test_probes_and_metrics_are_on_the_health_port_only(pod, path):
    for prefix in ("", PREFIXES[pod.service]):
        assert ask(pod.url(8000, prefix + path))[0] == 404
        assert ask(pod.url(9000, prefix + path))[0] == 404
    assert ask(pod.url(9200, path))[0] == (404 if path.startswith("/internal") else 200)


@pytest.mark.parametrize("role", ["worker", "nginx"])
def test_containers_are_locked_in(pod, role):
    found = json.loads(podman("inspect", pod.container(role)).stdout)[0]
    assert found["Config"]["User"].startswith("10001")
    assert found["HostConfig"]["ReadonlyRootfs"] is True
    assert found["EffectiveCaps"] in (None, [])
    # Not even its own folder outside the volumes.
    assert podman("exec", pod.container(role), "touch", "/data/x", check=False).returncode != 0


def test_a_purchase_through_three_pods(pods):
    """The siblings find each other by the names in the manifests."""
    purchase(pods)


def test_memory_is_far_below_its_limits(pods):
    for pod in pods.values():
        for container in pod.spec["containers"]:
            name = pod.container(container["name"])
            stats = json.loads(podman("stats", "--no-stream", "--format", "json", name).stdout)[0]
            used = stats["mem_usage"].split("/")[0].strip()
            print(f"{name}: {used}")
            limit = int(container["resources"]["limits"]["memory"].removesuffix("Mi")) * 2**20
            number = float(used.rstrip("kMGB"))
            unit = {"kB": 1e3, "MB": 1e6, "GB": 1e9}[used.lstrip("0123456789.")]
            assert number * unit < limit / 2
