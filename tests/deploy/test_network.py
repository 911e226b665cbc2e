"""Evaluates the network policies: exactly the calls of the architecture are possible."""

import ipaddress
import itertools

import manifests
import pytest

# Pods outside the namespace, and one inside that nothing is known of: (namespace, labels).
OUTSIDERS = {
    "emissary": ("emissary", {"app.kubernetes.io/name": "emissary-ingress"}),
    "something in emissary": ("emissary", {"app.kubernetes.io/name": "emissary-apiext"}),
    "prometheus": ("monitoring", {"app.kubernetes.io/name": "prometheus"}),
    "grafana": ("monitoring", {"app.kubernetes.io/name": "grafana"}),
    "dns": ("kube-system", {"k8s-app": "kube-dns"}),
    # On the node's network: to a policy no pod, but its address.
    "dns cache": (None, {"address": "169.254.20.10"}),
    "node": (None, {"address": "169.254.169.254"}),
    "kubernetes api": (None, {"address": "10.96.0.1"}),
    "internet": (None, {"address": "203.0.113.7"}),
    "operator": ("cnpg-system", {"app.kubernetes.io/name": "cloudnative-pg"}),
    "stranger": ("default", {"app.kubernetes.io/name": "product-service"}),
    "lodger": ("shop", {"app.kubernetes.io/name": "lodger"}),
}
# The Kubernetes API's: its Service's, its own by default, and minikube's. It has no address that a
# manifest could know, so who asks it may reach these at all private ones.
API_PORTS = (443, 6443, 8443)
PORTS = (
    *(("TCP", port) for port in (8000, 9000, 9200, 5432, 9187, 53, *API_PORTS)),
    ("UDP", 53),
)

# Who may reach whom on which port: the whole of it, for the services.
CALLS = {
    ("cart", "product", 9000),
    ("order", "product", 9000),
    ("order", "cart", 9000),
    *((service, "postgres", 5432) for service in manifests.SERVICES),
    *((service, dns, 53) for service in manifests.SERVICES for dns in ("dns", "dns cache")),
    *(("emissary", service, 8000) for service in manifests.SERVICES),
    *(("prometheus", service, 9200) for service in manifests.SERVICES),
}
# What CloudNativePG's instances need besides.
OPERATED = {
    ("operator", "postgres", 5432),
    ("operator", "postgres", 8000),  # the instance manager
    ("postgres", "postgres", 5432),
    ("postgres", "postgres", 8000),
    ("prometheus", "postgres", 9187),
    ("postgres", "dns", 53),
    ("postgres", "dns cache", 53),
    *(("postgres", "kubernetes api", port) for port in API_PORTS),
}

# Who is called by siblings fetches the cluster's keys, by which it knows them.
FETCHED = {(service, "kubernetes api", port) for service in ("product", "cart") for port in API_PORTS}


def pods(documents):
    found = {}
    for workload in manifests.workloads(documents):
        name = workload["metadata"]["name"].removesuffix("-service")
        found[name] = ("shop", manifests.pod_labels(workload))
    for cluster in manifests.of_kind(documents, "Cluster"):
        labels = cluster["spec"]["inheritedMetadata"]["labels"]
        found["postgres"] = ("shop", labels | {"cnpg.io/cluster": cluster["metadata"]["name"]})
    return found


def peer_matches(peer, pod):
    namespace, labels = pod
    if "ipBlock" in peer or namespace is None:
        address, block = labels.get("address"), peer.get("ipBlock", {}).get("cidr")
        return bool(address and block) and ipaddress.ip_address(address) in ipaddress.ip_network(block)
    selector = peer.get("namespaceSelector")
    if selector is None:
        in_namespace = namespace == "shop"
    else:
        in_namespace = manifests.matches(selector, {"kubernetes.io/metadata.name": namespace})
    return in_namespace and manifests.matches(peer.get("podSelector", {}), labels)


def rule_allows(rule, side, pod, protocol, port):
    ports = rule.get("ports")
    if ports and not any(p["port"] == port and p.get("protocol", "TCP") == protocol for p in ports):
        return False
    peers = rule.get(side)
    return not peers or any(peer_matches(peer, pod) for peer in peers)


def allowed_one_way(policies, direction, subject, other, protocol, port):
    """What the pod itself may do (Egress) or accept (Ingress)."""
    namespace, labels = subject
    if namespace != "shop":
        return True
    selecting = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"]
        and manifests.matches(policy["spec"]["podSelector"], labels)
    ]
    if not selecting:
        return True
    side = {"Ingress": "from", "Egress": "to"}[direction]
    return any(
        rule_allows(rule, side, other, protocol, port)
        for spec in selecting
        for rule in spec.get(direction.lower(), [])
    )


def reachable(documents):
    policies = manifests.of_kind(documents, "NetworkPolicy")
    everybody = pods(documents) | OUTSIDERS
    found = set()
    for (source, target), (protocol, port) in itertools.product(
        itertools.product(everybody, repeat=2), PORTS
    ):
        if everybody[source][0] != "shop" and everybody[target][0] != "shop":
            continue
        one, two = everybody[source], everybody[target]
        if allowed_one_way(policies, "Egress", one, two, protocol, port) and allowed_one_way(
            policies, "Ingress", two, one, protocol, port
        ):
            found.add((source, target, port))
    return found


def test_the_documents_name_the_same_callers():
    """The operations' x-callers, from which nginx/render.sh makes the internal ports."""
    found = {
        (caller, service, 9000)
        for service in manifests.SERVICES
        for line in manifests.routes(service).splitlines()
        for caller in line.split()[0].split(",")
        if caller in manifests.SERVICES
    }
    assert found == {call for call in CALLS if call[2] == 9000}


def expected(documents):
    in_production = bool(manifests.of_kind(documents, "Cluster"))
    return CALLS | (OPERATED | FETCHED if in_production else set())


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
def test_only_the_calls_of_the_architecture_are_possible(overlay):
    documents = manifests.render(f"k8s/overlays/{overlay}")
    assert reachable(documents) == expected(documents)


def permitted(documents, direction):
    """What the policies of the pods on one side permit, whether or not the other side does."""
    policies = manifests.of_kind(documents, "NetworkPolicy")
    everybody = pods(documents) | OUTSIDERS
    found = set()
    for source, target in itertools.product(everybody, repeat=2):
        subject, other = (source, target) if direction == "Egress" else (target, source)
        if everybody[subject][0] != "shop":
            continue
        for protocol, port in PORTS:
            one, two = everybody[subject], everybody[other]
            if allowed_one_way(policies, direction, one, two, protocol, port):
                found.add((source, target, port))
    return found


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
def test_each_side_permits_its_calls_and_no_others(overlay):
    documents = manifests.render(f"k8s/overlays/{overlay}")
    inside = {name for name, (namespace, _) in pods(documents).items() if namespace == "shop"}
    calls = expected(documents)
    assert permitted(documents, "Egress") == {call for call in calls if call[0] in inside}
    assert permitted(documents, "Ingress") == {call for call in calls if call[1] in inside}


# Who asks the Kubernetes API, and no others.
API_CLIENTS = {
    "k8s/overlays/dev": set(),
    "k8s/overlays/production": {"postgres", "product-service", "cart-service"},
    "k8s/monitoring": {"prometheus"},
    "k8s/logging": {"fluentd"},
}


@pytest.mark.parametrize("folder", API_CLIENTS)
def test_egress_names_its_targets(folder):
    """No policy lets a pod connect to everything, and only a few permit the addresses of the Kubernetes
    API."""
    documents = manifests.render(folder)
    outward = [
        (policy["spec"]["podSelector"], rule)
        for policy in manifests.of_kind(documents, "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
    ]
    assert all(rule.get("to") for _, rule in outward)
    api, internet = OUTSIDERS["kubernetes api"], OUTSIDERS["internet"]
    clients = set()
    for selector, rule in outward:
        assert not any(peer_matches(peer, internet) for peer in rule["to"])
        if any(peer_matches(peer, api) for peer in rule["to"]):
            assert [port["port"] for port in rule["ports"]] == list(API_PORTS)
            clients |= {name for name, labels in labelled(documents) if manifests.matches(selector, labels)}
    assert clients == API_CLIENTS[folder]


def labelled(documents):
    """(name, labels) of the pods of every workload and of the operator."""
    for workload in (*manifests.workloads(documents), *manifests.of_kind(documents, "DaemonSet")):
        yield workload["metadata"]["name"], manifests.pod_labels(workload)
    for cluster in manifests.of_kind(documents, "Cluster"):
        yield cluster["metadata"]["name"], cluster["spec"]["inheritedMetadata"]["labels"]


@pytest.mark.parametrize(
    "folder", ["k8s/overlays/dev", "k8s/overlays/production", "k8s/monitoring", "k8s/logging"]
)
def test_names_are_asked_for_at_pods_and_at_the_nodes_cache(folder):
    rules = [
        rule
        for policy in manifests.of_kind(manifests.render(folder), "NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        if any(port["port"] == 53 for port in rule.get("ports", []))
    ]
    assert rules
    for rule in rules:
        reached = {name for name, pod in OUTSIDERS.items() if any(peer_matches(p, pod) for p in rule["to"])}
        assert reached == {"dns", "dns cache"}


def test_the_operators_own_labels_are_left_to_it():
    """Its later versions set the recommended ones themselves, and fight over what is inherited."""
    documents = manifests.render("k8s/overlays/production")
    own = {f"app.kubernetes.io/{name}" for name in ("name", "instance", "version", "component", "managed-by")}
    for cluster in manifests.of_kind(documents, "Cluster"):
        assert not own & set(cluster["spec"]["inheritedMetadata"]["labels"])


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
def test_default_is_to_deny(overlay):
    documents = manifests.render(f"k8s/overlays/{overlay}")
    default = manifests.named(documents, "NetworkPolicy", "default-deny")["spec"]
    assert default == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert {p["metadata"]["namespace"] for p in manifests.of_kind(documents, "NetworkPolicy")} == {"shop"}
