"""What clients were told, and whether the stores still know all of it.

    journal = Journal()
    customer = Customer(port, journal)     clients that write down what they asked and heard
    faults(journal, directory)             what was acknowledged and is not there, or twice

A Customer is a good client: what failed for a passing reason it sends again, with the same
Idempotency-Key, until it gets an answer that counts or loses its patience.
"""

import http.client
import json
import random
import threading
import time
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import invariants
from client import Client
from people import STAFF, Person, staff
from world import unique

# Answers after which the same request is worth another try.
PASSING = frozenset({429, 502, 503, 504})
PASSING_CONFLICTS = {"request-in-progress", "checkout-in-progress"}


class Call:
    """One request, however often it was sent."""

    def __init__(self, method, path, body, key, shown, actor):
        self.method = method
        self.path = path
        self.body = body
        self.key = key
        self.shown = shown  # headers that say who asks
        self.actor = actor  # who that is
        self.answers = []  # all that counted; more than one where it was asked again on purpose

    @property
    def acknowledged(self):
        return any(200 <= answer.status < 300 for answer in self.answers)

    def __repr__(self):
        return f"<{self.method} {self.path} {self.body} key={self.key} -> {self.answers[:2]}>"


class Journal:
    """All calls of all customers. Thread-safe."""

    def __init__(self):
        self.lock = threading.Lock()
        self.calls = []
        self.statuses = Counter()  # of every try; "broken": no answer at all
        self.slowest = 0.0

    def begin(self, call):
        with self.lock:
            self.calls.append(call)

    def count(self, status, duration):
        with self.lock:
            self.statuses[status] += 1
            self.slowest = max(self.slowest, duration)

    def made(self, method, path):
        """Calls of a method whose path starts so."""
        return [c for c in self.calls if c.method == method and c.path.startswith(path)]


class Customer:
    """For one thread."""

    def __init__(self, port, journal, patience=60, passing=PASSING, person=None):
        """person: of another Customer, who is the same in another window."""
        self.client = Client(port, timeout=60)
        self.journal = journal
        self.patience = patience
        self.passing = passing
        self.person = person or Person()
        self.placed = []  # ids of orders
        self.dice = random.Random(self.person.name)

    def call(self, method, path, body=None, scopes=None):
        """A call that is in the journal, not sent yet: their own, or of staff with these scopes."""
        ids = (*path.split("/"), (body or {}).get("cart_id"))
        shown = staff(scopes) if scopes else self.person.headers(*ids)
        actor = STAFF if scopes else self.person.actor
        call = Call(method, path, body, unique("key") if method == "POST" else None, shown, actor)
        self.journal.begin(call)
        return call

    def send(self, call):
        """One try; None where the connection broke."""
        headers = {**call.shown, **({"Idempotency-Key": call.key} if call.key else {})}
        start = time.monotonic()
        try:
            answer = self.client.request(call.method, call.path, json=call.body, headers=headers)
        except (OSError, http.client.HTTPException):
            self.journal.count("broken", time.monotonic() - start)
            return None
        self.journal.count(answer.status, time.monotonic() - start)
        return answer

    def insist(self, call):
        """Tries until there is an answer that counts; None where patience ends before."""
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            answer = self.send(call)
            if answer and not self.is_passing(answer):
                call.answers.append(answer)
                return answer
            time.sleep(self.dice.uniform(0.05, 0.3))
        return None

    def is_passing(self, answer):
        if answer.status == 409:
            return answer.json()["code"] in PASSING_CONFLICTS
        return answer.status in self.passing

    # ---- what customers do; each returns the answer that counted, or None ----

    def post(self, path, body, scopes=None):
        return self.insist(self.call("POST", path, body, scopes))

    def get(self, path):
        return self.insist(self.call("GET", path))

    def make_product(self, inventory, price=2.5):
        sku = unique("sku")
        body = {"name": sku, "price": price, "inventory": inventory, "sku": sku}
        return self.post("/products", body, "products:write stock:write")

    def adjust_stock(self, product_id, delta):
        """The reason is written once in all the world: the ledger can be asked for it."""
        body = {"delta": delta, "reason": unique("counted")}
        return self.post(f"/products/{product_id}/stock", body, "stock:write")

    def fill_cart(self, quantities):
        """The id of a new cart with {product id: quantity}, or None where that failed."""
        answer = self.post("/carts", self.person.names)
        if not answer or answer.status != 201:
            return None
        cart = answer.json()
        self.person.remember(cart)
        cart_id = cart["id"]
        for product_id, quantity in quantities.items():
            body = {"product_id": product_id, "quantity": quantity}
            answer = self.post(f"/carts/{cart_id}/items", body)
            if not answer or answer.status != 200:
                return None
        return cart_id

    def ordering(self, cart_id):
        """The call."""
        return self.call("POST", "/orders", {**self.person.names, "cart_id": cart_id})

    def order(self, cart_id):
        answer = self.insist(self.ordering(cart_id))
        if answer and answer.status == 201:
            self.person.remember(answer.json())
            self.placed.append(answer.json()["id"])
        return answer

    def set_status(self, order_id, status):
        """Customers cancel; guests cannot, so staff do that for them, and all else."""
        own = status == "cancelled" and not self.person.guest
        body = {"status": status}
        return self.insist(
            self.call("PUT", f"/orders/{order_id}/status", body, None if own else "orders:write")
        )


# ---- the question ----------------------------------------------------------------------------


def faults(journal, directory):
    """Of a settled platform, whose customers are gone."""
    with closing(invariants.attach(Path(directory))) as store:
        return [
            fault
            for check in (orders, statuses, adjustments, products, items, keys)
            for fault in check(journal, store)
        ]


def rows_by(store, query):
    """{first column: [the rest of each row]}"""
    found = {}
    for first, *rest in store.execute(query):
        found.setdefault(first, []).append(tuple(rest))
    return found


def orders(journal, store):
    """A cart was ordered at most once, and just as its customer was told."""
    placed = rows_by(
        store,
        "SELECT cart_id, id, user_id, total_amount FROM orders.orders WHERE saga = 'placed'",
    )
    for call in journal.made("POST", "/orders"):
        there = placed.get(call.body["cart_id"], [])
        told = {
            (o["id"], o.get("user_id", ""), int(Decimal(str(o["total_amount"])) * 100))
            for o in (answer.json() for answer in call.answers if answer.status == 201)
        }
        if len(there) > 1:
            yield f"ordered more than once: {there}, {call}"
        if told and told != set(there):
            yield f"told {told}, there is {there}"


def steps_told(journal):
    for call in journal.made("POST", "/orders"):
        for answer in call.answers:
            if answer.status == 201:
                yield f"{answer.json()['id']}/pending", call.actor
    for call in journal.made("PUT", "/orders/"):
        if call.acknowledged:
            yield f"{call.path.split('/')[2]}/{call.body['status']}", call.actor


def statuses(journal, store):
    """A status that was told happened once, and nobody else is said to have done it."""
    history = rows_by(
        store,
        "SELECT order_id || '/' || status, count(*), max(actor) FROM orders.order_history GROUP BY 1",
    )
    for step, actor in steps_told(journal):
        if history.get(step) not in ([(1, actor)], [(1, None)]):
            yield f"{step} was told to {actor}, there is {history.get(step)}"


def adjustments(journal, store):
    ledger = rows_by(store, "SELECT reason, delta, product_id, actor FROM product.stock_movements")
    for call in journal.made("POST", "/products/"):
        if not call.path.endswith("/stock"):
            continue
        there = ledger.get(call.body["reason"], [])
        wanted = (call.body["delta"], call.path.split("/")[2])
        if call.acknowledged and there not in ([(*wanted, call.actor)], [(*wanted, None)]):
            yield f"adjustment {wanted} was told, there is {there}"
        if len(there) > 1:
            yield f"adjustment {wanted} was made more than once: {there}"


def products(journal, store):
    there = rows_by(store, "SELECT sku, id FROM product.products WHERE sku IS NOT NULL")
    for call in journal.made("POST", "/products"):
        if call.path != "/products":
            continue
        told = {(a.json()["id"],) for a in call.answers if a.status == 201}
        found = there.get(call.body["sku"], [])
        if len(found) > 1 or (told and told != set(found)):
            yield f"product told {told}, there is {found}"


def items(journal, store):
    """What was added to a cart is in it, or in what was ordered of it, each time once."""
    held = Counter()
    for cart_id, product_id, quantity in store.execute(
        "SELECT cart_id, product_id, quantity FROM cart.cart_lines"
        " UNION ALL SELECT o.cart_id, l.product_id, l.quantity FROM orders.order_lines AS l"
        " JOIN orders.orders AS o ON o.id = l.order_id"
    ):
        held[cart_id, product_id] += quantity
    least, most = Counter(), Counter()
    for call in journal.made("POST", "/carts/"):
        if call.path.endswith("/items"):
            line = call.path.split("/")[2], call.body["product_id"]
            refused = any(answer.status >= 400 for answer in call.answers)
            least[line] += call.body["quantity"] if call.acknowledged else 0
            most[line] += 0 if refused else call.body["quantity"]
    for line, quantity in most.items():
        if not least[line] <= held[line] <= quantity:
            yield f"cart line {line}: {least[line]} to {quantity} added, there are {held[line]}"


def outcome(status, body):
    """A resource is kept as its id, and given again as it is by then (responder/kept_answer.h)."""
    told = json.loads(body) if body.startswith("{") else {}
    return status, told.get("id", body)


def keys(journal, store):
    """Each Idempotency-Key has one outcome, and the store keeps the one that was told: beside the
    subject, where there is one (responder/idempotency.c)."""
    kept = {}
    for schema in invariants.SCHEMAS.values():
        rows = rows_by(store, f"SELECT key, status, body FROM {schema}.idempotency_keys")
        for key, outcomes in rows.items():
            kept.setdefault(key.rpartition("\n")[2], []).extend(outcome(*one) for one in outcomes)
    for call in journal.calls:
        if not call.key:
            continue
        told = {outcome(a.status, a.body.decode()) for a in call.answers if a.status < 500}
        there = kept.get(call.key, [])
        if len(told) > 1 or len(there) > 1:
            yield f"key {call.key} has several outcomes: {told}, kept {there}"
        elif call.acknowledged and there != list(told):
            yield f"key {call.key}: told {told}, kept {there}"
