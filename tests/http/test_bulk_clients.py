"""Imports and exports of clients that are slow or disconnect, and of maximum size: memory is
bounded."""

import contextlib
import json
import re
import time
from pathlib import Path

import fastcgi
import pytest
from bulk import (
    MIB,
    NDJSON,
    NDJSON_TYPE,
    PATIENCE,
    Upload,
    begin_export,
    by_sku,
    imported,
    line_of,
    lines_in,
    status_of,
)
from client import is_problem
from testbed import SLOWNESS, VARIANT, wait_until
from world import unique


def count_of(client, category):
    answer = client.get(f"/products?category={category}&count=true&limit=1")
    return int(answer.header("X-Total-Count"))


def asked(service, operation):
    """How many requests the worker has answered."""
    metrics = service.health.get("/metrics").body.decode()
    pattern = rf'^http_requests_total{{[^}}]*operation="{operation}"[^}}]*}} (\d+)$'
    return sum(map(int, re.findall(pattern, metrics, re.M)))


def others_are_served(service, meanwhile):
    began = time.monotonic()
    for _ in range(20):
        meanwhile()
        assert service.public.get("/products?limit=1").status == 200
        assert service.public.post("/products", json={"name": "x", "price": 1}).status == 201
    # Whoever is behind a slow client waits for 10 s, each time.
    assert time.monotonic() - began < 10 * SLOWNESS


@pytest.fixture(scope="module")
def crowd(make_platform):
    """Clients have addresses of their own here, and an export is larger than socket buffers."""
    bed = make_platform(
        services=("product",), gateway=False, nginx={"TRUSTED_PROXIES": "127.0.0.1"}
    )
    text = "\N{ELECTRIC LIGHT BULB}" * 5000
    lines = [line_of(unique("BULB"), description=text) for _ in range(400)]
    imported(bed.product.public, b"".join(lines))
    return bed.product


def is_refused(answer):
    is_problem(answer, 429, "too-many-requests")
    assert int(answer.header("Retry-After")) >= 1


def import_from(service, client):
    headers = {**NDJSON, "X-Forwarded-For": client}
    return service.public.post("/products/bulk", body=line_of(unique("CROWD")), headers=headers)


def export_to(service, client):
    return service.public.get("/products/export", headers={"X-Forwarded-For": client})


def test_slow_clients_hold_nobody_up(crowd):
    """As many clients as are admitted send or read a byte now and then."""
    with contextlib.ExitStack() as stack:

        senders, readers = [], []

        def upload(client):
            """The status: 100 once a place is taken."""
            slow = Upload(crowd.public_port, 1_000_000, client, "Expect: 100-continue\r\n")
            stack.callback(slow.hang_up)
            status = status_of(slow.sock)
            if status == 100:
                senders.append(slow)
            return status

        def export(client):
            slow = stack.enter_context(begin_export(crowd.public_port, client))
            status = status_of(slow)
            if status == 200:
                readers.append(slow)
            return status

        def go_on():
            """Who is silent for long is hung up on."""
            for one in senders:
                one.send(b"{")
            for one in readers:
                one.recv(4096)

        # Of one client two imports and two exports, however often it asks.
        assert [upload(f"203.0.113.{number}") for number in (1, 1, 2)] == [100] * 3
        assert [export("203.0.113.1") for _ in range(2)] == [200] * 2
        for _ in range(12):
            assert upload("203.0.113.1") == 429
            assert export("203.0.113.1") == 429
            go_on()
        is_refused(import_from(crowd, "203.0.113.1"))
        is_refused(export_to(crowd, "203.0.113.1"))

        # Somebody else finds a place, and all the others are served.
        began = time.monotonic()
        assert import_from(crowd, "203.0.113.3").status == 200
        assert len(export_to(crowd, "203.0.113.3").body) > 5 * MIB
        assert time.monotonic() - began < 20 * SLOWNESS
        others_are_served(crowd, go_on)

        # Nobody does once all places are taken.
        assert upload("203.0.113.2") == 100
        assert export("203.0.113.2") == 200
        is_refused(import_from(crowd, "203.0.113.3"))
        is_refused(export_to(crowd, "203.0.113.3"))
        others_are_served(crowd, go_on)

        for one in senders:
            one.send(b"}")
            one.hang_up()
        wait_until(lambda: import_from(crowd, "203.0.113.3").status == 200, PATIENCE, "a place is free")
    wait_until(lambda: export_to(crowd, "203.0.113.3").status == 200, PATIENCE, "a place is free")


def test_who_is_slow_to_read_results_holds_no_thread(crowd):
    """The worker is done with each import before its client has read anything of the answer."""
    before = asked(crowd, "importProducts")
    body = b"[]\n" * 50_000
    with contextlib.ExitStack() as stack:
        for number in range(4):
            upload = Upload(crowd.public_port, len(body), f"203.0.113.{number // 2}")
            stack.callback(upload.hang_up)
            upload.send(body)
        wait_until(lambda: asked(crowd, "importProducts") == before + 4, 3 * PATIENCE, "all are done")
        is_refused(import_from(crowd, "203.0.113.3"))
    wait_until(lambda: import_from(crowd, "203.0.113.3").status == 200, PATIENCE, "a place is free")


@pytest.mark.parametrize("chunked", [True, False])
def test_a_client_that_goes_away_while_it_sends(service, chunked):
    """Nothing that it sent is stored, and the worker is not even asked."""
    category, before = unique("gone"), asked(service, "importProducts")
    body = b"".join(lines_in(category))
    upload = Upload(service.public_port, None if chunked else len(body))
    upload.send(body[: len(body) // 2 + 11])
    upload.hang_up()
    results = imported(service.public, body)
    assert {result["status"] for result in results} == {"created"}
    assert asked(service, "importProducts") == before + 1
    bodies = service.nginx.directory / "nginx-body"
    wait_until(lambda: not list(bodies.iterdir()), PATIENCE, "no body is kept")


def test_a_body_that_ends_in_the_middle(service):
    """nginx hangs up when the client does: each line was stored whole or not at all, and a repetition
    completes the import."""
    category, pid = unique("half"), service.worker.pid
    body = b"".join(lines_in(category))
    logged = len(service.worker.logged())
    connection = fastcgi.Connection(service.socket)
    connection.send(fastcgi.head("POST", "/products/bulk", CONTENT_TYPE=NDJSON_TYPE))
    half = body[: len(body) // 2 + 11]
    for start in range(0, len(half), 32_768):
        connection.send(fastcgi.record(fastcgi.STDIN, half[start : start + 32_768]))
    wait_until(lambda: count_of(service.public, category) >= 100, PATIENCE, "some are stored")
    connection.close()
    wait_until(lambda: "ECONNABORTED" in service.worker.logged()[logged:], PATIENCE, "it has noticed")
    stored = count_of(service.public, category)
    assert 100 <= stored <= 500
    results = imported(service.public, body)
    assert [result["status"] for result in results].count("created") == 1000 - stored
    assert count_of(service.public, category) == 1000
    assert service.worker.alive() and service.worker.pid == pid
    # Nothing of ours went wrong.
    assert '"error"' not in service.worker.logged()[logged:]


def test_many_clients_that_go_away_leave_nothing_behind(service):
    """Neither connections nor files stay open, whether or not the clients had sent everything."""
    files = Path(f"/proc/{service.worker.pid}/fd")
    imported(service.public, line_of(unique("WARM")))
    for turn in range(60):
        lines = line_of(unique("AWAY")) * (turn % 7 + 1)
        upload = Upload(service.public_port, len(lines) + turn % 2)
        upload.send(lines)
        upload.hang_up()
    wait_until(lambda: len(list(files.iterdir())) < 60, PATIENCE, "connections are closed")
    bodies = service.nginx.directory / "nginx-body"
    wait_until(lambda: not list(bodies.iterdir()), PATIENCE, "no body is kept")
    answers = []

    def there_is_a_place():
        body = line_of(unique("WARM"))
        answers.append(service.public.post("/products/bulk", body=body, headers=NDJSON))
        return answers[-1].status != 429

    wait_until(there_is_a_place, PATIENCE, "there is a place")
    assert answers[-1].status == 200 and answers[-1].json()["status"] == "created"


@pytest.mark.parametrize(
    ("status", "method", "path", "content_type"),
    [
        (405, "PUT", "/products/bulk", NDJSON_TYPE),
        (415, "POST", "/products/bulk", "text/plain"),
        (422, "POST", "/products/bulk?nonsense=1", NDJSON_TYPE),
    ],
)
def test_who_sends_all_of_a_body_gets_to_see_why_it_is_refused(
    service, status, method, path, content_type
):
    body = b" " * (32 * MIB)
    headers = {"Content-Type": content_type}
    for _ in range(2):
        is_problem(service.public.request(method, path, body=body, headers=headers), status)
    (result,) = imported(service.public, line_of(unique("NEXT")))
    assert result["status"] == "created"


# ---- sizes ----


def peak_kib(service):
    status = Path(f"/proc/{service.worker.pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+)", status, re.M).group(1))


def large_lines(size, good):
    """About as many bytes: long lines, every good-th of which can be stored."""
    prefix, number, sent = unique("LARGE"), 0, 0
    while True:
        number += 1
        text = "long " * (900 if number % good == 0 else 1200)
        line = line_of(f"{prefix}-{number}", description=text)
        sent += len(line)
        if sent > size:
            return
        yield line


def test_memory_is_bounded_at_the_largest_body(service):
    """Sanitizers keep freed memory: no bound for them."""
    lines = list(large_lines(32 * MIB, good=10))
    imported(service.public, b"".join(lines[:200]))
    before = peak_kib(service)
    results = imported(service.public, b"".join(lines))
    assert len(results) == len(lines) > 5000
    assert [r["status"] for r in results].count("error") == len(lines) - len(lines) // 10
    grown = peak_kib(service) - before
    if VARIANT == "release":
        assert grown < 8 * 1024, f"{grown} KiB more for a body of 32 MiB"


def test_more_than_the_largest_body(service):
    """Nothing of it is stored, whether its length was announced or is found out later."""
    upload = Upload(service.public_port, 32 * MIB + 1)
    with upload.sock:
        assert status_of(upload.sock) == 413

    sku, before = unique("FIRST"), asked(service, "importProducts")
    pieces = [line_of(sku) + b"\n" * (MIB // 16), *[(b" " * 65_000 + b"\n") * 16] * 34]
    with service.public.clone() as client:
        is_problem(client.post("/products/bulk", body=iter(pieces), headers=NDJSON), 413)
    assert asked(service, "importProducts") == before
    assert by_sku(service.public, sku) == []


def test_results_are_bounded(service):
    """They are buffered on disk, and many faults take more room than the lines that have them."""
    line = json.dumps({f"{number}": 0 for number in range(30)}).encode() + b"\n"
    results = imported(service.public, line * 40_000)
    assert len(results) < 40_000
    assert [result["line"] for result in results] == list(range(1, len(results) + 1))
    assert results[-1]["errors"][0]["detail"] == "The results are longer than 32 MiB"


def test_more_than_the_most_lines(service):
    """Lines after the limit are not stored, and the result says so."""
    skus = [unique("LAST"), unique("OVER")]
    body = b"\n" * 99_999 + line_of(skus[0]) + line_of(skus[1])
    stored, refused = imported(service.public, body)
    assert (stored["line"], stored["status"]) == (100_000, "created")
    assert (refused["line"], refused["status"]) == (100_001, "error")
    assert "100000 lines" in refused["errors"][0]["detail"]
    assert by_sku(service.public, skus[1]) == []
