"""Pods that ask who calls: those of the production overlay, but with a SQLite database.

What podman does not do of a cluster's work, this does: it gives environment variables the values that they
refer to, and lends the files of Secrets and projected tokens as a kubelet writes them: links to a folder
that is replaced as a whole. A container has the provider's name and the Kubernetes API's, with TLS.
"""

import json
import shutil
import sys
import tempfile
import uuid
from pathlib import Path

import manifests
from conftest import podman, run
from pods import Pod

sys.path.append(str(manifests.ROOT / "tests/http"))

import tokens  # noqa: E402 - from the folder above

ISSUER = "https://id.shop.test"
CLUSTER = "https://kubernetes.default.svc.cluster.local"
NAMESPACE = "shop"
# The ConfigMap that docs/KUBERNETES.md makes.
CONFIG_MAP = {"issuer": ISSUER, "audience": "shop", "cluster_issuer": CLUSTER}
GROUP = 10001  # fsGroup
SERVER = """
daemon off; user root; pid /tmp/nginx.pid; error_log stderr; events {}
http { server {
	listen 443 ssl;
	ssl_certificate /provider/certificate.pem;
	ssl_certificate_key /provider/key.pem;
	access_log off;
	default_type application/json;
	root /provider;
	location = /.well-known/openid-configuration { try_files /configuration.json =404; }
	location = /keys { try_files /keys.json =404; }
	location = /openid/v1/jwks {
		if ($http_authorization !~ "^Bearer [^ ]+\\\\z") { return 401; }
		try_files /cluster.json =404;
	}
} }
"""


class Provider(tokens.Provider):
    """A provider of tokens, and the cluster's API, in a container."""

    def __init__(self, image):
        super().__init__()
        self.image = image
        self.cluster = tokens.Provider("cluster")
        self.container = f"provider-{uuid.uuid4().hex[:8]}"
        self.folder = Path(tempfile.mkdtemp(prefix="provider-"))
        self.authority = self.folder / "certificate.pem"
        names = ",".join(f"DNS:{issuer.removeprefix('https://')}" for issuer in (ISSUER, CLUSTER))
        run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-days", "1", "-subj", "/CN=Authority", "-addext", f"subjectAltName={names}",
            "-keyout", self.folder / "key.pem", "-out", self.authority,
        )  # fmt: skip
        files = {
            "nginx.conf": SERVER,
            "configuration.json": json.dumps({"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"}),
            "keys.json": json.dumps(self.jwks()),
            "cluster.json": json.dumps(self.cluster.jwks()),
        }
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def start(self, *networks):
        names = ",".join(f"alias={issuer.removeprefix('https://')}" for issuer in (ISSUER, CLUSTER))
        podman(
            "run", "-d", "--name", self.container, "--user", "0", "--entrypoint", "nginx",
            *(f"--network={network}:{names}" for network in networks),
            "--volume", f"{self.folder}:/provider:ro", self.image, "-e", "stderr", "-c", "/provider/nginx.conf",
        )  # fmt: skip

    def stop(self):
        podman("rm", "-f", "-t", "0", self.container, check=False)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder)

    def token(self, *arguments, **claims):
        return super().token(*arguments, **{"iss": ISSUER, **claims})

    def account(self, name, audience, **claims):
        """A token of a ServiceAccount, as the kubelet projects it."""
        claims = {"iss": CLUSTER, "aud": [audience], "scope": None, "client_id": None, **claims}
        return self.cluster.token(f"system:serviceaccount:{NAMESPACE}:{name}", **claims)


def write(folder, files):
    """As a kubelet writes a volume: all of it at once."""
    data = folder / f"..{uuid.uuid4().hex}"
    data.mkdir()
    for name, text in files.items():
        (data / name).write_text(text)
        shutil.chown(data / name, 0, GROUP)
        (data / name).chmod(0o640)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    link = folder / "..data_tmp"
    link.symlink_to(data.name)
    link.replace(folder / "..data")


class AccessPod(Pod):
    """One replica of a service in production, whose provider has an authority of its own."""

    overlay = None
    provider = None
    guest_keys = None  # the Secret's text

    def prepare(self):
        self.files = Path(tempfile.mkdtemp(prefix="volumes-"))
        self.files.chmod(0o755)
        for container in self.manifest["containers"]:
            container["env"] = [entry for entry in map(self.resolve, container["env"]) if entry]
        for volume in self.manifest["volumes"]:
            if "emptyDir" not in volume:
                self.lend(volume)

    def resolve(self, entry):
        """The entry with its value; None without one."""
        source = entry.get("valueFrom", {})
        if "configMapKeyRef" in source:
            value = CONFIG_MAP.get(source["configMapKeyRef"]["key"])
        elif "fieldRef" in source:
            path = source["fieldRef"]["fieldPath"]
            value = NAMESPACE if path == "metadata.namespace" else self.labels[path.split("'")[1]]
        else:
            return entry
        return value and {"name": entry["name"], "value": value}

    def folder(self, volume):
        return self.files / volume.removeprefix(f"{self.name}-")

    def lend(self, volume):
        files = {}
        if "projected" in volume:
            for source in volume.pop("projected")["sources"]:
                token = source["serviceAccountToken"]
                # Accounts without a name are "default".
                account = self.spec.get("serviceAccountName", "default")
                files[token["path"]] = self.provider.account(account, token.get("audience", CLUSTER))
        else:
            source = volume.pop("secret", None) or volume.pop("configMap")
            known = {"keys": self.guest_keys, "ca.crt": self.provider.authority.read_text()}
            files = {item["path"]: known[item["key"]] for item in source["items"]}
        folder = self.folder(volume["name"])
        folder.mkdir()
        folder.chmod(0o755)
        write(folder, files)
        volume["hostPath"] = {"path": str(folder), "type": "Directory"}

    def remove(self):
        super().remove()
        shutil.rmtree(self.files, ignore_errors=True)
