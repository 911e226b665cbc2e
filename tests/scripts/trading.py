"""A shop with data, and everything that its clients can see of it."""

import json
import re
import signal
from urllib.parse import urljoin

from shop import Shop, done, new_id

PATHS = ([], ["processing"], ["shipped"], ["processing", "shipped", "delivered"], ["cancelled"])
USER = "ada"
# What an answer has of its resource, rather than of this request.
LASTING = ("Content-Type", "ETag", "Location", "Link", "Total-Count", "X-Total-Count")


class Trade:
    """Products, open carts, orders in every status, a refused one, all made with keys."""

    def __init__(self, installation):
        self.installation = installation
        self.shop = Shop(installation)
        self.sent = []
        self.products = [
            self.send("product", "/products", {"name": name, "price": price, "inventory": 50}, 201)["id"]
            for name, price in (('"Big" mug', 2), ("Grüner Tee ☕", 3.25), ("Brötchen", 0.4))
        ]
        self.late_product, *_ = self.products
        self.shop.delete_product(self.shop.make_product(name="Discontinued"))
        self.shop.adjust_stock(self.products[1], -7)
        self.carts = [self.fill_cart({self.products[1]: number + 1}) for number in range(3)]
        self.orders = [self.buy(self.products[1:], statuses) for statuses in PATHS]
        self.late_order = self.buy(self.products[:1], [])
        outdated = self.fill_cart({self.products[2]: 1})
        self.shop.change_product(self.products[2], price=0.5)
        self.send("order", "/orders", {"user_id": USER, "cart_id": outdated}, 409)
        self.shop.close()

    def send(self, service, path, body, status):
        """With a key, so that it can be sent again."""
        key = new_id()
        answer = self.client(service).post(path, body, headers={"Idempotency-Key": key})
        self.sent.append((service, path, body, key, answer))
        return done(answer, status)

    def client(self, service):
        return getattr(self.installation, service).public

    def fill_cart(self, quantities):
        cart = self.send("cart", "/carts", {"user_id": USER}, 201)["id"]
        for product, quantity in quantities.items():
            item = {"product_id": product, "quantity": quantity}
            self.send("cart", f"/carts/{cart}/items", item, 200)
        return cart

    def buy(self, products, statuses):
        cart = self.fill_cart(dict.fromkeys(products, 2))
        order = self.send("order", "/orders", {"user_id": USER, "cart_id": cart}, 201)["id"]
        for status in statuses:
            self.shop.set_status(order, status, reason="It is so")
        self.carts.append(cart)
        return order

    def stock_of_late_product(self):
        product = self.read("product", f"/products/{self.late_product}").json()
        return product["inventory"], product["reserved"]

    def cancel_without_product(self):
        """Cancels an order while Product is down, so that an effect stays to be done later."""
        self.installation.end("product-worker", signal.SIGTERM)
        self.shop.close()
        return done(self.shop.put_status(self.late_order, "cancelled"), 200)

    def read(self, service, path):
        return self.client(service).get(path)

    def seen(self):
        """{address: (status, lasting headers, body)} of everything that can be read."""
        answers = {}

        def look(service, path):
            answer = self.read(service, path)
            headers = {name: answer.header(name) for name in LASTING if answer.headers[name]}
            answers[path] = (answer.status, headers, answer.body)
            return headers.get("Link")

        for service, path in (
            ("product", "/products?limit=100"),
            ("product", "/products?limit=3&count=true"),
            ("product", "/products?q=gruner"),
            ("cart", f"/carts?user_id={USER}&limit=2"),
            ("order", f"/orders?user_id={USER}&limit=2"),
        ):
            while path:
                link = look(service, path)
                path = next_page(path, link)
        look("product", "/products/export")
        for product in self.products:
            look("product", f"/products/{product}")
            look("product", f"/products/{product}/stock/movements")
        for cart in self.carts:
            look("cart", f"/carts/{cart}")
        for order in [*self.orders, self.late_order]:
            look("order", f"/orders/{order}")
        return answers

    def sent_again_is_answered_alike(self):
        for service, path, body, key, first in self.sent:
            again = self.client(service).post(path, body, headers={"Idempotency-Key": key})
            # A resource is answered as it is by now.
            assert again.status == first.status, (path, again)
            assert again.json().get("id") == first.json().get("id"), (path, again)
            assert again.header("Location") == first.header("Location")
            assert again.header("Idempotent-Replayed") == "true"

    def close(self):
        for service in ("product", "cart", "order"):
            self.client(service).close()
        self.shop.close()
        self.installation.gateway.close()


def next_page(path, link):
    found = re.search(r'<([^>]*)>; rel="next"', link or "")
    return urljoin(path, found[1]) if found else None


def changed(before, after):
    """The addresses whose answers differ."""
    assert before.keys() == after.keys()
    return {path for path in before if before[path] != after[path]}


def without(body, resources):
    """The members of a list, in JSON or NDJSON, but for these."""
    text = body.decode()
    members = json.loads(text) if text.startswith("[") else map(json.loads, text.splitlines())
    return [member for member in members if member["id"] not in resources]
