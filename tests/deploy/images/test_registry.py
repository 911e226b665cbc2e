"""make push, to a private registry."""

import json
import os
import subprocess
import time
import urllib.request

import manifests
import pytest
from conftest import VERSION, podman, run


def get(address, path, accept="application/json"):
    request = urllib.request.Request(f"http://{address}/v2/{path}", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer), answer.headers


@pytest.fixture(scope="module")
def registry(registry_image, tmp_path_factory):
    """Its address; podman is told to use no TLS."""
    name = podman("run", "-d", "-p", "127.0.0.1::5000", registry_image).stdout.split()[-1]
    try:
        address = podman("port", name, "5000").stdout.strip()
        settings = tmp_path_factory.mktemp("registry") / "registries.conf"
        settings.write_text(f'[[registry]]\nlocation = "{address}"\ninsecure = true\n')
        os.environ["CONTAINERS_REGISTRIES_CONF"] = str(settings)
        deadline = time.monotonic() + 20
        while True:
            try:
                get(address, "")
                break
            except OSError:
                assert time.monotonic() < deadline, podman("logs", name).stderr
                time.sleep(0.1)
        yield address
    finally:
        os.environ.pop("CONTAINERS_REGISTRIES_CONF", None)
        podman("rm", "-f", "-v", "-t", "0", name)


@pytest.fixture(scope="module")
def pushed(registry, images, build_environment):
    """What the images are called there."""
    names = {service: f"{registry}/shop/{service}-service" for service in images}
    try:
        for service, image in images.items():
            podman("tag", image, f"{names[service]}:{VERSION}", f"{names[service]}:latest")
        environment = build_environment | os.environ | {"REGISTRY": f"{registry}/shop/"}
        run("make", "push", env=environment, cwd=manifests.ROOT)
        yield names
    finally:
        for name in names.values():
            podman("rmi", f"{name}:{VERSION}", f"{name}:latest", check=False)


@pytest.mark.parametrize("service", manifests.SERVICES)
def test_both_tags_arrive_and_are_one_image(pushed, registry, images, service):
    name = f"shop/{service}-service"
    tags, _ = get(registry, f"{name}/tags/list")
    assert sorted(tags["tags"]) == ["latest", VERSION]
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    found = [get(registry, f"{name}/manifests/{tag}", kind) for tag in (VERSION, "latest")]
    digests = [headers["Docker-Content-Digest"] for _, headers in found]
    assert digests[0] == digests[1]
    local = json.loads(podman("image", "inspect", images[service]).stdout)[0]
    # The configuration's digest is what engines call the image's id.
    assert found[0][0]["config"]["digest"] == f"sha256:{local['Id']}"


def test_what_was_pushed_runs(pushed):
    name = f"{pushed['product']}:{VERSION}"
    podman("rmi", name, f"{pushed['product']}:latest")
    podman("pull", "--quiet", name)
    done = podman("run", "--rm", "--entrypoint", "service", name, "--version")
    assert VERSION in done.stdout


def test_push_has_to_be_told_where_to():
    environment = {name: value for name, value in os.environ.items() if name != "REGISTRY"}
    done = subprocess.run(
        ["make", "push"], cwd=manifests.ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "REGISTRY" in done.stderr
