"""ArgoCD's applications: their folders exist, their projects permit what they contain, and they start
in order."""

import fnmatch

import manifests
import pytest

DOCUMENTS = manifests.render("argocd")
REPOSITORY = "https://github.com/example/shop.git"
PROJECTS = {p["metadata"]["name"]: p["spec"] for p in manifests.of_kind(DOCUMENTS, "AppProject")}


def applications():
    """Name to (spec, sync wave); the generator's applications as it makes them."""
    found = {}
    for application in manifests.of_kind(DOCUMENTS, "Application"):
        wave = application["metadata"].get("annotations", {}).get("argocd.argoproj.io/sync-wave", "0")
        found[application["metadata"]["name"]] = (application["spec"], int(wave))
    for generated in manifests.of_kind(DOCUMENTS, "ApplicationSet"):
        wave = int(generated["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])
        for element in generated["spec"]["generators"][0]["list"]["elements"]:
            text = generated["spec"]["template"]
            name = text["metadata"]["name"].replace("{{.service}}", element["service"])
            spec = dict(text["spec"], source=dict(text["spec"]["source"]))
            spec["source"]["path"] = spec["source"]["path"].replace("{{.service}}", element["service"])
            found[name] = (spec, wave)
    return found


APPLICATIONS = applications()
CLUSTER_WIDE = {"Namespace", "ClusterRole", "ClusterRoleBinding"}


def brought(spec):
    """The manifests of an application from the repository."""
    source = spec["source"]
    if "directory" in source:
        names = source["directory"]["include"].strip("{}").split(",")
        folder = manifests.ROOT / source["path"]
        files = [p for p in folder.iterdir() if any(fnmatch.fnmatch(p.name, n) for n in names)]
        assert len(files) == len(names)
        return [d for p in files for d in manifests.load(str(p.relative_to(manifests.ROOT)))]
    return manifests.render(source["path"])


def test_the_services_are_three_applications():
    assert {f"{service}-api" for service in manifests.SERVICES} <= set(APPLICATIONS)
    for service in manifests.SERVICES:
        found = brought(APPLICATIONS[f"{service}-api"][0])
        assert manifests.of_kind(found, "Deployment")[0]["metadata"]["name"] == f"{service}-service"


@pytest.mark.parametrize("name", APPLICATIONS)
class TestApplication:
    def test_syncs_by_itself(self, name):
        policy = APPLICATIONS[name][0]["syncPolicy"]
        assert policy["automated"] == {"prune": True, "selfHeal": True}
        assert policy["retry"]["limit"] >= 5

    def test_is_permitted_by_its_project(self, name):
        spec, _ = APPLICATIONS[name]
        project = PROJECTS[spec["project"]]
        assert spec["source"]["repoURL"] in project["sourceRepos"]
        destinations = [(d["server"], d["namespace"]) for d in project["destinations"]]
        assert (spec["destination"]["server"], spec["destination"]["namespace"]) in destinations
        if "chart" in spec["source"]:
            return
        allowed = {
            (side["group"], side["kind"])
            for key in ("clusterResourceWhitelist", "namespaceResourceWhitelist")
            for side in project.get(key, [])
        }
        for document in brought(spec):
            group = document["apiVersion"].rpartition("/")[0]
            assert (group, document["kind"]) in allowed, manifests.title(document)
            if document["kind"] not in CLUSTER_WIDE:
                namespace = document["metadata"].get("namespace")
                assert (spec["destination"]["server"], namespace) in destinations

    def test_follows_one_repository_and_branch(self, name):
        source = APPLICATIONS[name][0]["source"]
        if "chart" in source:
            assert source["targetRevision"][0].isdigit(), "a chart's version is fixed"
        else:
            assert (source["repoURL"], source["targetRevision"]) == (REPOSITORY, "main")


def test_the_repository_is_set_in_one_place():
    found = [
        path.name
        for path in (manifests.ROOT / "argocd").iterdir()
        if REPOSITORY in path.read_text()
    ]
    assert found == ["kustomization.yaml"]


def test_the_registry_is_set_in_one_place():
    found = [
        str(path.relative_to(manifests.ROOT))
        for folder in ("k8s", "argocd")
        for path in (manifests.ROOT / folder).rglob("*.yaml")
        if "docker.io/example" in path.read_text()
    ]
    assert found == ["k8s/images/kustomization.yaml"]


def test_projects_permit_no_wildcards():
    for project in PROJECTS.values():
        assert "*" not in str(project)


def test_waves_put_the_database_before_services_before_mappings():
    waves = {name: wave for name, (_, wave) in APPLICATIONS.items()}
    services = [waves[f"{service}-api"] for service in manifests.SERVICES]
    assert waves["postgres-operator"] < waves["postgres"] < min(services)
    assert max(services) < waves["emissary-ingress"]


def test_nothing_waits_for_what_watches():
    """A wave begins when the one before is healthy: the shop must not wait for its logs."""
    waves = {name: wave for name, (_, wave) in APPLICATIONS.items()}
    watching = [waves.pop("logging"), waves.pop("monitoring")]
    assert max(waves.values()) < min(watching)


def test_the_root_brings_the_others():
    spec, _ = APPLICATIONS["shop"]
    assert spec["source"]["path"] == "argocd"
    for document in manifests.of_kind(DOCUMENTS, "AppProject"):
        assert document["metadata"]["labels"]["app.kubernetes.io/component"] == "root"
