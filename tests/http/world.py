"""Resources for requests: a product in stock, carts and orders of a user, made over HTTP."""

import itertools
import re
import secrets

numbers = itertools.count(1)
RUN = secrets.token_hex(3)


def unique(prefix):
    return f"{prefix}-{RUN}-{next(numbers)}"


def made(answer, status=201):
    assert answer.status == status, answer
    return answer.json()


def make_product(service, **members):
    return made(service.public.post("/products", json={"name": "Lamp", "price": 19.99, **members}))


def path_of(product):
    return f"/products/{product['id']}"


def fetch(service, product):
    return made(service.public.get(path_of(product)), 200)


def movements_of(service, product):
    return made(service.public.get(f"{path_of(product)}/stock/movements?limit=200"), 200)


def adjust(service, product, delta, reason="counted"):
    body = {"delta": delta, "reason": reason}
    return service.public.post(f"{path_of(product)}/stock", json=body)


class World:
    """Resources for the paths and bodies of a document's examples."""

    def __init__(self, platform):
        self.platform = platform
        self.user = unique("user")
        self.product = make_product(platform.product, inventory=100, sku=unique("LAMP"))
        self.cart = self.make_cart()
        self.full_cart = self.make_cart(quantity=2)
        ordered = self.make_cart(quantity=3)
        body = {"user_id": self.user, "cart_id": ordered["id"]}
        self.order = made(platform.order.public.post("/orders", json=body))
        self.new_order_id = unique("order")

    def make_cart(self, quantity=0):
        carts = self.platform.cart.public
        cart = made(carts.post("/carts", json={"user_id": self.user}))
        if quantity:
            item = {"product_id": self.product["id"], "quantity": quantity}
            cart = made(carts.post(f"/carts/{cart['id']}/items", json=item), 200)
        return cart

    def open_checkout(self):
        path = f"/internal/carts/{self.full_cart['id']}/checkouts/{self.new_order_id}"
        return made(self.platform.cart.internal.put(path), 200)

    def path_of(self, operation):
        """The operation's path, with ids of existing resources."""
        values = {
            "product": {"id": self.product["id"], "order_id": self.order["id"]},
            "cart": {
                "id": self.full_cart["id"],
                "product_id": self.product["id"],
                "order_id": self.new_order_id,
            },
            "order": {"id": self.order["id"]},
        }[operation.service]
        if operation.id == "holdStock":
            values["order_id"] = self.new_order_id
        if operation.id == "getDocsFile":
            page = self.platform.services[operation.service].public.get("/docs")
            values["file"] = re.search(r'"docs/([^"]+)"', page.body.decode())[1]
        return operation.path.format(**values)

    def query_of(self, operation):
        """The parameters that must be there: where nobody is asked who they are, carts are a user's."""
        assert not any(p.get("required") for p in operation.parameters_in("query"))
        return f"?user_id={self.user}" if operation.id == "listCarts" else ""

    def body_of(self, operation):
        """The example, with ids of existing resources."""
        return self.point(operation.example_of_body())

    def point(self, value):
        known = {
            "user_id": self.user,
            "product_id": self.product["id"],
            "cart_id": self.full_cart["id"],
            "source_cart_id": self.cart["id"],
            "sku": unique("SKU"),
        }
        if isinstance(value, list):
            return [self.point(element) for element in value]
        if isinstance(value, dict):
            return {name: known.get(name, self.point(member)) for name, member in value.items()}
        return value
