"""Names, ports and keys that refer to each other, and what every pod must have."""

import re

import manifests
import pytest

OVERLAYS = {overlay: f"k8s/overlays/{overlay}" for overlay in manifests.OVERLAYS}
DEPLOYMENTS = [(overlay, service) for overlay in OVERLAYS for service in manifests.SERVICES]
ROOT_PATHS = {"product": "/products", "cart": "/carts", "order": "/orders"}
# DESIGN: who calls whom, on the internal port.
CALLS = {
    "product": {},
    "cart": {"PRODUCT_SERVICE_URL": "product"},
    "order": {"PRODUCT_SERVICE_URL": "product", "CART_SERVICE_URL": "cart"},
}
# What workers have mounted of the overlay.
OF_WORKERS = ("postgres-ca", "guest-keys", "service-tokens", "cluster-token")
PROBES = {
    # container: (probe, what it asks)
    "worker": {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"},
    "nginx": {"startupProbe": None, "livenessProbe": None, "readinessProbe": "/readyz"},
}


@pytest.fixture(params=OVERLAYS)
def documents(request):
    return manifests.render(OVERLAYS[request.param])


@pytest.fixture(params=DEPLOYMENTS, ids=lambda case: "-".join(case))
def deployment(request):
    overlay, service = request.param
    documents = manifests.render(OVERLAYS[overlay])
    return service, documents, manifests.named(documents, "Deployment", f"{service}-service")


def port_numbers(container):
    ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
    return ports | {number: number for number in ports.values()}


def pod_ports(workload):
    found = {}
    for container in manifests.containers(workload).values():
        found |= port_numbers(container)
    return found


def test_selectors_choose_their_own_pods_only(documents):
    workloads = manifests.workloads(documents)
    for workload in workloads:
        chosen = [
            manifests.title(other)
            for other in workloads
            if manifests.matches(workload["spec"]["selector"], manifests.pod_labels(other))
        ]
        assert chosen == [manifests.title(workload)]


def test_services_choose_one_workload_and_ports_it_has(documents):
    workloads = manifests.workloads(documents)
    services = manifests.of_kind(documents, "Service")
    assert {s["metadata"]["name"] for s in services} >= {f"{s}-service" for s in manifests.SERVICES}
    for service in services:
        selector = {"matchLabels": service["spec"]["selector"]}
        chosen = [w for w in workloads if manifests.matches(selector, manifests.pod_labels(w))]
        assert len(chosen) == 1, manifests.title(service)
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in pod_ports(chosen[0])


def test_autoscalers_and_budgets_are_of_deployments():
    documents = manifests.render(OVERLAYS["production"])
    for service in manifests.SERVICES:
        name = f"{service}-service"
        target = manifests.named(documents, "HorizontalPodAutoscaler", name)["spec"]
        deployment = manifests.named(documents, "Deployment", name)
        assert target["scaleTargetRef"]["name"] == name
        for metric in target["metrics"]:
            watched = manifests.containers(deployment)[metric["containerResource"]["container"]]
            assert "cpu" in watched["resources"]["requests"]
        assert "replicas" not in deployment["spec"], "it would fight the autoscaler"
        budget = manifests.named(documents, "PodDisruptionBudget", name)["spec"]["selector"]
        assert manifests.matches(budget, manifests.pod_labels(deployment))
        for spread in manifests.pod(deployment)["topologySpreadConstraints"]:
            assert spread["labelSelector"]["matchLabels"]["app.kubernetes.io/name"] == name


def test_dev_has_one_replica_and_nothing_that_needs_more():
    documents = manifests.render(OVERLAYS["dev"])
    assert not manifests.of_kind(documents, "HorizontalPodAutoscaler", "PodDisruptionBudget", "Cluster")
    assert {d["spec"]["replicas"] for d in manifests.workloads(documents)} == {1}


def secret_keys(workload):
    """(Secret, key) of every reference, anywhere in the pod."""
    found = []

    def walk(value):
        if isinstance(value, dict):
            if "secretKeyRef" in value:
                found.append((value["secretKeyRef"]["name"], value["secretKeyRef"]["key"]))
            if "secret" in value and "items" in value["secret"]:
                secret = value["secret"]
                name = secret.get("name") or secret["secretName"]
                found.extend((name, item["key"]) for item in secret["items"])
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(manifests.pod(workload))
    return found


def test_secrets_and_keys_exist(documents):
    referred = [pair for w in manifests.workloads(documents) for pair in secret_keys(w)]
    for cluster in manifests.of_kind(documents, "Cluster"):
        for role in cluster["spec"]["managed"]["roles"]:
            referred += [(role["passwordSecret"]["name"], key) for key in ("username", "password")]
            made = manifests.secrets()[role["passwordSecret"]["name"]]["stringData"]
            assert made["username"] == role["name"]
    assert len(referred) >= len(manifests.SERVICES)
    # The operator makes it.
    theirs = {(f"{cluster['metadata']['name']}-ca", "ca.crt") for cluster in manifests.of_kind(documents, "Cluster")}
    made = manifests.secrets() | manifests.secrets("auth")
    for name, key in set(referred) - theirs:
        assert key in made[name]["stringData"], f"{name}: {key}"


def test_no_secret_is_in_the_repository(documents):
    assert not manifests.of_kind(documents, "Secret")
    passwords = [s["stringData"]["password"] for s in manifests.secrets().values()]
    assert len(set(passwords)) == len(passwords)
    assert all(re.fullmatch("[0-9a-f]{48}", password) for password in passwords)
    again = manifests.secrets.__wrapped__()
    assert all(again[n]["stringData"]["password"] not in passwords for n in again)


def test_database_urls_reach_the_database(documents):
    hosts = {s["metadata"]["name"] for s in manifests.of_kind(documents, "Service")}
    # The operator makes it.
    hosts |= {f"{c['metadata']['name']}-rw" for c in manifests.of_kind(documents, "Cluster")}
    for service in manifests.SERVICES:
        data = manifests.secrets()[f"{service}-database"]["stringData"]
        url = f"postgresql://{service}:{data['password']}@postgres-rw:5432/{service}"
        assert data["url"] == url
    assert "postgres-rw" in hosts


def test_config_maps_and_volumes_exist(documents):
    for workload in manifests.workloads(documents):
        volumes = {v["name"]: v for v in manifests.pod(workload)["volumes"]}
        claims = workload["spec"].get("volumeClaimTemplates", [])
        names = set(volumes) | {claim["metadata"]["name"] for claim in claims}
        for volume in volumes.values():
            # The cluster puts that one into every namespace.
            if "configMap" in volume and volume["configMap"]["name"] != "kube-root-ca.crt":
                manifests.named(documents, "ConfigMap", volume["configMap"]["name"])
        for container in manifests.containers(workload).values():
            manifests.settings(documents, container)
            assert {m["name"] for m in container["volumeMounts"]} <= names


def test_every_container_is_limited_probed_and_locked_in(documents):
    for workload in manifests.workloads(documents):
        pod = manifests.pod(workload)
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for name, container in manifests.containers(workload).items():
            where = f"{manifests.title(workload)} {name}"
            for kind in ("requests", "limits"):
                assert set(container["resources"][kind]) == {"cpu", "memory"}, where
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container), where
            locked = container["securityContext"]
            assert locked["readOnlyRootFilesystem"] is True, where
            assert locked["allowPrivilegeEscalation"] is False, where
            assert locked["capabilities"] == {"drop": ["ALL"]}, where


def test_requests_are_above_what_was_measured(deployment):
    service, _, workload = deployment
    results = (manifests.ROOT / "bench/RESULTS.md").read_text()
    measured = float(re.search(rf"^\| {service} +\| +([0-9.]+) \|$", results, re.M)[1]) * 1e6
    memory = {
        kind: int(manifests.containers(workload)["worker"]["resources"][kind]["memory"].removesuffix("Mi"))
        for kind in ("requests", "limits")
    }
    assert memory["requests"] << 20 > 1.5 * measured
    assert memory["limits"] << 20 > 4 * measured


def number(pattern, path):
    (found,) = re.findall(pattern, (manifests.ROOT / path).read_text())
    return int(found)


def at_once(what):
    """How many of them nginx admits."""
    text = (manifests.ROOT / "nginx/render.sh").read_text()
    return sum(map(int, re.findall(rf"\b{what}=(\d+)\b", text)))


def test_imports_and_exports_find_threads():
    threads = number(r"\.blocking_threads = (\d+),", "fcgi-apps/product/service.c")
    assert at_once("IMPORTS") + at_once("EXPORTS") <= threads


def requests_at_once():
    return number(r"CONNECTIONS=\$\{CONNECTIONS:-(\d+)\}\n\tCLIENT_CONNECTIONS=.*\n\tTRUSTED", "nginx/render.sh")


def long_answer():
    """Of which the file for a slow reader has room, in bytes."""
    return number(r"fastcgi_max_temp_file_size (\d+)m;", "nginx/worker.conf.template") << 20


def test_pages_fit_the_files_of_slow_readers():
    """Otherwise the worker would have to wait for them. A page ends after the row that fills it."""
    pages = {"product/list_api.c": "PAGE", "cart/cart_api.c": "LIST", "order/order_api.c": "PAGE"}
    for file, name in pages.items():
        text = (manifests.ROOT / "fcgi-apps" / file).read_text()
        ((factor, bits),) = re.findall(rf"#define {name}_BYTES_MAX \((\d+)u << (\d+)\)", text)
        assert (int(factor) << int(bits)) + (1 << 20) <= long_answer()


def test_imports_and_slow_readers_find_disk():
    """The results of an import are stored first by the worker, then by nginx: each has a disk of its
    own."""
    documents = manifests.render(OVERLAYS["production"])
    workload = manifests.named(documents, "Deployment", "product-service")
    routes = manifests.routes("product")
    body = int(re.search(r"^public POST (\d+) \S+ importProducts$", routes, re.M)[1]) >> 20
    results = number(r"fastcgi_max_temp_file_size (\d+)m;", "nginx/importProducts.conf.template")
    volumes = [v for v in manifests.pod(workload)["volumes"] if "emptyDir" in v]
    limits = {v["name"]: v["emptyDir"]["sizeLimit"].removesuffix("Mi") for v in volumes}
    slow_readers = requests_at_once() // 8 * (long_answer() >> 20)
    assert at_once("IMPORTS") * results < int(limits["worker-temporary"])
    assert at_once("IMPORTS") * (body + results) + slow_readers < int(limits["nginx-temporary"])


def nginx_memory(service):
    """The most memory that clients can take of a sidecar's public half, in bytes (docs/OPERATIONS.md):
    a header for each connection, and a body or an answer for each request under way."""
    connections = number(r"worker_connections (\d+);", "nginx/sidecar.conf.template")
    first = number(r"client_header_buffer_size (\d+)k;", "nginx/http.conf.template") << 10
    count, size = re.search(
        r"large_client_header_buffers (\d+) (\d+)k;", (manifests.ROOT / "nginx/http.conf.template").read_text()
    ).groups()
    header = first + int(count) * (int(size) << 10) + (6 << 10)
    bodies = [int(size) for size in re.findall(r"^public \S+ (\d+) ", manifests.routes(service), re.M)]
    body = max(size for size in bodies if size <= 131072)
    buffers, size = re.search(
        r"\tfastcgi_buffers (\d+) (\d+)k;", (manifests.ROOT / "nginx/worker.conf.template").read_text()
    ).groups()
    answer = (int(buffers) + 1) * (int(size) << 10)
    templates = [path.read_text() for path in (manifests.ROOT / "nginx").glob("*.template")]
    assert sum(text.count("fastcgi_buffers ") for text in templates) == 1
    return connections * header + requests_at_once() * max(body, answer)


def test_nginx_has_the_memory_that_clients_can_take():
    for service in manifests.SERVICES:
        for overlay in OVERLAYS.values():
            workload = manifests.named(manifests.render(overlay), "Deployment", f"{service}-service")
            limit = manifests.containers(workload)["nginx"]["resources"]["limits"]["memory"]
            assert nginx_memory(service) + (24 << 20) < int(limit.removesuffix("Mi")) << 20


def test_probes_ask_paths_and_ports_that_exist(deployment):
    _, _, workload = deployment
    components = (manifests.ROOT / "fcgi-apps/contract/components.json").read_text()
    for name, probes in PROBES.items():
        container = manifests.containers(workload)[name]
        for probe, path in probes.items():
            asked = container[probe].get("httpGet") or container[probe]["tcpSocket"]
            assert asked.get("path") == path
            assert pod_ports(workload)[asked["port"]] == 9200
            assert path is None or f'"{path}"' in components


def test_one_image_two_roles(deployment):
    service, _, workload = deployment
    found = manifests.containers(workload)
    assert {c["image"] for c in found.values()} == {found["worker"]["image"]}
    assert f"/{service}-service:" in f"/{found['worker']['image']}"
    assert {name: c["args"] for name, c in found.items()} == {"worker": ["worker"], "nginx": ["nginx"]}
    for name, container in found.items():
        mounts = {m["name"]: m["mountPath"] for m in container["volumeMounts"]}
        for mount in OF_WORKERS if name == "worker" else ("cluster-ca",):
            mounts.pop(mount, None)
        assert mounts == {"socket": "/run/app", f"{name}-temporary": "/tmp"}


def test_each_service_knows_its_prefix_and_its_siblings(deployment):
    service, documents, workload = deployment
    found = manifests.containers(workload)
    assert manifests.settings(documents, found["nginx"])["ROOT_PATH"] == ROOT_PATHS[service]
    worker = manifests.settings(documents, found["worker"])
    urls = {name: value for name, value in worker.items() if name.endswith("_SERVICE_URL")}
    assert set(urls) == set(CALLS[service])
    for name, url in urls.items():
        host, port = re.fullmatch(r"http://([a-z-]+):(\d+)", url).groups()
        ports = manifests.named(documents, "Service", host)["spec"]["ports"]
        assert host == f"{CALLS[service][name]}-service"
        assert [p["name"] for p in ports if p["port"] == int(port)] == ["internal"]


def test_production_runs_fixed_versions_from_a_registry():
    for workload in manifests.workloads(manifests.render(OVERLAYS["production"])):
        for container in manifests.containers(workload).values():
            registry, _, tag = container["image"].rpartition(":")
            assert "/" in registry and tag and tag != "latest", container["image"]
    for overlay in OVERLAYS.values():
        for workload in manifests.workloads(manifests.render(overlay)):
            for container in manifests.containers(workload).values():
                assert not container["image"].endswith(":latest")


def test_no_stop_is_cut_short(deployment):
    """The sidecar outlives the endpoints, the worker outlives the sidecar, and the pod's grace outlives
    both."""
    _, documents, workload = deployment
    found = manifests.containers(workload)
    (nginx_drains,) = manifests.nginx_seconds("sidecar", "worker_shutdown_timeout")
    sleep, seconds = found["nginx"]["lifecycle"]["preStop"]["exec"]["command"]
    program, verb, patience = found["worker"]["lifecycle"]["preStop"]["exec"]["command"]
    drain = int(manifests.settings(documents, found["worker"])["DRAIN_SECONDS"])
    assert (sleep, program, verb) == ("sleep", "entrypoint", "await-sidecar")
    # Endpoints are forgotten in a second or two; a slow kube-proxy may take more.
    assert int(seconds) >= 5
    assert int(seconds) + nginx_drains < int(patience)
    assert int(patience) + drain < manifests.pod(workload)["terminationGracePeriodSeconds"]


def test_connections_fit_into_the_database():
    documents = manifests.render(OVERLAYS["production"])
    driver = (manifests.ROOT / "fcgi-apps/storage/postgres.c").read_text()
    writers = int(re.search(r"^#define WRITERS (\d+)$", driver, re.M)[1])
    needed = 0
    for service in manifests.SERVICES:
        deployment = manifests.named(documents, "Deployment", f"{service}-service")
        worker = manifests.containers(deployment)["worker"]
        readers = int(manifests.settings(documents, worker)["DB_POOL_SIZE"])
        scaler = manifests.named(documents, "HorizontalPodAutoscaler", f"{service}-service")
        surge = deployment["spec"]["strategy"]["rollingUpdate"]["maxSurge"]
        needed += (scaler["spec"]["maxReplicas"] + surge) * (readers + writers)
    parameters = manifests.named(documents, "Cluster", "postgres")["spec"]["postgresql"]["parameters"]
    # The operator's own, and PostgreSQL's reserve for superusers.
    assert needed + 20 <= int(parameters["max_connections"])


def test_workers_speak_with_the_right_database_only():
    """tests/http/test_database_tls.py tests these settings."""
    documents = manifests.render(OVERLAYS["production"])
    cluster = manifests.named(documents, "Cluster", "postgres")
    assert "hostnossl all all all reject" in cluster["spec"]["postgresql"]["pg_hba"]
    for service in manifests.SERVICES:
        deployment = manifests.named(documents, "Deployment", f"{service}-service")
        found = manifests.containers(deployment)
        settings = manifests.settings(documents, found["worker"])
        assert settings["PGSSLMODE"] == "verify-full"
        (volume,) = [v for v in manifests.pod(deployment)["volumes"] if v["name"] == "postgres-ca"]
        # As the operator names it; the CA's key is in there too.
        assert volume["secret"]["secretName"] == f"{cluster['metadata']['name']}-ca"
        assert [item["key"] for item in volume["secret"]["items"]] == ["ca.crt"]
        (folder,) = [m["mountPath"] for m in found["worker"]["volumeMounts"] if m["name"] == volume["name"]]
        assert settings["PGSSLROOTCERT"] == f"{folder}/{volume['secret']['items'][0]['path']}"
        assert volume["name"] not in [mount["name"] for mount in found["nginx"]["volumeMounts"]]
        url = manifests.secrets()[f"{service}-database"]["stringData"]["url"]
        # A name that the operator's certificate has; nothing in the URL counts before the settings.
        assert f"@{cluster['metadata']['name']}-rw:" in url and "ssl" not in url


def test_slow_statements_are_logged_without_their_values():
    cluster = manifests.named(manifests.render(OVERLAYS["production"]), "Cluster", "postgres")
    parameters = cluster["spec"]["postgresql"]["parameters"]
    assert "log_min_duration_statement" in parameters and parameters["log_parameter_max_length"] == "0"


def test_both_databases_are_made_for_every_service():
    plain = (manifests.ROOT / "k8s/postgres/plain/databases.sh").read_text()
    compose = (manifests.ROOT / "docker/databases.sql").read_text()
    cluster = manifests.named(manifests.render(OVERLAYS["production"]), "Cluster", "postgres")
    statements = [s.replace('"', "") for s in cluster["spec"]["bootstrap"]["initdb"]["postInitSQL"]]
    assert f"for name in {' '.join(manifests.SERVICES)}; do" in plain
    for service in manifests.SERVICES:
        for statement in (f"CREATE ROLE {service}", f"CREATE DATABASE {service} OWNER {service}"):
            assert statement in statements
            assert statement in compose.replace('"', "")
