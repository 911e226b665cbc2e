"""Provokes every refusal that the documents show by example: the answer says the same, and has the same
members."""

import uuid

import pytest
from client import is_problem
from documents import assert_declared, source_operations
from shop import Shop
from test_examples import unlike

PRODUCT = {"name": "Lamp", "price": 19.99}


def taken_sku(shop):
    """A sku, and a product that has another one."""
    skus = [f"LAMP-{uuid.uuid4()}" for _ in range(2)]
    products = [shop.make_product(sku=sku) for sku in skus]
    return skus[0], products[1]


def create_with_taken_sku(shop):
    sku, _ = taken_sku(shop)
    return shop.product.post("/products", json={**PRODUCT, "sku": sku})


def replace_with_taken_sku(shop):
    sku, product = taken_sku(shop)
    return shop.product.put(f"/products/{product}", json={**PRODUCT, "sku": sku})


def patch_with_taken_sku(shop):
    sku, product = taken_sku(shop)
    return shop.product.patch(f"/products/{product}", json={"sku": sku})


def most_of_a_reserved(method):
    """One unit is held for an order, so the maximum does not fit."""

    def ask(shop):
        product = shop.make_product()
        shop.buy({product: 1})
        body = {**PRODUCT, "inventory": 2**53 - 1}
        return getattr(shop.product, method)(f"/products/{product}", json=body)

    return ask


def restore_with_taken_sku(shop):
    sku = f"LAMP-{uuid.uuid4()}"
    product = shop.make_product(sku=sku)
    assert shop.product.delete(f"/products/{product}").status == 204
    shop.make_product(sku=sku)
    return shop.product.post(f"/products/{product}/restore")


def adjust(delta):
    def ask(shop):
        product = shop.make_product(inventory=3)
        return shop.product.post(f"/products/{product}/stock", json={"delta": delta, "reason": "counted"})

    return ask


def full_cart(shop):
    return shop.make_cart({shop.make_product(): 1 for _ in range(100)})


def add(shop, cart, product, quantity):
    return shop.cart.post(
        f"/carts/{cart}/items", json={"product_id": product, "quantity": quantity}
    )


def set_quantity(shop, cart, product, quantity):
    return shop.cart.put(f"/carts/{cart}/items/{product}", json={"quantity": quantity})


def more_than_in_stock(change):
    return lambda shop: change(shop, shop.make_cart(), shop.make_product(inventory=3), 5)


def one_line_more(change):
    return lambda shop: change(shop, full_cart(shop), shop.make_product(), 1)


def add_more_than_a_line_holds(shop):
    product = shop.make_product(inventory=2000)
    return add(shop, shop.make_cart({product: 999}), product, 2)


def merge(shop, source, target=None):
    target = target or shop.make_cart()
    return shop.cart.post(f"/carts/{target}/merge", json={"source_cart_id": source})


def merge_twice(shop):
    source = shop.make_cart({shop.make_product(): 1})
    assert merge(shop, source).status == 200
    return merge(shop, source)


def cart_being_ordered(shop):
    cart = shop.make_cart({shop.make_product(): 1})
    path = f"/internal/carts/{cart}/checkouts/{uuid.uuid4()}"
    assert shop.bed.cart.internal.put(path).status == 200
    return cart


def merge_more_than_a_line_holds(shop):
    product = shop.make_product(inventory=2000)
    return merge(shop, shop.make_cart({product: 999}), shop.make_cart({product: 2}))


def order_twice(shop):
    cart = shop.make_cart({shop.make_product(): 1})
    shop.place_order(cart)
    return shop.post_order(cart)


def order_what_is_gone(shop):
    product = shop.make_product(inventory=2)
    cart = shop.make_cart({product: 2})
    shop.adjust_stock(product, -1)
    return shop.post_order(cart)


def order_at_an_old_price(shop):
    product = shop.make_product(price=12.5)
    cart = shop.make_cart({product: 1})
    shop.change_product(product, price=13.9)
    return shop.post_order(cart)


def deliver_before_shipping(shop):
    order = shop.buy({shop.make_product(): 1})["id"]
    return shop.order.put(f"/orders/{order}/status", json={"status": "delivered"})


def remark_too_often(shop):
    order = shop.buy({shop.make_product(): 1})["id"]
    for number in range(1, 100):
        shop.set_status(order, "pending", reason=f"remark {number}")
    return shop.put_status(order, "pending", reason="one too many")


PROVOKE = {
    ("createProduct", "sku-taken"): create_with_taken_sku,
    ("replaceProduct", "sku-taken"): replace_with_taken_sku,
    ("replaceProduct", "stock-limit"): most_of_a_reserved("put"),
    ("patchProduct", "sku-taken"): patch_with_taken_sku,
    ("patchProduct", "stock-limit"): most_of_a_reserved("patch"),
    ("restoreProduct", "sku-taken"): restore_with_taken_sku,
    ("adjustStock", "insufficient-stock"): adjust(-5),
    ("adjustStock", "stock-limit"): adjust(2**53 - 1),
    ("addItem", "insufficient-stock"): more_than_in_stock(add),
    ("addItem", "quantity-limit"): add_more_than_a_line_holds,
    ("addItem", "cart-full"): one_line_more(add),
    ("setItem", "insufficient-stock"): more_than_in_stock(set_quantity),
    ("setItem", "cart-full"): one_line_more(set_quantity),
    ("mergeCart", "already-merged"): merge_twice,
    ("mergeCart", "checkout-in-progress"): lambda shop: merge(shop, cart_being_ordered(shop)),
    ("mergeCart", "quantity-limit"): merge_more_than_a_line_holds,
    ("mergeCart", "cart-full"): lambda shop: merge(
        shop, shop.make_cart({shop.make_product(): 1}), full_cart(shop)
    ),
    ("createOrder", "cart-empty"): lambda shop: shop.post_order(shop.make_cart()),
    ("createOrder", "already-ordered"): order_twice,
    ("createOrder", "checkout-in-progress"): lambda shop: shop.post_order(cart_being_ordered(shop)),
    ("createOrder", "insufficient-stock"): order_what_is_gone,
    ("createOrder", "price-changed"): order_at_an_old_price,
    ("setOrderStatus", "invalid-transition"): deliver_before_shipping,
    ("setOrderStatus", "history-full"): remark_too_often,
}


def shown():
    """{(operationId, code): (operation, example)} of the documents."""
    found = {}

    def collect(operation):
        content = operation.responses.get(409, {}).get("content", {})
        for code, example in content.get("application/problem+json", {}).get("examples", {}).items():
            found[operation.id, code] = operation, example["value"]

    source_operations(collect)
    return found


def test_every_example_is_provoked():
    assert set(shown()) == set(PROVOKE)


@pytest.mark.parametrize(("identifier", "code"), PROVOKE)
def test_refusal_is_as_its_example(platform, identifier, code):
    operation, example = shown()[identifier, code]
    answer = PROVOKE[identifier, code](Shop(platform))
    assert_declared(operation, answer)
    problem = is_problem(answer, 409, code)
    for name in ("title", "status", "detail", "code"):
        assert problem[name] == example[name]
    schema = operation.responses[409]["content"]["application/problem+json"]["schema"]
    assert unlike(operation, schema, example, problem) == []
