"""Logs of a running platform: one purchase is followed through all of them, each field is documented,
and fluentd's configuration turns each line into a document that fits the index template."""

import base64
import ipaddress
import itertools
import json
import re
import secrets
import subprocess
from datetime import datetime

import pytest
import testbed
import tokens
import world
from shop import Shop
from testbed import ROOT, SERVICES, entries_of_log, lines_of_log, wait_until

FOLDER = ROOT / "k8s/logging"
CONFIGURATION = FOLDER / "fluent.conf"
PIPELINE = ROOT / "tests/observe/pipeline.rb"
NOW = "2026-01-31T23:59:58.123456789+01:00"
CONTAINER = "0123456789abcdef" * 4
EVENTUALLY = 60  # seconds, on a busy machine


@pytest.fixture(scope="module")
def chatty():
    """A platform whose workers log the answers they send."""
    with testbed.Platform(worker={"LOG_LEVEL": "debug"}) as bed:
        yield bed


def worker_entries(service):
    return entries_of_log(service.worker.logged())


def logs_of(bed, trace):
    """{log: entries of the trace} over all processes."""
    found = {}
    for service in bed.services.values():
        found[f"{service.name} nginx"] = service.nginx.access_entries()
        found[f"{service.name} worker"] = worker_entries(service)
    found["gateway nginx"] = bed.gateway_nginx.access_entries()
    return {log: [e for e in entries if e.get("trace.id") == trace] for log, entries in found.items()}


def answers(entries):
    return [e for e in entries if e["message"] == "answered"]


def statuses(entries):
    return sorted(e["http.response.status_code"] for e in entries)


def complete(logs):
    return all(logs.values()) and all(
        statuses(logs[f"{service} nginx"]) == statuses(answers(logs[f"{service} worker"])) for service in SERVICES
    )


def test_one_purchase_is_followed_through_all_logs(chatty):
    trace, request = secrets.token_hex(16), f"purchase-{secrets.token_hex(4)}"
    shop = Shop(chatty)
    product = shop.make_product()
    cart = shop.make_cart({product: 2})
    headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01", "X-Request-ID": request}
    body = {"user_id": "user-1", "cart_id": cart}
    assert chatty.gateway.post("/orders", json=body, headers=headers).status == 201
    # Each request of nginx' log is one of the worker's, with the same status. A process writes its
    # line after it has answered.
    wait_until(lambda: complete(logs_of(chatty, trace)), EVENTUALLY, "all seven logs tell of it")
    logs = logs_of(chatty, trace)

    assert {e["http.request.id"] for entries in logs.values() for e in entries} == {request}
    answered = {
        service: {e["event.action"] for e in answers(logs[f"{service} worker"])} for service in SERVICES
    }
    assert answered["order"] == {"createOrder"}
    assert answered["product"] == {"holdStock"}
    assert "openCheckout" in answered["cart"]
    asked = {e["url.path"] for e in logs["product nginx"]}
    assert len(asked) == 1 and asked.pop().startswith("/internal/reservations/")
    for service in SERVICES:
        assert {e["service.name"] for e in logs[f"{service} worker"]} == {service}
        assert {e["service.name"] for e in logs[f"{service} nginx"]} == {service}
    # Nobody else's lines carry this trace.
    assert not any(logs_of(chatty, "0" * 31 + "1").values())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """(platform, provider, its settings' folder), whose workers ask who calls."""
    provider, folder = tokens.Provider(), tmp_path_factory.mktemp("auth")
    worker = tokens.settings(provider, folder) | {"LOG_LEVEL": "debug"}
    with testbed.Platform(worker=worker) as bed:
        yield bed, provider, folder


def answered(service, request):
    """What a worker's lines for the answers to a request say of who sent it."""
    entries = [e for e in worker_entries(service) if e.get("http.request.id") == request]
    return [(e.get("user.id"), e.get("client.id")) for e in entries if e["message"] == "answered"]


def test_lines_say_who_sent_the_request_and_never_by_which_token(guarded):
    bed, provider, folder = guarded
    staff = provider.headers("boss", "admin", client_id="back-office")
    body = {"name": "Enamel mug", "price": 5, "inventory": 10}
    product = world.made(bed.gateway.post("/products", json=body, headers=staff))["id"]
    item = {"product_id": product, "quantity": 1}
    ada = provider.headers("ada")
    cart = world.made(bed.gateway.post("/carts", json={}, headers=ada))["id"]
    world.made(bed.gateway.post(f"/carts/{cart}/items", json=item, headers=ada), 200)
    named = {"X-Request-ID": "adas-order"}
    world.made(bed.gateway.post("/orders", json={"cart_id": cart}, headers={**ada, **named}))
    for service in bed.services.values():
        wait_until(lambda: answered(service, "adas-order"), EVENTUALLY, "the order is logged")  # noqa: B023
    assert answered(bed.order, "adas-order") == [("ada", "storefront")]
    # Siblings act for themselves, and show that they are the order service.
    for service in (bed.product, bed.cart):
        assert set(answered(service, "adas-order")) == {(None, "order")}

    # A guest has no name, a reader needs none, and a bad token says nothing.
    guest = world.made(bed.gateway.post("/carts", json={}))
    secret = {"Cart-Secret": guest["secret"], "X-Request-ID": "guests-cart"}
    assert bed.gateway.get(f"/carts/{guest['id']}", headers=secret).status == 200
    late = provider.headers("eve", lifetime=-60) | {"X-Request-ID": "too-late"}
    assert bed.gateway.get("/carts", headers=late).status == 401
    public = {**ada, "X-Request-ID": "only-looks"}
    assert bed.gateway.get(f"/products/{product}", headers=public).status == 200
    for service, request in ((bed.cart, "guests-cart"), (bed.cart, "too-late"), (bed.product, "only-looks")):
        wait_until(lambda: answered(service, request), EVENTUALLY, f"{request} is logged")  # noqa: B023
        assert answered(service, request) == [(None, None)]
    refused = [e for e in worker_entries(bed.cart) if e["message"] == "a token was refused"]
    assert [(e["http.request.id"], e["error.type"]) for e in refused] == [("too-late", "expired")]

    seen = "".join(process.logged() for process in bed.processes())
    seen += bed.gateway_nginx.access_log.read_text()
    seen += "".join(service.nginx.access_log.read_text() for service in bed.services.values())
    assert "adas-order" in seen
    shown = [headers["Authorization"].split()[1] for headers in (staff, ada, late)]
    parts = [part for token in shown for part in token.split(".")] + [guest["secret"]]
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != "jwks.json"]
    assert len(files) == 4
    parts += [word for file in files for word in file.read_text().split()]
    for part in parts:
        assert part in ("order", "cart") or part not in seen


def documented():
    """{field: set of logs that have it} of the tables in docs/LOGGING.md."""
    found = {}
    for name, _, logs in re.findall(
        r"^\| `([@\w.]+)` \| (\w+) \| ([\w, ]+) \|", (ROOT / "docs/LOGGING.md").read_text(), re.M
    ):
        assert name not in found, name
        found[name] = set(logs.split(", "))
    return found


def written_by_workers():
    """Every field name in the C code."""
    names = set()
    for path in (ROOT / "fcgi-apps").rglob("*.c"):
        names |= set(re.findall(r'\blog_(?:text|int)\(\s*"([^"]+)"', path.read_text()))
    log = (ROOT / "fcgi-apps/base/log.c").read_text()
    names |= set(re.findall(r'(?:json_member_\w+|write_\w+)\(&writer, "([^"]+)"', log))
    # Found only in builds for the proofs; and the fields of an error, by their function.
    return {n for n in names if not n.startswith("failpoint.")} | {"error.code"}


def written_by_nginx():
    template = (ROOT / "nginx/http.conf.template").read_text()
    return set(re.findall(r'"([@\w.]+)":', template[template.index("log_format ecs") :]))


def test_every_field_is_documented_and_no_other():
    table = documented()
    assert {name for name, logs in table.items() if "worker" in logs} == written_by_workers()
    assert {name for name, logs in table.items() if "access" in logs} == written_by_nginx()
    assert set(mapping()) == set(table)


def mapping():
    """{dotted field: type} of the index template."""
    found = {}

    def walk(properties, prefix):
        for name, rule in properties.items():
            if "properties" in rule:
                assert "type" not in rule
                walk(rule["properties"], f"{prefix}{name}.")
            else:
                found[prefix + name] = rule["type"]

    template = json.loads((FOLDER / "setup/index-template.json").read_text())["template"]
    walk(template["mappings"]["properties"], "")
    return found


def test_the_documented_types_are_the_templates():
    text = (ROOT / "docs/LOGGING.md").read_text()
    types = dict(re.findall(r"^\| `([@\w.]+)` \| (\w+) \|", text, re.M))
    assert types == mapping()


def fits(kind, value):
    if value is None:
        return True
    if kind == "date":
        return datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None
    if kind == "ip":
        return bool(ipaddress.ip_address(value))
    if kind == "long":
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    if kind == "flattened":
        return isinstance(value, dict)
    assert kind in ("keyword", "match_only_text"), kind
    return isinstance(value, str) and len(value.encode()) < 32766


def flatten(document, prefix=""):
    for name, value in document.items():
        path = prefix + name
        if isinstance(value, dict) and mapping().get(path) != "flattened":
            yield from flatten(value, path + ".")
        else:
            yield path, value


def assert_typed(document):
    for path, value in flatten(document):
        assert path in mapping(), f"{path} is not in the template"
        assert fits(mapping()[path], value), f"{path} is no {mapping()[path]}: {value!r}"


def entry(line, pod="order-service-5d9f", container="worker"):
    """A line as the container runtime writes it, and its tag in fluentd."""
    tag = f"kubernetes.var.log.containers.{pod}_shop_{container}-{CONTAINER}.log"
    return {"tag": tag, "line": line}


def cri(text, stream="stderr", tag="F", time=NOW):
    return f"{time} {stream} {tag} {text}"


def base64_of(line):
    return base64.b64encode(line if isinstance(line, bytes) else line.encode()).decode()


def collect(entries, configuration=CONFIGURATION):
    done = subprocess.run(
        ["ruby", PIPELINE, configuration],
        input="".join(json.dumps({**e, "line": base64_of(e["line"])}) + "\n" for e in entries),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def collect_one(*entries, **options):
    found = collect(entries, **options)
    assert len(found) == 1, found
    return found[0]


@pytest.fixture(scope="module")
def captured(chatty):
    """Lines of every kind: purchases, refusals, a sibling that is down, restarts, nginx's errors."""
    shop = Shop(chatty)
    product = shop.make_product(inventory=2)
    shop.buy({product: 1})
    cart = shop.make_cart({product: 1})
    assert shop.order.get("/nowhere?q=secret").status == 404
    odd = b'GET /n\xc3\xb6where HTTP/1.1\r\nHost: localhost\r\nUser-Agent: a "b" \\ c\r\nConnection: close\r\n\r\n'
    assert shop.order.raw(odd).status == 404
    chatty.product.kill_worker()
    # The breaker opens after some failures in a row, and nginx has nobody to ask.
    for _ in range(8):
        assert shop.post_order(cart).status in (409, 503)
    assert chatty.product.public.get("/products").status == 502
    chatty.product.start_worker()
    chatty.cart.restart_worker()
    entries = []

    def add(line, stream, pod, container):
        # No two lines of one container have the same nanosecond.
        time = NOW.replace("123456789", f"{len(entries):09}")
        entries.append(entry(cri(line, stream, time=time), pod, container))

    for service in chatty.services.values():
        pod = f"{service.name}-service-5d9f"
        for line in lines_of_log(service.worker.logged()):
            add(line, "stderr", pod, "worker")
        for line in lines_of_log(service.nginx.access_log.read_text()):
            add(line, "stdout", pod, "nginx")
        for line in lines_of_log(service.nginx.logged()):
            add(line, "stderr", pod, "nginx")
    return entries


def text_of(item):
    return item["line"].split(" ", 3)[3]


def test_every_line_lands_as_the_template_says(captured):
    documents = collect(captured)
    assert len(documents) == len(captured)
    seen = set()
    for item, made in zip(captured, documents, strict=True):
        document = made["document"]
        assert_typed(document)
        day = datetime.fromisoformat(document["@timestamp"].replace("Z", "+00:00"))
        assert made["index"] == f"kubernetes-{day:%Y.%m.%d}" and day.utcoffset().total_seconds() == 0
        assert document["kubernetes"]["namespace_name"] == "shop"
        assert document["log.iostream"] == item["line"].split(" ")[1]
        assert not [name for name in document if name.startswith("cri_")]
        seen.add(document["event.dataset"])
        if text_of(item).startswith("{"):
            original = json.loads(text_of(item))
            assert {name: document[name] for name in original} == original
        else:
            assert document["message"] and document["message"] in text_of(item)
    assert seen == {"shop.worker", "nginx.access", "nginx.error"}
    assert len({made["id"] for made in documents}) == len(captured)


def test_the_captured_lines_are_worth_it(captured):
    """What the other test says of all fields, it says of these at least."""
    fields = {name for made in collect(captured) for name, _ in flatten(made["document"])}
    assert fields > written_by_nginx()
    assert fields > {
        "event.action", "error.code", "upstream.name", "service.version", "process.signal",
        "process.thread.count", "db.schema.version", "nginx.connection.id", "process.pid",
    }  # fmt: skip
    assert any("(not ASCII)" in text_of(item) for item in captured)
    assert not any("secret" in text_of(item) for item in captured if text_of(item).startswith("{"))


def test_a_member_named_time_stays(captured, tmp_path):
    """It is not the record's time, whatever it contains."""
    for time in (1622473200, "yesterday", "2021-06-01T00:00:00Z", {"zone": "UTC"}, None):
        line = cri(json.dumps({"@timestamp": "2026-02-01T00:00:00Z", "time": time, "message": "x"}))
        made = collect_one(entry(line))
        assert made["document"]["time"] == time
        assert made["document"]["@timestamp"] == "2026-02-01T00:00:00Z"
        assert made["index"] == "kubernetes-2026.02.01"

    # With the parser's defaults it would be gone.
    text = CONFIGURATION.read_text()
    names = ("time_key @timestamp", "keep_time_key true", "time_type string", "time_format %iso8601")
    setting = "".join(f"      {name}\n" for name in names)
    assert setting in text
    (tmp_path / "fluent.conf").write_text(text.replace(setting, ""))
    with pytest.raises(AssertionError, match='what would become of "time"'):
        collect([entry(cri('{"time": 1622473200, "message": "x"}'))], tmp_path / "fluent.conf")


def test_a_line_without_a_time_gets_the_runtimes():
    made = collect_one(entry(cri('{"message": "x"}')))
    assert made["index"] == "kubernetes-2026.01.31"
    expected = datetime.fromisoformat(NOW[:26] + NOW[29:])
    assert datetime.fromisoformat(made["document"]["@timestamp"]) == expected


def test_parts_of_a_long_line_are_put_together():
    """Two streams of one container are kept apart, and a cut within a character is repaired."""
    line = json.dumps({"message": "ä" * 20000}, ensure_ascii=False).encode()
    cuts = (0, 9000, 16385, len(line))
    parts = [line[start:end] for start, end in itertools.pairwise(cuts)]
    assert parts[0][-1:] == "ä".encode()[:1] or parts[1][-1:] == "ä".encode()[:1]
    runtime = [
        cri("", tag=tag, time=NOW.replace("789+", f"{number}+")).encode() + part
        for number, (tag, part) in enumerate(zip("PPF", parts, strict=True), 790)
    ]
    other = entry(cri('{"message": "between"}', "stdout"))
    found = collect([entry(runtime[0]), other, entry(runtime[1]), entry(runtime[2])])
    assert [made["document"]["message"] for made in found] == ["between", "ä" * 20000]
    # The line is as old as its first part.
    assert found[1]["document"]["@timestamp"].endswith("58.123456790+01:00")


def test_times_of_other_zones_are_understood():
    for written in ("2026-01-31T23:59:58.123456789Z", "2026-01-31T18:59:58.123456789-05:00"):
        made = collect_one(entry(cri("no JSON", time=written)))
        assert made["document"]["@timestamp"] == "2026-01-31T23:59:58.123456Z"


def test_what_is_no_text_is_made_one():
    made = collect_one(entry(cri("caf").encode() + b"\xc3\xa9 \xff"))
    assert made["document"]["message"] == "café \ufffd"
    broken = collect_one(entry(b"\xff\xfe no runtime's"))
    assert json.loads(broken["document"]["event.original"])["unmatched_line"] == "\ufffd\ufffd no runtime's"


def test_routes_have_no_ids():
    made = "0198f0a1-b2c3-7d4e-8f5a-6b7c8d9e0f1a"
    for path, route in (
        (f"/products/{made}", "/products/(id)"),
        (f"/internal/carts/{made}/checkouts/{made}", "/internal/carts/(id)/checkouts/(id)"),
        ("/products", "/products"),
        ("(not ASCII)", "(not ASCII)"),
    ):
        assert collect_one(entry(cri(json.dumps({"url.path": path}))))["document"]["http.route"] == route
    assert collect_one(entry(cri('{"message": "x"}')))["document"]["http.route"] is None


def test_queries_are_cut_off_nginx_errors():
    """nginx logs the whole request line, and the page that it came from."""
    line = (
        "2026/01/31 22:59:58 [error] 7#7: *10 connect() to unix:/run/app/worker.sock failed (111: Connection"
        ' refused) while connecting to upstream, client: 10.0.0.1, server: , request: "GET /orders{} HTTP/1.1",'
        ' upstream: "fastcgi://unix:/run/app/worker.sock:", host: "a", referrer: "https://a/b{}"'
    )
    for query in ("?user_id=ada", '?q="a",b', "?"):
        made = collect_one(entry(cri(line.format(query, query)), container="nginx"))
        assert made["document"]["message"] == line.format("", "").split("*10 ")[1]
    text = "What is it? A panic"
    assert collect_one(entry(cri(text), "postgres-1", "postgres"))["document"]["message"] == text


def test_other_programs_text_stays_text():
    made = collect_one(entry(cri("panic: no more", "stderr"), "postgres-1", "postgres"))
    assert made["document"]["message"] == "panic: no more"
    assert made["document"]["event.dataset"] == "container.text"
    assert_typed(made["document"])
    assert collect([entry(cri("", "stdout"))]) == []


@pytest.mark.parametrize(
    "line",
    [
        cri('{"message": "cut o'),
        cri('{"message": NaN, }'),
        cri('{"@timestamp": "yesterday", "message": "x"}'),
        cri('{"@timestamp": 5, "message": "x"}'),
        cri('{"@timestamp": null, "message": "x"}'),
        cri('{"message": "grün'),
        "not what a container runtime writes",
        "2026-01-31T23:59:58Z stdin F who is this",
        "kein Satz für eine Laufzeit",
    ],
)
def test_what_cannot_be_parsed_is_kept(line):
    made = collect_one(entry(line))
    assert re.fullmatch(r"dead-letter-\d{4}\.\d\d\.\d\d", made["index"])
    document = made["document"]
    assert document["event.dataset"] == "dead-letter"
    kept = json.loads(document["event.original"])
    assert line in (kept.get("unmatched_line"), cri(kept.get("cri_text", "")))
    assert_typed(document)


@pytest.mark.parametrize("label", ["@ERROR", "@ELSEWHERE"])
def test_a_label_that_fluentd_does_not_know_yet_is_refused(tmp_path, label):
    """fluentd adds the label @ERROR last, so no plugin in another label may refer to it."""
    configuration = tmp_path / "fluent.conf"
    own = CONFIGURATION.read_text()
    configuration.write_text(own.replace("@label @ELASTICSEARCH", f"@label {label}"))
    with pytest.raises(AssertionError, match=f"{label} label not found"):
        collect([], configuration)


def test_a_line_that_is_read_again_is_the_same_document():
    again = [collect_one(entry(cri('{"message": "x"}'))) for _ in range(2)]
    assert again[0] == again[1] and again[0]["id"]
    assert collect_one(entry(cri('{"message": "y"}')))["id"] != again[0]["id"]
    dead = [collect_one(entry(cri('{"message": '))) for _ in range(2)]
    assert dead[0] == dead[1] and dead[0]["id"]
    elsewhere = collect_one(entry(cri('{"message": "x"}'), pod="order-service-77aa"))
    later = collect_one(entry(cri('{"message": "x"}', time=NOW.replace("789+", "790+"))))
    assert len({made["id"] for made in (again[0], elsewhere, later)}) == 3


def test_what_elasticsearch_refuses_for_now_is_sent_again_as_it_was():
    """Its queue is full, or the index is closed for writing: nothing is lost, changed or duplicated."""
    for line in (cri('{"message": "x", "url.path": "/orders"}'), cri("panic: no more")):
        sent = collect_one(entry(line))
        assert collect_one({**entry(line), "refusals": [429, 429]}) == sent
    # Nor are dead letters put into dead letters.
    lost = cri('{"message": ')
    assert collect_one({**entry(lost), "refusals": [429, 429]}) == collect_one(entry(lost))


def test_what_elasticsearch_refuses_for_good_becomes_a_dead_letter():
    made = collect_one({**entry(cri('{"message": "x", "time": {}}')), "refusals": [429, 400]})
    assert made["index"].startswith("dead-letter-")
    kept = json.loads(made["document"]["event.original"])
    assert kept["message"] == "x" and kept["time"] == {}
    assert_typed(made["document"])
