"""docs/KUBERNETES.md: kubectl understands its commands, and the things they name exist."""

import functools
import re
import shlex
import subprocess

import manifests
import pytest
import test_schema
import yaml

TEXT = (manifests.ROOT / "docs/KUBERNETES.md").read_text()
# Indented blocks; in lists they are indented twice. "\" joins lines.
BLOCKS = re.findall(r"(?:^ {4,}\S.*\n|^\n(?= {4,}\S))+", TEXT, re.M)
LINES = [line.strip() for block in BLOCKS for line in re.sub(r" *\\\n\s*", " ", block).splitlines()]


def of_program(name):
    """The words of every call of a program, also after pipes and in lists."""
    found = []
    for line in LINES:
        # What follows are comments, redirections and here documents.
        line = re.split(r" +#| <<| +&$|>", line)[0].rstrip("; ")
        for part in re.split(r" \| |&& ", line):
            if part.startswith(f"{name} "):
                found.append(shlex.split(part)[1:])
    return found


KUBECTL = of_program("kubectl")


def verb(words):
    """The words of the subcommand: options before it have a value of their own."""
    words = list(words)
    while words[0].startswith("-"):
        del words[:2]
    if words[0] == "create" and words[1] in ("secret", "configmap", "namespace"):
        return words[:3] if words[1] == "secret" else words[:2]
    return words[:2] if words[0] == "rollout" else words[:1]


@functools.cache
def options(*words):
    """The options in kubectl's own help for a subcommand, and those common to all."""
    texts = [
        subprocess.run([manifests.kubectl(), *arguments], capture_output=True, text=True, check=True).stdout
        for arguments in ([*words, "--help"], ["options"])
    ]
    assert f"kubectl {' '.join(words)}" in texts[0]
    return set(re.findall(r"^\s+(?:(-\w), )?(--[\w-]+)=", "\n".join(texts), re.M))


def test_the_document_is_understood():
    assert len(KUBECTL) > 30
    assert {tuple(verb(words)) for words in KUBECTL} >= {("apply",), ("scale",), ("rollout", "undo"), ("wait",)}
    assert of_program("helm")


@pytest.mark.parametrize("words", KUBECTL, ids=" ".join)
def test_kubectl_knows_the_command_and_its_options(words):
    known = {name for pair in options(*verb(words)) for name in pair if name}
    used = {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert used <= known


def test_what_is_applied_exists():
    for words in KUBECTL:
        for option, value in zip(words, words[1:]):
            if option == "-k":
                assert (manifests.ROOT / value / "kustomization.yaml").exists(), value
            if option == "-f" and value != "-" and "//" not in value:
                assert (manifests.ROOT / value).is_file(), value
    for path in re.findall(r"\b(?:k8s|argocd|scripts)/[\w./-]*\w", TEXT):
        assert (manifests.ROOT / path).exists(), path


def test_what_is_waited_for_exists():
    documents = [d for overlay in manifests.OVERLAYS for d in manifests.render(f"k8s/overlays/{overlay}")]
    documents += manifests.render("argocd")
    names = {(d["kind"].lower(), d["metadata"]["name"]) for d in documents}
    names |= {("application", f"{service}-api") for service in manifests.SERVICES}
    others = {"emissary-ingress", "argocd-server", "cnpg-cloudnative-pg"}
    text = "\n".join(" ".join(words) for words in KUBECTL)
    referred = re.findall(r"\b(deployment|cluster|application)(?:\.\S+?)?[/ ]([a-z][\w$-]*)", text)
    assert len(referred) > 10
    for kind, name in referred:
        for service in manifests.SERVICES:
            resolved = name.replace("$service", service)
            assert (kind, resolved) in names or resolved in others, f"{kind}/{name}"


def test_manifests_in_the_text_fit_their_schemas():
    found = 0
    for block in BLOCKS:
        start = block.find("apiVersion:")
        if start < 0:
            continue
        lines = block[block.rindex("\n", 0, start) + 1 :].splitlines()
        indent = len(lines[0]) - len(lines[0].lstrip())
        text = "\n".join(line[indent:] for line in lines)
        document = yaml.safe_load(text.split("\nEND")[0])
        if document["kind"] == "Backup":
            # No schema of it is at hand; a scheduled one says the same of how, and of what.
            spec = document["spec"] | {"schedule": "0 0 0 * * *"}
            document = document | {"kind": "ScheduledBackup", "spec": spec}
        name = {"name": "x", **document["metadata"]}
        assert test_schema.errors(document | {"metadata": name}) == []
        found += 1
    assert found == 1


def test_a_restored_cluster_fits_its_schema():
    block = next(block for block in BLOCKS if "bootstrap:" in block)
    recovery = yaml.safe_load(block)["bootstrap"]
    cluster = manifests.named(manifests.render("k8s/overlays/production"), "Cluster", "postgres")
    restored = cluster | {"spec": cluster["spec"] | {"bootstrap": recovery}}
    assert test_schema.errors(restored) == []
    broken = cluster | {"spec": cluster["spec"] | {"bootstrap": {"recover": {}}}}
    assert test_schema.errors(broken)


def test_versions_are_those_of_argocd():
    applications = manifests.of_kind(manifests.render("argocd"), "Application")
    sources = [a["spec"]["source"] for a in applications]
    charts = {s["chart"]: s["targetRevision"] for s in sources if "chart" in s}
    installed = {
        words[2].rpartition("/")[2]: words[words.index("--version") + 1]
        for words in of_program("helm")
        if words[0] == "install"
    }
    assert charts.items() <= installed.items()
    assert installed["emissary-crds-chart"] == installed["emissary-ingress"]


def versions():
    """The table: {name: (version, lowest and highest Kubernetes)}."""
    section = TEXT.split("\n## Versions\n")[1].split("\n## ")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in re.findall(r"^\|.*\|$", section, re.M)]
    table = {}
    for component, version, _, kubernetes in rows[2:]:
        bounds = [int(minor) for minor in re.findall(r"\b1\.(\d+)", kubernetes)]
        assert bounds or kubernetes == "any", kubernetes
        lowest, highest = (*bounds, 0)[0], (bounds[1] if len(bounds) == 2 else 10**6)
        for name in component.split(", "):
            table[name] = (version, lowest, highest)
    return table


# Part of an image's name: the table's name.
IMAGES = {
    "cloudnative-pg/postgresql": "PostgreSQL",
    "library/postgres": "PostgreSQL",
    "elasticsearch/elasticsearch": "Elasticsearch",
    "kibana/kibana": "Kibana",
    "fluentd-kubernetes-daemonset": "fluentd",
    "prom/prometheus": "Prometheus",
    "grafana/grafana": "Grafana",
    "curlimages/curl": "curl",
}


def foreign_images():
    """In all manifests and compose files; not the services' own images, which have their own tag."""
    sources = [*(manifests.ROOT / "k8s").rglob("*.yaml"), manifests.ROOT / "docker-compose.postgres.yml"]
    for source in sources:
        for image in re.findall(r"^\s*(?:image|imageName): (\S+/\S+:\S*[0-9]\S*)$", source.read_text(), re.M):
            if "-service:" not in image:
                yield image.removesuffix("}")


def test_versions_are_those_of_the_table():
    table = versions()
    seen = set()
    for image in foreign_images():
        name, _, tag = image.rpartition(":")
        component = next(IMAGES[part] for part in IMAGES if name.endswith(part))
        assert re.match(r"v?([\d.]+)", tag)[1] == table[component][0], image
        seen.add(component)
    assert seen == set(IMAGES.values())
    installed = {w[2].rpartition("/")[2]: w[w.index("--version") + 1] for w in of_program("helm") if w[0] == "install"}
    assert table["Emissary-Ingress"][0] == installed["emissary-ingress"]
    chart = next(name for name in table if name.startswith("CloudNativePG"))
    assert chart == f"CloudNativePG (chart {installed['cloudnative-pg']})"
    assert set(re.findall(r"argo-cd/v([\d.]+)/", TEXT)) == {table["Argo CD"][0]}


def test_kubernetes_is_what_all_support():
    table = versions()
    lowest = max(bounds[1] for bounds in table.values())
    highest = min(bounds[2] for bounds in table.values())
    assert f"Kubernetes 1.{lowest} to 1.{highest}:" in TEXT
    workflow = (manifests.ROOT / ".github/workflows/ci-cd.yml").read_text()
    (validated,) = re.findall(r"-kubernetes-version 1\.(\d+)\.", workflow)
    assert lowest <= int(validated) <= highest


def test_make_targets_exist():
    makefile = (manifests.ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^ {4}make ([a-z-]+)|`make ([a-z-]+)`", TEXT, re.M))
    assert ("images", "") in targets
    for target in (one or other for one, other in targets):
        assert re.search(rf"^{target}:", makefile, re.M), target
