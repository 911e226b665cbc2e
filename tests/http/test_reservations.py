"""What Order asks of Product: every step may be repeated, come late or in the wrong order."""

import pytest
from client import is_problem
from shop import at_once, done, new_id

pytestmark = pytest.mark.usefixtures("stock_adds_up")


@pytest.fixture(scope="module")
def shop(own_shop):
    return own_shop


class Reservation:
    """The calls for one order id; each returns the answer."""

    def __init__(self, shop, order_id=None):
        self.client = shop.bed.product.internal
        self.path = f"/internal/reservations/{order_id or new_id()}"
        self.order_id = self.path.rsplit("/", 1)[1]

    def hold(self, *lines):
        items = [{"product_id": product, "quantity": quantity} for product, quantity in lines]
        return self.client.put(self.path, json={"items": items})

    def ship(self, **options):
        return self.client.post(f"{self.path}/ship", **options)

    def release(self):
        return self.client.delete(self.path)


@pytest.fixture
def reservation(shop):
    return Reservation(shop)


def test_hold(shop, reservation):
    mug = shop.make_product(name="Mug", price=12.5, inventory=5)
    pot = shop.make_product(name="Pot", price=19.99, inventory=5)
    held = done(reservation.hold((pot, 2), (mug, 3)), 201)
    assert held["order_id"] == reservation.order_id
    assert held["state"] == "held"
    assert sorted(held["items"], key=lambda item: item["price"]) == [
        {"product_id": mug, "name": "Mug", "price": 12.5, "quantity": 3},
        {"product_id": pot, "name": "Pot", "price": 19.99, "quantity": 2},
    ]
    assert (shop.stock(mug), shop.stock(pot)) == ((2, 3), (3, 2))


def test_hold_again(shop, reservation):
    one, two = shop.make_product(inventory=5), shop.make_product(inventory=5)
    held = done(reservation.hold((one, 2), (two, 3)), 201)
    # Name and price stay those it was held at.
    shop.change_product(one, name="New", price=99)
    for lines in ([(one, 2), (two, 3)], [(two, 3), (one, 2)], [(two, 1), (one, 2), (two, 2)]):
        assert done(reservation.hold(*lines), 200) == held
    assert (shop.stock(one), shop.stock(two)) == ((3, 2), (2, 3))


def test_hold_again_with_other_lines(shop, reservation):
    one, two = shop.make_product(inventory=5), shop.make_product(inventory=5)
    done(reservation.hold((one, 2)), 201)
    for lines in ([(one, 1)], [(one, 2), (two, 1)], [(two, 2)]):
        is_problem(reservation.hold(*lines), 409, "reservation-mismatch")
    assert (shop.stock(one), shop.stock(two)) == ((3, 2), (5, 0))


def test_duplicate_lines_are_summed(shop, reservation):
    product = shop.make_product(inventory=5)
    held = done(reservation.hold((product, 1), (product, 3)), 201)
    assert [item["quantity"] for item in held["items"]] == [4]
    assert shop.stock(product) == (1, 4)


def test_duplicate_lines_are_summed_before_the_stock_is_looked_at(shop, reservation):
    product = shop.make_product(inventory=5)
    problem = is_problem(reservation.hold((product, 3), (product, 3)), 409, "insufficient-stock")
    assert problem["items"] == [{"product_id": product, "requested": 6, "available": 5}]
    assert shop.stock(product) == (5, 0)


def test_huge_duplicates_do_not_overflow(shop, reservation):
    product = shop.make_product(inventory=5)
    answer = reservation.hold(*[(product, 10**9)] * 200)
    problem = is_problem(answer, 409, "insufficient-stock")
    assert problem["items"][0]["requested"] == 200 * 10**9
    assert shop.stock(product) == (5, 0)


def test_hold_at_another_price(shop, reservation):
    """Nothing is held, and nothing is written to the ledger, which is kept for ever."""
    same, changed = shop.make_product(price=12.5), shop.make_product(price=3)
    items = [
        {"product_id": same, "quantity": 1, "price": 12.5},
        {"product_id": changed, "quantity": 2, "price": 2.5},
    ]
    problem = is_problem(
        reservation.client.put(reservation.path, json={"items": items}), 409, "price-changed"
    )
    assert problem["items"] == [{"product_id": changed, "old_price": 2.5, "new_price": 3}]
    for product in (same, changed):
        assert shop.stock(product) == (10, 0)
        ledger = done(shop.product.get(f"/products/{product}/stock/movements"), 200)
        assert "hold" not in [movement["reason"] for movement in ledger]
    items[1]["price"] = 3
    done(reservation.client.put(reservation.path, json={"items": items}), 201)


def test_all_or_nothing(shop, reservation):
    plenty, short, none = (shop.make_product(inventory=n) for n in (5, 2, 0))
    answer = reservation.hold((plenty, 1), (short, 3), (none, 1))
    problem = is_problem(answer, 409, "insufficient-stock")
    assert sorted(problem["items"], key=lambda item: item["requested"]) == [
        {"product_id": none, "requested": 1, "available": 0},
        {"product_id": short, "requested": 3, "available": 2},
    ]
    assert [shop.stock(p) for p in (plenty, short, none)] == [(5, 0), (2, 0), (0, 0)]
    # Nothing stays behind: what is there may be held for the same order.
    done(reservation.hold((plenty, 1)), 201)


def test_products_that_are_gone(shop, reservation):
    there, deleted = shop.make_product(), shop.make_product()
    shop.delete_product(deleted)
    unknown = new_id()
    answer = reservation.hold((there, 1), (deleted, 1), (unknown, 1), ("nonsense", 1))
    problem = is_problem(answer, 409, "product-gone")
    gone = {item["product_id"] for item in problem["items"]}
    assert gone == {deleted, unknown, "nonsense"}
    assert shop.stock(there) == (10, 0)


def test_release(shop, reservation):
    product = shop.make_product(inventory=5)
    reservation.hold((product, 2))
    for _ in range(3):
        assert reservation.release().status == 204
        assert shop.stock(product) == (5, 0)


def test_late_hold_does_not_revive(shop, reservation):
    product = shop.make_product(inventory=5)
    reservation.hold((product, 2))
    reservation.release()
    is_problem(reservation.hold((product, 2)), 409, "reservation-released")
    is_problem(reservation.ship(), 409, "reservation-released")
    assert shop.stock(product) == (5, 0)


def test_release_before_the_hold_leaves_a_tombstone(shop, reservation):
    product = shop.make_product(inventory=5)
    for _ in range(2):
        assert reservation.release().status == 204
    is_problem(reservation.hold((product, 2)), 409, "reservation-released")
    is_problem(reservation.ship(), 409, "reservation-released")
    assert shop.stock(product) == (5, 0)


def test_release_restocks_a_deleted_product(shop, reservation):
    product = shop.make_product(inventory=5)
    reservation.hold((product, 2))
    shop.delete_product(product)
    assert reservation.release().status == 204


def test_ship(shop, reservation):
    product = shop.make_product(inventory=5)
    reservation.hold((product, 2))
    for _ in range(3):
        shipped = done(reservation.ship(), 200)
        assert shipped == {"order_id": reservation.order_id, "state": "shipped"}
        assert shop.stock(product) == (3, 0)


def test_after_shipping(shop, reservation):
    product = shop.make_product(inventory=5)
    reservation.hold((product, 2))
    reservation.ship()
    is_problem(reservation.release(), 409, "already-shipped")
    assert done(reservation.hold((product, 2)), 200)["state"] == "shipped"
    assert shop.stock(product) == (3, 0)


def test_ship_of_nothing(reservation):
    is_problem(reservation.ship(), 404)


def test_ship_with_a_key(shop, reservation):
    product = shop.make_product(inventory=5)
    reservation.hold((product, 2))
    headers = {"Idempotency-Key": new_id()}
    first, again = reservation.ship(headers=headers), reservation.ship(headers=headers)
    assert (again.status, again.body) == (first.status, first.body) == (200, first.body)
    assert again.header("Idempotent-Replayed") == "true"
    assert shop.stock(product) == (3, 0)


def test_same_hold_many_times_at_once(shop, reservation):
    product = shop.make_product(inventory=100)
    items = [{"product_id": product, "quantity": 7}]
    answers = at_once(
        20,
        shop.bed.product.internal.clone,
        lambda client, _: client.put(reservation.path, json={"items": items}),
    )
    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({answer.body for answer in answers}) == 1
    assert shop.stock(product) == (93, 7)


def test_release_and_hold_at_once(shop):
    """Whichever is first: in the end nothing is held."""
    product = shop.make_product(inventory=10)
    for _ in range(10):
        reservation = Reservation(shop)
        items = [{"product_id": product, "quantity": 1}]

        def call(client, number, path=reservation.path, items=items):
            return client.delete(path) if number % 2 else client.put(path, json={"items": items})

        statuses = {a.status for a in at_once(8, shop.bed.product.internal.clone, call)}
        assert statuses <= {200, 201, 204, 409}
        assert shop.stock(product) == (10, 0)


def test_ship_and_release_at_once(shop):
    """One of them wins; the goods are in one place."""
    product = shop.make_product(inventory=20)
    shipped = 0
    for _ in range(10):
        reservation = Reservation(shop)
        done(reservation.hold((product, 1)), 201)

        def call(client, number, path=reservation.path):
            return client.delete(path) if number % 2 else client.post(f"{path}/ship")

        statuses = {a.status for a in at_once(8, shop.bed.product.internal.clone, call)}
        assert statuses in ({200, 409}, {204, 409})
        shipped += 200 in statuses
    assert shop.stock(product) == (20 - shipped, 0)


def test_crossing_holds_do_not_deadlock(shop):
    """Lines in opposite order: each hold is complete, and none fails because of the other."""
    one, two = shop.make_product(inventory=50), shop.make_product(inventory=50)

    def call(client, number):
        lines = [(one, 1), (two, 1)][:: -1 if number % 2 else 1]
        items = [{"product_id": product, "quantity": quantity} for product, quantity in lines]
        return client.put(f"/internal/reservations/{new_id()}", json={"items": items}).status

    assert set(at_once(40, shop.bed.product.internal.clone, call)) == {201}
    assert shop.stock(one) == shop.stock(two) == (10, 40)


@pytest.mark.parametrize(
    "body",
    [{}, {"items": []}, {"items": [{"product_id": "a", "quantity": 0}]}, {"items": [{}]},
     {"items": [{"product_id": "a", "quantity": -1}]}, {"items": None}, [], {"item": []},
     {"items": [{"product_id": "a", "quantity": 1}] * 201}],
)  # fmt: skip
def test_bad_reservations(reservation, body):
    assert is_problem(reservation.client.put(reservation.path, json=body), 422)["errors"]
