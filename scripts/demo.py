#!/usr/bin/python3
"""One purchase through the gateway, from a search to the delivered order, then a cancelled one
whose stock returns, and a guest's, where tokens are asked for. Prints every exchange; ends with
status 1 on the first surprise."""

import http.client
import json
import os
import re
import sys
import uuid
from pathlib import Path
from urllib.parse import urlencode

REPOSITORY = Path(__file__).absolute().parent.parent
COLOUR = sys.stdout.isatty()
BODY_LINES = 18  # of an answer; the rest is counted


STATE = REPOSITORY / os.environ.get("STATE_DIR", "var")


def noted(name):
    """What `make up` noted for the scripts that come after it, or None."""
    note = STATE / "run" / "choice"
    found = re.search(rf"^{name}=(.*)$", note.read_text(), re.M) if note.exists() else None
    return found and found[1]


def gateway_port():
    """GATEWAY_PORT, or the port that `make up` recorded for later scripts."""
    port = os.environ.get("GATEWAY_PORT") or noted("GATEWAY_PORT") or "8080"
    if not re.fullmatch(r"[1-9]\d{0,4}", port) or int(port) > 65535:
        sys.exit(f"error: GATEWAY_PORT={port}: must be a port, a number from 1 to 65535")
    return int(port)


class Surprise(Exception):
    """The platform did not answer as it promises."""


def paint(code, text):
    return f"\x1b[{code}m{text}\x1b[0m" if COLOUR else text


def step(text):
    print(f"\n{paint('1', '# ' + text)}")


def print_body(text):
    """Indented, with numbers unchanged: 24.90 stays 24.90."""
    value = json.loads(text, parse_float=lambda number: f"\0{number}\0")
    indented = json.dumps(value, indent=2, ensure_ascii=False)
    lines = re.sub(r'"\\u0000([^"]*)\\u0000"', r"\1", indented).splitlines()
    for line in lines[:BODY_LINES]:
        print(f"    {line}")
    if len(lines) > BODY_LINES:
        print(f"    … {len(lines) - BODY_LINES} more lines")


class Shop:
    """tokens: of the customer and of the staff, where the platform asks for them; or {}."""

    def __init__(self, port, tokens):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.tokens = tokens

    def send(self, method, path, expected, body=None, headers=None, who="customer"):
        """Prints the exchange and returns the answer's JSON and headers."""
        headers = dict(headers or {})
        print(f"{paint('36', method)} {path}")
        for name, value in headers.items():
            print(f"    {name}: {'(of that cart)' if name == 'Cart-Secret' else value}")
        if who in self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens[who]}"
            print(f"    Authorization: Bearer (the {who}'s token)")
        payload = None
        if body is not None:
            payload = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
            print(f"    {json.dumps(body)}")
        self.connection.request(method, path, payload, headers)
        response = self.connection.getresponse()
        text = response.read()
        good = response.status == expected
        print(paint("32" if good else "31", f"  → {response.status} {response.reason}"))
        for name in ("Location", "ETag", "Idempotent-Replayed"):
            if response.headers[name]:
                print(f"    {name}: {response.headers[name]}")
        if text:
            print_body(text)
        if not good:
            raise Surprise(f"{method} {path} answered {response.status}, not {expected}")
        return json.loads(text), response.headers

    def stock(self, product_id):
        product, _ = self.send("GET", f"/products/{product_id}", 200)
        return product["inventory"], product["reserved"]

    def expect_stock(self, product_id, wanted):
        expect("inventory, reserved", self.stock(product_id), wanted)


def expect(what, got, wanted):
    if got != wanted:
        raise Surprise(f"{what}: {got!r}, not {wanted!r}")
    print(paint("2", f"    ✓ {what}: {got!r}"))


def fill_cart(shop, user, wishes):
    cart, headers = shop.send("POST", "/carts", 201, {"user_id": user})
    expect("Location", headers["Location"], f"/carts/{cart['id']}")
    for product_id, quantity in wishes:
        line = {"product_id": product_id, "quantity": quantity}
        cart, _ = shop.send("POST", f"/carts/{cart['id']}/items", 200, line)
    expect("number of lines", len(cart["items"]), len(wishes))
    return cart


def buy_and_receive(shop, user, lamp, coffee):
    step("A cart with two lamps and a coffee")
    lamp_stock = shop.stock(lamp["id"])
    cart = fill_cart(shop, user, [(lamp["id"], 2), (coffee["id"], 1)])

    step("The order, sent twice with one Idempotency-Key, as after a lost connection")
    key = {"Idempotency-Key": str(uuid.uuid4())}
    wish = {"user_id": user, "cart_id": cart["id"]}
    order, headers = shop.send("POST", "/orders", 201, wish, key)
    again, replayed = shop.send("POST", "/orders", 201, wish, key)
    expect("id of the second answer", again["id"], order["id"])
    expect("Idempotent-Replayed", replayed["Idempotent-Replayed"], "true")
    expect("status", order["status"], "pending")
    expect("total", order["total_amount"], cart["total_amount"])

    step("The stock is held, the cart is empty")
    inventory, reserved = lamp_stock
    shop.expect_stock(lamp["id"], (inventory - 2, reserved + 2))
    emptied, _ = shop.send("GET", f"/carts/{cart['id']}", 200)
    expect("items left in the cart", emptied["items"], [])

    step("Through the warehouse to the customer")
    path = f"/orders/{order['id']}/status"
    shop.send("PUT", path, 200, {"status": "processing"}, who="staff")
    shop.send("PUT", path, 200, {"status": "shipped", "tracking_number": "JD014600003RU"}, who="staff")
    shop.send("PUT", path, 409, {"status": "cancelled"}, who="staff")
    delivered, _ = shop.send("PUT", path, 200, {"status": "delivered"}, who="staff")
    expect("status", delivered["status"], "delivered")
    expect("allowed_transitions", delivered["allowed_transitions"], [])
    expect(
        "history",
        [entry["status"] for entry in delivered["history"]],
        ["pending", "processing", "shipped", "delivered"],
    )
    shop.expect_stock(lamp["id"], (inventory - 2, reserved))


def buy_and_cancel(shop, user, lamp):
    step("A second order, which the customer cancels")
    before = shop.stock(lamp["id"])
    cart = fill_cart(shop, user, [(lamp["id"], 1)])
    order, _ = shop.send("POST", "/orders", 201, {"user_id": user, "cart_id": cart["id"]})
    shop.expect_stock(lamp["id"], (before[0] - 1, before[1] + 1))
    cancel = {"status": "cancelled", "reason": "Found it in the attic"}
    cancelled, _ = shop.send("PUT", f"/orders/{order['id']}/status", 200, cancel)
    expect("status", cancelled["status"], "cancelled")
    shop.expect_stock(lamp["id"], before)


def buy_as_guest(shop, lamp):
    step("A guest, who has no token, but the secret of the cart")
    cart, _ = shop.send("POST", "/carts", 201, {}, who="guest")
    secret = {"Cart-Secret": cart["secret"]}
    line = {"product_id": lamp["id"], "quantity": 1}
    shop.send("POST", f"/carts/{cart['id']}/items", 200, line, secret, who="guest")
    order, _ = shop.send("POST", "/orders", 201, {"cart_id": cart["id"]}, secret, who="guest")
    path = f"/orders/{order['id']}"
    shop.send("GET", path, 200, headers=secret, who="guest")

    step("For the customer it is not there; a guest without the secret is asked who they are")
    shop.send("GET", path, 404)
    shop.send("GET", path, 401, who="guest")
    shop.send("PUT", f"{path}/status", 200, {"status": "cancelled"}, who="staff")


def first_match(shop, words):
    query = urlencode({"q": words, "in_stock": "true", "limit": 2})
    found, _ = shop.send("GET", f"/products?{query}", 200)
    usable = [product for product in found if product["inventory"] >= 3]
    if not usable:
        raise Surprise(f'nothing in stock matches "{words}": is the demo catalogue loaded?')
    return usable[0]


def make_tokens(user):
    """Of the local issuer, if that is whose tokens the platform takes."""
    if noted("AUTH") != "1":
        return {}
    from issuer import Issuer  # needs a package that only AUTH=1 installs

    issuer = Issuer.in_folder(STATE / "issuer")
    return {"customer": issuer.token(user), "staff": issuer.token("staff", "orders:write")}


def main(port):
    user = f"demo-{uuid.uuid4().hex[:8]}"
    shop = Shop(port, make_tokens(user))
    step("What is there?")
    lamp = first_match(shop, "lamp")
    coffee = first_match(shop, "coffee")
    buy_and_receive(shop, user, lamp, coffee)
    buy_and_cancel(shop, user, lamp)
    if shop.tokens:
        buy_as_guest(shop, lamp)

    step("What the customer sees in the end")
    orders, _ = shop.send("GET", f"/orders?{urlencode({'user_id': user})}", 200)
    expect(
        "the orders' states",
        sorted(order["status"] for order in orders),
        ["cancelled", "delivered"],
    )
    print(paint("1;32", "\nEverything went as promised."))


if __name__ == "__main__":
    gateway = gateway_port()
    try:
        main(gateway)
    except Surprise as surprise:
        sys.exit(f"\nA surprise: {surprise}")
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f'\nNo answer from 127.0.0.1:{gateway} ({error}): is it up? "make up" starts it.')
