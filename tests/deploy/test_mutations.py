"""The checks themselves: each mistake is made in a copy of a source, and the check for it, which the
other files here run on the source itself, must fail. Where a check compares one word, there is one
example; where it has to work something out, such as what may connect to what, or what a program reads,
there are more."""

import functools
import importlib.util
import inspect
import itertools
import shutil
from pathlib import Path

import manifests
import pytest

HERE = Path(__file__).parent
DEPLOYMENT = "k8s/base/deployment.yaml"
POLICY = "k8s/base/network-policy.yaml"
SETTINGS = "k8s/base/kustomization.yaml"
CART = "k8s/cart-service/kustomization.yaml"
INGRESS = "k8s/ingress.yaml"
COMPOSE = "docker-compose.yml"
WORKFLOW = ".github/workflows/ci-cd.yml"
PROJECT = "argocd/project.yaml"
PINNED = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: x\nstringData:\n  password: hunter2\n---\n"
CALLS = "network.test_only_the_calls_of_the_architecture_are_possible"
SIDES = "network.test_each_side_permits_its_calls_and_no_others"

# What is wrong: (file, text there, text instead, check).
MISTAKES = {
    # Names and ports that refer to each other
    "a selector of everybody": (
        CART, "includeSelectors: true", "includeSelectors: false",
        "pods.test_selectors_choose_their_own_pods_only",
    ),
    "a port's name": (
        "k8s/base/service.yaml", "targetPort: internal", "targetPort: intern",
        "pods.test_services_choose_one_workload_and_ports_it_has",
    ),
    "an autoscaler's container": (
        "k8s/base/autoscaler.yaml", "container: nginx", "container: web",
        "pods.test_autoscalers_and_budgets_are_of_deployments",
    ),
    "replicas beside an autoscaler": (
        DEPLOYMENT, "  revisionHistoryLimit: 5\n", "  replicas: 3\n",
        "pods.test_autoscalers_and_budgets_are_of_deployments",
    ),
    "a sibling's public port": (
        CART, "http://product-service:9000", "http://product-service:8000",
        "pods.test_each_service_knows_its_prefix_and_its_siblings",
    ),
    "a probe's port": (
        DEPLOYMENT, "path: /readyz\n              port: health", "path: /readyz\n              port: public",
        "pods.test_probes_ask_paths_and_ports_that_exist",
    ),
    "a secret's key": (DEPLOYMENT, "key: url", "key: uri", "pods.test_secrets_and_keys_exist"),
    "a config map's name": (
        DEPLOYMENT, "name: worker-settings", "name: settings", "pods.test_config_maps_and_volumes_exist",
    ),
    "a prefix that is not mapped": (
        "k8s/order-service/kustomization.yaml", "ROOT_PATH=/orders", "ROOT_PATH=/order",
        "ingress.test_prefixes_are_the_sidecars_root_paths",
    ),
    # Settings, by name
    "a setting of the manifests": (
        SETTINGS, "- LOG_LEVEL=", "- LOGLEVEL=", "environment.test_what_manifests_set_is_read",
    ),
    "a setting that got lost": (
        CART, "      - CART_TTL_DAYS=30\n", "",
        "environment.test_what_is_read_is_set_or_left_alone_on_purpose",
    ),
    "a setting of the images": (
        "Dockerfile.cart", "WORKER_SOCKET=", "SOCKET=", "environment.test_what_images_set_is_read",
    ),
    "a setting of compose": (
        COMPOSE, "CART_SERVICE_URL:", "CARTS_URL:", "environment.test_what_compose_sets_is_read",
    ),
    "a setting in C": (
        "fcgi-apps/cart/service.c", '"CART_TTL_DAYS"', '"CART_TTL"',
        "environment.test_what_manifests_set_is_read",
    ),
    "a setting in C that is not documented": (
        "fcgi-apps/cart/service.c", '"CART_TTL_DAYS"', '"CART_TTL"',
        "environment.test_every_setting_of_a_worker_is_documented",
    ),
    "a setting of nginx": (
        "nginx/render.sh", "${RATE_LIMIT_RPS:-", "${RATE_LIMIT:-",
        "environment.test_what_manifests_set_is_read",
    ),
    "a setting of the entrypoint": (
        "docker/entrypoint.sh", "${RUNTIME_DIR:-", "${RUN_DIR:-",
        "environment.test_the_entrypoint_reads_what_it_is_said_to",
    ),
    # Locks and secrets
    "a secret in the repository": (
        "k8s/base/service.yaml", "apiVersion: v1\n", f"{SECRET}apiVersion: v1\n",
        "pods.test_no_secret_is_in_the_repository",
    ),
    "a capability": (
        DEPLOYMENT, "drop: [ALL]", "drop: [ALL]\n              add: [NET_RAW]",
        "pods.test_every_container_is_limited_probed_and_locked_in",
    ),
    "the user root": (
        "k8s/postgres/plain/stateful-set.yaml", "runAsUser: 999", "runAsUser: 0",
        "pods.test_every_container_is_limited_probed_and_locked_in",
    ),
    "any database server": (
        "k8s/postgres/tls/kustomization.yaml", "value: verify-full", "value: require",
        "pods.test_workers_speak_with_the_right_database_only",
    ),
    # Sums: times, disk, memory, connections
    "a short grace": (
        DEPLOYMENT, "terminationGracePeriodSeconds: 65", "terminationGracePeriodSeconds: 30",
        "pods.test_no_stop_is_cut_short",
    ),
    "a long drain": (SETTINGS, "DRAIN_SECONDS=20", "DRAIN_SECONDS=60", "pods.test_no_stop_is_cut_short"),
    "too many replicas": (
        "k8s/base/autoscaler.yaml", "maxReplicas: 8", "maxReplicas: 80",
        "pods.test_connections_fit_into_the_database",
    ),
    "an import too many for the disk": (
        "nginx/render.sh", "IMPORTS=4 ", "IMPORTS=5 ", "pods.test_imports_and_slow_readers_find_disk",
    ),
    "an export too many for the worker": (
        "nginx/render.sh", "EXPORTS=3\n", "EXPORTS=4\n", "pods.test_imports_and_exports_find_threads",
    ),
    "a page too long for its file": (
        "fcgi-apps/product/list_api.c", "PAGE_BYTES_MAX (3u << 20)", "PAGE_BYTES_MAX (4u << 20)",
        "pods.test_pages_fit_the_files_of_slow_readers",
    ),
    "connections too many for the memory": (
        "nginx/sidecar.conf.template", "worker_connections 4096;", "worker_connections 16384;",
        "pods.test_nginx_has_the_memory_that_clients_can_take",
    ),
    # Network policies
    "no call to a sibling": (CART, "values: [product-service]", "values: [order-service]", CALLS),
    "no names": (POLICY, "values: [kube-dns]", "values: [coredns]", CALLS),
    "the whole world may come in": (
        POLICY, "  ingress:\n", "  ingress:\n    - from:\n        - namespaceSelector: {}\n", CALLS,
    ),
    "any pod beside the ingress": (POLICY, "[emissary-ingress]", "[emissary-ingress, emissary-apiext]", CALLS),
    "the ingress on the internal port": (POLICY, "- port: 8000", "- port: 9000", CALLS),
    "a call back": (POLICY, "  egress:\n", "  egress:\n    - to:\n        - podSelector: {}\n", SIDES),
    "the database open to lodgers": (
        "k8s/postgres/clients/network-policy.yaml", "    - from:\n", "    - from:\n        - podSelector: {}\n",
        SIDES,
    ),
    "no default": (
        "k8s/namespace/default-deny.yaml", "policyTypes: [Ingress, Egress]", "policyTypes: [Ingress]",
        "network.test_default_is_to_deny",
    ),
    # Images and compose
    "Dockerfiles that differ": (
        "Dockerfile.order", "libmd0", "libmd0 less", "images.test_dockerfiles_differ_in_the_name_only",
    ),
    "a file outside the context": (
        ".dockerignore", "!nginx\n", "", "images.test_copied_files_are_in_the_context",
    ),
    "a test that images would need": (
        "Makefile", "-include tests/", "include tests/",
        "images.test_the_makefile_needs_nothing_from_outside_the_context",
    ),
    "a start that waits for keys": (
        DEPLOYMENT, "startupProbe:\n            httpGet:\n              path: /livez",
        "startupProbe:\n            httpGet:\n              path: /readyz",
        "pods.test_probes_ask_paths_and_ports_that_exist",
    ),
    "a key in another place": (
        "docker-compose.auth.yml", "GUEST_KEYS: /run/keys/guests", "GUEST_KEYS: /run/keys/guest",
        "images.test_keys_are_lent_to_who_needs_them",
    ),
    "a compose file that asks nobody": (
        "docker-compose.auth.yml", "AUTH: jwt", "AUTH: off", "environment.test_who_may_call_is_said_everywhere",
    ),
    "two databases at once": (
        "docker-compose.postgres.yml", "  cart-worker:\n", "  cart-worker-postgres:\n",
        "images.test_each_service_runs_once",
    ),
    "a network that joins more": (
        COMPOSE, "networks: [order]", "networks: [order, order-product]",
        "images.test_a_network_is_an_edge",
    ),
    "a network that leads out": (
        COMPOSE, "  order-cart:\n    internal: true\n", "  order-cart:\n",
        "images.test_a_network_is_an_edge",
    ),
    "a gateway that is not believed": (
        COMPOSE, "unix:/run/cart/public.sock", "unix:/run/cart/other.sock",
        "images.test_the_gateway_asks_where_sidecars_listen",
    ),
    "data in the container": (
        COMPOSE, "sqlite:////data/cart.db", "sqlite:////tmp/cart.db",
        "images.test_data_and_sockets_are_in_declared_volumes",
    ),
    "a grace of compose": (
        COMPOSE, "stop_grace_period: 35s", "stop_grace_period: 30s", "images.test_stop_leaves_time_to_drain",
    ),
    # Ingress
    "a default rewrite": (
        INGRESS, '  rewrite: ""\n', "", "ingress.TestMapping.test_path_is_passed_on_unchanged",
    ),
    "the internal port": (
        INGRESS, "cart-service.shop:8000", "cart-service.shop:9000",
        "ingress.TestMapping.test_leads_to_the_public_port_of_a_service",
    ),
    "a POST that is repeated": (
        INGRESS, "  method: GET\n  precedence: 1\n", "",
        "ingress.TestMapping.test_repeats_reads_and_what_was_not_sent",
    ),
    "an impatient gateway": (
        INGRESS, "timeout_ms: 35000", "timeout_ms: 3000",
        "ingress.TestMapping.test_waits_longer_than_the_sidecar",
    ),
    "a way to the internals": (
        INGRESS, "prefix: /carts\n", "prefix: /internal\n",
        "ingress.test_every_collection_is_mapped_for_all_methods",
    ),
    "a hop more before the sidecars": (
        "k8s/emissary-listener.yaml", "l7Depth: 0", "l7Depth: 1",
        "ingress.test_the_client_is_whom_emissary_is_asked_by",
    ),
    "everybody trusted": (
        SETTINGS, "TRUSTED_PROXIES=10.0.0.0/8", "TRUSTED_PROXIES=0.0.0.0/0",
        "ingress.test_sidecars_believe_private_networks_only",
    ),
    # ArgoCD and the workflow
    "the tag latest": (
        "k8s/images/kustomization.yaml", f'newTag: "{40 * "0"}"', "newTag: latest",
        "pods.test_production_runs_fixed_versions_from_a_registry",
    ),
    "mappings before services": (
        "argocd/emissary-ingress-app.yaml", 'sync-wave: "2"', 'sync-wave: "0"',
        "argocd.test_waves_put_the_database_before_services_before_mappings",
    ),
    "a kind that is not permitted": (
        PROJECT, "    - {group: policy, kind: PodDisruptionBudget}\n", "",
        "argocd.TestApplication.test_is_permitted_by_its_project",
    ),
    "an action by its tag": (
        WORKFLOW, PINNED, "actions/checkout@v4 # v4.2.2", "workflow.test_actions_are_pinned",
    ),
    "a push of pull requests": (
        WORKFLOW, "    if: github.event_name == 'push'\n", "",
        "workflow.test_pull_requests_see_no_secret_and_push_nothing",
    ),
    "a target that is not there": (
        WORKFLOW, "run: make test-deploy", "run: make test-manifests", "workflow.test_make_targets_exist",
    ),
}


def tree(folder, path, old, new):
    """The repository, with old replaced by new in one file. All other files are links."""
    top = path.split("/")[0]
    for entry in manifests.ROOT.iterdir():
        if entry.name != top:
            (folder / entry.name).symlink_to(entry)
        elif entry.is_dir():
            shutil.copytree(entry, folder / top)
        else:
            shutil.copy(entry, folder / top)
    text = (folder / path).read_text()
    assert old in text, f"{path} has no {old!r}"
    (folder / path).write_text(text.replace(old, new))


def load(name):
    """Loads a test module again, so that what it reads at its start comes from the copy."""
    path = HERE / f"test_{name}.py"
    spec = importlib.util.spec_from_file_location(f"mutated_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documents():
    return manifests.render("k8s/overlays/dev")


def deployment():
    return "cart", documents(), manifests.named(documents(), "Deployment", "cart-service")


# What checks have as parameters from fixtures: of the overlay that is rendered in less time.
FIXTURES = {"documents": documents, "deployment": deployment}


def call(check):
    """Runs a check with every combination of its parameters."""
    name, *path = check.split(".")
    found = load(name)
    marks = []
    for attribute in path:
        found = found() if isinstance(found, type) else found
        found = getattr(found, attribute)
        marks += [m.args for m in getattr(found, "pytestmark", []) if m.name == "parametrize"]
    wanted = {mark[0]: mark[1] for mark in marks}
    wanted |= {name: [FIXTURES[name]()] for name in inspect.signature(found).parameters if name in FIXTURES}
    for values in itertools.product(*wanted.values()):
        found(**dict(zip(wanted, values)))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake, monkeypatch, tmp_path):
    path, old, new, check = MISTAKES[mistake]
    tree(tmp_path, path, old, new)
    for overlay in manifests.OVERLAYS:
        manifests.render(f"k8s/overlays/{overlay}")  # as they are; kustomize follows no links
    monkeypatch.setattr(manifests, "ROOT", tmp_path)
    if path.startswith(("k8s/", "argocd/")):
        for function in ("render", "load"):
            monkeypatch.setattr(manifests, function, functools.cache(getattr(manifests, function).__wrapped__))
    with pytest.raises((AssertionError, KeyError)):
        call(check)
