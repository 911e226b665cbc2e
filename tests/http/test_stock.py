"""The stock of a product and its ledger."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import is_problem, pages
from world import adjust, fetch, make_product, made, movements_of, path_of, unique


def test_adjustments_and_the_ledger(product):
    created = make_product(product, inventory=10)
    answer = adjust(product, created, -3, "broken")
    assert made(answer, 200)["inventory"] == 7
    assert answer.header("ETag") == '"2"'
    assert made(adjust(product, created, 5, "found"), 200)["inventory"] == 12
    assert product.public.patch(path_of(created), json={"inventory": 2}).status == 200
    is_problem(adjust(product, created, -3), 409, "insufficient-stock")
    assert made(adjust(product, created, -2, "sold"), 200)["inventory"] == 0

    ledger = movements_of(product, created)
    assert [(entry["delta"], entry["reason"]) for entry in ledger] == [
        (-2, "sold"), (-10, "set"), (5, "found"), (-3, "broken"), (10, "opening"),
    ]  # fmt: skip
    moments = [entry["created_at"] for entry in ledger]
    assert moments == sorted(moments, reverse=True)
    assert len({entry["id"] for entry in ledger}) == len(ledger)
    assert not any("reference" in entry for entry in ledger)


STOCK_MAX = 2**53 - 1


def test_stock_cannot_leave_its_bounds(product):
    created = make_product(product, inventory=5)
    problem = is_problem(adjust(product, created, -6), 409, "insufficient-stock")
    assert problem["available"] == 5
    is_problem(adjust(product, created, STOCK_MAX), 409, "stock-limit")
    assert made(adjust(product, created, STOCK_MAX - 5), 200)["inventory"] == STOCK_MAX
    is_problem(adjust(product, created, 1), 409, "stock-limit")
    assert [entry["delta"] for entry in movements_of(product, created)] == [STOCK_MAX - 5, 5]
    is_problem(adjust(product, created, STOCK_MAX + 1), 422)


def write_back(service, before):
    """PUT, PATCH and the import accept what was read, and change nothing."""
    inputs = ("name", "description", "price", "inventory", "sku", "tags", "low_stock_threshold")
    body = {name: before[name] for name in inputs if name in before}
    client, path = service.public, path_of(before)
    assert made(client.put(path, json=body), 200)["inventory"] == before["inventory"]
    assert made(client.patch(path, json=body), 200)["inventory"] == before["inventory"]
    lines = [
        line for line in client.get("/products/export").body.splitlines(keepends=True)
        if json.loads(line)["sku"] == before["sku"]
    ]  # fmt: skip
    for query in ("", "?mode=merge"):
        headers = {"Content-Type": "application/x-ndjson"}
        answer = client.post(f"/products/bulk{query}", body=b"".join(lines), headers=headers)
        assert json.loads(answer.body)["status"] == "updated"
    after = fetch(service, before)
    changing = ("version", "updated_at")
    assert {k: v for k, v in after.items() if k not in changing} == {
        k: v for k, v in before.items() if k not in changing
    }
    assert len(made(client.get(f"{path}/stock/movements"), 200)) < 10


@pytest.mark.parametrize("most", [1_000_000_000, STOCK_MAX])
def test_whatever_orders_give_back_can_be_written_back(product, most):
    """An order takes some units, the stock is filled up to the limit, then the order is cancelled."""
    created = make_product(product, sku=unique("SUM"), inventory=most, low_stock_threshold=10**9)
    order = f"/internal/reservations/{unique('order')}"
    items = [{"product_id": created["id"], "quantity": 999}]
    made(product.internal.put(order, json={"items": items}), 201)
    filled = adjust(product, created, 999)
    if most == STOCK_MAX:
        assert is_problem(filled, 409, "stock-limit")["available"] == most - 999
        for answer in (
            product.public.put(path_of(created), json={"name": "x", "price": 1, "inventory": most}),
            product.public.patch(path_of(created), json={"inventory": most}),
        ):
            assert is_problem(answer, 409, "stock-limit")["available"] == most - 999
    else:
        made(filled, 200)
    write_back(product, fetch(product, created))
    assert product.internal.delete(order).status == 204
    after = fetch(product, created)
    assert after["inventory"] == most + (0 if most == STOCK_MAX else 999)
    write_back(product, after)


def test_an_import_cannot_pass_the_limit(product):
    created = make_product(product, sku=unique("SUM"), inventory=STOCK_MAX)
    order = f"/internal/reservations/{unique('order')}"
    items = [{"product_id": created["id"], "quantity": 5}]
    made(product.internal.put(order, json={"items": items}), 201)
    lines = "".join(
        json.dumps({"sku": sku, "name": "Mug", "price": 1, "inventory": STOCK_MAX}) + "\n"
        for sku in (created["sku"], unique("NEXT"))
    )
    for query in ("", "?mode=merge"):
        answer = product.public.post(
            f"/products/bulk{query}", body=lines, headers={"Content-Type": "application/x-ndjson"}
        )
        refused, stored = map(json.loads, answer.body.splitlines())
        assert refused["errors"][0]["pointer"] == "/inventory" and stored["status"] != "error"
    assert fetch(product, created)["inventory"] == STOCK_MAX - 5


def test_concurrent_adjustments_add_up(product):
    created = make_product(product, inventory=20)

    def take(start):
        with product.public.clone() as client:
            start.wait()
            body = {"delta": -1, "reason": "sold"}
            return [client.post(f"{path_of(created)}/stock", json=body).status for _ in range(4)]

    start = threading.Barrier(10)
    with ThreadPoolExecutor(10) as pool:
        statuses = [status for taken in pool.map(take, [start] * 10) for status in taken]
    assert sorted(statuses) == [200] * 20 + [409] * 20
    after = fetch(product, created)
    assert after["inventory"] == 0 and after["version"] == 21
    assert sum(entry["delta"] for entry in movements_of(product, created)) == 0


def test_the_ledger_pages(product):
    created = make_product(product, inventory=1)
    for _ in range(9):
        assert adjust(product, created, 1).status == 200
    path = f"{path_of(created)}/stock/movements?limit=4&count=true"
    answers = list(pages(product.public, path))
    assert [answer.header("X-Total-Count") for answer in answers] == ["10"] * 3
    assert [entry for answer in answers for entry in answer.json()] == movements_of(product, created)
