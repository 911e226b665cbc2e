"""Many shoppers at one shop: how fast they buy, and what the shop has sold in the end when all want
the same product, repeat the same order, or see the shop killed."""

import http.client
import itertools
import multiprocessing
import queue
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from load import Row, percentile
from stack import StackError
from storefronts import Refused

NO_ANSWER = (OSError, http.client.HTTPException)
SPELL_WITHIN = 600  # seconds
CROWD = 40
REPEATS = 20
FILLING = 8  # at once
KILLED_AFTER = 5  # orders
RETRIED_FOR = 60  # seconds
UNCHANGED_FOR = 6


def _shop(front, products, gate, results):
    """One shopper, in a process of its own."""
    shopper = front()
    times, refused, broken = [], 0, 0
    gate.wait()
    began = time.monotonic()
    for product in products:
        started = time.monotonic()
        try:
            shopper.place(shopper.fill_cart(product))
            times.append(time.monotonic() - started)
        except Refused:
            refused += 1
        except NO_ANSWER:
            broken += 1
    results.put((began, time.monotonic(), times, refused, broken))


def purchases(front, products, shoppers, each):
    """Every shopper buys so many, one after another; what came of it as load.lua tells it."""
    gate, results = multiprocessing.Barrier(shoppers), multiprocessing.Queue()
    endless = itertools.cycle(products)
    processes = [
        multiprocessing.Process(
            target=_shop, args=(front, list(itertools.islice(endless, each)), gate, results)
        )
        for _ in range(shoppers)
    ]
    for process in processes:
        process.start()
    try:
        ended = [results.get(timeout=SPELL_WITHIN) for _ in processes]
    except queue.Empty:
        raise StackError(f"{shoppers} × {each} purchases take too long") from None
    finally:
        for process in processes:
            process.terminate()  # it has ended, or never will
            process.join()
    began, over, times, refused, broken = zip(*ended)
    taken = list(itertools.chain(*times))
    if not taken:
        raise StackError(f"of {shoppers} × {each} purchases none succeeded")
    return {
        "requests": len(taken),
        "seconds": max(over) - min(began),
        "p50_us": statistics.median(taken) * 1e6,
        "p99_us": percentile(taken, 0.99) * 1e6,
        "refused": sum(refused),
        "broken": sum(broken),
    }


class PurchaseRow(Row):
    """So many purchases, however long they take: the same for each shop."""

    def __init__(self, site, counts):
        super().__init__("purchase", site.port, [site])
        self.site = site
        self.counts = counts

    def _load(self, connections, seconds):
        each = self.counts[connections] // connections
        return purchases(self.site.front, self.site.products[1:], connections, each)


class Books:
    """What a shop has sold since it was last looked at, by its database."""

    def __init__(self, site):
        self.site = site
        self.before = self._look()

    def _look(self):
        return self.site.orders(), self.site.payments(), self.site.stock_taken()

    def _settled(self):
        """What is still under way after an answer ends by itself."""
        last, since = self._look(), time.monotonic()
        deadline = since + RETRIED_FOR
        while time.monotonic() < min(since + UNCHANGED_FOR, deadline):
            time.sleep(1)
            now = self._look()
            if now != last:
                last, since = now, time.monotonic()
        return last

    def since(self):
        orders, payments, taken = self._settled()
        return Sold(
            orders - self.before[0],
            None if payments is None else payments - self.before[1],
            taken - self.before[2],
        )


class Sold:
    def __init__(self, orders, payments, taken):
        self.orders = orders
        self.payments = payments
        self.taken = taken
        self.told = []

    def lost(self):
        """Orders that were told, and are not there."""
        return set(self.told) - self.orders


def fill(site, product, count):
    """So many shoppers, each with a cart of its own."""
    shoppers = [site.front() for _ in range(count)]
    with ThreadPoolExecutor(FILLING) as pool:
        carts = list(pool.map(lambda shopper: shopper.fill_cart(product), shoppers))
    for shopper in shoppers:
        shopper.hang_up()
    return list(zip(shoppers, carts))


def _attempt(shopper, cart):
    """The order's id, or None."""
    try:
        return shopper.place(cart)
    except (Refused, *NO_ANSWER):
        return None


def place_at_once(carts, answered=lambda: None):
    """The order each was told, None where it was told none. answered: called after each that was."""
    gate = threading.Barrier(len(carts))

    def place(shopper, cart):
        gate.wait()
        told = _attempt(shopper, cart)
        if told:
            answered()
        return told

    with ThreadPoolExecutor(len(carts)) as pool:
        return list(pool.map(place, *zip(*carts)))


def few_for_many(site):
    """All want what there is too little of."""
    carts = fill(site, site.products[0], CROWD)
    books = Books(site)
    told = place_at_once(carts)
    sold = books.since()
    sold.told = [order for order in told if order]
    return sold


def one_cart_often(site):
    """One cart, ordered by several requests at once."""
    (_, cart), *_ = fill(site, site.products[1], 1)
    books = Books(site)
    told = place_at_once([(site.front(), cart) for _ in range(REPEATS)])
    sold = books.since()
    sold.told = [order for order in told if order]
    return sold


def _retry(carts, told):
    """As shoppers do until they are told an order, or lose patience."""
    deadline = time.monotonic() + RETRIED_FOR
    while None in told and time.monotonic() < deadline:
        again = [number for number, order in enumerate(told) if not order]
        with ThreadPoolExecutor(FILLING) as pool:
            orders = pool.map(lambda number: _attempt(*carts[number]), again)
            for number, order in zip(again, orders):
                told[number] = order
        time.sleep(0.2)


def killed(site):
    """All order at once, the shop is killed when some were told their order, and started again."""
    carts = fill(site, site.products[2], CROWD)
    books = Books(site)
    answers = itertools.count(1)

    def answered():
        if next(answers) == KILLED_AFTER:
            site.stop_at_once()

    told = place_at_once(carts, answered)
    site.start()
    _retry(carts, told)
    sold = books.since()
    sold.told = [order for order in told if order]
    return sold
