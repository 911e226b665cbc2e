"""Many customers of every kind at once.

    with Load(port, journal, customers=32) as load:   they begin
        …                                             whatever the proof does meanwhile
    load.errors                                       they are gone; what they found wrong

Each customer reads back what it was told, as far as the platform answers at all.
"""

import threading
import time

from bed import EVENTUALLY
from journal import Customer
from people import Person
from testbed import wait_until

PRODUCTS = 12
INVENTORY = 100000
# Orders that a proof is worth something with.
ENOUGH = 50


class Mixed(Customer):
    """A customer who does a bit of everything."""

    ways = (("buy", 6), ("browse", 3), ("count", 2), ("offer", 1), ("click_twice", 2))

    def __init__(self, port, journal, products, **options):
        super().__init__(port, journal, **options)
        self.products = products
        self.errors = []

    def expect(self, answer, *statuses):
        """The answer's body where it is a success; a status that is none of these is an error."""
        if answer is None:
            return None
        if answer.status not in statuses:
            self.errors.append(f"{answer.status} is none of {statuses}: {answer}")
        return answer.json() if answer.status < 300 else None

    def some_products(self):
        chosen = self.dice.sample(self.products, self.dice.randint(1, 3))
        return {product: self.dice.randint(1, 3) for product in chosen}

    def do_something(self):
        names, weights = zip(*self.ways)
        getattr(self, self.dice.choices(names, weights)[0])()

    def buy(self):
        cart_id = self.fill_cart(self.some_products())
        order = cart_id and self.expect(self.order(cart_id), 201)
        if not order:
            return
        found = self.expect(self.get(f"/orders/{order['id']}"), 200)
        if found and found["items"] != order["items"]:
            self.errors.append(f"told {order}, reads {found}")
        status = self.dice.choice((None, "cancelled", "shipped", "processing"))
        if status and self.expect(self.set_status(order["id"], status), 200) and status == "shipped":
            self.expect(self.set_status(order["id"], "delivered"), 200)

    def click_twice(self):
        """The same order again, after the answer: the same answer again."""
        cart_id = self.fill_cart(self.some_products())
        if not cart_id:
            return
        call = self.ordering(cart_id)
        for _ in range(2):
            self.expect(self.insist(call), 201)

    def browse(self):
        self.expect(self.get(f"/products?limit={self.dice.randint(1, 50)}"), 200)
        self.expect(self.get(f"/products/{self.dice.choice(self.products)}"), 200)

    def count(self):
        self.expect(self.adjust_stock(self.dice.choice(self.products), self.dice.randint(1, 9)), 200)

    def offer(self):
        product = self.expect(self.make_product(inventory=10), 201)
        if product:
            self.expect(self.get(f"/products/{product['id']}"), 200)


class Known(Mixed):
    """Names itself as user and has a token, while AUTH is turned on or off. Sends nothing again after its answer:
    an Idempotency-Key is not known across that (docs/SECURITY.md)."""

    ways = tuple((way, weight) for way, weight in Mixed.ways if way != "click_twice") + (("look_back", 2),)

    def __init__(self, port, journal, products):
        super().__init__(port, journal, products, person=Person(guest=False))

    def look_back(self):
        """The newest of their orders is on the first page of them."""
        found = self.expect(self.get(f"/orders?user_id={self.person.name}"), 200)
        if found is not None and self.placed and self.placed[-1] not in [order["id"] for order in found]:
            self.errors.append(f"does not see {self.placed[-1]}")


def stock_up(port, journal, count=PRODUCTS, inventory=INVENTORY):
    """Ids of new products."""
    keeper = Customer(port, journal)
    return [keeper.make_product(inventory).json()["id"] for _ in range(count)]


class Load:
    def __init__(self, port, journal, customers=32, kind=Mixed):
        products = stock_up(port, journal)
        self.customers = [kind(port, journal, products) for _ in range(customers)]
        self.journal = journal
        self.ended = threading.Event()
        self.errors = []
        self.threads = [threading.Thread(target=self.run, args=(one,)) for one in self.customers]

    def run(self, customer):
        try:
            while not self.ended.is_set():
                customer.do_something()
        except BaseException as error:
            customer.errors.append(repr(error))

    def __enter__(self):
        self.start = time.monotonic()
        for thread in self.threads:
            thread.start()
        return self

    def wait_for_enough(self):
        """Until so many orders were placed, however slow the machine is."""
        wait_until(lambda: self.ordered() > ENOUGH, EVENTUALLY, f"more than {ENOUGH} orders")

    def ordered(self):
        return sum(call.acknowledged for call in self.journal.made("POST", "/orders"))

    def __exit__(self, *_):
        self.ended.set()
        for thread in self.threads:
            thread.join()
        self.errors = [error for customer in self.customers for error in customer.errors]
