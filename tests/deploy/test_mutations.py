"""The checks object: each mistake is made in a copy of the rendered manifests, and the check that is
there for it has to fail."""

import copy
import inspect

import manifests
import pytest
import test_argocd
import test_environment
import test_ingress
import test_network
import test_pods

DEV = "k8s/overlays/dev"
PRODUCTION = "k8s/overlays/production"
EVERYWHERE = {"namespaceSelector": {}, "podSelector": {}}


def container(document, name):
    return manifests.containers(document)[name]


def config_map(documents, name):
    """By the name in the sources: the rendered one ends with a hash."""
    found = [
        d for d in manifests.of_kind(documents, "ConfigMap") if d["metadata"]["name"].startswith(f"{name}-")
    ]
    assert len(found) == 1, name
    return found[0]["data"]


class Edit:
    """Changes one object of an overlay."""

    def __init__(self, kind, name, change):
        self.kind, self.name, self.change = kind, name, change

    def __call__(self, documents):
        self.change(manifests.named(documents, self.kind, self.name))


def deployment(name, change):
    return Edit("Deployment", name, change)


def worker(change):
    return deployment("cart-service", lambda d: change(container(d, "worker")))


def nginx(change):
    return deployment("cart-service", lambda d: change(container(d, "nginx")))


def policy(name, change):
    return Edit("NetworkPolicy", name, lambda d: change(d["spec"]))


def setting(name, change):
    return lambda documents: change(config_map(documents, name))


def add_secret(documents):
    documents.append({"kind": "Secret", "metadata": {"name": "x"}, "stringData": {"password": "hunter2"}})


def rename(old, new):
    def change(mapping):
        mapping[new] = mapping.pop(old)

    return change


def tagged(image):
    def change(document):
        for found in manifests.pod(document)["containers"]:
            found["image"] = image

    return deployment("order-service", change)


def drop(path):
    """Removes "a.b.c" of a container."""

    def change(found):
        *parents, last = path.split(".")
        for parent in parents:
            found = found[parent]
        del found[last]

    return change


def put(path, value):
    def change(found):
        *parents, last = path.split(".")
        for parent in parents:
            found = found[parent]
        found[last] = value

    return change


def scaler(change):
    return Edit("HorizontalPodAutoscaler", "cart-service", lambda d: change(d["spec"]))


def service(change):
    return Edit("Service", "cart-service", lambda d: change(d["spec"]))


STRANGE = {"app.kubernetes.io/name": "crat-service"}
SELECTORS = test_pods.test_selectors_choose_their_own_pods_only
SERVICES = test_pods.test_services_choose_one_workload_and_ports_it_has
SCALING = test_pods.test_autoscalers_and_budgets_are_of_deployments
PROBES = test_pods.test_probes_ask_paths_and_ports_that_exist
LOCKED = test_pods.test_every_container_is_limited_probed_and_locked_in
SECRETS = test_pods.test_secrets_and_keys_exist
VOLUMES = test_pods.test_config_maps_and_volumes_exist
SIBLINGS = test_pods.test_each_service_knows_its_prefix_and_its_siblings
VERSIONS = test_pods.test_production_runs_fixed_versions_from_a_registry
STOPS = test_pods.test_no_stop_is_cut_short
CALLS = test_network.test_only_the_calls_of_the_architecture_are_possible
SIDES = test_network.test_each_side_permits_its_calls_and_no_others
DENY = test_network.test_default_is_to_deny
IS_READ = test_environment.test_what_manifests_set_is_read
IS_SET = test_environment.test_what_is_read_is_set_or_left_alone_on_purpose
MAPPED = test_ingress.TestMapping.test_leads_to_the_public_port_of_a_service
PREFIXED = test_ingress.test_prefixes_are_the_sidecars_root_paths
PERMITTED = test_argocd.TestApplication.test_is_permitted_by_its_project

MISTAKES = {
    # Selectors
    "a deployment's selector": (
        SELECTORS, DEV,
        deployment("cart-service", put("spec.selector.matchLabels", STRANGE)),
    ),
    "a selector of everybody": (
        SELECTORS, DEV,
        deployment("cart-service", put("spec.selector.matchLabels", {"app.kubernetes.io/part-of": "shop"})),
    ),
    "a service's selector": (SERVICES, DEV, service(put("selector", STRANGE))),
    "a database's selector": (
        SERVICES, DEV, Edit("Service", "postgres-rw", put("spec.selector", STRANGE)),
    ),
    "a budget's selector": (
        SCALING, PRODUCTION,
        Edit("PodDisruptionBudget", "cart-service", put("spec.selector.matchLabels", STRANGE)),
    ),
    "an autoscaler's target": (SCALING, PRODUCTION, scaler(put("scaleTargetRef.name", "crat-service"))),
    "an autoscaler's container": (
        SCALING, PRODUCTION, scaler(lambda s: s["metrics"][0]["containerResource"].update(container="web")),
    ),
    "replicas beside an autoscaler": (
        SCALING, PRODUCTION,
        deployment("cart-service", put("spec.replicas", 3)),
    ),
    # Ports
    "a port's name in a service": (SERVICES, DEV, service(lambda s: s["ports"][0].update(targetPort="web"))),
    "a port's name in a pod": (SERVICES, DEV, nginx(lambda c: c["ports"][1].update(name="intern"))),
    "the port of the siblings": (SIBLINGS, DEV, service(lambda s: s["ports"][1].update(port=9001))),
    "the port of the ingress": (MAPPED, PRODUCTION, service(lambda s: s["ports"][0].update(port=80))),
    "a probe's port": (PROBES, DEV, nginx(put("readinessProbe.httpGet.port", "public"))),
    "a probe's path": (PROBES, DEV, worker(put("livenessProbe.httpGet.path", "/healthz"))),
    # Names of settings, keys, volumes
    "a setting of a worker": (IS_READ, DEV, setting("cart-worker-settings", rename("LOG_LEVEL", "LOGLEVEL"))),
    "a setting of a sidecar": (
        IS_READ, PRODUCTION, setting("order-nginx-settings", rename("ROOT_PATH", "PREFIX")),
    ),
    "a setting that got lost": (
        IS_SET, PRODUCTION, setting("cart-worker-settings", lambda data: data.pop("CART_TTL_DAYS")),
    ),
    "another service's prefix": (
        SIBLINGS, DEV, setting("order-nginx-settings", lambda data: data.update(ROOT_PATH="/carts")),
    ),
    "a prefix that is not mapped": (
        PREFIXED, PRODUCTION, setting("order-nginx-settings", lambda data: data.update(ROOT_PATH="/order")),
    ),
    "a sibling's name": (
        SIBLINGS, DEV,
        setting("cart-worker-settings", lambda data: data.update(PRODUCT_SERVICE_URL="http://products:9000")),
    ),
    "a sibling's public port": (
        SIBLINGS, DEV,
        setting("cart-worker-settings", lambda data: data.update(PRODUCT_SERVICE_URL="http://product-service:8000")),
    ),
    "a secret's key": (
        SECRETS, DEV,
        worker(lambda c: c["env"][0]["valueFrom"]["secretKeyRef"].update(key="uri")),
    ),
    "a secret's name": (
        SECRETS, PRODUCTION,
        worker(lambda c: c["env"][0]["valueFrom"]["secretKeyRef"].update(name="cart-db")),
    ),
    "a password's secret": (
        SECRETS, PRODUCTION,
        Edit("Cluster", "postgres", lambda d: d["spec"]["managed"]["roles"][0]["passwordSecret"].update(name="x")),
    ),
    "a config map's name": (
        VOLUMES, DEV,
        worker(lambda c: c["envFrom"][0]["configMapRef"].update(name="settings")),
    ),
    "a volume's name": (VOLUMES, DEV, worker(lambda c: c["volumeMounts"][0].update(name="sock"))),
    "a secret in the repository": (test_pods.test_no_secret_is_in_the_repository, DEV, add_secret),
    # Limits, probes, locks
    "no limit of memory": (LOCKED, DEV, worker(drop("resources.limits.memory"))),
    "no request": (LOCKED, PRODUCTION, nginx(drop("resources.requests"))),
    "no liveness probe": (LOCKED, DEV, worker(drop("livenessProbe"))),
    "no readiness probe": (LOCKED, PRODUCTION, nginx(drop("readinessProbe"))),
    "no startup probe": (LOCKED, PRODUCTION, worker(drop("startupProbe"))),
    "a root that can be written": (LOCKED, DEV, nginx(put("securityContext.readOnlyRootFilesystem", False))),
    "a capability": (
        LOCKED, DEV,
        nginx(put("securityContext.capabilities", {"drop": ["ALL"], "add": ["NET_RAW"]})),
    ),
    "more privileges": (LOCKED, DEV, worker(put("securityContext.allowPrivilegeEscalation", True))),
    "the user root": (
        LOCKED, DEV, Edit("StatefulSet", "postgres", put("spec.template.spec.securityContext.runAsUser", 0)),
    ),
    "a token of the cluster": (
        LOCKED, PRODUCTION,
        deployment("cart-service", put("spec.template.spec.automountServiceAccountToken", True)),
    ),
    "no seccomp profile": (
        LOCKED, PRODUCTION,
        deployment("cart-service", put("spec.template.spec.securityContext.seccompProfile", {"type": "Unconfined"})),
    ),
    # Images
    "the tag latest": (VERSIONS, PRODUCTION, tagged("docker.io/example/order-service:latest")),
    "no tag": (VERSIONS, PRODUCTION, tagged("docker.io/example/order-service")),
    "no registry": (VERSIONS, PRODUCTION, tagged("order-service:1")),
    "two images in one pod": (
        test_pods.test_one_image_two_roles, DEV, nginx(put("image", "order-service:dev")),
    ),
    # Stops
    "a short grace": (
        STOPS, DEV, deployment("cart-service", put("spec.template.spec.terminationGracePeriodSeconds", 30)),
    ),
    "a worker that does not wait": (STOPS, DEV, worker(drop("lifecycle"))),
    "a sidecar that ends at once": (
        STOPS, PRODUCTION,
        nginx(put("lifecycle.preStop.exec.command", ["sleep", "0"])),
    ),
    "a long drain": (
        STOPS, DEV,
        setting("cart-worker-settings", lambda data: data.update(DRAIN_SECONDS="60")),
    ),
    "too many replicas": (
        test_pods.test_connections_fit_into_the_database, PRODUCTION, scaler(put("maxReplicas", 80)),
    ),
    # Network policies
    "no call to a sibling": (CALLS, DEV, policy("cart-service", lambda spec: spec["egress"].pop())),
    "no call from a sibling": (CALLS, DEV, policy("cart-service", lambda spec: spec["ingress"].pop())),
    "no way to the database": (
        CALLS, PRODUCTION,
        policy("order-service", lambda spec: spec["egress"].pop(0)),
    ),
    "no names": (CALLS, DEV, policy("order-service", lambda spec: spec["egress"].pop(1))),
    "a call back": (
        SIDES, DEV,
        policy("product-service", lambda spec: spec["egress"].append({"to": [{"podSelector": {}}]})),
    ),
    "the whole world may come in": (
        CALLS, PRODUCTION,
        policy("cart-service", lambda spec: spec["ingress"].append({"from": [EVERYWHERE]})),
    ),
    "the ingress on the internal port": (
        CALLS, DEV, policy("cart-service", lambda spec: spec["ingress"][0].update(ports=[{"port": 9000}])),
    ),
    "Prometheus at the internal port": (
        CALLS, DEV, policy("cart-service", lambda spec: spec["ingress"][1].update(ports=[{"port": 9000}])),
    ),
    "any pod beside the ingress": (
        CALLS, DEV, policy("cart-service", lambda spec: spec["ingress"][0]["from"][0].pop("podSelector")),
    ),
    "metrics on the public port": (
        CALLS, PRODUCTION,
        policy("cart-service", lambda spec: spec["ingress"][1]["ports"].append({"port": 8000})),
    ),
    "a policy of other pods": (
        CALLS, DEV, policy("order-service", lambda spec: spec["podSelector"].update(matchLabels=STRANGE)),
    ),
    "the database open to lodgers": (
        SIDES, DEV,
        policy("postgres-clients", lambda spec: spec["ingress"][0]["from"].append({"podSelector": {}})),
    ),
    "no default": (DENY, DEV, policy("default-deny", lambda spec: spec["policyTypes"].pop())),
    "no namespace": (
        DENY, PRODUCTION,
        Edit("NetworkPolicy", "default-deny", lambda d: d["metadata"].update(namespace="default")),
    ),
}


def call(check, overlay):
    """The check with each of its parameters, of the overlay where it is one of them."""
    documents = manifests.render(overlay)
    name = overlay.rpartition("/")[2]
    parameters = list(inspect.signature(check).parameters)
    if parameters == ["documents"]:
        check(documents)
    elif parameters == ["overlay"]:
        check(name)
    elif parameters == ["deployment"]:
        for each in manifests.SERVICES:
            check((each, documents, manifests.named(documents, "Deployment", f"{each}-service")))
    elif parameters == ["self", "mapping"]:
        for mapping in test_ingress.MAPPINGS:
            check(None, mapping)
    else:
        assert parameters == [], f"{check.__name__}{parameters}"
        check()


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake, monkeypatch):
    check, overlay, make = MISTAKES[mistake]
    call(check, overlay)
    rendered = manifests.render
    documents = copy.deepcopy(list(rendered(overlay)))
    make(documents)
    assert documents != list(rendered(overlay)), "nothing was changed"
    monkeypatch.setattr(
        manifests, "render", lambda folder: tuple(documents) if folder == overlay else rendered(folder)
    )
    with pytest.raises((AssertionError, KeyError)):
        call(check, overlay)
