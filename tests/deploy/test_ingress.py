"""Emissary's Mappings: paths, time-outs, retries, and what must not be reachable."""

import ipaddress
import re

import manifests
import pytest

MAPPINGS = manifests.of_kind(manifests.load("k8s/ingress.yaml"), "Mapping")
PREFIXES = {"/products": "product", "/carts": "cart", "/orders": "order"}
STREAMS = ("/products/bulk", "/products/export")


@pytest.mark.parametrize("mapping", MAPPINGS, ids=manifests.title)
class TestMapping:
    def test_leads_to_the_public_port_of_a_service(self, mapping):
        spec = mapping["spec"]
        host, port = spec["service"].split(":")
        name, namespace = host.split(".")
        collection = "/" + spec["prefix"].split("/")[1]
        assert name == f"{PREFIXES[collection]}-service"
        service = manifests.named(manifests.render("k8s/overlays/production"), "Service", name)
        assert service["metadata"]["namespace"] == namespace
        assert [p["name"] for p in service["spec"]["ports"] if p["port"] == int(port)] == ["public"]

    def test_path_is_passed_on_unchanged(self, mapping):
        assert mapping["spec"]["rewrite"] == ""
        assert mapping["spec"]["hostname"] == "*"

    def test_cors_is_the_sidecars(self, mapping):
        assert "cors" not in mapping["spec"]

    def test_repeats_reads_and_what_was_not_sent(self, mapping):
        spec = mapping["spec"]
        is_read = spec.get("method") == "GET"
        retries = spec.get("retry_policy")
        if spec["prefix"] in STREAMS:
            assert retries is None
        else:
            assert retries["retry_on"] == ("gateway-error" if is_read else "connect-failure")
            assert retries["num_retries"] == 1
        assert [sorted(b) for b in spec["circuit_breakers"]] == [
            ["max_connections", "max_pending_requests", "max_requests", "max_retries"]
        ]

    def test_waits_longer_than_the_sidecar(self, mapping):
        spec = mapping["spec"]
        path = re.escape(spec["prefix"]) if spec["prefix"] in STREAMS else ""
        waits = manifests.nginx_seconds("sidecar", "fastcgi_read_timeout", path)
        # The first of all is the one of http {}.
        sidecar = waits[0] * 1000
        retries = spec.get("retry_policy")
        # A stream is cut by its silence, and by the end of what a client may take in all.
        assert spec.get("idle_timeout_ms", spec["timeout_ms"]) > sidecar
        if retries and "per_try_timeout" in retries:
            each = float(retries["per_try_timeout"].removesuffix("s")) * 1000
            assert each > sidecar and spec["timeout_ms"] > each * (1 + retries["num_retries"])
        kept = manifests.nginx_seconds("sidecar", "keepalive_timeout")
        assert spec["cluster_idle_timeout_ms"] < kept[0] * 1000

    def test_gives_connections_up_before_a_pod_ends(self, mapping):
        """A Service's address hides which pod is at the other end of a kept connection: a request sent
        while that pod's nginx closes it would be lost."""
        name = mapping["spec"]["service"].split(".")[0]
        deployment = manifests.named(manifests.render("k8s/overlays/production"), "Deployment", name)
        nginx = manifests.containers(deployment)["nginx"]
        sleep = int(nginx["lifecycle"]["preStop"]["exec"]["command"][1])
        # The last one may be made until every node has forgotten the endpoint.
        assert 4 + mapping["spec"]["cluster_max_connection_lifetime_ms"] / 1000 < sleep


def test_every_collection_is_mapped_for_all_methods():
    general = {m["spec"]["prefix"] for m in MAPPINGS if "method" not in m["spec"]}
    assert general == set(PREFIXES)
    # No Mapping of "/", /internal, /metrics or the health checks.
    assert {"/" + m["spec"]["prefix"].split("/")[1] for m in MAPPINGS} == set(PREFIXES)


def test_streams_have_their_own_mapping():
    for path in STREAMS:
        found = [m["spec"] for m in MAPPINGS if m["spec"]["prefix"] == path]
        assert len(found) == 1
        assert found[0]["timeout_ms"] >= 600_000
        # An import is silent while it is stored.
        if path == "/products/bulk":
            assert found[0]["idle_timeout_ms"] == found[0]["timeout_ms"]
        assert "retry_policy" not in found[0]


def test_prefixes_are_the_sidecars_root_paths():
    documents = manifests.render("k8s/overlays/production")
    for prefix, service in PREFIXES.items():
        workload = manifests.named(documents, "Deployment", f"{service}-service")
        nginx = manifests.containers(workload)["nginx"]
        assert manifests.settings(documents, nginx)["ROOT_PATH"] == prefix


def test_trusted_hops_are_not_the_modules():
    """Emissary 1 read these settings there. Since version 2 they are l7Depth of a Listener, and here
    they are ignored."""
    module = manifests.named(manifests.load("k8s/emissary-ingress.yaml"), "Module", "ambassador")
    assert "xff_num_trusted_hops" not in module["spec"]["config"]
    assert module["spec"]["config"]["use_remote_address"] is True


def test_the_client_is_whom_emissary_is_asked_by():
    """Sidecars trust only the last entry of X-Forwarded-For; with another hop in between it would be
    that hop's. test_network.py checks that only Emissary reaches the public port."""
    for listener in manifests.of_kind(manifests.load("k8s/emissary-listener.yaml"), "Listener"):
        assert listener["spec"]["l7Depth"] == 0


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
def test_sidecars_believe_private_networks_only(overlay):
    documents = manifests.render(f"k8s/overlays/{overlay}")
    for service in manifests.SERVICES:
        workload = manifests.named(documents, "Deployment", f"{service}-service")
        trusted = manifests.settings(documents, manifests.containers(workload)["nginx"])["TRUSTED_PROXIES"]
        assert all(ipaddress.ip_network(network).is_private or network == "100.64.0.0/10"
                   for network in trusted.split(","))  # fmt: skip


def test_production_has_no_plain_http():
    """A token that is sent so can be read on the way. Either Host takes the other's place."""
    ((host,), (plain,)) = (manifests.of_kind(manifests.load(path), "Host") for path in manifests.HOSTS)
    assert host["metadata"] == plain["metadata"]
    assert host["spec"]["requestPolicy"] == {"insecure": {"action": "Redirect"}}
    assert host["spec"]["tlsSecret"] == {"name": "shop-tls"}
    assert host["spec"]["hostname"] == plain["spec"]["hostname"] == "*"
    (application,) = [d for d in manifests.render("argocd") if d["metadata"]["name"] == "emissary-ingress"]
    included = application["spec"]["source"]["directory"]["include"].strip("{}").split(",")
    assert {f"k8s/{name}" for name in included} == set(manifests.INGRESS_FILES) - {"k8s/emissary-host-plain.yaml"}


def test_emissary_publishes_nothing_of_its_own():
    """Emissary 3 routes /ambassador/v0/… on every listener unless the Module disables it."""
    module = manifests.named(manifests.load("k8s/emissary-ingress.yaml"), "Module", "ambassador")
    for name in ("diagnostics", "liveness_probe", "readiness_probe"):
        assert module["spec"]["config"][name] == {"enabled": False}


def test_emissary_and_the_sidecars_call_themselves_the_same():
    """tests/http/test_nginx.py asks the sidecars themselves."""
    module = manifests.named(manifests.load("k8s/emissary-ingress.yaml"), "Module", "ambassador")
    assert module["spec"]["config"]["server_name"] == "nginx"


def test_listeners_hosts_and_module_are_emissarys_own():
    for path in ("k8s/emissary-ingress.yaml", "k8s/emissary-listener.yaml", *manifests.HOSTS):
        for document in manifests.load(path):
            assert document["metadata"]["namespace"] == "emissary"
    assert {d["spec"]["port"] for d in manifests.load("k8s/emissary-listener.yaml")} == {8080, 8443}
    # Emissary reads the Module of this name only.
    assert manifests.of_kind(manifests.load("k8s/emissary-ingress.yaml"), "Module")[0]["metadata"][
        "name"
    ] == "ambassador"
