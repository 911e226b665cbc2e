"""renovate.json: it covers everything that is pinned."""

import json
import re

import manifests

CONFIGURATION = json.loads((manifests.ROOT / "renovate.json").read_text())


def patterns(manager):
    return [pattern.strip("/") for pattern in manager["managerFilePatterns"]]


def seen_by(manager, path):
    return any(re.search(pattern, path) for pattern in patterns(manager))


def files(folder):
    for path in sorted((manifests.ROOT / folder).rglob("*.yaml")):
        yield str(path.relative_to(manifests.ROOT)), path.read_text()


def test_every_image_of_the_manifests_is_seen():
    found = [path for path, text in files("k8s") if re.search(r"^\s+image: \S+/", text, re.M)]
    assert len(found) > 5
    assert all(seen_by(CONFIGURATION["kubernetes"], path) for path in found)


def test_every_chart_is_seen():
    found = [path for path, text in files("argocd") if re.search(r"^\s+chart: ", text, re.M)]
    assert found and all(seen_by(CONFIGURATION["argocd"], path) for path in found)


def test_the_operators_image_is_seen():
    """Also once it has a digest."""
    (custom,) = CONFIGURATION["customManagers"]
    (match,) = custom["matchStrings"]
    pattern = re.sub(r"\(\?<", "(?P<", match)
    for path, text in files("k8s"):
        for line in re.findall(r"^.*imageName: .*$", text, re.M):
            assert seen_by(custom, path)
            found = re.search(pattern, line)
            assert found["depName"] == "ghcr.io/cloudnative-pg/postgresql" and found["currentValue"]
            pinned = re.search(pattern, f"{line}@sha256:0a")
            assert pinned["currentValue"] == found["currentValue"]
            assert pinned["currentDigest"] == "sha256:0a"


def test_digests_are_pinned():
    assert {"docker:pinDigests", "helpers:pinGitHubActionDigests"} <= set(CONFIGURATION["extends"])


def test_what_a_deployment_writes_is_left_alone():
    (rule,) = [rule for rule in CONFIGURATION["packageRules"] if "matchFileNames" in rule]
    assert rule["enabled"] is False and rule["matchFileNames"] == ["k8s/images/**"]
    assert (manifests.ROOT / "k8s/images/kustomization.yaml").exists()
