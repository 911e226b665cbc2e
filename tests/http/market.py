"""A platform that asks who calls (AUTH=jwt), and what customers, guests and staff do there."""

import time

import invariants
import tokens
from shop import ANSWER_WAITS, RECOVERS_WITHIN
from world import made


class Market:
    """A platform that asks who calls, and one product."""

    def __init__(self, bed, provider):
        self.bed, self.provider = bed, provider
        self.admin = provider.headers("boss", "admin")
        body = {"name": "Lamp", "price": 5, "inventory": 1_000_000}
        self.product = made(bed.product.public.post("/products", json=body, headers=self.admin))["id"]

    def token(self, sub, scopes=""):
        return self.provider.headers(sub, scopes)

    def make_cart(self, headers, key=None, **body):
        more = {"Idempotency-Key": key} if key else {}
        return self.bed.cart.public.post("/carts", json=body, headers={**headers, **more})

    def cart(self, headers, **body):
        return made(self.make_cart(headers, **body))

    def fill(self, cart, headers, quantity=1):
        body = {"product_id": self.product, "quantity": quantity}
        return made(self.bed.cart.public.post(f"/carts/{cart}/items", json=body, headers=headers), 200)

    def post_order(self, cart, headers, key=None, **body):
        more = {"Idempotency-Key": key} if key else {}
        body = {"cart_id": cart, **body}
        began = time.monotonic()
        answer = self.bed.order.public.post("/orders", json=body, headers={**headers, **more})
        if answer.status == 201 and time.monotonic() - began > ANSWER_WAITS:
            invariants.settle(self.bed.directory, RECOVERS_WITHIN)
        return answer

    def order(self, headers, **body):
        cart = self.cart(headers, **body)["id"]
        self.fill(cart, headers)
        return made(self.post_order(cart, headers, **body))

    def guest(self):
        """A guest's cart, and the headers that open it."""
        cart = self.cart({})
        return cart["id"], {"Cart-Secret": cart["secret"]}


def open_market(make_platform, folder, **worker):
    """One of its own; the files of its settings are written into the folder."""
    provider = tokens.Provider()
    settings = tokens.settings(provider, folder) | worker
    return Market(make_platform(gateway=False, worker=settings), provider)
