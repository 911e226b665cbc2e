"""Idempotency-Key on the POSTs of Product: one effect, one answer, however often it is sent."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import is_problem
from world import made, make_product, unique

AT_ONCE = 50


def keyed(key):
    return {"Idempotency-Key": key}


def replayed(answer):
    value = answer.header("Idempotent-Replayed")
    assert value in (None, "true")
    return value == "true"


def parts(answer):
    """What a repetition must have in common with the first answer."""
    names = ("Content-Type", "ETag", "Location")
    return (answer.status, answer.body, *(answer.header(name) for name in names))


def assert_replays(first, again):
    assert not replayed(first) and replayed(again)
    assert parts(first) == parts(again)


def at_once(client, send):
    """Runs send(client) in many threads at the same moment."""
    start = threading.Barrier(AT_ONCE)

    def run(_):
        with client.clone() as own:
            start.wait()
            return send(own)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(run, range(AT_ONCE)))


def assert_one_answer(answers, status):
    assert {answer.status for answer in answers} == {status}
    assert [replayed(answer) for answer in answers].count(False) == 1
    assert len({parts(answer) for answer in answers}) == 1


# ---- at the same time ----


def test_creating_many_times_at_once_makes_one_product(product):
    name, key = unique("Onceonly"), unique("key")
    body = {"name": name, "price": 1, "category": name}
    answers = at_once(product.public, lambda c: c.post("/products", json=body, headers=keyed(key)))
    assert_one_answer(answers, 201)
    (found,) = made(product.public.get(f"/products?category={name}"), 200)
    assert found == answers[0].json()


def test_adjusting_many_times_at_once_counts_once(product):
    created, key = make_product(product, inventory=5), unique("key")
    path, body = f"/products/{created['id']}", {"delta": 2, "reason": "found"}
    stock = f"{path}/stock"
    answers = at_once(product.public, lambda c: c.post(stock, json=body, headers=keyed(key)))
    assert_one_answer(answers, 200)
    assert made(product.public.get(path), 200)["inventory"] == 7
    assert len(made(product.public.get(f"{path}/stock/movements"), 200)) == 2


def test_importing_many_times_at_once_imports_once(product):
    sku, key = unique("BULK"), unique("key")
    line = json.dumps({"sku": sku, "name": "Lamp", "price": 1, "inventory": 3}).encode()
    headers = {"Content-Type": "application/x-ndjson", **keyed(key)}

    def send(client):
        # Few are let in at a time: the others ask again.
        while (answer := client.post("/products/bulk", body=line, headers=headers)).status == 429:
            time.sleep(0.01)
        return answer

    answers = at_once(product.public, send)
    assert_one_answer(answers, 200)
    assert answers[0].json()["status"] == "created"
    (found,) = made(product.public.get(f"/products?sku={sku}"), 200)
    assert found["version"] == 1


def test_shipping_many_times_at_once_ships_once(platform):
    product = platform.product
    created, order, key = make_product(product, inventory=5), unique("order"), unique("key")
    path = f"/internal/reservations/{order}"
    items = {"items": [{"product_id": created["id"], "quantity": 2}]}
    assert product.internal.put(path, json=items).status == 201
    answers = at_once(product.internal, lambda c: c.post(f"{path}/ship", headers=keyed(key)))
    assert_one_answer(answers, 200)
    after = made(product.public.get(f"/products/{created['id']}"), 200)
    assert (after["inventory"], after["reserved"]) == (3, 0)


# ---- one after the other ----


def test_a_repetition_gets_the_answer_of_then(product):
    """Also when the product has been changed or deleted since."""
    key, body = unique("key"), {"name": "Lamp", "price": 1}
    first = product.public.post("/products", json=body, headers=keyed(key))
    path = first.header("Location")
    assert product.public.patch(path, json={"name": "Other"}).status == 200
    assert_replays(first, product.public.post("/products", json=body, headers=keyed(key)))
    assert product.public.delete(path).status == 204
    assert_replays(first, product.public.post("/products", json=body, headers=keyed(key)))


def test_a_trailing_slash_makes_no_other_request(product):
    key, body = unique("key"), {"delta": 2, "reason": "found"}
    stock = f"/products/{make_product(product)['id']}/stock"
    first = product.public.post(stock, json=body, headers=keyed(key))
    assert_replays(first, product.public.post(f"{stock}/", json=body, headers=keyed(key)))


def test_answers_survive_a_restart(make_platform):
    product = make_platform(services=("product",), gateway=False).product
    key, body = unique("key"), {"name": "Lamp", "price": 1}
    first = product.public.post("/products", json=body, headers=keyed(key))
    product.restart_worker()
    assert_replays(first, product.public.post("/products", json=body, headers=keyed(key)))
    assert len(product.public.get("/products").json()) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Lamp", "price": 2},
        {"price": 1, "name": "Lamp"},
        {"name": "Lamp", "price": 1, "tags": []},
    ],
)
def test_another_body_is_refused(product, other):
    """Even if it means the same: only the very same bytes are the same request."""
    key = unique("key")
    first = product.public.post("/products", json={"name": "Lamp", "price": 1}, headers=keyed(key))
    assert first.status == 201
    answer = product.public.post("/products", json=other, headers=keyed(key))
    is_problem(answer, 422, "idempotency-key-reused")
    assert not replayed(answer)
    # The first one's answer is still there.
    again = product.public.post("/products", json={"name": "Lamp", "price": 1}, headers=keyed(key))
    assert_replays(first, again)


def test_another_product_is_another_request(product):
    key, body = unique("key"), {"delta": 1, "reason": "found"}
    one, other = make_product(product), make_product(product)
    path = "/products/{}/stock"
    first = product.public.post(path.format(one["id"]), json=body, headers=keyed(key))
    assert first.status == 200
    answer = product.public.post(path.format(other["id"]), json=body, headers=keyed(key))
    is_problem(answer, 422, "idempotency-key-reused")
    assert made(product.public.get(f"/products/{other['id']}"), 200) == other


def test_a_key_is_scoped_to_the_operation(product):
    key = unique("key")
    answer = product.public.post("/products", json={"name": "Lamp", "price": 1}, headers=keyed(key))
    path = f"{answer.header('Location')}/stock"
    adjusted = product.public.post(path, json={"delta": 1, "reason": "x"}, headers=keyed(key))
    assert adjusted.status == 200 and not replayed(adjusted)


def test_without_a_key_every_request_counts(product):
    body = {"name": unique("Twice"), "price": 1}
    ids = {made(product.public.post("/products", json=body))["id"] for _ in range(2)}
    assert len(ids) == 2


# ---- refusals ----


def test_a_conflict_is_kept(product):
    taken, key = make_product(product, sku=unique("TAKEN")), unique("key")
    body = {"name": "Lamp", "price": 1, "sku": taken["sku"]}
    first = product.public.post("/products", json=body, headers=keyed(key))
    is_problem(first, 409, "sku-taken")
    assert product.public.delete(f"/products/{taken['id']}").status == 204
    assert_replays(first, product.public.post("/products", json=body, headers=keyed(key)))
    # With another key, it is another try.
    assert product.public.post("/products", json=body, headers=keyed(unique("key"))).status == 201


def test_a_shortage_is_kept_and_nothing_of_it_done(product):
    created, key = make_product(product, inventory=1), unique("key")
    path, body = f"/products/{created['id']}/stock", {"delta": -2, "reason": "sold"}
    first = product.public.post(path, json=body, headers=keyed(key))
    assert is_problem(first, 409, "insufficient-stock")["available"] == 1
    assert product.public.post(path, json={"delta": 5, "reason": "found"}).status == 200
    assert_replays(first, product.public.post(path, json=body, headers=keyed(key)))
    assert made(product.public.get(f"/products/{created['id']}"), 200)["inventory"] == 6


def test_not_found_is_kept(product):
    path, body = "/products/none/stock", {"delta": 1, "reason": "x"}
    key = unique("key")
    first = product.public.post(path, json=body, headers=keyed(key))
    is_problem(first, 404, "not-found")
    assert_replays(first, product.public.post(path, json=body, headers=keyed(key)))


# ---- keys ----


def test_quoted_and_bare_are_the_same_key(product):
    """The header is a Structured Field string, which many clients send bare."""
    key, body = unique("key"), {"name": "Lamp", "price": 1}
    first = product.public.post("/products", json=body, headers=keyed(f'"{key}"'))
    for spelling in (key, f'"{key}"', f"  {key}  "):
        again = product.public.post("/products", json=body, headers=keyed(spelling))
        assert_replays(first, again)
    # Case matters.
    assert not replayed(product.public.post("/products", json=body, headers=keyed(key.upper())))


@pytest.mark.parametrize("length", [1, 255])
@pytest.mark.parametrize("quotes", ["{}", '"{}"'])
def test_the_longest_and_the_shortest_key(product, length, quotes):
    key = unique("").rjust(length, "k") if length > 1 else {"{}": "!", '"{}"': "~"}[quotes]
    body = {"name": "Lamp", "price": 1}
    first = product.public.post("/products", json=body, headers=keyed(quotes.format(key)))
    assert first.status == 201
    assert_replays(first, product.public.post("/products", json=body, headers=keyed(key)))


@pytest.mark.parametrize(
    "key",
    ["k" * 258, f'"{"k" * 256}"', "a b", '"a b"', "\u00e4", "1\t2", 'a"b', '"a', '""', "\x7f"],
)
def test_unusable_keys(product, key):
    name = unique("never")
    body = json.dumps({"name": name, "price": 1, "category": name}).encode()
    request = (
        b"POST /products HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\nIdempotency-Key: %s\r\n\r\n" % (len(body), key.encode())
    )
    (error,) = is_problem(product.public.raw(request + body), 422)["errors"]
    assert (error["in"], error["pointer"]) == ("header", "/Idempotency-Key")
    assert made(product.public.get(f"/products?category={name}"), 200) == []


# ---- imports ----


def test_an_import_with_a_key_is_repeated_in_full(product):
    skus = [unique("BULK") for _ in range(150)]
    lines = [json.dumps({"sku": sku, "name": "Lamp", "price": 1}) for sku in skus] + ["{"]
    headers = {"Content-Type": "application/x-ndjson", **keyed(unique("key"))}
    body = "\n".join(lines).encode()
    first = product.public.post("/products/bulk", body=body, headers=headers)
    assert first.status == 200
    results = [json.loads(line) for line in first.body.splitlines()]
    assert [result["status"] for result in results] == ["created"] * 150 + ["error"]
    assert_replays(first, product.public.post("/products/bulk", body=body, headers=headers))
    other = product.public.post("/products/bulk", body=body + b"\n", headers=headers)
    is_problem(other, 422, "idempotency-key-reused")


def test_an_import_with_a_key_has_a_limit(product):
    headers = {"Content-Type": "application/x-ndjson", **keyed(unique("key"))}
    body = b" " * ((1 << 20) + 1)
    with product.public.clone() as client:
        is_problem(client.post("/products/bulk", body=body, headers=headers), 413)
