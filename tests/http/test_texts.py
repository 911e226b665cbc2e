"""One rule for all texts and ids, in bodies, in queries and in the lines of an import: a text stored in
one spelling is found by every other spelling, and texts that are invisible or control a terminal are
refused."""

import json
from urllib.parse import quote

import pytest
from client import is_problem
from shop import Shop, write_to_store
from testbed import wait_until
from world import made, make_product, unique

NDJSON = {"Content-Type": "application/x-ndjson"}

# "Ö" as one character and as two, with and without white space of every kind around it.
COMPOSED, DECOMPOSED = "\u00d6", "O\u0308"
SPELLINGS = [
    "{}" + COMPOSED, "{}" + DECOMPOSED, " {}" + COMPOSED + " ", "\u3000{}" + DECOMPOSED + "\u00a0",
    "\t{}" + COMPOSED + "\r\n", "\ufeff\u202a{}" + DECOMPOSED + "\u200b\u202c",
]  # fmt: skip
BLANK = ["", " ", "\t", "\u00a0", "\u200b", "\ufeff", "\u2060\u00ad", "\ufe0f", "\u3164", "\u2028"]
UNFIT = ["a\ufdd0b", "a\ufffe", "a\U0010ffffb", "a\u202eb", "a\u2066b", "a\ufeffb", "a\U000e0041"]
CONTROLS = ["a\tb", "a\nb", "a\x1b[31mb", "a\x7fb", "a\u0085b", "a\u009bb", "a\u2028b", "a\u2029b"]


@pytest.fixture(scope="module")
def shop(platform):
    with_clients = Shop(platform)
    yield with_clients
    with_clients.close()


def members(shop):
    """{name: what sends a text in its place}: every text that clients write or ask for."""
    product = shop.make_product(inventory=100)
    order = shop.buy({product: 1})

    def create(**more):
        return shop.product.post("/products", json={"name": "Text", "price": 1, **more})

    def patch(**more):
        return shop.product.patch(f"/products/{product}", json=more)

    def line(**more):
        body = {"name": "Text", "price": 1, "sku": unique("TEXT"), **more}
        answer = shop.product.post("/products/bulk", body=json.dumps(body), headers=NDJSON)
        return answer if answer.status != 200 else answer.json()

    return {
        "name": lambda text: create(name=text),
        "category": lambda text: create(category=text),
        "tags": lambda text: create(tags=[text]),
        "sku": lambda text: create(sku=text),
        "patched name": lambda text: patch(name=text),
        "patched sku": lambda text: patch(sku=text),
        "patched category": lambda text: patch(category=text),
        "patched tags": lambda text: patch(tags=["other", text]),
        "stock reason": lambda text: shop.product.post(
            f"/products/{product}/stock", json={"delta": 1, "reason": text}
        ),
        "imported sku": lambda text: line(sku=text),
        "imported name": lambda text: line(name=text),
        "user of a cart": lambda text: shop.cart.post("/carts", json={"user_id": text}),
        "user of an order": lambda text: shop.order.post(
            "/orders", json={"user_id": text, "cart_id": "none"}
        ),
        "reason": lambda text: shop.order.put(
            f"/orders/{order['id']}/status", json={"status": "shipped", "reason": text}
        ),
        "tracking number": lambda text: shop.order.put(
            f"/orders/{order['id']}/status", json={"status": "shipped", "tracking_number": text}
        ),
        "queried category": lambda text: shop.product.get(f"/products?category={quote(text)}"),
        "queried tag": lambda text: shop.product.get(f"/products?tag={quote(text)}"),
        "queried sku": lambda text: shop.product.get(f"/products?sku={quote(text)}"),
        "queried cart": lambda text: shop.cart.get(f"/carts?user_id={quote(text)}"),
        "queried order": lambda text: shop.order.get(f"/orders?user_id={quote(text)}"),
    }


def fault(answer, detail):
    """None, or how it fails to be a refusal with that detail."""
    if isinstance(answer, dict):
        found = answer.get("errors", [])
    else:
        found = is_problem(answer, 422)["errors"] if answer.status == 422 else [answer]
    return None if [error for error in found if detail in str(error)] else found


def test_every_member_refuses_alike(shop):
    senders = members(shop)
    wrong = []
    for texts, detail in (
        (BLANK, "must not be blank"),
        (CONTROLS, "must not have control char"),
        (UNFIT, "its character 2: it"),
    ):
        for name, send in senders.items():
            wrong += [(name, text, fault(send(text), detail)) for text in texts]
    assert not [case for case in wrong if case[2]]


def test_every_spelling_is_one_text(shop):
    for spelling in SPELLINGS:
        mark = unique("S")
        sent, stored = spelling.format(mark), mark + COMPOSED
        body = {"name": sent, "price": 1, "sku": sent, "category": sent, "tags": [sent]}
        got = made(shop.product.post("/products", json=body))
        assert [got["name"], got["sku"], got["category"], *got["tags"]] == [stored] * 4
        for other in SPELLINGS:
            again = other.format(mark)
            is_problem(shop.product.post("/products", json={**body, "sku": again}), 409, "sku-taken")
            for name in ("category", "tag", "sku"):
                (found,) = shop.product.get(f"/products?{name}={quote(again)}").json()
                assert found["id"] == got["id"], (name, other)
            line = json.dumps({**body, "sku": again}).encode()
            result = shop.product.post("/products/bulk", body=line, headers=NDJSON).json()
            assert (result["status"], result["id"]) == ("updated", got["id"]), other


def test_every_spelling_is_one_customer(shop):
    product = shop.make_product(inventory=100)
    mark = unique("u")
    for spelling in SPELLINGS:
        cart_id = shop.make_cart({product: 1}, user=spelling.format(mark))
        assert shop.read_cart(cart_id)["user_id"] == mark + COMPOSED
        shop.place_order(cart_id, user=SPELLINGS[-1].format(mark))
    for spelling in SPELLINGS:
        user = quote(spelling.format(mark))
        assert len(shop.cart.get(f"/carts?user_id={user}").json()) == len(SPELLINGS)
        assert len(shop.order.get(f"/orders?user_id={user}").json()) == len(SPELLINGS)


def test_customers_of_before_are_found(shop):
    """Ids stored by a version without normal forms: the workers normalise them while they run."""
    product = shop.make_product(inventory=100)
    mark = unique("old")
    bought = [shop.buy({product: 1}, user=f"{mark}-{n}") for n in range(len(SPELLINGS))]
    carts = [shop.make_cart({product: 1}, user=f"{mark}-{n}") for n in range(len(SPELLINGS))]
    for order, cart_id, spelling in zip(bought, carts, SPELLINGS):
        old = "UPDATE {} SET user_id = ? WHERE id = ?"
        write_to_store(shop.bed.order, old.format("orders"), spelling.format(mark), order["id"])
        write_to_store(shop.bed.cart, old.format("carts"), spelling.format(mark), cart_id)
    for service in (shop.bed.order, shop.bed.cart):
        write_to_store(service, "INSERT INTO old_user_ids (passes, due, last_id) VALUES (1, 0, '')")
    user = f"?user_id={quote(mark + COMPOSED)}"
    for client, path in ((shop.order, "/orders"), (shop.cart, "/carts")):
        wait_until(lambda: len(client.get(path + user).json()) == len(SPELLINGS), 30, f"all {path}")
    for cart_id in carts:
        shop.place_order(cart_id, user=mark + DECOMPOSED)
    assert shop.read_order(bought[0]["id"])["version"] == bought[0]["version"]


def test_tags_that_read_the_same_are_the_same(product):
    body = {"name": "Tags", "price": 1, "tags": [COMPOSED, " " + DECOMPOSED]}
    (error,) = is_problem(product.public.post("/products", json=body), 422)["errors"]
    assert error["pointer"] == "/tags/1"


def test_a_description_may_have_lines(product):
    created = make_product(product, description="\n\tOne\r\n\r\n\tTwo \u2028\n")
    assert created["description"] == "One\r\n\r\n\tTwo"
    assert make_product(product, description=" \u200b\n")["description"] == ""
    for text in ("a\x1bb", "a\u009bb", "a\x01b"):
        answer = product.public.post("/products", json={"name": "x", "price": 1, "description": text})
        (error,) = is_problem(answer, 422)["errors"]
        assert error["pointer"] == "/description"


def test_what_belongs_to_a_character_stays(product):
    """Emoji, words of Persian with a joiner inside, of Malayalam with one at the end, a flag."""
    words = "\u2615\ufe0f", "\U0001f468\u200d\U0001f469", "\u0645\u06cc\u200c\u0634\u0648\u062f"
    flag = "\U0001f3f4" + "".join(chr(0xE0000 + ord(byte)) for byte in "gbeng") + "\U000e007f"
    for text in (*words, "\u0d05\u0d35\u0d28\u0d4d\u200d", flag):
        created = make_product(product, name=text, category=text, tags=[text])
        assert [created["name"], created["category"], *created["tags"]] == [text] * 3


def test_lengths_count_after_that(product):
    created = make_product(product, name=" " * 100 + DECOMPOSED * 200 + " ")
    assert created["name"] == COMPOSED * 200


# ---- ids ----


def test_ids_in_capitals_are_the_same(shop):
    product = shop.make_product(inventory=9)
    other = shop.make_product(inventory=9)
    path = f"/products/{product.upper()}"
    assert made(shop.product.get(path), 200)["id"] == product
    adjusted = shop.product.post(f"{path}/stock", json={"delta": 1, "reason": "counted"})
    assert made(adjusted, 200)["id"] == product
    assert len(shop.product.get(f"{path}/stock/movements").json()) == 2
    ids = f"{product.upper()},{other},{other.upper()}"
    assert {found["id"] for found in shop.product.get(f"/products?ids={ids}").json()} == {
        product,
        other,
    }

    cart_id = shop.make_cart()
    cart = f"/carts/{cart_id.upper()}"
    body = {"product_id": product.upper(), "quantity": 1}
    assert shop.cart.post(f"{cart}/items", json=body).status == 200
    assert shop.cart.post(f"{cart}/items", json={**body, "product_id": product}).status == 200
    assert shop.cart.put(f"{cart}/items/{product.upper()}", json={"quantity": 3}).status == 200
    assert shop.quantities(cart_id) == {product: 3}
    assert shop.cart.post(f"{cart}/refresh").json()["id"] == cart_id
    guest = shop.make_cart({other: 1})
    merged = shop.cart.post(f"{cart}/merge", json={"source_cart_id": guest.upper()})
    assert made(merged, 200)["id"] == cart_id
    assert shop.quantities(cart_id) == {product: 3, other: 1}
    assert shop.cart.delete(f"{cart}/items/{other.upper()}").status in (200, 204)

    order = made(shop.post_order(cart_id.upper()))
    assert order["cart_id"] == cart_id
    assert made(shop.order.get(f"/orders/{order['id'].upper()}"), 200)["id"] == order["id"]
    status = {"status": "cancelled"}
    changed = shop.order.put(f"/orders/{order['id'].upper()}/status", json=status)
    assert made(changed, 200)["id"] == order["id"]


def test_a_keyed_retry_may_spell_the_same_in_another_way(shop):
    product, mark = shop.make_product(inventory=100), unique("key")
    cart_id = shop.make_cart({product: 1}, user=mark + COMPOSED)
    creation = {"name": "Text", "price": 1, "sku": mark + COMPOSED}
    order = {"cart_id": cart_id, "user_id": mark + COMPOSED}
    line = {"product_id": product, "quantity": 1}
    stock = {"delta": 1, "reason": COMPOSED}
    path = f"/products/{product}/stock"
    pairs = [
        (shop.cart, "/carts", {"user_id": COMPOSED}, "/carts", {"user_id": DECOMPOSED + " "}),
        (shop.product, "/products", creation, "/products", creation | {"sku": f" {mark}O\u0308"}),
        (shop.product, path, stock, path.replace(product, product.upper()), stock),
        (shop.product, path, stock | {"delta": 2}, path, {"delta": 2, "reason": DECOMPOSED}),
        (shop.cart, f"/carts/{cart_id}/items", line, f"/carts/{cart_id.upper()}/items",
         line | {"product_id": product.upper()}),
        (shop.order, "/orders", order, "/orders",
         {"cart_id": cart_id.upper(), "user_id": f"\ufeff{mark}{DECOMPOSED}"}),
    ]  # fmt: skip
    for client, path, body, other_path, other_body in pairs:
        headers = {"Idempotency-Key": unique("key")}
        first = client.post(path, json=body, headers=headers)
        again = client.post(other_path, json=other_body, headers=headers)
        assert first.status in (200, 201), path
        assert (again.status, again.header("Idempotent-Replayed")) == (first.status, "true"), path
        assert again.json().get("id") == first.json().get("id")
        other = client.post(path, json={**body, next(iter(body)): "else"}, headers=headers)
        assert other.status == 422


# ---- a plus in a query ----


@pytest.mark.parametrize("name", ["created_after", "created_before"])
def test_a_plus_that_became_a_space_is_told(shop, name):
    answer = shop.order.get(f"/orders?{name}=2026-01-31T00:00:00+02:00")
    (error,) = is_problem(answer, 422)["errors"]
    assert error["pointer"] == f"/{name}" and "+" in error["detail"] and "%2B" in error["detail"]
    assert shop.order.get(f"/orders?{name}=2026-01-31T00:00:00%2B02:00").status == 200
