"""Merging a cart into another one."""

from carts import is_not_found, merge
from client import is_problem
from shop import done, new_id


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
