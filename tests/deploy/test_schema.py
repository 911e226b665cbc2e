"""Every manifest against the strict schema of its kind: what a cluster does not know is an error.

schemas/ holds Kubernetes 1.32 and the definitions of Emissary 3 (v3alpha1), ArgoCD 2.14,
CloudNativePG 1.26 and the Prometheus operator, without their descriptions, in the layout that
kubeconform reads: continuous integration asks that as well.
"""

import copy
import functools
import json
from pathlib import Path

import jsonschema
import manifests
import pytest

SCHEMAS = Path(__file__).parent / "schemas"


@functools.cache
def validator(api_version, kind):
    group, _, version = api_version.rpartition("/")
    path = SCHEMAS / (group or "core") / f"{kind.lower()}_{version}.json"
    assert path.exists(), f"no schema for {api_version} {kind}"
    return jsonschema.Draft7Validator(json.loads(path.read_text()))


def errors(document):
    found = validator(document["apiVersion"], document["kind"]).iter_errors(document)
    return [f"{manifests.title(document)} {error.json_path}: {error.message}" for error in found]


FOLDERS = (*manifests.FOLDERS, *manifests.WATCHING)
SOURCES = {folder: functools.partial(manifests.render, folder) for folder in FOLDERS}
SOURCES |= {path: functools.partial(manifests.load, path) for path in manifests.INGRESS_FILES}
SOURCES["make-secrets.sh"] = lambda: manifests.secrets().values()


@pytest.mark.parametrize("source", SOURCES)
def test_every_manifest_fits_its_schema(source):
    documents = list(SOURCES[source]())
    assert documents
    assert [error for document in documents for error in errors(document)] == []


# Each is a mistake that would get lost in a cluster without strict validation.
MISTAKES = {
    "a misspelt field": lambda spec: spec.update(terminationGracePeriod=65),
    "a field of the wrong type": lambda spec: spec.update(terminationGracePeriodSeconds="65"),
    "a field deep inside": lambda spec: spec["containers"][0]["securityContext"].update(root=False),
    "a missing name": lambda spec: spec["containers"][0].pop("name"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found(mistake):
    deployment = copy.deepcopy(manifests.of_kind(manifests.render("k8s/overlays/dev"), "Deployment")[0])
    MISTAKES[mistake](manifests.pod(deployment))
    assert errors(deployment)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_two_objects_share_a_name(folder):
    names = [
        (d["kind"], d["metadata"].get("namespace"), d["metadata"]["name"])
        for d in manifests.render(folder)
    ]
    assert len(names) == len(set(names))


def test_the_folders_of_argocd_are_the_whole_of_production():
    parts = [
        document
        for folder in manifests.FOLDERS
        if folder.startswith("k8s/overlays/production/")
        for document in manifests.render(folder)
    ]
    whole = manifests.render("k8s/overlays/production")
    order = manifests.title
    assert sorted(parts, key=order) == sorted(whole, key=order)


@pytest.mark.parametrize("folder", [folder for folder in manifests.FOLDERS if folder != "argocd"])
def test_everything_is_in_the_shops_namespace(folder):
    for document in manifests.render(folder):
        if document["kind"] == "Namespace":
            assert document["metadata"]["name"] == "shop"
        else:
            assert document["metadata"]["namespace"] == "shop", manifests.title(document)
