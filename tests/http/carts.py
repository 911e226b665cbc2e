"""Calls of the cart service that may be refused: they return the answer."""

from client import is_problem


def put_quantity(shop, cart_id, product_id, quantity, **options):
    path = f"/carts/{cart_id}/items/{product_id}"
    return shop.cart.put(path, json={"quantity": quantity}, **options)


def post_item(shop, cart_id, product_id, quantity=1, **options):
    body = {"product_id": product_id, "quantity": quantity}
    return shop.cart.post(f"/carts/{cart_id}/items", json=body, **options)


def merge(shop, target, source, **options):
    body = {"source_cart_id": source}
    return shop.cart.post(f"/carts/{target}/merge", json=body, **options)


def is_not_found(answer, what):
    assert is_problem(answer, 404, "not-found")["detail"] == f"{what} not found"
