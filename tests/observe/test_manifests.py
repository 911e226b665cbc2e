"""The manifests of monitoring and logging: names that refer to each other, and what pods must have.
tests/deploy checks them against the schemas."""

import re
import subprocess

import manifests
import pytest
import yaml
from testbed import ROOT

FOLDERS = {"k8s/monitoring": "monitoring", "k8s/logging": "logging"}


@pytest.fixture(params=FOLDERS)
def folder(request):
    return request.param


@pytest.fixture
def documents(folder):
    return manifests.render(folder)


def workloads(documents):
    return manifests.of_kind(documents, "Deployment", "StatefulSet", "DaemonSet", "Job")


def secrets(folder):
    done = subprocess.run([ROOT / folder / "make-secrets.sh"], check=True, capture_output=True, text=True)
    return {s["metadata"]["name"]: set(s["stringData"]) for s in yaml.safe_load_all(done.stdout)}


def containers(workload):
    pod = manifests.pod(workload)
    return [*pod.get("initContainers", []), *pod["containers"]]


def test_everything_is_in_its_namespace(folder, documents):
    for document in documents:
        namespace = document["metadata"].get("namespace")
        if document["kind"] in ("Namespace", "ClusterRole", "ClusterRoleBinding"):
            assert namespace is None
        elif document["kind"] in ("Role", "RoleBinding"):
            assert namespace == "shop"
        else:
            assert namespace == FOLDERS[folder], manifests.title(document)


def test_pods_are_limited_locked_in_and_probed(documents):
    assert workloads(documents)
    for workload in workloads(documents):
        name, pod = workload["metadata"]["name"], manifests.pod(workload)
        for container in containers(workload):
            assert re.search(r":v?\d+\.\d+", container["image"])
            for kind in ("requests", "limits"):
                assert set(container["resources"][kind]) == {"cpu", "memory"}
            locked = container["securityContext"]
            assert locked["readOnlyRootFilesystem"] and not locked["allowPrivilegeEscalation"]
            assert locked["capabilities"]["drop"] == ["ALL"]
            assert {m["name"] for m in container["volumeMounts"]} <= {
                v["name"] for v in pod["volumes"]
            } | {c["metadata"]["name"] for c in workload["spec"].get("volumeClaimTemplates", [])}
        # Only who asks the Kubernetes API has a token, and only fluentd is root.
        assert pod["automountServiceAccountToken"] == (name in ("fluentd", "prometheus"))
        assert pod["securityContext"].get("runAsNonRoot") == (None if name == "fluentd" else True)
        if workload["kind"] in ("Deployment", "StatefulSet"):
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(pod["containers"][0])


def test_secrets_and_maps_exist(folder, documents):
    made = secrets(folder)
    maps = {d["metadata"]["name"] for d in manifests.of_kind(documents, "ConfigMap")}
    assert not manifests.of_kind(documents, "Secret")
    for workload in workloads(documents):
        for volume in manifests.pod(workload)["volumes"]:
            if "configMap" in volume:
                assert volume["configMap"]["name"] in maps
            if "secret" in volume:
                keys = {item["key"] for item in volume["secret"].get("items", [])}
                assert keys <= made[volume["secret"]["secretName"]]
        for container in containers(workload):
            for entry in container.get("env", []):
                reference = entry.get("valueFrom", {}).get("secretKeyRef")
                assert reference is None or reference["key"] in made[reference["name"]]


def test_services_choose_their_pods(documents):
    for service in manifests.of_kind(documents, "Service"):
        selector = {"matchLabels": service["spec"]["selector"]}
        chosen = [w for w in workloads(documents) if manifests.matches(selector, manifests.pod_labels(w))]
        assert len(chosen) == 1
        ports = {p["name"] for c in containers(chosen[0]) for p in c.get("ports", [])}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_the_stack_is_of_one_version_and_keeps_its_data():
    documents = manifests.render("k8s/logging")
    images = {c["image"] for w in workloads(documents) for c in containers(w)}
    versions = {i.rpartition(":")[2] for i in images if "elastic.co" in i}
    assert len(versions) == 1 and versions.pop().startswith("8.")
    fluentd = manifests.named(documents, "DaemonSet", "fluentd")
    assert "elasticsearch8" in containers(fluentd)[0]["image"]
    assert manifests.pod(fluentd)["tolerations"] == [{"operator": "Exists"}]
    kept = {v["name"] for v in manifests.pod(fluentd)["volumes"] if "hostPath" in v}
    assert kept == {"logs", "state"}
    elasticsearch = manifests.named(documents, "StatefulSet", "elasticsearch")
    assert [c["metadata"]["name"] for c in elasticsearch["spec"]["volumeClaimTemplates"]] == ["data"]
    settings = {e["name"]: e.get("value") for e in containers(elasticsearch)[1]["env"]}
    assert settings["xpack.security.enabled"] == settings["xpack.security.http.ssl.enabled"] == "true"
    # Who could speak as another node would need no password: there is no TLS among them.
    assert settings["transport.host"] == "127.0.0.1"


def test_fluentd_reads_and_writes_what_is_mounted():
    fluentd = containers(manifests.named(manifests.render("k8s/logging"), "DaemonSet", "fluentd"))[0]
    places = [mount["mountPath"] for mount in fluentd["volumeMounts"]]
    known = {entry["name"] for entry in fluentd["env"]}
    text = (ROOT / "k8s/logging/fluent.conf").read_text()
    paths = re.findall(r"^ +(?:path|pos_file|ca_file|directory) (/\S+)$", text, re.M)
    assert len(paths) == 7
    for path in paths:
        assert any(path.startswith(place + "/") for place in places), path
    assert set(re.findall(r"ENV\['(\w+)'\]", text)) <= known


def test_both_ways_of_scraping_set_the_same_labels():
    prometheus = yaml.safe_load((ROOT / "k8s/monitoring/prometheus/prometheus.yaml").read_text())
    job = prometheus["scrape_configs"][0]
    operator = manifests.render("k8s/monitoring/operator")
    monitor = manifests.named(operator, "ServiceMonitor", "shop")["spec"]
    endpoint = monitor["endpoints"][0]
    plain = {r["target_label"] for r in job["relabel_configs"] if "target_label" in r}
    operated = {r["targetLabel"] for r in endpoint["relabelings"]}
    assert operated == plain | {"job"} and job["job_name"] == "shop"
    assert endpoint["path"] == job["metrics_path"]
    shop = manifests.render("k8s/overlays/production")
    chosen = [
        service
        for service in manifests.of_kind(shop, "Service")
        if manifests.matches(monitor["selector"], service["metadata"].get("labels", {}))
    ]
    assert {s["metadata"]["name"] for s in chosen} == {f"{s}-service" for s in manifests.SERVICES}
    for service in chosen:
        assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    for service in manifests.SERVICES:
        pod = manifests.named(shop, "Deployment", f"{service}-service")
        labels = manifests.pod_labels(pod)
        assert labels["app.kubernetes.io/part-of"] == "shop"
        assert re.fullmatch("(.+)-service", labels["app.kubernetes.io/name"])[1] == service
