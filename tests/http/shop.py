"""What tests of buying need: products, filled carts and orders, and callers that all come at once."""

import threading
import time
import uuid

from testbed import SLOWNESS, wait_until

RECOVERS_WITHIN = 30 * SLOWNESS
ANSWER_WAITS = 0.9  # for what an order brings about; a second by order/effects.c


class Shop:
    """A platform as its customers and its stock keeper use it; every step must work.

    For one thread; clone() it for others.
    """

    def __init__(self, bed):
        self.bed = bed
        self.product = bed.product.public.clone()
        self.cart = bed.cart.public.clone()
        self.order = bed.order.public.clone()

    def clone(self):
        return Shop(self.bed)

    def close(self):
        """The kept connections; the next request opens them anew."""
        for client in (self.product, self.cart, self.order):
            client.close()

    def make_product(self, inventory=10, price=12.5, name="Enamel mug", **more):
        body = {"name": name, "price": price, "inventory": inventory, **more}
        return done(self.product.post("/products", json=body), 201)["id"]

    def read_product(self, product_id):
        return done(self.product.get(f"/products/{product_id}"), 200)

    def stock(self, product_id):
        """(sellable, reserved)"""
        product = self.read_product(product_id)
        return product["inventory"], product["reserved"]

    def adjust_stock(self, product_id, delta):
        body = {"delta": delta, "reason": "counted"}
        return done(self.product.post(f"/products/{product_id}/stock", json=body), 200)

    def change_product(self, product_id, **changes):
        return done(self.product.patch(f"/products/{product_id}", json=changes), 200)

    def delete_product(self, product_id):
        assert self.product.delete(f"/products/{product_id}").status == 204

    def make_cart(self, quantities=None, user="user-1"):
        """A cart that holds {product id: quantity}."""
        cart_id = done(self.cart.post("/carts", json={"user_id": user}), 201)["id"]
        for product_id, quantity in (quantities or {}).items():
            self.add_item(cart_id, product_id, quantity)
        return cart_id

    def add_item(self, cart_id, product_id, quantity=1):
        body = {"product_id": product_id, "quantity": quantity}
        return done(self.cart.post(f"/carts/{cart_id}/items", json=body), 200)

    def read_cart(self, cart_id):
        return done(self.cart.get(f"/carts/{cart_id}"), 200)

    def quantities(self, cart_id):
        return {item["product_id"]: item["quantity"] for item in self.read_cart(cart_id)["items"]}

    def post_order(self, cart_id, user="user-1", key=None):
        """The answer to POST /orders, whatever it is."""
        headers = {"Idempotency-Key": key} if key else {}
        body = {"user_id": user, "cart_id": cart_id}
        return self.order.post("/orders", json=body, headers=headers)

    def place_order(self, cart_id, user="user-1"):
        """The order, once it has emptied the cart: an answer that is late may not have waited for that."""
        began = time.monotonic()
        order = done(self.post_order(cart_id, user), 201)
        if time.monotonic() - began > ANSWER_WAITS:
            wait_until(
                lambda: self.read_cart(cart_id).get("last_order_id") == order["id"], RECOVERS_WITHIN, "it is empty"
            )
        return order

    def buy(self, quantities, user="user-1"):
        return self.place_order(self.make_cart(quantities, user), user)

    def read_order(self, order_id):
        return done(self.order.get(f"/orders/{order_id}"), 200)

    def put_status(self, order_id, status, **more):
        """The answer to PUT /orders/{id}/status, whatever it is."""
        return self.order.put(f"/orders/{order_id}/status", json={"status": status, **more})

    def set_status(self, order_id, status, **more):
        return done(self.put_status(order_id, status, **more), 200)


def done(answer, status):
    """The body of an answer that must have this status."""
    assert answer.status == status, answer
    return answer.json()


def recovers(call, status):
    """The answer, once a sibling has recovered: its callers are not restarted, and soon work again."""
    answers = []

    def works():
        answers.append(call())
        return answers[-1].status == status

    wait_until(works, RECOVERS_WITHIN, f"{status} after the trouble")
    for answer in answers[:-1]:
        assert answer.status in (409, 503), answer
    return answers[-1]


def new_id():
    """An id in the form that services make, for things that do not exist, or not yet."""
    return str(uuid.uuid4())


def write_to_store(service, sql, *values):
    """Changes a service's database directly, to bring about what otherwise only time would."""
    assert service.store.write(sql, *values) > 0


def at_once(count, make_client, call):
    """Runs call(client, number) in count threads with a client each; all start together.

    Returns the results by number; an exception of any call is raised.
    """
    start = threading.Barrier(count)
    results = [None] * count
    errors = []

    def run(number):
        try:
            client = make_client()
            start.wait()
            results[number] = call(client, number)
        except BaseException as error:
            errors.append(error)
            start.abort()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        real = [error for error in errors if not isinstance(error, threading.BrokenBarrierError)]
        raise (real or errors)[0]
    return results
