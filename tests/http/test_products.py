"""One product: making, reading, replacing, patching, deleting it."""

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import is_problem
from world import adjust, fetch, made, make_product, movements_of, path_of, unique

DEFAULTS = {"description": "", "inventory": 0, "reserved": 0, "tags": [], "version": 1}
OPTIONAL = ("sku", "category", "image_url", "low_stock_threshold")


def full_product():
    return {
        "name": "Enamel mug, blue",
        "description": "Holds 0.35 l.\nSurvives the \"dishwasher\" \\ \u00e4\u4e16\U0001f980",
        "price": 12.5,
        "inventory": 40,
        "sku": unique("MUG"),
        "category": "kitchen",
        "tags": ["mug", "blue"],
        "image_url": "https://images.example.com/mug.jpg",
        "low_stock_threshold": 5,
    }


# ---- create and read ----


def test_create_with_everything(product):
    sent = full_product()
    answer = product.public.post("/products", json=sent)
    created = made(answer)
    assert {name: created[name] for name in sent} == sent
    assert created["currency"] == "USD" and created["reserved"] == 0 and created["version"] == 1
    assert created["created_at"] == created["updated_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", created["created_at"])
    assert answer.header("Location") == path_of(created)
    assert answer.header("ETag") == '"1"'
    got = product.public.get(answer.header("Location"))
    assert got.json() == created and got.header("ETag") == '"1"'


def test_create_with_as_little_as_possible(product):
    created = make_product(product, name="x", price=0)
    assert {name: created[name] for name in DEFAULTS} == DEFAULTS
    assert not set(OPTIONAL) & set(created)
    assert movements_of(product, created) == []


def test_limits_are_within_reach(product):
    largest = {
        "name": "\U0001f980" * 200,
        "description": "\u4e16" * 5000,
        "price": 9_999_999.99,
        "inventory": 2**53 - 1,
        "sku": unique("S").ljust(64, "\u00e4"),
        "category": "c" * 100,
        "tags": [f"{number:050}" for number in range(20)],
        "image_url": "https://x/" + "a" * 2038,
        "low_stock_threshold": 1_000_000_000,
    }
    created = made(product.public.post("/products", json=largest))
    assert {name: created[name] for name in largest} == largest
    assert fetch(product, created) == created


@pytest.mark.parametrize(
    ("sent", "printed"),
    [
        ("0", "0.00"),
        ("-0", "0.00"),
        ("0.1", "0.10"),
        ("0.01", "0.01"),
        ("1", "1.00"),
        ("19.99", "19.99"),
        ("19.990", "19.99"),
        ("19.9900000000000000", "19.99"),
        ("1e2", "100.00"),
        ("1.5E+1", "15.00"),
        ("1999e-2", "19.99"),
        ("0.07", "0.07"),
        ("1.005e3", "1005.00"),
        ("8589934.59", "8589934.59"),
        ("9999999.99", "9999999.99"),
    ],
)
def test_prices_are_exact_and_printed_with_all_decimals(product, sent, printed):
    body = f'{{"name": "Priced", "price": {sent}}}'.encode()
    headers = {"Content-Type": "application/json"}
    answer = product.public.post("/products", body=body, headers=headers)
    assert answer.status == 201, answer
    assert f'"price":{printed},'.encode() in answer.body
    assert f'"price":{printed},'.encode() in product.public.get(answer.header("Location")).body


# None and three.
@pytest.mark.parametrize(
    ("currency", "fine", "refused"), [("JPY", "1500", "1500.5"), ("BHD", "1.005", "1.0005")]
)
def test_decimals_are_the_currencys(make_platform, currency, fine, refused):
    bed = make_platform(services=("product",), gateway=False, worker={"CURRENCY": currency})
    headers = {"Content-Type": "application/json"}

    def create(price):
        body = f'{{"name": "Lamp", "price": {price}}}'.encode()
        return bed.product.public.post("/products", body=body, headers=headers)

    answer = create(fine)
    assert made(answer)["currency"] == currency
    assert f'"price":{fine},'.encode() in answer.body
    (error,) = is_problem(create(refused), 422)["errors"]
    assert error["pointer"] == "/price"


# ---- replace ----


def test_replace_puts_defaults_for_what_is_missing(product):
    created = made(product.public.post("/products", json=full_product()))
    answer = product.public.put(path_of(created), json={"name": "Plain", "price": 3})
    after = made(answer, 200)
    assert answer.header("ETag") == '"2"'
    assert after["name"] == "Plain" and after["price"] == 3
    assert {**DEFAULTS, "version": 2}.items() <= after.items()
    assert not set(OPTIONAL) & set(after)
    assert after["created_at"] == created["created_at"] < after["updated_at"]
    assert fetch(product, created) == after


def test_replace_with_what_is_there_keeps_it(product):
    sent = full_product()
    created = made(product.public.post("/products", json=sent))
    after = made(product.public.put(path_of(created), json=sent), 200)
    assert {name: after[name] for name in sent} == sent
    assert [entry["delta"] for entry in movements_of(product, created)] == [40]


# ---- merge patch (RFC 7396) ----


@pytest.mark.parametrize(
    ("patch", "changed"),
    [
        ({}, {}),
        ({"name": "New"}, {"name": "New"}),
        ({"tags": ["c"]}, {"tags": ["c"]}),
        ({"tags": []}, {"tags": []}),
        ({"tags": None}, {"tags": []}),
        ({"description": None}, {"description": ""}),
        ({"sku": None}, {"sku": None}),
        ({"category": None, "image_url": None}, {"category": None, "image_url": None}),
        ({"low_stock_threshold": None}, {"low_stock_threshold": None}),
        ({"low_stock_threshold": 0}, {"low_stock_threshold": 0}),
        ({"inventory": None}, {"inventory": 0}),
        ({"inventory": 41}, {"inventory": 41}),
        ({"price": 0.5, "name": "Two"}, {"price": 0.5, "name": "Two"}),
    ],
)
@pytest.mark.parametrize("content_type", ["application/merge-patch+json", "application/json"])
def test_patch(product, patch, changed, content_type):
    """None among the changes: the member is gone."""
    created = made(product.public.post("/products", json=full_product()))
    headers = {"Content-Type": content_type}
    after = made(product.public.patch(path_of(created), json=patch, headers=headers), 200)
    expected = {**created, **changed, "version": 2, "updated_at": after["updated_at"]}
    assert after == {name: value for name, value in expected.items() if value is not None}
    assert fetch(product, created) == after


@pytest.mark.parametrize(
    "body", ["[]", '["c"]', "null", '"bar"', "1", "true", '[{"op":"remove","path":"/sku"}]']
)
def test_a_patch_that_is_no_object(product, body):
    """Where RFC 7396 would put it in the document's place, there is no product any more."""
    created = make_product(product)
    headers = {"Content-Type": "application/merge-patch+json"}
    answer = product.public.request("PATCH", path_of(created), body=body.encode(), headers=headers)
    (error,) = is_problem(answer, 422)["errors"]
    assert error["in"] == "body" and error["pointer"] == ""
    assert fetch(product, created) == created


@pytest.mark.parametrize("member", ["name", "price"])
def test_what_is_required_cannot_be_removed(product, member):
    created = make_product(product)
    errors = is_problem(product.public.patch(path_of(created), json={member: None}), 422)["errors"]
    assert [error["pointer"] for error in errors] == [f"/{member}"]
    assert fetch(product, created) == created


@pytest.mark.parametrize(
    "member", ["id", "currency", "reserved", "version", "created_at", "updated_at"]
)
def test_what_is_not_the_clients_cannot_be_written(product, member):
    created = make_product(product)
    for value in (created[member], None):
        for answer in (
            product.public.patch(path_of(created), json={member: value}),
            product.public.put(path_of(created), json={"name": "x", "price": 1, member: value}),
        ):
            errors = is_problem(answer, 422)["errors"]
            assert [error["pointer"] for error in errors] == [f"/{member}"]
    assert fetch(product, created) == created


# ---- sku ----


def test_a_sku_belongs_to_one_product(product):
    taken, other = make_product(product, sku=unique("A")), make_product(product, sku=unique("B"))
    body = {"name": "Lamp", "price": 1, "sku": taken["sku"]}
    is_problem(product.public.post("/products", json=body), 409, "sku-taken")
    is_problem(product.public.put(path_of(other), json=body), 409, "sku-taken")
    patch = {"sku": taken["sku"]}
    is_problem(product.public.patch(path_of(other), json=patch), 409, "sku-taken")
    assert fetch(product, other) == other
    # Its own is no conflict, and case makes another one.
    assert product.public.put(path_of(taken), json=body).status == 200
    near = taken["sku"].lower()
    assert product.public.post("/products", json={**body, "sku": near}).status == 201


def test_a_removed_sku_is_free(product):
    first = make_product(product, sku=unique("A"))
    assert product.public.patch(path_of(first), json={"sku": None}).status == 200
    second = make_product(product, sku=first["sku"])
    assert product.public.delete(path_of(second)).status == 204
    assert make_product(product, sku=first["sku"])["id"] not in (first["id"], second["id"])


def test_one_of_many_gets_the_sku(product):
    body = {"name": "Lamp", "price": 1, "sku": unique("RACE")}

    def create(start):
        with product.public.clone() as client:
            start.wait()
            return client.post("/products", json=body)

    start = threading.Barrier(16)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(create, [start] * 16))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 15
    assert len(made(product.public.get(f"/products?sku={body['sku']}"), 200)) == 1


# ---- delete ----


def nothing_there(service, product):
    client, path = service.public, path_of(product)
    for answer in (
        client.get(path),
        client.delete(path),
        client.put(path, json={"name": "x", "price": 1}),
        client.patch(path, json={"name": "x"}),
        adjust(service, product, 1),
    ):
        assert is_problem(answer, 404)["detail"] == "Product not found"


@pytest.mark.parametrize("identifier", ["none", "01a20338-95db-752d-9352-0c24b9620f45"])
def test_what_never_was_is_not_found(product, identifier):
    nothing_there(product, {"id": identifier})
    is_problem(product.public.get(f"/products/{identifier}/stock/movements"), 404)
    is_problem(product.public.post(f"/products/{identifier}/restore"), 404)


def test_deleted_is_not_found_anywhere(product):
    created = make_product(product, sku=unique("GONE"), name="Evanescent", inventory=3)
    answer = product.public.delete(path_of(created))
    assert answer.status == 204 and answer.body == b""
    nothing_there(product, created)
    for query in (f"ids={created['id']}", f"sku={created['sku']}", "q=evanescent"):
        assert product.public.get(f"/products?{query}").json() == []


def restore(service, product, headers=None):
    return service.public.post(f"{path_of(product)}/restore", headers=headers)


def test_the_ledger_outlives_the_product(product):
    created = make_product(product, inventory=3)
    order = f"/internal/reservations/{unique('order')}"
    items = [{"product_id": created["id"], "quantity": 2}]
    made(product.internal.put(order, json={"items": items}), 201)
    assert product.public.delete(path_of(created)).status == 204
    assert product.internal.delete(order).status == 204
    deltas = [(entry["delta"], entry["reason"]) for entry in movements_of(product, created)]
    assert deltas == [(2, "release"), (-2, "hold"), (3, "opening")]
    answer = product.public.get(f"{path_of(created)}/stock/movements?count=true&limit=1")
    assert answer.header("X-Total-Count") == "3"


def test_restored_is_found_as_before(product):
    word = unique("phoenix")
    created = make_product(product, sku=word, name=f"{word} lamp", tags=[word], inventory=3)
    assert product.public.delete(path_of(created)).status == 204
    answer = restore(product, created)
    restored = made(answer, 200)
    assert answer.header("ETag") == '"3"' and restored["updated_at"] > created["updated_at"]
    changing = ("version", "updated_at")
    assert {k: v for k, v in restored.items() if k not in changing} == {
        k: v for k, v in created.items() if k not in changing
    }
    assert fetch(product, created) == restored
    for query in (f"ids={created['id']}", f"sku={word}", f"tag={word}", f"q={word}"):
        assert product.public.get(f"/products?{query}").json() == [restored], query
    assert len(movements_of(product, created)) == 1
    assert made(restore(product, created), 200) == restored


def test_a_restored_product_is_sold_again(platform):
    product, carts = platform.product, platform.cart.public
    sold = make_product(product, inventory=2)
    cart = made(carts.post("/carts", json={"user_id": unique("user")}))
    item = {"product_id": sold["id"], "quantity": 1}
    assert product.public.delete(path_of(sold)).status == 204
    assert carts.post(f"/carts/{cart['id']}/items", json=item).status in (404, 409, 422)
    made(restore(product, sold), 200)
    made(carts.post(f"/carts/{cart['id']}/items", json=item), 200)
    order = {"user_id": cart["user_id"], "cart_id": cart["id"]}
    made(platform.order.public.post("/orders", json=order))
    assert fetch(product, sold)["inventory"] == 1


def test_restore_needs_the_sku(product):
    sku = unique("ONE")
    first = make_product(product, sku=sku)
    assert product.public.delete(path_of(first)).status == 204
    second = make_product(product, sku=sku)
    is_problem(restore(product, first), 409, "sku-taken")
    is_problem(product.public.get(path_of(first)), 404)
    assert product.public.delete(path_of(second)).status == 204
    made(restore(product, first), 200)
    is_problem(restore(product, second), 409, "sku-taken")


def test_restore_heeds_preconditions_and_keys(product):
    created = make_product(product)
    assert product.public.delete(path_of(created)).status == 204
    is_problem(restore(product, created, {"If-Match": '"1"'}), 412)
    headers = {"If-Match": '"2"', "Idempotency-Key": unique("key")}
    first, again = restore(product, created, headers), restore(product, created, headers)
    assert made(first, 200) == made(again, 200)
    assert again.header("Idempotent-Replayed") == "true"
    is_problem(restore(product, created, {"If-Match": '"2"'}), 412)


def test_old_orders_keep_what_was_deleted(platform):
    product, carts, orders = platform.product, platform.cart.public, platform.order.public
    sold = make_product(product, name="Last one", price=7.25, inventory=2)
    user = unique("user")
    cart = made(carts.post("/carts", json={"user_id": user}))
    item = {"product_id": sold["id"], "quantity": 2}
    assert carts.post(f"/carts/{cart['id']}/items", json=item).status == 200
    order = made(orders.post("/orders", json={"user_id": user, "cart_id": cart["id"]}))

    assert product.public.delete(path_of(sold)).status == 204
    after = made(orders.get(f"/orders/{order['id']}"), 200)
    assert after == order
    (line,) = after["items"]
    assert (line["name"], line["price"], line["quantity"]) == ("Last one", 7.25, 2)
    shipped = orders.put(f"/orders/{order['id']}/status", json={"status": "shipped"})
    assert made(shipped, 200)["status"] == "shipped"


# ---- text ----


@pytest.mark.parametrize(
    "name",
    [
        "'; DROP TABLE products; --", "<script>alert(1)</script>", "\u0301\u200f\u00ada", "%s%n%x",
        "\\u0041", "a\u200db", "\U0010fffd",
    ],
)  # fmt: skip
def test_any_text_comes_back_as_it_was(product, name):
    created = make_product(product, name=name, description=name, category=name, tags=[name])
    got = fetch(product, created)
    assert [got["name"], got["description"], got["category"], *got["tags"]] == [name] * 4
    raw = product.public.get(path_of(created)).body
    assert json.loads(raw)["name"] == name
    assert not re.search(rb"[\x00-\x1f]", raw)
