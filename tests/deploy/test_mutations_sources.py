"""The checks object, part two: each mistake is made in a copy of a source, and the check that is there
for it has to fail."""

import functools
import importlib.util
import itertools
import shutil
from pathlib import Path

import manifests
import pytest

HERE = Path(__file__).parent
INGRESS = "k8s/ingress.yaml"
WORKFLOW = ".github/workflows/ci-cd.yml"
PROJECT = "argocd/project.yaml"
PINNED = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"

# What is wrong: (file, text there, text instead, check).
MISTAKES = {
    # Names drift
    "a setting of the images": (
        "Dockerfile.cart", "WORKER_SOCKET=", "SOCKET=", "environment.test_what_images_set_is_read",
    ),
    "a setting of compose": (
        "docker-compose.yml", "TRUSTED_PROXIES:", "TRUSTED_PROXY:",
        "environment.test_what_compose_sets_is_read",
    ),
    "a setting of compose's workers": (
        "docker-compose.yml", "CART_SERVICE_URL:", "CARTS_URL:", "environment.test_what_compose_sets_is_read",
    ),
    "a setting in C": (
        "fcgi-apps/cart/service.c", '"CART_TTL_DAYS"', '"CART_TTL"',
        "environment.test_what_manifests_set_is_read",
    ),
    "a setting in C that is nowhere set": (
        "fcgi-apps/cart/service.c", '"CART_TTL_DAYS"', '"CART_TTL"',
        "environment.test_what_is_read_is_set_or_left_alone_on_purpose",
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
    # Images
    "Dockerfiles that differ": (
        "Dockerfile.order", "libmd0", "libmd0 less", "images.test_dockerfiles_differ_in_the_name_only",
    ),
    "the user root": ("Dockerfile.cart", "USER 10001:10001\n", "", "images.test_dockerfile"),
    "another image": (
        "Dockerfile.cart", "FROM scratch", "FROM docker.io/library/alpine",
        "images.test_dockerfile",
    ),
    "no signal": ("Dockerfile.cart", "STOPSIGNAL SIGTERM\n", "", "images.test_dockerfile"),
    "a file outside the context": (
        ".dockerignore", "!nginx\n", "",
        "images.test_copied_files_are_in_the_context",
    ),
    "a test that images would need": (
        "Makefile", "-include tests/", "include tests/",
        "images.test_the_makefile_needs_nothing_from_outside_the_context",
    ),
    # Compose
    "a port": (
        "docker-compose.yml", "CART_PORT:-8002", "CART_PORT:-8004",
        "images.test_each_service_listens_where_it_is_said_to",
    ),
    "no prefix": (
        "docker-compose.yml", "      ROOT_PATH: /carts\n", "",
        "images.test_each_sidecar_knows_its_prefix_at_the_gateway",
    ),
    "a build argument": (
        "docker-compose.yml", "      VERSION:", "      RELEASE:",
        "images.test_compose_builds_what_the_dockerfiles_ask_for",
    ),
    "another service's Dockerfile": (
        "docker-compose.yml", "dockerfile: Dockerfile.cart", "dockerfile: Dockerfile.order",
        "images.test_compose_builds_what_the_dockerfiles_ask_for",
    ),
    "two databases at once": (
        "docker-compose.postgres.yml", "  cart-worker:\n", "  cart-worker-postgres:\n",
        "images.test_each_service_runs_once",
    ),
    "a network that joins more": (
        "docker-compose.yml", "networks: [order]", "networks: [order, order-product]",
        "images.test_a_network_is_an_edge",
    ),
    "a network that leads out": (
        "docker-compose.yml", "  order-cart:\n    internal: true\n", "  order-cart:\n",
        "images.test_a_network_is_an_edge",
    ),
    "a gateway that is not believed": (
        "docker-compose.yml", "unix:/run/cart/public.sock", "unix:/run/cart/other.sock",
        "images.test_the_gateway_asks_where_sidecars_listen",
    ),
    "data in the container": (
        "docker-compose.yml", "sqlite:////data/cart.db", "sqlite:////tmp/cart.db",
        "images.test_data_and_sockets_are_in_declared_volumes",
    ),
    "a sibling's name": (
        "docker-compose.yml", "CART_SERVICE_URL: http://cart:9000", "CART_SERVICE_URL: http://carts:9000",
        "images.test_siblings_are_services_of_the_file",
    ),
    "a short grace": (
        "docker-compose.yml", "stop_grace_period: 35s", "stop_grace_period: 30s",
        "images.test_stop_leaves_time_to_drain",
    ),
    "a database that is not made": (
        "docker/databases.sql", "CREATE DATABASE cart", "CREATE DATABASE carts",
        "pods.test_both_databases_are_made_for_every_service",
    ),
    "any database server": (
        "k8s/postgres/tls/kustomization.yaml", "value: verify-full", "value: require",
        "pods.test_workers_speak_with_the_right_database_only",
    ),
    # Imports and exports
    "an import too many for the disk": (
        "nginx/render.sh", "IMPORTS=4 ", "IMPORTS=5 ",
        "pods.test_imports_and_slow_readers_find_disk",
    ),
    "a page too long for its file": (
        "fcgi-apps/product/list_api.c", "PAGE_BYTES_MAX (3u << 20)", "PAGE_BYTES_MAX (4u << 20)",
        "pods.test_pages_fit_the_files_of_slow_readers",
    ),
    "an export too many for the worker": (
        "nginx/render.sh", "EXPORTS=3\n", "EXPORTS=4\n",
        "pods.test_imports_and_exports_find_threads",
    ),
    "connections too many for the memory": (
        "nginx/sidecar.conf.template", "worker_connections 4096;", "worker_connections 16384;",
        "pods.test_nginx_has_the_memory_that_clients_can_take",
    ),
    # Ingress
    "a path that is rewritten": (
        INGRESS, 'rewrite: ""', "rewrite: /",
        "ingress.TestMapping.test_path_is_passed_on_unchanged",
    ),
    "a hop more before the sidecars": (
        "k8s/emissary-listener.yaml", "l7Depth: 0", "l7Depth: 1",
        "ingress.test_the_client_is_whom_emissary_is_asked_by",
    ),
    "everybody trusted": (
        "k8s/base/kustomization.yaml", "TRUSTED_PROXIES=10.0.0.0/8", "TRUSTED_PROXIES=0.0.0.0/0",
        "ingress.test_sidecars_believe_private_networks_only",
    ),
    "a default rewrite": (
        INGRESS, '  rewrite: ""\n', "",
        "ingress.TestMapping.test_path_is_passed_on_unchanged",
    ),
    "the internal port": (
        INGRESS, "cart-service.shop:8000", "cart-service.shop:9000",
        "ingress.TestMapping.test_leads_to_the_public_port_of_a_service",
    ),
    "another namespace": (
        INGRESS, "cart-service.shop:8000", "cart-service.default:8000",
        "ingress.TestMapping.test_leads_to_the_public_port_of_a_service",
    ),
    "connections that outlive a pod": (
        INGRESS, "cluster_max_connection_lifetime_ms: 5000", "cluster_max_connection_lifetime_ms: 60000",
        "ingress.TestMapping.test_gives_connections_up_before_a_pod_ends",
    ),
    "a POST that is repeated": (
        INGRESS, "  method: GET\n  precedence: 1\n", "", "ingress.TestMapping.test_repeats_reads_and_what_was_not_sent",
    ),
    "a breaker without a limit": (
        INGRESS, "      max_pending_requests: 512\n", "",
        "ingress.TestMapping.test_repeats_reads_and_what_was_not_sent",
    ),
    "an impatient gateway": (
        INGRESS, "timeout_ms: 35000", "timeout_ms: 3000",
        "ingress.TestMapping.test_waits_longer_than_the_sidecar",
    ),
    "CORS twice": (
        INGRESS, '  rewrite: ""\n', '  rewrite: ""\n  cors: {origins: ["*"]}\n',
        "ingress.TestMapping.test_cors_is_the_sidecars",
    ),
    "a way to the internals": (
        INGRESS, "prefix: /carts\n", "prefix: /internal\n",
        "ingress.test_every_collection_is_mapped_for_all_methods",
    ),
    "a Mapping's unknown field": (
        INGRESS, "timeout_ms: 35000", "timeout: 35000",
        "schema.test_every_manifest_fits_its_schema",
    ),
    "a module that is ignored": (
        "k8s/emissary-ingress.yaml", "name: ambassador\n", "name: emissary\n",
        "ingress.test_listeners_hosts_and_module_are_emissarys_own",
    ),
    # Images in the cluster
    "the tag latest": (
        "k8s/images/kustomization.yaml", f'newTag: "{40 * "0"}"', "newTag: latest",
        "pods.test_production_runs_fixed_versions_from_a_registry",
    ),
    # ArgoCD
    "a folder that is not there": (
        "argocd/applicationset.yaml", "production/{{.service}}-service", "production/{{.service}}",
        "argocd.test_the_services_are_three_applications",
    ),
    "mappings before services": (
        "argocd/emissary-ingress-app.yaml", 'sync-wave: "2"', 'sync-wave: "0"',
        "argocd.test_waves_put_the_database_before_services_before_mappings",
    ),
    "no self-healing": (
        "argocd/postgres-app.yaml", "selfHeal: true", "selfHeal: false",
        "argocd.TestApplication.test_syncs_by_itself",
    ),
    "a kind that is not permitted": (
        PROJECT, "    - {group: policy, kind: PodDisruptionBudget}\n", "",
        "argocd.TestApplication.test_is_permitted_by_its_project",
    ),
    "a destination that is not permitted": (
        PROJECT, "      namespace: emissary\n", "      namespace: default\n",
        "argocd.TestApplication.test_is_permitted_by_its_project",
    ),
    "every kind permitted": (
        PROJECT, "{group: policy, kind: PodDisruptionBudget}", '{group: policy, kind: "*"}',
        "argocd.test_projects_permit_no_wildcards",
    ),
    "an application's unknown field": (
        "argocd/postgres-app.yaml", "selfHeal: true", "selfheal: true",
        "schema.test_every_manifest_fits_its_schema",
    ),
    # Workflow
    "an action by its tag": (
        WORKFLOW, PINNED, "actions/checkout@v4 # v4.2.2",
        "workflow.test_actions_are_pinned",
    ),
    "more permissions": (WORKFLOW, "contents: read", "contents: write", "workflow.test_permissions_are_least"),
    "a push of pull requests": (
        WORKFLOW, "    if: github.event_name == 'push'\n", "",
        "workflow.test_pull_requests_see_no_secret_and_push_nothing",
    ),
    "a target that is not there": (
        WORKFLOW, "run: make test-deploy", "run: make test-manifests",
        "workflow.test_make_targets_exist",
    ),
    "a manifest that is not validated": (
        WORKFLOW, "k8s/logging ", "",
        "workflow.test_every_manifest_is_validated",
    ),
    "a service that is not built": (
        WORKFLOW, "service: [product, cart, order]", "service: [product, cart]",
        "workflow.test_every_service_is_built",
    ),
}


def tree(folder, path, old, new):
    """The repository, with old replaced by new in one file. The rest are links."""
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
    """A test module anew: what it reads at its start is read from the copy."""
    path = HERE / f"test_{name}.py"
    spec = importlib.util.spec_from_file_location(f"mutated_{name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(check):
    """A check with every combination of its parameters."""
    name, *path = check.split(".")
    found = load(name)
    marks = []
    for attribute in path:
        found = found() if isinstance(found, type) else found
        found = getattr(found, attribute)
        marks += [m.args for m in getattr(found, "pytestmark", []) if m.name == "parametrize"]
    names = [mark[0] for mark in marks]
    for values in itertools.product(*(mark[1] for mark in marks)):
        found(**dict(zip(names, values)))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake, monkeypatch, tmp_path):
    path, old, new, check = MISTAKES[mistake]
    tree(tmp_path, path, old, new)
    call(check)
    monkeypatch.setattr(manifests, "ROOT", tmp_path)
    if path.startswith(("k8s/", "argocd/")):
        for function in ("render", "load"):
            monkeypatch.setattr(manifests, function, functools.cache(getattr(manifests, function).__wrapped__))
    with pytest.raises((AssertionError, KeyError)):
        call(check)
