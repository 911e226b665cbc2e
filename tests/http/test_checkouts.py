"""What Order asks of Cart: every step may be repeated, come late or in the wrong order."""

import pytest
from client import is_problem
from shop import at_once, done, new_id

pytestmark = pytest.mark.usefixtures("stock_adds_up")


@pytest.fixture(scope="module")
def shop(own_shop):
    return own_shop


class Checkout:
    """The calls for one cart and order id; each returns the answer."""

    def __init__(self, shop, cart_id, order_id=None):
        self.client = shop.bed.cart.internal
        self.order_id = order_id or new_id()
        self.path = f"/internal/carts/{cart_id}/checkouts/{self.order_id}"

    def open(self):
        return self.client.put(self.path)

    def consume(self, **options):
        return self.client.post(f"{self.path}/consume", **options)

    def release(self):
        return self.client.delete(self.path)


def test_snapshot(shop):
    product = shop.make_product(name="Mug", price=12.5)
    cart_id = shop.make_cart({product: 2})
    checkout = Checkout(shop, cart_id)
    assert done(checkout.open(), 200) == {
        "cart_id": cart_id,
        "user_id": "user-1",
        "order_id": checkout.order_id,
        "revision": shop.read_cart(cart_id)["version"],
        "items": [{"product_id": product, "name": "Mug", "unit_price": 12.5, "quantity": 2}],
    }


def test_snapshot_stays_while_the_cart_is_edited(shop):
    product, other = shop.make_product(), shop.make_product()
    cart_id = shop.make_cart({product: 2})
    checkout = Checkout(shop, cart_id)
    snapshot = done(checkout.open(), 200)
    shop.change_product(product, name="New", price=99)
    shop.add_item(cart_id, product, 1)
    shop.add_item(cart_id, other, 1)
    assert done(checkout.open(), 200) == snapshot
    done(checkout.consume(), 200)
    assert done(checkout.open(), 200) == snapshot
    assert shop.quantities(cart_id) == {product: 1, other: 1}


def test_one_open_checkout_at_a_time(shop):
    cart_id = shop.make_cart({shop.make_product(): 2})
    first, second = Checkout(shop, cart_id), Checkout(shop, cart_id)
    done(first.open(), 200)
    problem = is_problem(second.open(), 409, "checkout-in-progress")
    assert (problem["order_id"], problem["user_id"]) == (first.order_id, "user-1")
    assert first.release().status == 204
    done(second.open(), 200)


def test_consume(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 2})
    checkout = Checkout(shop, cart_id)
    checkout.open()
    for _ in range(3):
        consumed = done(checkout.consume(), 200)
        assert consumed == {
            "cart_id": cart_id,
            "order_id": checkout.order_id,
            "state": "consumed",
        }
    cart = shop.read_cart(cart_id)
    assert (cart["items"], cart["last_order_id"]) == ([], checkout.order_id)
    # Once: what is added later is not the order's.
    shop.add_item(cart_id, product, 2)
    done(checkout.consume(), 200)
    assert shop.quantities(cart_id) == {product: 2}


@pytest.mark.parametrize(("left", "stays"), [(0, None), (1, None), (2, None), (5, 3)])
def test_consume_takes_no_more_than_is_there(shop, left, stays):
    """Two were ordered; the cart was edited meanwhile."""
    product = shop.make_product()
    cart_id = shop.make_cart({product: 2})
    checkout = Checkout(shop, cart_id)
    checkout.open()
    path = f"/carts/{cart_id}/items/{product}"
    done(shop.cart.put(path, json={"quantity": left}), 200)
    done(checkout.consume(), 200)
    assert shop.quantities(cart_id).get(product) == stays


def test_empty_cart_cannot_be_checked_out(shop):
    cart_id = shop.make_cart()
    assert "last_order_id" not in is_problem(Checkout(shop, cart_id).open(), 409, "cart-empty")
    shop.add_item(cart_id, shop.make_product())
    first = Checkout(shop, cart_id)
    first.open()
    first.consume()
    problem = is_problem(Checkout(shop, cart_id).open(), 409, "cart-empty")
    assert problem["last_order_id"] == first.order_id


def test_release_leaves_the_cart_as_it_is(shop):
    cart_id = shop.make_cart({shop.make_product(): 2})
    before = shop.read_cart(cart_id)
    checkout = Checkout(shop, cart_id)
    checkout.open()
    for _ in range(3):
        assert checkout.release().status == 204
    assert shop.read_cart(cart_id) == before


def test_late_open_does_not_revive(shop):
    cart_id = shop.make_cart({shop.make_product(): 2})
    opened, never_opened = Checkout(shop, cart_id), Checkout(shop, cart_id)
    opened.open()
    for checkout in (opened, never_opened):
        assert checkout.release().status == 204
        is_problem(checkout.open(), 409, "checkout-released")
        is_problem(checkout.consume(), 409, "checkout-released")
    assert len(shop.quantities(cart_id)) == 1
    done(Checkout(shop, cart_id).open(), 200)


def test_consumed_is_not_released(shop):
    cart_id = shop.make_cart({shop.make_product(): 2})
    checkout = Checkout(shop, cart_id)
    checkout.open()
    checkout.consume()
    is_problem(checkout.release(), 409, "checkout-consumed")
    assert shop.quantities(cart_id) == {}


def test_checkouts_of_unknown_carts(shop):
    checkout = Checkout(shop, new_id())
    is_problem(checkout.open(), 404)
    is_problem(checkout.consume(), 404)
    # Nothing is remembered: there never will be such a cart.
    assert checkout.release().status == 204
    is_problem(checkout.consume(), 404)
    assert is_problem(checkout.open(), 404)["never_opened"] is True


def test_checkout_of_another_users_cart(shop):
    cart_id = shop.make_cart({shop.make_product(): 1}, user="owner")
    path = f"/internal/carts/{cart_id}/checkouts/"
    internal = shop.bed.cart.internal
    problem = is_problem(internal.put(path + new_id(), json={"user_id": "stranger"}), 404)
    assert problem["never_opened"] is True and "user_id" not in problem
    done(internal.put(path + new_id(), json={"user_id": "owner"}), 200)


def test_consume_of_an_unknown_checkout(shop):
    cart_id = shop.make_cart({shop.make_product(): 2})
    is_problem(Checkout(shop, cart_id).consume(), 404)
    assert len(shop.quantities(cart_id)) == 1


@pytest.mark.parametrize("name", ["a" * 65, "a.b", "a%20b", "%C3%A4"])
def test_ids_that_cannot_be(shop, name):
    cart_id = shop.make_cart({shop.make_product(): 2})
    for checkout in (Checkout(shop, cart_id, name), Checkout(shop, name)):
        is_problem(checkout.open(), 404)
        is_problem(checkout.consume(), 404)
        is_problem(checkout.release(), 404)


def test_same_open_many_times_at_once(shop):
    cart_id = shop.make_cart({shop.make_product(): 2})
    path = Checkout(shop, cart_id).path
    answers = at_once(20, shop.bed.cart.internal.clone, lambda client, _: client.put(path))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1


def test_open_again_beside_the_release(shop):
    """The whole snapshot or the refusal, never what is left of it in between."""
    product = shop.make_product()
    for _ in range(40):
        path = Checkout(shop, shop.make_cart({product: 2})).path
        done(shop.bed.cart.internal.put(path), 200)

        def call(client, number):
            return client.delete(path) if number == 3 else client.put(path)

        for answer in at_once(8, shop.bed.cart.internal.clone, call):
            if answer.status == 200:
                assert [item["product_id"] for item in answer.json()["items"]] == [product]
            elif answer.status != 204:
                is_problem(answer, 409, "checkout-released")


def test_many_opens_at_once(shop):
    cart_id = shop.make_cart({shop.make_product(): 2})
    answers = at_once(
        20,
        shop.bed.cart.internal.clone,
        lambda client, _: client.put(Checkout(shop, cart_id).path),
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19
    (winner,) = [answer.json()["order_id"] for answer in answers if answer.status == 200]
    assert {answer.json()["order_id"] for answer in answers} == {winner}


def test_consume_many_times_at_once(shop):
    product = shop.make_product()
    cart_id = shop.make_cart({product: 2})
    checkout = Checkout(shop, cart_id)
    checkout.open()
    shop.add_item(cart_id, product, 5)
    path = f"{checkout.path}/consume"
    answers = at_once(20, shop.bed.cart.internal.clone, lambda client, _: client.post(path))
    assert {answer.status for answer in answers} == {200}
    assert shop.quantities(cart_id) == {product: 5}


# ---- the internal side is internal ----


@pytest.mark.parametrize("service", ["product", "cart"])
def test_public_port_does_not_know_them(shop, service):
    public = shop.bed.services[service].public
    for path in (f"/internal/reservations/{new_id()}", f"/internal/carts/a/checkouts/{new_id()}"):
        is_problem(public.put(path, json={}), 404)
        is_problem(public.delete(path), 404)
        is_problem(public.post(f"{path}/ship"), 404)
