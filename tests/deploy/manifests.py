"""The manifests as a cluster would get them, and functions that find what the checks need."""

import functools
import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("product", "cart", "order")
OVERLAYS = ("dev", "production")
# Folders that ArgoCD, or a reader of the documentation, builds by themselves.
FOLDERS = (
    "k8s/namespace",
    "k8s/overlays/dev",
    "k8s/overlays/production",
    "k8s/overlays/production/database",
    *(f"k8s/overlays/production/{service}-service" for service in SERVICES),
    "argocd",
)
# What watches the shop, in namespaces of its own.
WATCHING = ("k8s/monitoring", "k8s/monitoring/operator", "k8s/logging")
# The parser in C takes an eighth of the time.
parse = functools.partial(yaml.load_all, Loader=yaml.CSafeLoader)
HOSTS = ("k8s/emissary-host.yaml", "k8s/emissary-host-plain.yaml")
INGRESS_FILES = ("k8s/emissary-ingress.yaml", "k8s/emissary-listener.yaml", *HOSTS, "k8s/ingress.yaml")


@functools.cache
def kubectl():
    """The command; if it is missing, the test fails rather than being skipped."""
    return subprocess.run(
        [ROOT / "scripts/kubectl.sh"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


@functools.cache
def render(folder):
    done = subprocess.run(
        [kubectl(), "kustomize", folder], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(done.stderr)  # no check's verdict
    assert "deprecated" not in done.stderr.lower(), done.stderr
    return tuple(document for document in parse(done.stdout) if document)


def compose(folder, resource, *components):
    """Writes a kustomization of folders below k8s/ into that folder, and returns its name."""
    root = os.path.relpath(ROOT, folder.resolve())
    made = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "namespace": "shop",
        "resources": [f"{root}/k8s/{resource}"],
        "components": [f"{root}/k8s/{name}" for name in components],
    }  # fmt: skip
    (folder / "kustomization.yaml").write_text(json.dumps(made))
    return str(folder)


@functools.cache
def load(path):
    return tuple(document for document in parse((ROOT / path).read_text()) if document)


@functools.cache
def secrets(folder="postgres"):
    """The output of make-secrets.sh: no Secret is in the repository."""
    text = subprocess.run(
        [ROOT / f"k8s/{folder}/make-secrets.sh"], capture_output=True, text=True, check=True
    ).stdout
    return {document["metadata"]["name"]: document for document in parse(text) if document}


def postgres_image():
    """The workload that the dev overlay runs."""
    return containers(named(render("k8s/overlays/dev"), "StatefulSet", "postgres"))["postgres"]["image"]


def of_kind(documents, *kinds):
    return [document for document in documents if document["kind"] in kinds]


def named(documents, kind, name):
    found = [d for d in of_kind(documents, kind) if d["metadata"]["name"] == name]
    assert len(found) == 1, f"{len(found)} of {kind} {name}"
    return found[0]


def title(document):
    return f"{document['kind']}/{document['metadata']['name']}"


def workloads(documents):
    return of_kind(documents, "Deployment", "StatefulSet")


def pod(workload):
    return workload["spec"]["template"]["spec"]


def pod_labels(workload):
    return workload["spec"]["template"]["metadata"]["labels"]


def containers(workload):
    return {container["name"]: container for container in pod(workload)["containers"]}


def matches(selector, labels):
    """A label selector of Kubernetes; an empty one matches everything."""
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for rule in selector.get("matchExpressions", []):
        assert rule["operator"] == "In", rule
        if labels.get(rule["key"]) not in rule["values"]:
            return False
    return True


def settings(documents, container):
    """Names of a container's environment variables, each with its literal value or None."""
    found = {}
    for source in container.get("envFrom", []):
        found |= named(documents, "ConfigMap", source["configMapRef"]["name"])["data"]
    for entry in container.get("env", []):
        found[entry["name"]] = entry.get("value")
    return found


def read_by_workers():
    """Variables that the C code reads."""
    calls = re.compile(r'\b(?:config_(?:text|int|bool|url)|required)\(\s*"([A-Z_]+)"')
    found = set()
    for path in (ROOT / "fcgi-apps").rglob("*.c"):
        found |= set(calls.findall(path.read_text()))
    return found


def read_by_nginx(kind):
    """Variables that render.sh reads for one kind of configuration."""
    text = (ROOT / "nginx/render.sh").read_text()
    head, cases = text.split("\ncase $kind in\n")
    # What comes before the cases is for all of them; a case may be for several kinds.
    branch = re.search(rf"^(?:[a-z]+ \| )*{kind}(?: \| [a-z]+)*\)\n(.*?)^\t;;", cases, re.M | re.S)[1]
    common = head[head.index("\nkind=") :]
    return set(re.findall(r"\$\{([A-Z_]+):-", common + branch))


def routes(service):
    """What the service prints for --routes, computed from its document: nothing needs to be built."""
    lines = []
    for path in (f"{service}/openapi.json", "contract/components.json"):
        for template, methods in json.loads((ROOT / "fcgi-apps" / path).read_text())["paths"].items():
            for method, operation in methods.items():
                if method in ("parameters", "servers"):
                    continue
                callers = [] if operation.get("x-internal") else ["public"]
                callers = ",".join(callers + operation.get("x-callers", []))
                size = operation.get("requestBody", {}).get("x-max-bytes", 0)
                lines.append(f"{callers} {method.upper()} {size} {template} {operation['operationId']}\n")
    return "".join(lines)


def nginx_seconds(kind, directive, location=""):
    """The values of a directive in a configuration that nginx/render.sh makes of one kind, in all of it
    or in one location and where that passes its requests on to."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(routes("product"))
        file.flush()
        rendered = subprocess.run(
            ["nginx/render.sh", kind],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "SERVICE": "product", "ROUTES": file.name},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
    if location:
        named = re.search(rf"location \S+ \S*{location}\S* {{\n.*?\n\t\t}}", rendered, re.S)[0]
        for later in re.findall(r"try_files \S+ (@\w+);", named):
            named += re.search(rf"location {later} {{\n.*?\n\t\t}}", rendered, re.S)[0]
        rendered = named
    return [int(value) for value in re.findall(rf"^\s*{directive} (\d+)s;", rendered, re.M)]


READ_BY_ENTRYPOINT = {"WORKER_SOCKET", "RUNTIME_DIR"}
