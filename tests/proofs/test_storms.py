"""Many clients want the same thing at the same moment."""

import json
import random
import time
from collections import Counter

import pytest
from bed import EVENTUALLY, seconds
from client import Client, is_problem
from journal import Customer, Journal
from load import Load, stock_up
from people import staff
from shop import at_once
from testbed import wait_until
from world import unique

pytestmark = pytest.mark.asked

CLIENTS = 32


@pytest.fixture(scope="module")
def bed(make_bed):
    with make_bed() as bed:
        yield bed


@pytest.fixture
def journal(bed):
    """Of one test, checked at its end."""
    journal = Journal()
    yield journal
    bed.check(journal)


def outcomes(answers):
    """How many got each status or problem."""
    return Counter(
        answer.status if answer.status < 400 else answer.json()["code"] for answer in answers
    )


def stock(bed, product_id):
    product = Client(bed.product.public_port).get(f"/products/{product_id}").json()
    return product["inventory"], product["reserved"]


def test_oversell(bed, journal):
    """Far more is wanted than there is: everything is sold, and nothing more."""
    inventory, carts_each = 30, 1 + int(seconds(4))
    products = stock_up(bed.gateway.port, journal, count=3, inventory=inventory)

    carts = {}

    def fill(customer, number):
        carts[customer] = [
            customer.fill_cart({products[(number + n) % 3]: 1, products[(number + n + 1) % 3]: 2})
            for n in range(carts_each)
        ]

    def order(customer, _):
        return [customer.order(cart) for cart in carts[customer]]

    # All carts are full before the first order: Cart refuses what is sold out already.
    customers = [Customer(bed.gateway.port, journal) for _ in range(CLIENTS)]
    at_once(CLIENTS, iter(customers).__next__, fill)
    answers = sum(at_once(CLIENTS, iter(customers).__next__, order), [])
    count = outcomes(answers)
    assert set(count) == {201, "insufficient-stock"}
    left = [stock(bed, product) for product in products]
    assert all(sellable + reserved == inventory for sellable, reserved in left)
    assert sum(reserved for _, reserved in left) == 3 * count[201]
    # No order that was refused at the end could have been served.
    assert sum(sellable >= 2 for sellable, _ in left) <= 1


def test_double_order(bed, journal):
    """Each cart is ordered by four clients at once, two of them with the same key."""
    (product,) = stock_up(bed.gateway.port, journal, count=1)
    for _ in range(1 + int(seconds(4))):
        owners = [Customer(bed.gateway.port, journal) for _ in range(CLIENTS // 4)]
        carts = [owner.fill_cart({product: 1}) for owner in owners]
        calls = [[one.ordering(cart) for _ in range(3)] for one, cart in zip(owners, carts)]

        def call(customer, number):
            return customer.insist(calls[number // 4][number % 4 % 3])

        answers = at_once(CLIENTS, lambda: Customer(bed.gateway.port, journal), call)
        for first in range(0, CLIENTS, 4):
            ended = answers[first : first + 4]
            orders = {answer.json()["id"] for answer in ended if answer.status == 201}
            assert len(orders) == 1
            for answer in ended:
                if answer.status != 201:
                    assert answer.json()["code"] == "already-ordered"
                    assert answer.json()["order_id"] in orders


def test_cancel_storm(bed, journal):
    """All clients cancel, ship and process the same orders: each order goes one way, and its goods with
    it."""
    (product,) = stock_up(bed.gateway.port, journal, count=1, inventory=1000)
    owner = Customer(bed.gateway.port, journal)
    for _ in range(1 + int(seconds(4))):
        orders = [owner.order(owner.fill_cart({product: 1})).json()["id"] for _ in range(8)]

        def call(customer, number):
            dice = random.Random(f"{orders}{number}")
            ways = dice.choices(("cancelled", "shipped", "processing"), (3, 2, 1), k=len(orders))
            return [customer.set_status(order, way) for order, way in zip(orders, ways)]

        def window():
            return Customer(bed.gateway.port, journal, person=owner.person)

        answers = sum(at_once(CLIENTS, window, call), [])
        # The last: of a customer who cancels what staff work on.
        assert set(outcomes(answers)) <= {200, "invalid-transition", "insufficient-scope"}


class Importer(Load):
    """A load, while a stock keeper imports products again and again."""

    def __init__(self, port, journal):
        super().__init__(port, journal, kind=Buyer)
        client = Client(port)
        self.products = self.customers[0].products
        self.skus = [client.get(f"/products/{p}").json()["sku"] for p in self.products]
        self.client = client
        self.dice = random.Random(0)
        self.prices = [2.5]

    def import_all(self):
        """Changes every price and adds products. If the service is overloaded, sends it again after the
        time it was told to wait."""
        price = self.dice.randint(1, 999) / 100
        self.prices.append(price)
        lines = [{"sku": sku, "name": sku, "price": price, "inventory": 5000} for sku in self.skus]
        lines += [
            {"sku": unique("new"), "name": "New", "price": price, "inventory": 3} for _ in range(50)
        ]
        lines += [{"sku": unique("bad"), "name": "", "price": -1} for _ in range(3)]
        self.dice.shuffle(lines)
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        headers = {"Content-Type": "application/x-ndjson", **staff("products:write stock:write")}
        end = time.monotonic() + EVENTUALLY
        answer = self.client.post("/products/bulk", body=body, headers=headers)
        while answer.status == 503:
            is_problem(answer, 503, "overloaded")
            assert time.monotonic() < end, answer
            time.sleep(int(answer.header("Retry-After")))
            answer = self.client.post("/products/bulk", body=body, headers=headers)
        assert answer.status == 200, answer
        results = Counter(json.loads(line)["status"] for line in answer.body.splitlines())
        assert results == {"updated": len(self.skus), "created": 50, "error": 3}

    def wait_until_paid(self):
        """Imports without a pause could change every price again before any customer has paid it."""
        price = self.prices[-1]
        wait_until(
            lambda: any(price in customer.paid for customer in self.customers),
            EVENTUALLY,
            f"somebody pays {price}",
        )


class Buyer(Customer):
    """Buys, and has prices refreshed when they changed meanwhile."""

    def __init__(self, port, journal, products):
        super().__init__(port, journal)
        self.products = products
        self.errors = []
        self.paid = set()

    def do_something(self):
        cart = self.fill_cart(dict.fromkeys(self.dice.sample(self.products, 2), 1))
        while (answer := self.order(cart)).status != 201:
            if answer.json()["code"] != "price-changed":
                self.errors.append(answer)
                return
            self.post(f"/carts/{cart}/refresh", None)
        self.paid.update(item["price"] for item in answer.json()["items"])


def test_bulk_import_against_checkouts(bed, journal):
    with Importer(bed.gateway.port, journal) as load:
        imported = 0
        end = time.monotonic() + seconds(5)
        while time.monotonic() < end or imported < 3:
            load.import_all()
            load.wait_until_paid()
            imported += 1
    assert load.errors == []
    paid = set().union(*(customer.paid for customer in load.customers))
    assert paid <= set(load.prices) and len(paid) > 1
