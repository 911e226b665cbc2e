"""Each service dies, hangs or fails at every step of a purchase: one run a place.

A place is a failpoint of the code (base/failpoint.h); before_commit and after_commit are counted,
because every transaction passes them. The client of each run is patient and sends its request again
with the same Idempotency-Key: it must get what it wanted, once.
"""

import os
import re
import signal
import threading
import time

import pytest
import testbed
from bed import EVENTUALLY, SETTLED_WITHIN, Bed
from journal import PASSING, Customer, Journal
from laboratory import Laboratory, asked_for, parameters

PAUSE = 8  # seconds, base/failpoint.c

STEPS = ("after_begin", "after_open", "after_hold")
PLACING = ("while_placing", "after_place", "before_effects")
EFFECT = ("before_effect", "after_effect")
SECOND_EFFECT = ("before_effect@2", "after_effect@2")


def commit(number):
    return (f"before_commit@{number}", f"after_commit@{number}")


# Who wants what, which service, where. Of the commits of a purchase the order service's are: begin,
# place or reject, effects done; the cart's: open, consume or release; the product service's: hold.
PLACES = [
    ("buy", "order", (*STEPS, *PLACING, *EFFECT, *commit(1), *commit(2), *commit(3))),
    ("buy", "cart", (*commit(1), *commit(2))),
    ("buy", "product", commit(1)),
    ("refuse", "order", ("while_rejecting", *EFFECT, *SECOND_EFFECT, *commit(2))),
    ("refuse", "cart", commit(2)),
    ("refuse", "product", commit(1)),
    ("cancel", "order", ("after_status", *EFFECT, *commit(1), *commit(2))),
    ("cancel", "product", commit(1)),
    ("ship", "order", ("after_status", *EFFECT)),
    ("ship", "product", commit(1)),
]

# Where a paused thread holds up nobody else, or answers a sibling that has given up.
PAUSES = [
    ("buy", "order", (*STEPS, "after_place", "before_effects", *EFFECT)),
    ("buy", "cart", commit(1)),
    ("buy", "product", commit(1)),
    ("refuse", "order", SECOND_EFFECT),
    ("cancel", "order", ("after_status", *EFFECT)),
]

# Dies in the middle of a purchase, and then where it cleans up after that: sweep, claim, effects.
SECOND_DEATHS = (
    *("before_commit@1", "after_sweep", "before_commit@2", "after_claim"),
    *EFFECT,
    *SECOND_EFFECT,
)


def armed(place, action):
    name, _, number = place.partition("@")
    return f"{name}:{action}@{number or 1}"


def all_runs():
    """Those that wait longest first, so that no platform is late with one of them."""
    for place in STEPS:
        yield f"stop-buy-order-{place}", ("buy", "order", [armed(place, "pause")], True)
    for place in SECOND_DEATHS:
        yield f"exit-twice-{place}", (
            "buy",
            "order",
            [armed("after_hold", "exit"), armed(place, "exit")],
        )
    for action, table in (("pause", PAUSES), ("exit", PLACES), ("error", PLACES)):
        for scenario, service, places in table:
            for place in places:
                yield f"{action}-{scenario}-{service}-{place}", (
                    scenario,
                    service,
                    [armed(place, action)],
                )


RUNS = dict(all_runs())
ASKED = {
    "stop-buy-order-after_hold",
    "exit-twice-after_claim",
    "exit-buy-order-after_place",
    "exit-buy-cart-before_commit@2",
    "exit-refuse-order-while_rejecting",
    "exit-cancel-order-after_status",
    "exit-ship-product-after_commit@1",
    "error-buy-order-after_open",
}


# ---- what the client wants, and what has become of it ----------------------------------------


class Purchase:
    """Two units of ten, and one of another product."""

    stock = 10
    answer_wanted = 201
    sellable_wanted, reserved_wanted = 8, 2
    lines_wanted = 0

    def __init__(self, bed, journal):
        self.bed = bed
        # The service that fails may be the client's own: that is no reason to give up.
        self.customer = Customer(bed.order.public_port, journal, passing=PASSING | {500})
        products = Customer(bed.product.public_port, journal)
        carts = Customer(bed.cart.public_port, journal, person=self.customer.person)
        self.product, other = (
            products.make_product(inventory).json()["id"] for inventory in (self.stock, 5)
        )
        self.products = products
        self.cart = carts.fill_cart({self.product: 2, other: 1})
        assert self.cart

    def act(self):
        return self.customer.order(self.cart)

    def sagas(self):
        query = "SELECT saga FROM orders WHERE cart_id = ? ORDER BY saga"
        return [saga for (saga,) in self.bed.order.store.read(query, self.cart)]

    def verify(self, answer):
        assert answer is not None, "no answer that counts"
        assert answer.status == self.answer_wanted, answer
        product = self.products.get(f"/products/{self.product}").json()
        assert (product["inventory"], product["reserved"]) == (
            self.sellable_wanted,
            self.reserved_wanted,
        )
        query = "SELECT count(*) FROM cart_lines WHERE cart_id = ?"
        assert self.bed.cart.store.read(query, self.cart) == [(self.lines_wanted,)]
        self.verify_sagas()

    def verify_sagas(self):
        assert self.sagas().count("placed") == 1


class Refusal(Purchase):
    """Short of stock by the time it is ordered."""

    answer_wanted = 409
    sellable_wanted, reserved_wanted = 1, 0
    lines_wanted = 2

    def __init__(self, bed, journal):
        super().__init__(bed, journal)
        assert self.products.adjust_stock(self.product, -9).status == 200

    def verify_sagas(self):
        assert set(self.sagas()) == {"rejected"}


class Cancellation(Purchase):
    status = "cancelled"
    answer_wanted = 200
    sellable_wanted, reserved_wanted = 10, 0

    def __init__(self, bed, journal):
        super().__init__(bed, journal)
        self.order_id = self.customer.order(self.cart).json()["id"]

    def act(self):
        return self.customer.set_status(self.order_id, self.status)


class Shipping(Cancellation):
    status = "shipped"
    sellable_wanted, reserved_wanted = 8, 0


SCENARIOS = {"buy": Purchase, "refuse": Refusal, "cancel": Cancellation, "ship": Shipping}


# ---- one run ---------------------------------------------------------------------------------


def hits(service):
    return len(re.findall('"message":"failpoint"', service.worker.logged()))


def die_and_come_back(bed, service, points):
    """When it was back for good. It is armed with the first point already."""
    for point in points[1:]:
        bed.wait_for_death(service)
        try:
            service.start_worker(FAILPOINT=point)
        except testbed.StartError:
            assert not service.worker.alive()  # it got there before it was ready
    bed.wait_for_death(service)
    service.start_worker()
    return time.monotonic()


def stop_and_wake(service, hits_before):
    """The whole process sleeps until after the lease: sweeper and request wake up together."""
    testbed.wait_until(lambda: hits(service) > hits_before, EVENTUALLY, "the pause begins")
    service.worker.signal(signal.SIGSTOP)
    time.sleep(PAUSE + 0.5)
    service.worker.signal(signal.SIGCONT)


def run(bed, scenario, service_name, points, stop=False):
    service = bed.services[service_name]
    journal = Journal()
    client = SCENARIOS[scenario](bed, journal)
    bed.settle()
    hits_before = hits(service)
    service.restart_worker(FAILPOINT=points[0])

    answers = []
    caller = threading.Thread(target=lambda: answers.append(client.act()))
    start = time.monotonic()
    caller.start()
    if stop:
        stop_and_wake(service, hits_before)
    if ":exit" in points[0]:
        back = die_and_come_back(bed, service, points)
        caller.join()
    else:
        caller.join()
        what = f"{points[0]} is reached"
        testbed.wait_until(lambda: hits(service) > hits_before, EVENTUALLY, what)
        back = max(time.monotonic(), start + PAUSE if ":pause" in points[0] else 0)
    bed.settle(back + SETTLED_WITHIN - time.monotonic())
    assert hits(service) == hits_before + len(points)
    if ":exit" not in points[0]:
        service.restart_worker()
    client.verify(*answers)
    bed.check(journal)
    if points[0] in [armed(step, "pause") for step in STEPS]:
        # The thread woke up after its lease had run out, and was not the one that placed it.
        assert "rejected" in client.sagas()


# ---- many runs -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def laboratory(request):
    def attempt(bed, name):
        run(bed, *RUNS[name])

    with Laboratory(asked_for(request, RUNS), attempt, Bed, gateway=False) as laboratory:
        yield laboratory


@pytest.mark.parametrize("name", parameters(RUNS, ASKED))
def test_failpoint(laboratory, name):
    laboratory.result(name)


@pytest.mark.asked
def test_nothing_else_went_wrong(laboratory):
    laboratory.join()
    assert laboratory.unnoticed == []


@pytest.mark.storeless
@pytest.mark.parametrize("service", testbed.SERVICES)
def test_release_has_no_failpoints(service):
    """Nothing of them is left in what is shipped."""
    plain = os.environ.get("PLAIN_VARIANT", "release")
    programs = [testbed.ROOT / "build" / variant / f"{service}-service"
                for variant in ("failpoints", plain)]  # fmt: skip
    has_them = [b"failpoint.action" in program.read_bytes() for program in programs]
    assert has_them == [True, False]
