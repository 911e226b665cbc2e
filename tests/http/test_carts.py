"""Carts: lines, totals, refreshing, expiry."""

from datetime import datetime

import pytest
from carts import is_not_found, merge, post_item, put_quantity
from client import is_problem
from shop import done, new_id, write_to_store

DAY = 24 * 3600


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


@pytest.mark.parametrize("user", ["a", "ü" * 255, "日本語 🛒", 'quo"te\\'])
def test_user_ids(shop, user):
    cart_id = shop.make_cart(user=user)
    assert shop.read_cart(cart_id)["user_id"] == user


@pytest.mark.parametrize("body", [{}, {"user_id": ""}, {"user_id": "x" * 256}, {"user_id": 1},
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
