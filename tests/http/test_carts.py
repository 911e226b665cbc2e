"""Carts: lines, totals, merging, refreshing, expiry, conditional requests, lists."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from urllib.parse import urljoin

import pytest
from client import is_problem
from shop import Shop, done, new_id, write_to_store

DAY = 24 * 3600


@pytest.fixture(scope="module")
def shop(platform):
    return Shop(platform)


def put_quantity(shop, cart_id, product_id, quantity, **options):
    path = f"/carts/{cart_id}/items/{product_id}"
    return shop.cart.put(path, json={"quantity": quantity}, **options)


def post_item(shop, cart_id, product_id, quantity=1, **options):
    body = {"product_id": product_id, "quantity": quantity}
    return shop.cart.post(f"/carts/{cart_id}/items", json=body, **options)


def is_not_found(answer, what):
    assert is_problem(answer, 404, "not-found")["detail"] == f"{what} not found"


def make_expired(shop, cart_id):
    write_to_store(shop.bed.cart, "UPDATE carts SET expires_at = 1 WHERE id = ?", cart_id)


# ---- creating and reading ----


def test_new_cart_is_empty(shop):
    answer = shop.cart.post("/carts", json={"user_id": "user-1"})
    cart = done(answer, 201)
    assert answer.header("Location") == f"/carts/{cart['id']}"
    assert answer.header("ETag") == '"1"'
    assert cart["user_id"] == "user-1"
    assert (cart["items"], cart["total_amount"], cart["currency"]) == ([], 0, "USD")
    assert cart["version"] == 1
    assert cart["created_at"] == cart["updated_at"]
    assert "last_order_id" not in cart
    assert shop.read_cart(cart["id"]) == cart


def test_user_may_have_several_carts(shop):
    assert shop.make_cart(user="several") != shop.make_cart(user="several")


@pytest.mark.parametrize("user", ["a", "ü" * 128, "日本語 🛒", 'quo"te\\'])
def test_user_ids(shop, user):
    cart_id = shop.make_cart(user=user)
    assert shop.read_cart(cart_id)["user_id"] == user


@pytest.mark.parametrize("body", [{}, {"user_id": ""}, {"user_id": "x" * 129}, {"user_id": 1},
                                  {"user_id": None}, {"user_id": "a", "id": "b"}])  # fmt: skip
def test_bad_new_carts(shop, body):
    assert is_problem(shop.cart.post("/carts", json=body), 422)["errors"]


@pytest.mark.parametrize("path", ["", "/"])
def test_trailing_slash(shop, path):
    cart_id = shop.make_cart()
    assert done(shop.cart.get(f"/carts/{cart_id}{path}"), 200)["id"] == cart_id


@pytest.mark.parametrize("cart_id", [new_id(), "x", "a" * 65, "a" * 3000, "a%20b", "%C3%A4", "'"])
def test_unknown_carts(shop, cart_id):
    product = shop.make_product()
    item = {"product_id": product, "quantity": 1}
    for answer in (
        shop.cart.get(f"/carts/{cart_id}"),
        shop.cart.delete(f"/carts/{cart_id}"),
        shop.cart.post(f"/carts/{cart_id}/items", json=item),
        shop.cart.put(f"/carts/{cart_id}/items/{product}", json={"quantity": 1}),
        shop.cart.put(f"/carts/{cart_id}/items/{product}", json={"quantity": 0}),
        shop.cart.delete(f"/carts/{cart_id}/items/{product}"),
        shop.cart.post(f"/carts/{cart_id}/refresh"),
        shop.cart.post(f"/carts/{cart_id}/merge", json={"source_cart_id": shop.make_cart()}),
    ):
        is_not_found(answer, "Cart")


# ---- adding ----


def test_line_holds_what_product_says(shop):
    product = shop.make_product(name="Tee pot", price=19.99)
    cart = shop.add_item(shop.make_cart(), product, 3)
    assert cart["items"] == [
        {
            "product_id": product,
            "name": "Tee pot",
            "unit_price": 19.99,
            "quantity": 3,
            "line_total": 59.97,
        }
    ]
    assert cart["total_amount"] == 59.97
    assert cart["version"] == 2


def test_money_is_printed_with_all_decimals(shop):
    cart_id = shop.make_cart({shop.make_product(price=2): 2})
    body = shop.cart.get(f"/carts/{cart_id}").body
    assert b'"unit_price":2.00' in body
    assert b'"line_total":4.00' in body
    assert b'"total_amount":4.00' in body


def test_adding_sums_up(shop):
    product, other = shop.make_product(), shop.make_product()
    cart_id = shop.make_cart({product: 2, other: 1})
    shop.add_item(cart_id, product, 3)
    assert shop.quantities(cart_id) == {product: 5, other: 1}


def test_lines_stay_in_the_order_they_came(shop):
    products = [shop.make_product() for _ in range(5)]
    cart_id = shop.make_cart(dict.fromkeys(reversed(products), 1))
    shop.add_item(cart_id, products[2], 1)
    assert list(shop.quantities(cart_id)) == products[::-1]


def test_adding_takes_name_and_price_over(shop):
    product = shop.make_product(name="Old", price=1)
    cart_id = shop.make_cart({product: 1})
    shop.change_product(product, name="New", price=2.5)
    assert shop.read_cart(cart_id)["items"][0]["name"] == "Old"
    (line,) = shop.add_item(cart_id, product)["items"]
    assert (line["name"], line["unit_price"], line["line_total"]) == ("New", 2.5, 5)


def test_stock_is_not_held(shop):
    product = shop.make_product(inventory=1)
    shop.make_cart({product: 1})
    shop.make_cart({product: 1})
    assert shop.stock(product) == (1, 0)


def test_more_than_in_stock(shop):
    product = shop.make_product(inventory=5)
    cart_id = shop.make_cart({product: 3})
    before = shop.read_cart(cart_id)
    for answer in (post_item(shop, cart_id, product, 3), put_quantity(shop, cart_id, product, 6)):
        problem = is_problem(answer, 409, "insufficient-stock")
        assert problem["items"] == [{"product_id": product, "requested": 6, "available": 5}]
    assert shop.read_cart(cart_id) == before
    shop.add_item(cart_id, product, 2)


def test_at_most_999_in_a_line(shop):
    product = shop.make_product(inventory=5000)
    cart_id = shop.make_cart({product: 999})
    problem = is_problem(post_item(shop, cart_id, product), 409, "quantity-limit")
    assert problem["items"] == [{"product_id": product, "requested": 1000, "limit": 999}]
    assert shop.quantities(cart_id) == {product: 999}


def test_at_most_100_lines(shop):
    products = [shop.make_product() for _ in range(101)]
    cart_id = shop.make_cart(dict.fromkeys(products[:100], 1))
    for answer in (
        post_item(shop, cart_id, products[100]),
        put_quantity(shop, cart_id, products[100], 1),
    ):
        assert is_problem(answer, 409, "cart-full")["limit"] == 100
    shop.add_item(cart_id, products[0])
    assert len(shop.quantities(cart_id)) == 100
    done(shop.cart.post(f"/carts/{cart_id}/refresh"), 200)
    order = shop.place_order(cart_id)
    assert len(order["items"]) == 100


def test_largest_total(shop):
    """100 lines of 999 at the highest price: no overflow, exact to the cent."""
    product = shop.make_product(price=9999999.99, inventory=999)
    cart = shop.add_item(shop.make_cart(), product, 999)
    assert b'"total_amount":9989999990.01' in shop.cart.get(f"/carts/{cart['id']}").body


@pytest.mark.parametrize("product_id", [new_id(), "x", "../livez", "a b", "?", "é" * 64])
def test_unknown_products(shop, product_id):
    cart_id = shop.make_cart()
    is_not_found(post_item(shop, cart_id, product_id), "Product")
    assert shop.quantities(cart_id) == {}


def test_deleted_product(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 1})
    shop.delete_product(product)
    is_not_found(post_item(shop, cart_id, product), "Product")
    is_not_found(put_quantity(shop, cart_id, product, 2), "Product")
    assert shop.quantities(cart_id) == {product: 1}


@pytest.mark.parametrize("quantity", [0, -1, 1000, 1.5, "1", None, True, 2**31, -(2**63)])
def test_bad_quantities_to_add(shop, quantity):
    cart_id = shop.make_cart()
    problem = is_problem(post_item(shop, cart_id, shop.make_product(), quantity), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/quantity"]


@pytest.mark.parametrize("quantity", [-1, 1000, 1.5, "1", None, True, 2**63 - 1])
def test_bad_quantities_to_set(shop, quantity):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 2})
    problem = is_problem(put_quantity(shop, cart_id, product, quantity), 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/quantity"]
    assert shop.quantities(cart_id) == {product: 2}


@pytest.mark.parametrize("quantity", [2**63, 10**20, -(10**30)])
def test_quantities_beyond_64_bits(shop, quantity):
    answer = post_item(shop, shop.make_cart(), shop.make_product(), quantity)
    (error,) = is_problem(answer, 422)["errors"]
    assert "line 1, column" in error["detail"]


def test_whole_number_may_be_written_with_a_fraction(shop):
    """JSON Schema: 2.0 is an integer."""
    product = shop.make_product()
    assert put_quantity(shop, shop.make_cart(), product, 2.0).json()["items"][0]["quantity"] == 2


# ---- setting and removing ----


def test_set_is_absolute(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 2})
    assert done(put_quantity(shop, cart_id, product, 7), 200)["items"][0]["quantity"] == 7
    assert done(put_quantity(shop, cart_id, product, 3), 200)["items"][0]["quantity"] == 3


def test_set_makes_a_line(shop):
    product = shop.make_product()
    cart_id = shop.make_cart()
    assert len(done(put_quantity(shop, cart_id, product, 7), 200)["items"]) == 1
    is_not_found(put_quantity(shop, cart_id, new_id(), 1), "Product")


def test_zero_removes(shop):
    product, other = shop.make_product(), shop.make_product()
    cart_id = shop.make_cart({product: 2, other: 1})
    done(put_quantity(shop, cart_id, product, 0), 200)
    assert shop.quantities(cart_id) == {other: 1}
    before = shop.read_cart(cart_id)
    assert done(put_quantity(shop, cart_id, product, 0), 200) == before
    assert done(put_quantity(shop, cart_id, "no-such-thing", 0), 200) == before


def test_remove(shop):
    product, other = shop.make_product(), shop.make_product()
    cart_id = shop.make_cart({product: 2, other: 1})
    cart = done(shop.cart.delete(f"/carts/{cart_id}/items/{product}"), 200)
    assert [item["product_id"] for item in cart["items"]] == [other]
    # Also when it is not there; then nothing changes.
    for product_id in (product, new_id(), "nonsense"):
        assert done(shop.cart.delete(f"/carts/{cart_id}/items/{product_id}"), 200) == cart


def test_remove_needs_no_product(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 1})
    shop.delete_product(product)
    assert done(shop.cart.delete(f"/carts/{cart_id}/items/{product}"), 200)["items"] == []


def test_clear(shop):
    cart_id = shop.make_cart({shop.make_product(): 2, shop.make_product(): 1})
    cart = done(shop.cart.delete(f"/carts/{cart_id}"), 200)
    assert (cart["items"], cart["total_amount"], cart["id"]) == ([], 0, cart_id)
    assert done(shop.cart.delete(f"/carts/{cart_id}"), 200) == cart


# ---- refreshing ----


def test_refresh(shop):
    kept = shop.make_product(name="Kept", price=1)
    dearer = shop.make_product(name="Cheap", price=2, inventory=9)
    gone = shop.make_product()
    cart_id = shop.make_cart({kept: 1, dearer: 9, gone: 1})
    shop.change_product(dearer, name="Dear", price=3)
    shop.adjust_stock(dearer, -9)
    shop.delete_product(gone)

    cart = done(shop.cart.post(f"/carts/{cart_id}/refresh"), 200)
    assert [(i["name"], i["unit_price"], i["quantity"]) for i in cart["items"]] == [
        ("Kept", 1, 1),
        ("Dear", 3, 9),
    ]
    assert cart["total_amount"] == 28
    # Where nothing differs nothing changes.
    assert done(shop.cart.post(f"/carts/{cart_id}/refresh"), 200) == cart


def test_refresh_after_the_clock_was_set_back(shop):
    """A price seen an hour ahead is no later news than today's."""
    product = shop.make_product(price=1)
    cart_id = shop.make_cart({product: 1})
    write_to_store(shop.bed.cart, "UPDATE cart_lines SET seen_at = seen_at + 3600000000")
    shop.change_product(product, price=2)
    cart = done(shop.cart.post(f"/carts/{cart_id}/refresh"), 200)
    assert cart["total_amount"] == 2


def test_refresh_of_an_empty_cart(shop):
    cart_id = shop.make_cart()
    before = shop.read_cart(cart_id)
    assert done(shop.cart.post(f"/carts/{cart_id}/refresh"), 200) == before


# ---- merging ----


def merge(shop, target, source, **options):
    body = {"source_cart_id": source}
    return shop.cart.post(f"/carts/{target}/merge", json=body, **options)


def test_merge(shop):
    shared, mine, theirs = (shop.make_product() for _ in range(3))
    target = shop.make_cart({mine: 1, shared: 2})
    source = shop.make_cart({theirs: 3, shared: 4}, user="guest")
    cart = done(merge(shop, target, source), 200)
    assert cart["user_id"] == "user-1"
    assert shop.quantities(target) == {mine: 1, shared: 6, theirs: 3}
    assert shop.quantities(source) == {}


def test_merge_happens_once(shop):
    product = shop.make_product()
    target, source = shop.make_cart(), shop.make_cart({product: 2}, user="guest")
    cart = done(merge(shop, target, source), 200)
    assert done(merge(shop, target, source), 200) == cart
    is_problem(merge(shop, shop.make_cart(), source), 409, "already-merged")


def test_merge_of_a_line_that_came_later(shop):
    """The guest signed in, signed out, chose something else and signed in again."""
    first, second = shop.make_product(), shop.make_product()
    target, source = shop.make_cart(), shop.make_cart({first: 2}, user="guest")
    done(merge(shop, target, source), 200)
    shop.add_item(source, second)
    for _ in range(2):
        done(merge(shop, target, source), 200)
        assert shop.quantities(target) == {first: 2, second: 1}
        assert shop.quantities(source) == {}
    another = shop.make_cart(user="user-2")
    shop.add_item(source, second, 3)
    done(merge(shop, another, source), 200)
    assert shop.quantities(another) == {second: 3}


def test_merge_keeps_the_price_seen_last(shop):
    newer_here, newer_there = shop.make_product(price=1), shop.make_product(price=1)
    target = shop.make_cart({newer_there: 1})
    source = shop.make_cart({newer_here: 1}, user="guest")
    for product in (newer_here, newer_there):
        shop.change_product(product, price=2)
    shop.add_item(target, newer_here)
    shop.add_item(source, newer_there)
    cart = done(merge(shop, target, source), 200)
    assert {item["unit_price"] for item in cart["items"]} == {2}


def test_merge_beyond_the_limits_moves_nothing(shop):
    product = shop.make_product(inventory=2000)
    target, source = shop.make_cart({product: 500}), shop.make_cart({product: 500}, user="guest")
    problem = is_problem(merge(shop, target, source), 409, "quantity-limit")
    assert problem["items"] == [{"product_id": product, "requested": 1000, "limit": 999}]
    assert shop.quantities(target) == shop.quantities(source) == {product: 500}

    products = [shop.make_product() for _ in range(51)]
    target = shop.make_cart(dict.fromkeys(products, 1))
    others = [shop.make_product() for _ in range(50)]
    source = shop.make_cart(dict.fromkeys(others, 1), user="guest")
    is_problem(merge(shop, target, source), 409, "cart-full")
    assert len(shop.quantities(target)) == 51
    assert len(shop.quantities(source)) == 50


def test_merge_of_the_cart_itself(shop):
    cart_id = shop.make_cart({shop.make_product(): 1})
    problem = is_problem(merge(shop, cart_id, cart_id), 422)
    assert problem["errors"][0]["pointer"] == "/source_cart_id"


def test_merge_of_an_unknown_cart(shop):
    is_not_found(merge(shop, shop.make_cart(), new_id()), "Cart")


def test_merge_of_a_cart_that_is_being_ordered(shop, platform):
    product = shop.make_product()
    target, source = shop.make_cart(), shop.make_cart({product: 1}, user="guest")
    order_id = new_id()
    checkout = f"/internal/carts/{source}/checkouts/{order_id}"
    done(platform.cart.internal.put(checkout), 200)
    problem = is_problem(merge(shop, target, source), 409, "checkout-in-progress")
    assert problem["order_id"] == order_id
    assert platform.cart.internal.delete(checkout).status == 204
    done(merge(shop, target, source), 200)


# ---- conditional requests ----


def test_if_none_match(shop):
    cart_id = shop.make_cart()
    tag = shop.cart.get(f"/carts/{cart_id}").header("ETag")
    for sent in (tag, f'"x", {tag}', f"W/{tag}", "*"):
        answer = shop.cart.get(f"/carts/{cart_id}", headers={"If-None-Match": sent})
        assert (answer.status, answer.body, answer.header("ETag")) == (304, b"", tag)
    shop.add_item(cart_id, shop.make_product())
    answer = shop.cart.get(f"/carts/{cart_id}", headers={"If-None-Match": tag})
    assert answer.status == 200
    assert answer.header("ETag") == f'"{answer.json()["version"]}"' != tag


def test_if_match_prevents_lost_updates(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 1})
    old = {"If-Match": shop.cart.get(f"/carts/{cart_id}").header("ETag")}
    now = shop.add_item(cart_id, product)
    for headers in (old, {"If-Match": '"nonsense"'}, {"If-Match": f"{now['version']}"}):
        for answer in (
            put_quantity(shop, cart_id, product, 9, headers=headers),
            put_quantity(shop, cart_id, product, 0, headers=headers),
            post_item(shop, cart_id, product, headers=headers),
            shop.cart.delete(f"/carts/{cart_id}/items/{product}", headers=headers),
            shop.cart.delete(f"/carts/{cart_id}", headers=headers),
            shop.cart.post(f"/carts/{cart_id}/refresh", headers=headers),
            merge(shop, cart_id, shop.make_cart(user="guest"), headers=headers),
        ):
            is_problem(answer, 412, "precondition-failed")
    assert shop.read_cart(cart_id) == now
    current = {"If-Match": f'"{now["version"]}"'}
    done(put_quantity(shop, cart_id, product, 9, headers=current), 200)
    done(put_quantity(shop, cart_id, product, 8, headers={"If-Match": "*"}), 200)


def test_tag_of_a_compressed_answer(shop):
    """nginx makes the tag weak when it compresses; it must still be good for a change."""
    cart_id = shop.make_cart({shop.make_product(name="x" * 200): 1 for _ in range(10)})
    answer = shop.cart.get(f"/carts/{cart_id}", headers={"Accept-Encoding": "gzip"})
    assert answer.header("Content-Encoding") == "gzip"
    headers = {"If-Match": answer.header("ETag")}
    done(shop.cart.delete(f"/carts/{cart_id}", headers=headers), 200)
    is_problem(shop.cart.delete(f"/carts/{cart_id}", headers=headers), 412)


def test_head_is_get_without_a_body(shop):
    cart_id = shop.make_cart({shop.make_product(): 1})
    get, head = shop.cart.get(f"/carts/{cart_id}"), shop.cart.head(f"/carts/{cart_id}")
    assert (head.status, head.body) == (200, b"")
    assert head.header("ETag") == get.header("ETag")
    assert head.header("Content-Length") == str(len(get.body))


# ---- Idempotency-Key ----


def test_keys_make_posts_happen_once(shop):
    product = shop.make_product()
    cart_id = shop.make_cart()
    for call in (
        lambda headers: shop.cart.post("/carts", json={"user_id": "user-1"}, headers=headers),
        lambda headers: post_item(shop, cart_id, product, 2, headers=headers),
        lambda headers: shop.cart.post(f"/carts/{cart_id}/refresh", headers=headers),
        lambda headers: merge(shop, cart_id, source, headers=headers),
    ):
        source = shop.make_cart({product: 1}, user="guest")
        key = new_id()
        first = call({"Idempotency-Key": key})
        again = call({"Idempotency-Key": f'"{key}"'})
        assert first.status in (200, 201)
        assert (again.status, again.body) == (first.status, first.body)
        for name in ("Location", "ETag"):
            assert again.header(name) == first.header(name)
        assert first.header("Idempotent-Replayed") is None
        assert again.header("Idempotent-Replayed") == "true"
    assert shop.quantities(cart_id) == {product: 3}


def test_refusals_are_replayed_too(shop):
    product = shop.make_product(inventory=0)
    cart_id = shop.make_cart()
    headers = {"Idempotency-Key": new_id()}
    first = post_item(shop, cart_id, product, headers=headers)
    is_problem(first, 409, "insufficient-stock")
    shop.adjust_stock(product, 5)
    again = post_item(shop, cart_id, product, headers=headers)
    assert (again.status, again.body) == (409, first.body)
    assert again.header("Idempotent-Replayed") == "true"


def test_a_missed_precondition_is_not_kept(shop):
    """It says nothing of the request with the ETag of now, whose key is the same."""
    product, cart_id = shop.make_product(), shop.make_cart()
    key = {"Idempotency-Key": new_id()}
    is_problem(post_item(shop, cart_id, product, headers={**key, "If-Match": '"7"'}), 412)
    tag = {"If-Match": shop.cart.get(f"/carts/{cart_id}").header("ETag")}
    first = post_item(shop, cart_id, product, headers={**key, **tag})
    assert first.status == 200, first
    again = post_item(shop, cart_id, product, headers={**key, **tag})
    assert (again.status, again.body) == (200, first.body)


def test_key_of_another_request(shop):
    headers = {"Idempotency-Key": new_id()}
    assert shop.cart.post("/carts", json={"user_id": "a"}, headers=headers).status == 201
    answer = shop.cart.post("/carts", json={"user_id": "b"}, headers=headers)
    is_problem(answer, 422, "idempotency-key-reused")


def test_key_belongs_to_the_operation(shop):
    """The same key with another operation is another key."""
    headers = {"Idempotency-Key": new_id()}
    cart_id = done(shop.cart.post("/carts", json={"user_id": "a"}, headers=headers), 201)["id"]
    done(post_item(shop, cart_id, shop.make_product(), headers=headers), 200)


@pytest.mark.parametrize("key", ["x" * 258, "a b", "ä".encode().decode("latin-1"), ""])
def test_bad_keys(shop, key):
    answer = shop.cart.post("/carts", json={"user_id": "a"}, headers={"Idempotency-Key": key})
    if key == "":
        assert answer.status == 201  # an empty header is none
    else:
        is_problem(answer, 422)


# ---- expiry ----


def test_lifetime_starts_anew_with_each_change(shop):
    def lifetime(cart):
        times = (datetime.fromisoformat(cart[name]) for name in ("updated_at", "expires_at"))
        changed, expires = times
        return (expires - changed).total_seconds()

    cart_id = shop.make_cart()
    new = shop.read_cart(cart_id)
    changed = shop.add_item(cart_id, shop.make_product())
    assert lifetime(new) == lifetime(changed) == 30 * DAY
    assert changed["expires_at"] > new["expires_at"]


def test_expired_cart_is_gone(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 1}, user="late")
    make_expired(shop, cart_id)
    is_not_found(shop.cart.get(f"/carts/{cart_id}"), "Cart")
    is_not_found(post_item(shop, cart_id, product), "Cart")
    is_not_found(merge(shop, shop.make_cart(), cart_id), "Cart")
    is_not_found(shop.post_order(cart_id, user="late"), "Cart")
    answer = shop.cart.get("/carts?user_id=late&count=true")
    assert answer.json() == []
    assert answer.header("X-Total-Count") == "0"


def test_cart_lives_as_long_as_its_checkout(shop, platform):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 2})
    order_id = new_id()
    checkout = f"/internal/carts/{cart_id}/checkouts/{order_id}"
    done(platform.cart.internal.put(checkout), 200)
    make_expired(shop, cart_id)
    assert shop.quantities(cart_id) == {product: 2}
    assert platform.cart.internal.delete(checkout).status == 204
    is_not_found(shop.cart.get(f"/carts/{cart_id}"), "Cart")


def test_lifetime_is_a_setting(make_platform):
    bed = make_platform(services=("cart",), gateway=False, worker={"CART_TTL_DAYS": 2})
    cart = done(bed.cart.public.post("/carts", json={"user_id": "a"}), 201)
    assert cart["expires_at"][:10] > cart["created_at"][:10]
    write_to_store(bed.cart, "UPDATE carts SET expires_at = expires_at - 1728e8")
    is_not_found(bed.cart.public.get(f"/carts/{cart['id']}"), "Cart")


# ---- lists ----


def follow(client, path):
    """The pages of a list, by their Link headers."""
    pages = []
    while path:
        answer = client.get(path)
        pages.append(done(answer, 200))
        link = answer.header("Link")
        path = link and urljoin(path, re.fullmatch('<([^>]+)>; rel="next"', link).group(1))
        assert len(pages) < 100
    return pages


def test_list_is_newest_first(shop):
    carts = [shop.make_cart(user="cart-lister") for _ in range(7)]
    shop.make_cart(user="another")
    listed = done(shop.cart.get("/carts?user_id=cart-lister"), 200)
    assert [cart["id"] for cart in listed] == carts[::-1]


@pytest.mark.parametrize("limit", [1, 3, 7, 8, 200])
def test_pages(shop, limit):
    user = f"pager-{limit}"
    product = shop.make_product()
    carts = [shop.make_cart({product: 1}, user=user) for _ in range(7)]
    pages = follow(shop.cart, f"/carts?user_id={user}&limit={limit}")
    assert [cart["id"] for page in pages for cart in page] == carts[::-1]
    assert all(len(page) == limit for page in pages[:-1])
    assert len(pages) == -(-7 // limit)
    assert pages[0][0] == shop.read_cart(carts[-1])


def test_pages_while_carts_come(shop):
    """New carts come before the first page: none is skipped, none repeated."""
    carts = [shop.make_cart(user="growing") for _ in range(40)]
    with ThreadPoolExecutor(2) as pool:
        writer = shop.clone()
        more = pool.submit(lambda: [writer.make_cart(user="growing") for _ in range(60)])
        pages = follow(shop.cart, "/carts?user_id=growing&limit=3")
        more.result()
    listed = [cart["id"] for page in pages for cart in page]
    assert len(set(listed)) == len(listed)
    assert [cart_id for cart_id in listed if cart_id in carts] == carts[::-1]


def test_count(shop):
    for _ in range(3):
        shop.make_cart(user="counted")
    answer = shop.cart.get("/carts?user_id=counted&count=true&limit=1")
    assert answer.header("X-Total-Count") == "3"
    assert shop.cart.get("/carts?user_id=counted").header("X-Total-Count") is None


@pytest.mark.parametrize(
    "query",
    ["", "user_id=", "user_id=a&limit=0", "user_id=a&limit=201", "user_id=a&limit=x",
     "user_id=a&cursor=x", "user_id=a&cursor=", "user_id=a&count=yes", "user_id=a&page=2",
     "user_id=a&user_id=b", "user_id=" + "x" * 129],
)  # fmt: skip
def test_bad_lists(shop, query):
    assert is_problem(shop.cart.get(f"/carts?{query}"), 422)["errors"]


def test_cursor_of_another_list(shop):
    user = "cursor"
    for _ in range(2):
        shop.make_product()
        shop.make_cart(user=user)
    link = shop.product.get("/products?limit=1&sort=name").header("Link")
    cursor = re.search("cursor=([^&>]+)", link).group(1)
    answer = shop.cart.get(f"/carts?user_id={user}&cursor={cursor}")
    assert is_problem(answer, 422)["errors"][0]["pointer"] == "/cursor"
