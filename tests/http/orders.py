"""Orders on their way through the statuses."""

STATUSES = ("pending", "processing", "shipped", "delivered", "cancelled")
NEXT = {
    "pending": ["processing", "shipped", "cancelled"],
    "processing": ["shipped", "cancelled"],
    "shipped": ["delivered"],
    "delivered": [],
    "cancelled": [],
}
# A way to each status.
WAYS = {
    "pending": [],
    "processing": ["processing"],
    "shipped": ["shipped"],
    "delivered": ["processing", "shipped", "delivered"],
    "cancelled": ["cancelled"],
}


def order_in(shop, status, quantities=None, user="user-1"):
    order = shop.buy(quantities or {shop.make_product(): 1}, user)
    for step in WAYS[status]:
        order = shop.set_status(order["id"], step)
    return order
