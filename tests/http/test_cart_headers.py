"""Carts: conditional requests and Idempotency-Keys."""

import pytest
from carts import merge, post_item, put_quantity
from client import is_problem
from shop import done, new_id


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
    """nginx makes the tag weak when it compresses; it must still work for a change."""
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
    """It says nothing about the request with the current ETag and the same key."""
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
