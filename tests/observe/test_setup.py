"""The set-up Job's script, against stand-ins for Elasticsearch (with TLS) and Kibana; and what it loads
into them."""

import base64
import http.server
import json
import ssl
import subprocess
import threading
from contextlib import contextmanager

import pytest
import yaml
from test_logs import FOLDER, mapping

SETUP = FOLDER / "setup"
PASSWORDS = {"ELASTIC_PASSWORD": "e1", "KIBANA_SYSTEM_PASSWORD": "k1", "FLUENTD_PASSWORD": "f1"}


class StandIn(http.server.BaseHTTPRequestHandler):
    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.append((self.command, self.path, dict(self.headers), body))
        status, answer = self.server.answers(self.command, self.path)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = answer

    def log_message(self, *_):
        pass


@contextmanager
def serve(answers, certificates=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.asked, server.answers = [], answers
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates / "tls.crt", certificates / "tls.key")
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def made_secrets():
    done = subprocess.run([FOLDER / "make-secrets.sh"], check=True, capture_output=True, text=True)
    return {s["metadata"]["name"]: s["stringData"] for s in yaml.safe_load_all(done.stdout)}


@pytest.fixture
def certificates(made_secrets, tmp_path):
    for name, text in made_secrets["elasticsearch-tls"].items():
        (tmp_path / name).write_text(text)
    return tmp_path


def run(elasticsearch, kibana, certificates, host="elasticsearch", **settings):
    port = elasticsearch.server_address[1]
    # As in the cluster, the certificate is asked for by the Service's name.
    curl = certificates / "curl"
    curl.write_text(f'#!/bin/sh\nexec /usr/bin/curl --resolve {host}:{port}:127.0.0.1 "$@"\n')
    curl.chmod(0o755)
    environment = {
        "PATH": f"{certificates}:/usr/bin:/bin",
        "ELASTICSEARCH_URL": f"https://{host}:{port}",
        "KIBANA_URL": f"http://127.0.0.1:{kibana.server_address[1]}",
        "CA_FILE": str(certificates / "ca.crt"),
        "SETUP_DIR": str(SETUP),
        "PATIENCE": "60",
        "PAUSE": "0.1",
        **PASSWORDS,
        **settings,
    }
    command = [SETUP / "set-up.sh"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


def fine(_, path):
    return 200, b'{"success":true}' if "_import" in path else b"{}"


def test_everything_is_loaded_once_both_are_there(certificates):
    calls = iter(range(1000))

    def late(_, path):
        return (503, b"") if next(calls) < 3 else fine(_, path)

    with serve(late, certificates) as elasticsearch, serve(fine) as kibana:
        done = run(elasticsearch, kibana, certificates)
    assert done.returncode == 0, done.stderr
    changes = [asked for asked in elasticsearch.asked if asked[0] != "GET"]
    assert [(method, path) for method, path, _, _ in changes] == [
        ("PUT", "/_ilm/policy/kubernetes-logs"),
        ("PUT", "/_index_template/kubernetes-logs"),
        ("PUT", "/_security/role/fluentd"),
        ("PUT", "/_security/user/fluentd"),
        ("POST", "/_security/user/kibana_system/_password"),
    ]
    for _, _, headers, body in changes:
        assert headers["Authorization"] == "Basic " + base64.b64encode(b"elastic:e1").decode()
        assert headers["Content-Type"] == "application/json"
        json.loads(body)
    assert changes[0][3] == (SETUP / "lifecycle.json").read_bytes()
    assert changes[1][3] == (SETUP / "index-template.json").read_bytes()
    assert json.loads(changes[3][3]) == {"password": "f1", "roles": ["fluentd"]}
    assert json.loads(changes[4][3]) == {"password": "k1"}
    method, path, headers, body = kibana.asked[-1]
    assert (method, path) == ("POST", "/api/saved_objects/_import?overwrite=true")
    assert headers["kbn-xsrf"] and (SETUP / "saved-objects.ndjson").read_bytes() in body
    assert "e1" not in done.stdout + done.stderr


@pytest.mark.parametrize("refused", ["/_ilm", "/_index_template", "/_security/user", "/api/saved"])
def test_a_refusal_fails_the_job(certificates, refused):
    def refuse(method, path):
        return (400, b'{"error":"because"}') if path.startswith(refused) else fine(method, path)

    folder = certificates / "temporary"
    folder.mkdir()
    with serve(refuse, certificates) as elasticsearch, serve(refuse) as kibana:
        done = run(elasticsearch, kibana, certificates, TMPDIR=str(folder))
    assert done.returncode != 0 and "because" in done.stderr
    assert not list(folder.iterdir()), "a password stays behind"


def test_an_import_of_some_objects_only_fails(certificates):
    def partial(method, path):
        return (200, b'{"success":false,"errors":[]}') if "_import" in path else fine(method, path)

    with serve(partial, certificates) as elasticsearch, serve(partial) as kibana:
        assert run(elasticsearch, kibana, certificates).returncode != 0


def test_nobody_else_gets_the_password(certificates):
    """A server whose name is not in the certificate is refused."""
    with serve(fine, certificates) as elasticsearch, serve(fine) as kibana:
        done = run(elasticsearch, kibana, certificates, host="impostor", PATIENCE="1")
    assert done.returncode != 0 and elasticsearch.asked == []


def saved_objects():
    lines = (SETUP / "saved-objects.ndjson").read_text().splitlines()
    return {(o["type"], o["id"]): o for o in map(json.loads, lines)}


def test_saved_objects_refer_to_each_other():
    objects = saved_objects()
    assert len(objects) == len((SETUP / "saved-objects.ndjson").read_text().splitlines())
    views = {o["attributes"]["title"] for (kind, _), o in objects.items() if kind == "index-pattern"}
    assert views == {"kubernetes-*", "dead-letter-*"}
    for item in objects.values():
        for reference in item["references"]:
            assert (reference["type"], reference["id"]) in objects
    dashboard = objects["dashboard", "shop"]
    panels = json.loads(dashboard["attributes"]["panelsJSON"])
    names = {f"{panel['panelIndex']}:{panel['panelRefName']}" for panel in panels}
    assert names == {reference["name"] for reference in dashboard["references"]}
    for panel in panels:
        assert panel["gridData"]["x"] + panel["gridData"]["w"] <= 48


def fields_used():
    for (kind, name), item in saved_objects().items():
        attributes = item["attributes"]
        for field in attributes.get("columns", []):
            yield name, field, None
        for field in json.loads(attributes.get("fieldFormatMap", "{}")):
            yield name, field, None
        if kind == "visualization":
            for agg in json.loads(attributes["visState"])["aggs"]:
                if "field" in agg["params"]:
                    yield name, agg["params"]["field"], agg["type"]
        if kind in ("visualization", "search"):
            source = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])
            for word in source["query"]["query"].replace("(", " ").replace(")", " ").split():
                if "." in word and not word.startswith('"'):
                    yield name, word, None


def test_saved_objects_use_fields_that_exist():
    used = list(fields_used())
    assert len(used) > 40
    for name, field, aggregation in used:
        assert field in mapping(), f"{name}: {field}"
        if aggregation in ("percentiles", "max"):
            assert mapping()[field] == "long"
        if aggregation == "terms":
            # Texts have no values to group by.
            assert mapping()[field] in ("keyword", "long")
        if aggregation == "date_histogram":
            assert mapping()[field] == "date"


def test_the_life_cycle_and_the_template_belong_together():
    policy = json.loads((SETUP / "lifecycle.json").read_text())["policy"]["phases"]
    assert (policy["warm"]["min_age"], policy["delete"]["min_age"]) == ("7d", "30d")
    template = json.loads((SETUP / "index-template.json").read_text())
    assert template["template"]["settings"]["index"]["lifecycle"]["name"] == "kubernetes-logs"
    role = json.loads((SETUP / "fluentd-role.json").read_text())
    assert template["index_patterns"] == role["indices"][0]["names"] == ["kubernetes-*", "dead-letter-*"]
    configuration = (FOLDER / "fluent.conf").read_text()
    for pattern in template["index_patterns"]:
        assert f"logstash_prefix {pattern[:-2]}\n" in configuration


def test_passwords_are_new_each_time(made_secrets):
    users = made_secrets["elasticsearch-users"]
    assert set(users) == {"elastic", "kibana_system", "fluentd", "kibana-encryption"}
    assert len(set(users.values())) == 4 and all(len(p) == 48 for p in users.values())
