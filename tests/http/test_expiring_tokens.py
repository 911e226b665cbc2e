"""A token that expires between two steps of a checkout: the customer's, or what services show each other.
The order is finished or cancelled as promised, whatever comes of the token; nothing waits for it for ever."""

import signal
import threading
import time

import invariants
import pytest
import tokens
from market import Market
from shop import new_id
from test_operations import run as run_program
from test_service_accounts import account, settings
from testbed import SERVICES, SLOWNESS, hung, wait_until
from world import made

SOON = 30 * SLOWNESS
AUDIENCE = "shop-services"
HOUR = 3600 * 1000000


@pytest.fixture(scope="module")
def cluster():
    return tokens.Provider("cluster")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cluster")


@pytest.fixture(scope="module")
def market(make_platform, cluster, folder):
    provider = tokens.Provider()
    given = settings(cluster, folder, provider) | {"AUTH_CLOCK_SKEW": 0}
    return Market(make_platform(gateway=False, worker=given), provider)


@pytest.fixture(autouse=True)
def all_agree(market, cluster, folder):
    """Before: tokens that are fine. After: nothing is under way or wrong."""
    for callee in ("cart", "product"):
        show(folder, callee, account(cluster, AUDIENCE))
    yield
    invariants.check(market.bed, SOON)
    for name in SERVICES:
        store = market.bed.services[name].store.url
        checked = run_program(name, store, "--check", CART_DATABASE_URL=market.bed.cart.store.url)
        assert checked == (0, [f"{name}: 0 violations"], "")


def show(folder, callee, token):
    """As the kubelet replaces it."""
    (folder / "fresh").write_text(token)
    (folder / "fresh").replace(folder / "order" / callee)


def expired(cluster):
    return account(cluster, AUDIENCE, lifetime=-60)


class Purchase:
    """An order of a full cart, under way on a thread of its own."""

    def __init__(self, market, **claims):
        self.market, self.key = market, new_id()
        self.user = f"user-{new_id()}"
        self.cart = market.cart(market.token(self.user))["id"]
        market.fill(self.cart, market.token(self.user))
        self.answer = None
        self.client = market.bed.order.public.clone()
        self.headers = market.provider.headers(self.user, **claims)
        self.thread = threading.Thread(target=self.post, args=(self.headers,))

    def post(self, headers):
        try:
            body = {"cart_id": self.cart}
            self.answer = self.client.post("/orders", json=body, headers={**headers, "Idempotency-Key": self.key})
        except OSError:
            pass  # the worker was killed

    def start(self):
        self.thread.start()

    def await_open(self):
        """The cart is frozen, and what follows is the stock; or the time was too short for that."""
        sql = "SELECT state FROM checkouts WHERE cart_id = ? AND state = 'open'"
        carts = self.market.bed.cart.store
        wait_until(lambda: carts.read(sql, self.cart) or not self.thread.is_alive(), SOON, "a checkout")

    def await_placed(self):
        sql = "SELECT id FROM orders WHERE cart_id = ? AND saga = 'placed'"
        wait_until(lambda: self.market.bed.order.store.read(sql, self.cart), SOON, "the order is placed")

    def end(self):
        self.thread.join()
        return self.answer

    def again(self):
        """The same request, with a token that has just been made."""
        self.post(self.market.token(self.user))
        return self.answer

    def orders(self):
        return made(self.market.bed.order.public.get("/orders", headers=self.market.token(self.user)), 200)

    def is_done_once(self):
        """Whether it was finished or cancelled: repeated with a good token it is there once."""
        wait_until(lambda: self.again().status == 201, SOON, "the order is placed at last")
        order = made(self.answer)
        invariants.settle(self.market.bed.directory, SOON)
        assert [one["id"] for one in self.orders()] == [order["id"]]
        shown = self.market.bed.cart.public.get(f"/carts/{self.cart}", headers=self.market.token(self.user))
        assert made(shown, 200)["items"] == []
        return True


# ---- the customer's


def test_a_customers_token_expires_while_the_order_is_placed(market):
    """It was good when it was looked at, which is once."""
    # In whole seconds, it is good for one at least.
    purchase = Purchase(market, lifetime=2)
    with hung(market.bed.product):
        purchase.start()
        purchase.await_open()
        time.sleep(0.5)
    answer = purchase.end()
    assert answer.status in (201, 401, 503), answer
    time.sleep(2)
    assert market.bed.order.public.get("/orders", headers=purchase.headers).status == 401
    assert purchase.is_done_once()


def test_a_repeated_order_needs_a_good_token(market):
    purchase = Purchase(market)
    purchase.start()
    order = made(purchase.end())
    purchase.post(market.provider.headers(purchase.user, lifetime=-1))
    assert purchase.answer.status == 401
    again = purchase.again()
    assert (again.status, again.json()["id"]) == (201, order["id"])
    assert again.header("Idempotent-Replayed") == "true"


# ---- the services'


def test_a_services_token_is_replaced_between_two_steps(market, cluster, folder):
    purchase = Purchase(market)
    with hung(market.bed.product):
        purchase.start()
        purchase.await_open()
        show(folder, "cart", account(cluster, AUDIENCE, iat=None))
    assert purchase.end().status in (201, 503)
    assert purchase.is_done_once()


def test_a_services_token_expires_before_the_cart_is_told(market, cluster, folder):
    """The order is placed, and its cart emptied once a good token is there."""
    purchase = Purchase(market)
    with hung(market.bed.product):
        purchase.start()
        purchase.await_open()
        show(folder, "cart", expired(cluster))
    answer = purchase.end()
    assert answer.status in (201, 503), answer
    assert invariants.under_way(market.bed.directory)
    assert len(purchase.orders()) == (answer.status == 201)
    show(folder, "cart", account(cluster, AUDIENCE))
    invariants.settle(market.bed.directory, SOON)
    assert purchase.is_done_once()


@pytest.mark.parametrize("callee", ["cart", "product"])
def test_a_services_token_has_expired_before_a_step(market, cluster, folder, callee):
    """The order is cancelled; what has to be undone is undone once a good token is there."""
    purchase = Purchase(market)
    show(folder, callee, expired(cluster))
    purchase.start()
    answer = purchase.end()
    assert (answer.status, answer.json()["code"]) == (503, "unavailable")
    assert purchase.orders() == []
    assert invariants.under_way(market.bed.directory)
    show(folder, callee, account(cluster, AUDIENCE))
    invariants.settle(market.bed.directory, SOON)
    assert purchase.is_done_once()


@pytest.mark.parametrize(("status", "held"), [("cancelled", (1000, 0)), ("shipped", (999, 0))])
def test_a_services_token_has_expired_when_an_order_changes(market, cluster, folder, status, held):
    body = {"name": "Cup", "price": 3, "inventory": 1000}
    products = market.bed.product.public
    cup = made(products.post("/products", json=body, headers=market.admin))["id"]
    ada = market.token("ada")
    cart = market.cart(ada)["id"]
    line = {"product_id": cup, "quantity": 1}
    made(market.bed.cart.public.post(f"/carts/{cart}/items", json=line, headers=ada), 200)
    order = made(market.post_order(cart, ada))["id"]
    show(folder, "product", expired(cluster))
    path = f"/orders/{order}/status"
    made(market.bed.order.public.put(path, json={"status": status}, headers=market.admin), 200)
    assert invariants.under_way(market.bed.directory)
    show(folder, "product", account(cluster, AUDIENCE))
    invariants.settle(market.bed.directory, SOON)
    shown = made(products.get(f"/products/{cup}", headers=market.admin), 200)
    assert (shown["inventory"], shown["reserved"]) == held


# ---- after a crash


def hours_later(market, hours=9):
    """What the order service wrote is that much older."""
    for table, columns in {
        "orders": ("lease_until", "created_at", "updated_at"),
        "order_effects": ("next_attempt_at", "created_at"),
        "idempotency_keys": ("created_at",),
    }.items():
        changes = ", ".join(f"{column} = {column} - {hours * HOUR}" for column in columns)
        market.bed.order.store.write(f"UPDATE {table} SET {changes}")


def test_a_worker_dies_before_the_order_is_placed(market):
    """The next one, hours later, cancels it: for that it needs nobody's token."""
    purchase = Purchase(market)
    with hung(market.bed.product):
        purchase.start()
        purchase.await_open()
        market.bed.order.kill_worker()
    purchase.end()
    hours_later(market)
    market.bed.order.start_worker()
    invariants.settle(market.bed.directory, SOON)
    assert purchase.orders() == []
    assert purchase.is_done_once()


def test_a_worker_dies_after_the_order_was_placed(market):
    """The next one finishes it, with what it shows for itself."""
    purchase = Purchase(market)
    with hung(market.bed.cart):
        # Opened before it hangs, and told of nothing while it does.
        market.bed.cart.worker.signal(signal.SIGCONT)
        with hung(market.bed.product):
            purchase.start()
            purchase.await_open()
            market.bed.cart.worker.pause()
        purchase.await_placed()
        market.bed.order.kill_worker()
    purchase.end()
    assert invariants.under_way(market.bed.directory)
    hours_later(market)
    market.bed.order.start_worker()
    invariants.settle(market.bed.directory, SOON)
    assert len(purchase.orders()) == 1
    assert purchase.is_done_once()
