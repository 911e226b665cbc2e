"""The network between the services is slow, cut, or delivers garbage; requests arrive late or twice."""

import random
import re
import threading
import time

import proxy
import pytest
from bed import EVENTUALLY, SETTLED_WITHIN, Bed, seconds
from journal import Customer, Journal
from laboratory import Laboratory, asked_for, parameters
from load import Load
from shop import at_once
from testbed import wait_until

# How long the network is bad: where it makes clients wait, longer than they do.
BAD_FOR = 1.5
LATE_FOR = 5.5

TROUBLES = {**proxy.CUTS, **proxy.GARBAGE, **proxy.IMPOSTORS, **proxy.LATE}


def buy_on_a_bad_network(bed, sibling, trouble):
    """It is bad from a moment before the order on, and then recovers."""
    journal = Journal()
    products = Customer(bed.product.public_port, journal)
    product = products.make_product(inventory=1000).json()["id"]
    customer = Customer(bed.order.public_port, journal, passing=frozenset({503}))
    carts = Customer(bed.cart.public_port, journal, person=customer.person)
    cart = carts.fill_cart({product: 3})

    bed.proxies[sibling].behaviour = TROUBLES[trouble]
    answers = []
    caller = threading.Thread(target=lambda: answers.append(customer.order(cart)))
    caller.start()
    caller.join(LATE_FOR if trouble in proxy.LATE else BAD_FOR)
    bed.proxies[sibling].behaviour = proxy.honest
    caller.join()
    assert answers[0] and answers[0].status == 201, answers
    bed.check_patience(journal)
    bed.settle(SETTLED_WITHIN + proxy.TOO_LATE)
    stock = products.get(f"/products/{product}").json()
    assert (stock["inventory"], stock["reserved"]) == (997, 3)
    bed.check(journal)


def prepare(bed, journal, carts=1):
    """A product of which there are 100, a customer, and carts with one of it."""
    products = Customer(bed.product.public_port, journal)
    product = products.make_product(inventory=100).json()["id"]
    customer = Customer(bed.order.public_port, journal)
    carts_window = Customer(bed.cart.public_port, journal, person=customer.person)
    return customer, [carts_window.fill_cart({product: 1}) for _ in range(carts)]


def late_duplicates(bed, sibling, path):
    """A request that arrives after its order was given up is refused: nothing comes back to life."""
    journal = Journal()
    customer, (cart,) = prepare(bed, journal)
    link = bed.proxies[sibling]
    link.forwarded.clear()
    held = proxy.Held()
    link.behaviour = proxy.only("PUT", held)
    call = customer.ordering(cart)
    assert customer.send(call).status == 503
    bed.settle()

    def arrived():
        return [status for method, where, status in link.forwarded
                if method == "PUT" and where.startswith(path)]  # fmt: skip

    assert arrived() == [] and held.count >= 2
    link.behaviour = proxy.honest
    held.let_go()
    wait_until(lambda: len(arrived()) == held.count, EVENTUALLY, "all of them arrive")
    assert set(arrived()) == {409}
    bed.check(journal)
    assert customer.insist(call).status == 201
    bed.check(journal)


def breaker(bed, sibling):
    """(state, calls refused) of the order service's breaker."""
    figures = bed.order.health.get("/metrics").body.decode()

    def figure(name):
        return int(re.search(rf'^{name}{{upstream="{sibling}"}} (\d+)', figures, re.M).group(1))

    return figure("upstream_breaker_state"), figure("upstream_refused_total")


def breaker_opens_and_closes(bed, sibling):
    journal = Journal()
    customer, carts = prepare(bed, journal, carts=12)
    _, refused_before = breaker(bed, sibling)
    bed.proxies[sibling].behaviour = proxy.cut_before
    for cart in carts[:-1]:
        call = customer.ordering(cart)
        assert customer.send(call).status == 503
    end = time.monotonic() + EVENTUALLY
    while breaker(bed, sibling)[1] == refused_before:
        assert time.monotonic() < end, "nothing was refused"
        customer.send(call)
    assert breaker(bed, sibling)[0] in (1, 2)
    bed.proxies[sibling].behaviour = proxy.honest
    time.sleep(1.1)  # the breaker's pause
    # One probe at a time: while the relay's is out, a customer is still told to come back.
    call = customer.ordering(carts[-1])
    assert customer.insist(call).status == 201
    assert breaker(bed, sibling)[0] == 0
    bed.check(journal)


def deadlines_add_up(bed, cart, product, status):
    """Each sibling may be slow, but all together may take no longer than a client waits."""
    journal = Journal()
    customer, carts = prepare(bed, journal, carts=8)
    bed.proxies["cart"].behaviour = proxy.slow(cart)
    bed.proxies["product"].behaviour = proxy.slow(product)

    def call(client, number):
        return client.send(client.ordering(carts[number])).status

    customers = iter([Customer(bed.order.public_port, journal, person=customer.person) for _ in carts])
    statuses = at_once(len(carts), lambda: next(customers), call)
    for link in bed.proxies.values():
        link.behaviour = proxy.honest
    assert set(statuses) == {status}
    bed.check_patience(journal)
    bed.check(journal, within=20)


# ---- all of it -------------------------------------------------------------------------------

RUNS = {
    f"{sibling}-{trouble}": (buy_on_a_bad_network, sibling, trouble)
    for trouble in TROUBLES
    for sibling in ("cart", "product")
} | {
    "late-duplicates-cart": (late_duplicates, "cart", "/internal/carts/"),
    "late-duplicates-product": (late_duplicates, "product", "/internal/reservations/"),
    "breaker-cart": (breaker_opens_and_closes, "cart"),
    "breaker-product": (breaker_opens_and_closes, "product"),
    "deadline-kept": (deadlines_add_up, 1, 1, 201),
    "deadline-missed": (deadlines_add_up, 1.8, 2.5, 503),
    "deadline-missed-at-once": (deadlines_add_up, 2.5, 0, 503),
}

ASKED = {"cart-cut-before", "late-duplicates-product", "breaker-cart", "deadline-kept"}


@pytest.fixture(scope="module")
def laboratory(request):
    def attempt(bed, name):
        function, *arguments = RUNS[name]
        function(bed, *arguments)

    names = asked_for(request, RUNS)
    with Laboratory(names, attempt, Bed, gateway=False, proxies=True) as laboratory:
        yield laboratory


@pytest.mark.parametrize("name", parameters(RUNS, ASKED))
def test_network(laboratory, name):
    laboratory.result(name)


@pytest.mark.asked
def test_nothing_else_went_wrong(laboratory):
    laboratory.join()
    assert laboratory.unnoticed == []


def test_bad_weather():
    """Everything at once, by chance, under load."""
    dice = random.Random()
    troubles = list(TROUBLES.values())

    def weather(exchange):
        (dice.choice(troubles) if dice.random() < 0.1 else proxy.honest)(exchange)

    with Bed(proxies=True) as bed:
        journal = Journal()
        with Load(bed.gateway.port, journal) as load:
            for link in bed.proxies.values():
                link.behaviour = weather
            time.sleep(seconds(12))
            wait_until(lambda: journal.statuses[503] > 0, EVENTUALLY, "an order is refused")
            for link in bed.proxies.values():
                link.behaviour = proxy.honest
        print(journal.statuses, journal.slowest)
        assert load.errors == []
        bed.check_patience(journal)
        assert journal.statuses["broken"] == 0
        bed.check(journal, within=20)
