"""Names of settings: whatever manifests, compose files and images set is read, and whatever programs
read is set, or left at its default on purpose."""

import re

import manifests
import pytest

COMPOSE = [
    (name, service.get("environment", {}))
    for file in ("docker-compose.yml", "docker-compose.postgres.yml", "docker-compose.auth.yml")
    for name, service in next(manifests.parse((manifests.ROOT / file).read_text()))["services"].items()
]
ENTRYPOINT = (manifests.ROOT / "docker/entrypoint.sh").read_text()

READ = {
    "worker": manifests.read_by_workers() | {"WORKER_SOCKET"},
    "nginx": manifests.read_by_nginx("sidecar") | manifests.READ_BY_ENTRYPOINT,
    "gateway": manifests.read_by_nginx("gateway") | manifests.READ_BY_ENTRYPOINT,
}
# Read by PostgreSQL's library, in workers.
LIBPQ = {"PGSSLMODE", "PGSSLROOTCERT"}
# Set by the images, for every role.
IMAGE = {"SERVICE", "WORKER_SOCKET", "DATABASE_URL"}
# Not set in a cluster, and why.
AT_DEFAULT = {
    "worker": {
        "CONTRACT_CHECK_RESPONSES",  # for tests
        "DB_SINGLE_COMMIT",  # for measurements
        "FAILPOINT",  # for proofs, in builds of their own
        "WORKER_SOCKET",  # the image's
        "AUTH_ALGORITHMS",  # all that are safe
        "AUTH_CLOCK_SKEW",
        "PROVIDER_SOCKET",  # in the folder that both containers have
        "SERVICE_KEYS",  # the cluster vouches for siblings
    },
    "nginx": {
        "SERVICE",  # the image's
        "WORKER_SOCKET",  # the image's
        "LISTEN_ADDRESS",  # every address of the pod
        "PUBLIC_PORT",  # 8000, where the Service expects it
        "INTERNAL_PORT",  # 9000, likewise
        "HEALTH_PORT",  # 9200, likewise
        "RUNTIME_DIR",  # /tmp, which is writable
        "ACCESS_LOG",  # the container's output
        "ERROR_LOG",  # likewise
        "ROUTES",  # the entrypoint's
        "CONNECTIONS",  # what the container's memory is enough for
        "CLIENT_CONNECTIONS",
        "AUTH_CA_FILE",  # the image's, or that of auth/provider-ca
        "PROVIDER_SOCKET",  # in the folder that both containers have
        "RESOLVERS",  # the cluster's
    },
}
# What says whose tokens are taken: set where they are asked for, in production.
OF_TOKENS = {
    *("AUTH_ISSUER", "AUTH_AUDIENCE", "AUTH_SCOPES", "AUTH_JWKS", "AUTH_DOCS_CLIENT", "GUEST_KEYS", "SERVICE_TOKENS"),
    *("SERVICE_ISSUER", "SERVICE_AUDIENCE", "SERVICE_NAMESPACE", "SERVICE_JWKS", "SERVICE_JWKS_TOKEN"),
}
# The addresses of the keys, for who fetches them.
OF_SIDECAR = {"AUTH_ISSUER", "AUTH_JWKS", "SERVICE_JWKS", "SERVICE_CA_FILE"}
# Of postgres' image, not ours.
POSTGRES = {"POSTGRES_PASSWORD", "POSTGRES_PASSWORD_FILE", "PGDATA"}


def test_the_programs_are_understood():
    """The searches above find what is known to exist."""
    assert {"DATABASE_URL", "PRODUCT_SERVICE_URL", "CART_SERVICE_URL", "CART_TTL_DAYS"} <= READ["worker"]
    assert {"SERVICE", "ROOT_PATH", "CORS_ALLOW_ORIGINS", "TRUSTED_PROXIES"} <= READ["nginx"]
    assert {"GATEWAY_PORT", "ORDER_ADDRESS", "CORS_ALLOW_ORIGINS"} <= READ["gateway"]
    assert "ROOT_PATH" not in READ["gateway"]


def deployed(overlay):
    documents = manifests.render(f"k8s/overlays/{overlay}")
    for service in manifests.SERVICES:
        workload = manifests.named(documents, "Deployment", f"{service}-service")
        for role, container in manifests.containers(workload).items():
            yield service, role, set(manifests.settings(documents, container))


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
def test_what_manifests_set_is_read(overlay):
    for service, role, names in deployed(overlay):
        known = READ[role] | (LIBPQ if role == "worker" else set())
        assert names <= known, f"{service} {role}"


@pytest.mark.parametrize("overlay", manifests.OVERLAYS)
def test_what_is_read_is_set_or_left_alone_on_purpose(overlay):
    found = {"worker": set(), "nginx": set()}
    for _, role, names in deployed(overlay):
        found[role] |= names
    if overlay == "dev":
        assert not OF_TOKENS & found["worker"]
        found["worker"] |= OF_TOKENS
        assert not OF_SIDECAR & found["nginx"]
        found["nginx"] |= OF_SIDECAR
    for role, names in found.items():
        assert READ[role] - names == AT_DEFAULT[role]


def test_who_may_call_is_said_everywhere():
    """Production asks for tokens; development and compose let everybody do everything, in sight."""
    said = {"dev": "off", "production": "jwt"}
    for overlay in manifests.OVERLAYS:
        documents = manifests.render(f"k8s/overlays/{overlay}")
        for service in manifests.SERVICES:
            workload = manifests.named(documents, "Deployment", f"{service}-service")
            worker = manifests.containers(workload)["worker"]
            assert manifests.settings(documents, worker)["AUTH"] == said[overlay]
    assert [env["AUTH"] for name, env in COMPOSE if "AUTH" in env] == ["off"] * 3 + ["jwt"] * 3


@pytest.mark.parametrize("service", COMPOSE, ids=lambda service: service[0])
def test_what_compose_sets_is_read(service):
    name, environment = service
    role = {"gateway": "gateway", "postgres": None}.get(name, "worker" if "-worker" in name else "nginx")
    databases = set(re.findall(r"getenv password (\w+)", (manifests.ROOT / "docker/databases.sql").read_text()))
    known = READ[role] if role else POSTGRES | databases
    assert set(environment) <= known
    assert role or databases <= set(environment)


@pytest.mark.parametrize("service", manifests.SERVICES)
def test_what_images_set_is_read(service):
    text = (manifests.ROOT / f"Dockerfile.{service}").read_text()
    block = re.search(r"^ENV (.*?[^\\])$", text, re.M | re.S)[1]
    names = set(re.findall(r"^\s*([A-Z_]+)=", block, re.M))
    assert names == IMAGE
    assert names <= READ["worker"] | READ["nginx"]


def test_every_setting_of_a_worker_is_documented():
    pages = ("docs/OPERATIONS.md", "docs/SECURITY.md")
    text = "".join((manifests.ROOT / page).read_text() for page in pages)
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", text, re.M))
    # Without its documentation a name of a test build stays.
    assert manifests.read_by_workers() - documented <= {"FAILPOINT"}


def test_every_setting_of_nginx_is_documented():
    text = (manifests.ROOT / "nginx/render.sh").read_text()
    head = text[: text.index("set -eu")]
    for name in manifests.read_by_nginx("sidecar") | manifests.read_by_nginx("gateway"):
        assert re.search(rf"\b{name}\b", head), name


def test_the_entrypoint_reads_what_it_is_said_to():
    names = set(re.findall(r"\$\{([A-Z_]+):-", ENTRYPOINT))
    assert names == manifests.READ_BY_ENTRYPOINT
