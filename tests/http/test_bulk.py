"""Importing and exporting NDJSON: each line on its own, merging, and the round trip."""

import concurrent.futures
import http.client
import json
import re
import subprocess

import pytest
import stores
from bulk import MIB, NDJSON, PATIENCE, begin_export, by_sku, exported, imported, line_of, lines_in, status_of
from client import is_problem
from testbed import wait_until
from world import made, make_product, unique


# ---- lines ----


def test_one_percent_bad(service):
    """10,000 lines: 9,900 stored, 100 named, each by its number and its fault."""
    faults = [
        ({"price": 19.999}, "/price"),
        ({"name": ""}, "/name"),
        ({"inventory": -1}, "/inventory"),
        ({"colour": "red"}, "/colour"),
        ({"tags": ["a", "a"]}, "/tags/1"),
    ]
    prefix = unique("TEN")
    bad, lines = {}, []
    for number in range(1, 10_001):
        members = {"category": prefix}
        if number % 100 == 7:
            fault, bad[number] = faults[number // 100 % len(faults)]
            members |= fault
        lines.append(line_of(f"{prefix}-{number}", **members))
    results = imported(service.public, b"".join(lines))

    assert [result["line"] for result in results] == list(range(1, 10_001))
    refused = {r["line"]: r["errors"][0]["pointer"] for r in results if r["status"] == "error"}
    assert refused == bad and len(bad) == 100
    stored = [result for result in results if result["status"] == "created"]
    assert len(stored) == 9_900
    assert len({result["id"] for result in stored}) == 9_900
    assert all(result["sku"] == f"{prefix}-{result['line']}" for result in stored)
    answer = service.public.get(f"/products?category={prefix}&count=true&limit=1")
    assert answer.header("X-Total-Count") == "9900"
    for number in (1, 7, 8, 9_907, 10_000):
        assert len(by_sku(service.public, f"{prefix}-{number}")) == (number not in bad)


BAD_LINES = [
    (b"{", ""),
    (b"null", ""),
    (b"[]", ""),
    (b'"x"', ""),
    (b"{} {}", ""),
    (b"\xff", ""),
    (b"\x00", ""),
    (b"{'sku': 'a', 'name': 'b', 'price': 1}", ""),
    (b'{"sku": "a", "name": "b", "price": NaN}', ""),
    (b'{"sku": "a", "sku": "b", "name": "b", "price": 1}', ""),
    (b'{"sku": "a\\u0000", "name": "b", "price": 1}', ""),
    (b'{"sku": "a\\ud800", "name": "b", "price": 1}', ""),
    (b'{"sku": "a", "name": "b", "price": 99999999999999999999}', ""),
    (b"[" * 60_000, ""),
    (b'{"name": "b", "price": 1}', "/sku"),
    (b'{"sku": null, "name": "b", "price": 1}', "/sku"),
    (b'{"sku": "", "name": "b", "price": 1}', "/sku"),
    (b'{"sku": "a", "price": 1}', "/name"),
    (b'{"sku": "a", "name": "b"}', "/price"),
    (b'{"sku": "a", "name": "b", "price": "1"}', "/price"),
    (b'{"sku": "a", "name": "b", "price": 1.001}', "/price"),
    (b'{"sku": "a", "name": "b", "price": -1}', "/price"),
    (b'{"sku": "a", "name": "b", "price": 1, "id": "mine"}', "/id"),
    (b'{"sku": "a", "name": "b", "price": 1, "inventory": 1e16}', "/inventory"),
    (b'{"sku": "a", "name": "b", "price": 1, "description": "' + b"a" * 132_000 + b'"}', ""),
    (b"a" * 200_000, ""),
]


def test_a_bad_line_spoils_no_other(service):
    good = [line_of(unique("GOOD")) for _ in BAD_LINES]
    body = b"".join(good[i] + line + b"\n" for i, (line, _) in enumerate(BAD_LINES))
    results = imported(service.public, body)
    assert [result["line"] for result in results] == list(range(1, 2 * len(BAD_LINES) + 1))
    assert {result["status"] for result in results[::2]} == {"created"}
    for (line, pointer), result in zip(BAD_LINES, results[1::2], strict=True):
        assert result["status"] == "error" and "id" not in result, (line[:80], result)
        named = [(error["pointer"], error["detail"]) for error in result["errors"]]
        assert pointer in dict(named) and all(detail for _, detail in named), line[:80]
        assert len(named) == len(set(named)), line[:80]
    assert by_sku(service.public, "a") == []


@pytest.mark.parametrize(
    ("between", "before", "after"),
    [
        (b"\n", b"", b"\n"),
        (b"\n", b"", b""),
        (b"\r\n", b"", b"\r\n"),
        (b"\n\n\r\n\n", b"\n\n", b"\n\n\n"),
    ],
)
def test_line_ends(service, between, before, after):
    """Empty lines are counted and skipped; the last line needs no terminator."""
    skus = [unique("END") for _ in range(3)]
    lines = [line_of(sku).rstrip() for sku in skus]
    results = imported(service.public, before + between.join(lines) + after)
    step, first = between.count(b"\n"), 1 + before.count(b"\n")
    assert [result["line"] for result in results] == [first, first + step, first + 2 * step]
    assert [result["sku"] for result in results] == skus


@pytest.mark.parametrize("keyed", [False, True])
def test_a_byte_order_mark_is_no_part_of_the_first_line(service, keyed):
    """As spreadsheets write it; elsewhere it is an ordinary character."""
    skus = [unique("MARK") for _ in range(2)]
    body = b"\xef\xbb\xbf" + b"".join(line_of(sku) for sku in skus) + b"\xef\xbb\xbf{}\n"
    headers = {"Idempotency-Key": unique("key")} if keyed else {}
    first, second, third = imported(service.public, body, headers)
    assert [first["line"], first["status"], first["sku"]] == [1, "created", skus[0]]
    assert second["status"] == "created" and third["status"] == "error"


@pytest.mark.parametrize("body", [b"", b"\xef\xbb\xbf", b"\n", b"\n\r\n\n"])
def test_no_lines_no_results(service, body):
    assert imported(service.public, body) == []


@pytest.mark.parametrize("length", [131_071, 131_072, 131_073])
def test_the_longest_line(service, length):
    line = line_of(unique("LONG")).rstrip().ljust(length)
    (result, last) = imported(service.public, line + b"\n" + line_of(unique("NEXT")))
    assert result["status"] == ("created" if length <= 131_072 else "error")
    assert last["status"] == "created"


def test_a_line_may_have_every_member_at_its_maximum_all_escaped(service):
    """JSON as other programs write it; a line may be as long as a single product."""
    wide = "\U0001f600"
    sku = (unique("MAX") + wide * 64)[:64]
    members = {
        "name": wide * 200,
        "description": wide * 5000,
        "category": wide * 100,
        "tags": [f"{number:02}" + wide * 48 for number in range(20)],
        "image_url": "https://a/" + "b" * 2038,
    }
    product = {"sku": sku, "price": 1, **members}
    escaped = "".join(f"\\u{ord(character):04x}" for character in members["image_url"])
    line = json.dumps(product).replace(members["image_url"], escaped).encode()
    assert len(line) > 80_000
    (result,) = imported(service.public, line)
    assert result["status"] == "created", result
    stored = made(service.public.get(f"/products/{result['id']}"), 200)
    assert {name: stored[name] for name in members} == members


def test_upsert(service):
    """The second line with the same sku replaces the first, as PUT does, also within one import."""
    sku = unique("UP")
    lines = line_of(sku, inventory=5, tags=["a"]) + line_of(sku, name="Other", inventory=7)
    first, second = imported(service.public, lines)
    assert (first["status"], second["status"]) == ("created", "updated")
    assert first["id"] == second["id"]
    (product,) = by_sku(service.public, sku)
    assert (product["name"], product["tags"], product["inventory"]) == ("Other", [], 7)
    assert product["version"] == 2
    ledger = made(service.public.get(f"/products/{product['id']}/stock/movements"), 200)
    deltas = [(entry["delta"], entry["reason"]) for entry in ledger]
    assert deltas == [(2, "import"), (5, "opening")]


def test_a_deleted_products_sku_is_a_new_product(service):
    sku = unique("AGAIN")
    (first,) = imported(service.public, line_of(sku))
    assert service.public.delete(f"/products/{first['id']}").status == 204
    (second,) = imported(service.public, line_of(sku))
    assert second["status"] == "created" and second["id"] != first["id"]


def test_other_content_types_are_refused(service):
    for content_type in ("application/json", "text/plain", "application/x-ndjsons"):
        headers = {"Content-Type": content_type}
        answer = service.public.post("/products/bulk", body=line_of("x"), headers=headers)
        is_problem(answer, 415)


# ---- merging ----


def merged(client, *lines, headers=None):
    body = "\n".join(json.dumps(line) for line in lines).encode()
    answer = client.post("/products/bulk?mode=merge", body=body, headers={**NDJSON, **(headers or {})})
    assert answer.status == 200, answer
    return [json.loads(line) for line in answer.body.splitlines()]


FULL = {
    "name": "Lamp", "description": "Bright.", "price": 19.99, "inventory": 7, "category": "light",
    "tags": ["a", "b"], "image_url": "https://x/y", "low_stock_threshold": 2,
}  # fmt: skip


@pytest.mark.parametrize("keyed", [False, True])
def test_merging_changes_what_the_line_names(service, keyed):
    sku = unique("MERGE")
    created = made(service.public.post("/products", json={**FULL, "sku": sku}))
    assert service.public.post(
        f"/products/{created['id']}/stock", json={"delta": -3, "reason": "sold"}
    ).status == 200
    headers = {"Idempotency-Key": unique("key")} if keyed else {}
    (result,) = merged(service.public, {"sku": sku, "price": 5}, headers=headers)
    assert result == {"line": 1, "status": "updated", "id": created["id"], "sku": sku}
    (product,) = by_sku(service.public, sku)
    assert {name: product[name] for name in FULL} == {**FULL, "price": 5, "inventory": 4}
    ledger = made(service.public.get(f"/products/{created['id']}/stock/movements"), 200)
    assert [entry["delta"] for entry in ledger] == [-3, 7]

    # null takes away, as in PATCH; what is named is set; a sku may come again.
    results = merged(
        service.public,
        {"sku": sku, "category": None, "tags": ["c"], "inventory": 9},
        {"sku": f" {sku} ", "low_stock_threshold": None, "name": " Torch"},
    )
    assert [result["status"] for result in results] == ["updated"] * 2
    (product,) = by_sku(service.public, sku)
    assert "category" not in product and "low_stock_threshold" not in product
    assert [product[name] for name in ("name", "tags", "inventory")] == ["Torch", ["c"], 9]
    assert made(service.public.get(f"/products?tag=c&q=torch&sku={sku}"), 200) == [product]


def test_merging_makes_only_whole_products(service):
    sku, other = unique("NEW"), unique("NEW")
    results = merged(
        service.public,
        {"sku": sku, "price": 5},
        {"sku": sku, "price": 5, "name": "Lamp", "category": None},
        {"sku": sku, "price": 6},
        {"sku": other, "name": "Lamp"},
        {"name": "Lamp", "price": 1},
        {"sku": None, "name": "Lamp", "price": 1},
        {"sku": sku, "price": None},
        {"sku": sku, "colour": "red"},
    )
    statuses = ["error", "created", "updated", *["error"] * 5]
    assert [result["status"] for result in results] == statuses
    pointers = [[error["pointer"] for error in r["errors"]] for r in results if "errors" in r]
    assert pointers == [
        ["/name", "/sku"], ["/price", "/sku"], ["/sku"], ["/sku"], ["/price"], ["/colour"],
    ]  # fmt: skip
    (product,) = by_sku(service.public, sku)
    assert (product["price"], product["inventory"]) == (6, 0) and "category" not in product
    assert by_sku(service.public, other) == []


def test_replacing_is_what_happens_by_default(service):
    sku = unique("MODE")
    imported(service.public, line_of(sku, inventory=5, tags=["a"]))
    for query in ("", "?mode=replace"):
        body = line_of(sku)
        answer = service.public.post(f"/products/bulk{query}", body=body, headers=NDJSON)
        assert json.loads(answer.body)["status"] == "updated"
        (product,) = by_sku(service.public, sku)
        assert (product["inventory"], product["tags"]) == (0, [])
    answer = service.public.post("/products/bulk?mode=patch", body=b"", headers=NDJSON)
    is_problem(answer, 422)


def test_a_keyed_import_is_of_one_mode(service):
    headers = {**NDJSON, "Idempotency-Key": unique("key")}
    body = line_of(unique("MODE"))
    assert service.public.post("/products/bulk", body=body, headers=headers).status == 200
    answer = service.public.post("/products/bulk?mode=merge", body=body, headers=headers)
    is_problem(answer, 422, "idempotency-key-reused")


@pytest.mark.skipif(not stores.POSTGRES, reason="SQLite has one writer at a time")
def test_a_keyed_import_locks_all_its_products_in_one_order(service):
    """In one order, however the skus are spelled and in whatever chunk they are: otherwise imports
    deadlock with orders."""
    products = [make_product(service, sku=unique("LOCK")) for _ in range(2)]
    first, second = sorted(products, key=lambda product: product["id"])
    body = line_of(second["sku"]) + b"".join(line_of(unique("FILL")) for _ in range(150))
    body += line_of(f" {first['sku']}\u3000")
    row = "SELECT 1 FROM products WHERE id = '{}' FOR UPDATE {};\n"
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with (
        subprocess.Popen(
            ["psql", "-XqAt", service.store.url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as other,
        concurrent.futures.ThreadPoolExecutor() as pool,
    ):
        other.stdin.write("BEGIN;\n" + row.format(first["id"], ""))
        other.stdin.flush()
        assert other.stdout.readline() == "1\n"
        key = {"Idempotency-Key": unique("key")}
        results = pool.submit(imported, service.public, body, key)
        try:
            wait_until(lambda: service.store.read(waiting)[0][0] > 0, PATIENCE, "the import waits")
            stores.psql(service.store.url, row.format(second["id"], "NOWAIT"))
        finally:
            other.stdin.close()
        statuses = [result["status"] for result in results.result()]
    assert statuses == ["updated"] + ["created"] * 150 + ["updated"]


def test_editing_an_export_without_stock_moves_none(service):
    sku = unique("EDIT")
    created = made(service.public.post("/products", json={**FULL, "sku": sku}))
    path = f"/products/{created['id']}"
    answer = service.public.get("/products/export?stock=false")
    assert answer.status == 200 and b'"inventory"' not in answer.body
    lines = [json.loads(line) for line in answer.body.splitlines()]
    (line,) = (line for line in lines if line["sku"] == sku)
    assert line == {"sku": sku, **{k: v for k, v in FULL.items() if k != "inventory"}}
    assert service.public.post(f"{path}/stock", json={"delta": -2, "reason": "sold"}).status == 200
    results = merged(service.public, *({**line, "price": 3} for line in lines))
    assert {result["status"] for result in results} == {"updated"}
    after = made(service.public.get(path), 200)
    assert (after["price"], after["inventory"]) == (3, 5)
    assert len(made(service.public.get(f"{path}/stock/movements"), 200)) == 2
    assert b'"inventory"' in service.public.get("/products/export?stock=true").body


# ---- round trip ----


def without_times(product):
    return {name: value for name, value in product.items() if not name.endswith("_at")}


def test_export_and_import_are_inverse(catalogue, make_platform):
    """Also with unusual text, and into another platform; products without a sku are not exported."""
    source = catalogue.product.public
    odd = unique("ODD")
    imported(
        source,
        line_of(odd, name='"\\\u00e4\u4e16\u200d\U0001f980', description="a\nb\rc\u2028d", price=0.07)
        + line_of(unique("FULL"), tags=["x", "y"], category="c", inventory=3, low_stock_threshold=0,
                  image_url="https://x/y", price=9999999.99),
    )  # fmt: skip
    made(source.post("/products", json={"name": "No sku", "price": 1}))
    for client in (source, catalogue.gateway):
        body = exported(client)
        assert body == exported(source)
    lines = body.splitlines()
    assert len(lines) == len({json.loads(line)["sku"] for line in lines}) > 100
    assert b'"price":0.07' in body and not re.search(rb"[\x00-\x09\x0b-\x1f]", body)

    # Into itself: every product is there already, and stays what it is.
    results = imported(source, body)
    assert {result["status"] for result in results} == {"updated"} and len(results) == len(lines)
    assert exported(source) == body

    target = make_platform(services=("product",), gateway=False).product.public
    results = imported(target, body)
    assert {result["status"] for result in results} == {"created"} and len(results) == len(lines)
    assert exported(target) == body
    (there,), (here,) = by_sku(target, odd), by_sku(source, odd)
    assert there["name"] == here["name"] == '"\\\u00e4\u4e16\u200d\U0001f980'


def test_export_of_nothing(make_platform):
    client = make_platform(services=("product",), gateway=False).product.public
    assert exported(client) == b""
    answer = client.head("/products/export")
    assert answer.status == 200 and answer.body == b""


def test_an_export_that_fails_in_the_middle_does_not_look_whole(make_platform):
    """The second page cannot be read: the answer, which has begun, must not end properly."""
    bed = make_platform(services=("product",), gateway=True)
    prefix = unique("CUT")
    imported(bed.product.public, b"".join(line_of(f"{prefix}-{number}") for number in range(150)))
    # More than any page may take.
    bed.product.store.write(
        "UPDATE products SET description = ? WHERE sku = ?", "x" * (17 * MIB), f"{prefix}-149"
    )
    for client in (bed.product.public, bed.gateway):
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            exported(client)
    assert by_sku(bed.product.public, f"{prefix}-1")


def test_an_export_that_nobody_reads_to_its_end(service):
    """The client hangs up; the worker serves the next one."""
    imported(service.public, b"".join(lines_in(unique("export"))))

    def begins():
        with begin_export(service.public_port) as sock:
            return status_of(sock) == 200

    for _ in range(5):
        # Once nginx has seen that the last one is gone.
        wait_until(begins, PATIENCE, "an export begins")

    def serves():
        answer = service.public.get("/products/export")
        return answer.status == 200 and len(answer.body.splitlines()) >= 1000

    wait_until(serves, PATIENCE, "an export ends")
