"""Production asks who calls: whose tokens count, and which keys each pod has for that."""

import re

import manifests
import test_schema

# Who shows tokens to whom, on the internal port.
SHOWN_TO = {"product", "cart"}


def folders(container):
    return {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}


def volume(workload, name):
    (found,) = [v for v in manifests.pod(workload)["volumes"] if v["name"] == name]
    return found


def in_production():
    """(service, documents, Deployment, worker, nginx)"""
    documents = manifests.render("k8s/overlays/production")
    for service in manifests.SERVICES:
        workload = manifests.named(documents, "Deployment", f"{service}-service")
        found = manifests.containers(workload)
        yield service, documents, workload, found["worker"], found["nginx"]


def reference(container, name):
    """Where a setting comes from."""
    (entry,) = [entry for entry in container["env"] if entry["name"] == name]
    return entry["valueFrom"]


def test_production_waits_until_it_is_said_whose_tokens_count():
    """A pod whose ConfigMap, or key of it, does not exist is not started."""
    for _, documents, _, worker, nginx in in_production():
        needed = {"AUTH_ISSUER": "issuer", "AUTH_AUDIENCE": "audience"}
        for name, key in needed.items():
            assert reference(worker, name) == {"configMapKeyRef": {"name": "auth", "key": key}}
        # The sidecar, which alone has TLS, fetches what its worker wants.
        for name in ("AUTH_ISSUER", "AUTH_JWKS"):
            assert reference(nginx, name) == reference(worker, name)
        assert reference(worker, "AUTH_JWKS")["configMapKeyRef"]["optional"] is True


def test_who_knows_guests_has_their_keys():
    (keys,) = manifests.secrets("auth").values()
    for service, documents, workload, worker, _ in in_production():
        settings = manifests.settings(documents, worker)
        assert ("GUEST_KEYS" in settings) == (service != "product")
        if service == "product":
            continue
        secret = volume(workload, "guest-keys")["secret"]
        (item,) = secret["items"]
        assert secret["secretName"] == keys["metadata"]["name"] and set(keys["stringData"]) == {item["key"]}
        assert settings["GUEST_KEYS"] == f"{folders(worker)['guest-keys']}/{item['path']}"
    assert re.fullmatch("[0-9a-f]{64}\n", keys["stringData"]["keys"])
    assert manifests.secrets.__wrapped__("auth")["guest-keys"] != keys


def test_who_is_called_takes_the_tokens_that_its_callers_show():
    (calling,) = [case for case in in_production() if case[0] == "order"]
    _, documents, workload, worker, _ = calling
    account = manifests.pod(workload)["serviceAccountName"]
    assert manifests.named(documents, "ServiceAccount", account)["automountServiceAccountToken"] is False
    shown = volume(workload, "service-tokens")["projected"]["sources"]
    shown = {token["path"]: token for token in (source["serviceAccountToken"] for source in shown)}
    assert manifests.settings(documents, worker)["SERVICE_TOKENS"] == folders(worker)["service-tokens"]
    assert set(shown) == SHOWN_TO
    for service, documents, workload, worker, nginx in in_production():
        settings = manifests.settings(documents, worker)
        assert ("SERVICE_ISSUER" in settings) == (service in shown)
        if service not in shown:
            continue
        # Whom the documents let call is whom the account is named after.
        callers = {line.split()[0] for line in manifests.routes(service).splitlines() if "/internal/" in line}
        assert account in {name for names in callers for name in names.split(",")}
        assert 600 <= shown[service]["expirationSeconds"] <= 3600
        (label,) = re.findall(r"labels\['(.*)'\]", reference(worker, "SERVICE_AUDIENCE")["fieldRef"]["fieldPath"])
        assert manifests.pod_labels(workload)[label] == shown[service]["audience"]
        assert reference(worker, "SERVICE_NAMESPACE") == {"fieldRef": {"fieldPath": "metadata.namespace"}}
        assert reference(worker, "SERVICE_ISSUER") == {"configMapKeyRef": {"name": "auth", "key": "cluster_issuer"}}


def composed(*arguments):
    documents = manifests.render(manifests.compose(*arguments))
    assert [error for document in documents for error in test_schema.errors(document)] == []
    return documents


def test_auth_can_be_turned_on_one_service_after_another(tmp_path):
    """docs/SECURITY.md: Order shows its token before anybody asks for it."""
    documents = composed(tmp_path, "order-service", "images", "postgres/tls", "auth/off", "auth/caller")
    workload = manifests.named(documents, "Deployment", "order-service")
    settings = manifests.settings(documents, manifests.containers(workload)["worker"])
    assert settings["AUTH"] == "off" and settings["SERVICE_TOKENS"]
    assert manifests.pod(workload)["serviceAccountName"] == "order"


def test_the_clusters_keys_come_from_its_own_api():
    for service, documents, workload, worker, nginx in in_production():
        if service == "order":
            continue
        settings, sidecar = manifests.settings(documents, worker), manifests.settings(documents, nginx)
        assert settings["SERVICE_JWKS"] == sidecar["SERVICE_JWKS"]
        # Without an audience: for the API itself.
        (source,) = volume(workload, "cluster-token")["projected"]["sources"]
        token = source["serviceAccountToken"]
        assert "audience" not in token
        assert settings["SERVICE_JWKS_TOKEN"] == f"{folders(worker)['cluster-token']}/{token['path']}"
        # nginx compares names only, never addresses, and its resolver completes none.
        assert sidecar["SERVICE_JWKS"] == "https://kubernetes.default.svc.cluster.local/openid/v1/jwks"
        (item,) = volume(workload, "cluster-ca")["configMap"]["items"]
        assert sidecar["SERVICE_CA_FILE"] == f"{folders(nginx)['cluster-ca']}/{item['path']}"


def test_a_provider_may_have_an_authority_of_its_own(tmp_path):
    """The sidecars alone fetch from it; its certificate is in the ConfigMap that says whose tokens count."""
    documents = composed(tmp_path, "overlays/production", "auth/provider-ca")
    for service in manifests.SERVICES:
        workload = manifests.named(documents, "Deployment", f"{service}-service")
        found = manifests.containers(workload)
        source = volume(workload, "provider-ca")["configMap"]
        (item,) = source["items"]
        assert source["name"] == reference(found["nginx"], "AUTH_ISSUER")["configMapKeyRef"]["name"]
        settings = manifests.settings(documents, found["nginx"])
        assert settings["AUTH_CA_FILE"] == f"{folders(found['nginx'])['provider-ca']}/{item['path']}"
        assert "provider-ca" not in folders(found["worker"])
        page = (manifests.ROOT / "docs/KUBERNETES.md").read_text()
        assert f"--from-file {item['key']}=" in page
