"""The statuses of orders, and what they do to the stock."""

import subprocess
import threading

import invariants
import pytest
import stores
from client import is_problem
from orders import NEXT, STATUSES, WAYS, order_in
from shop import done
from testbed import wait_until


@pytest.mark.parametrize("old", STATUSES)
@pytest.mark.parametrize("new", STATUSES)
def test_transitions(shop, old, new):
    order = order_in(shop, old)
    assert order["status"] == old
    assert order["allowed_transitions"] == NEXT[old]
    answer = shop.put_status(order["id"], new)
    if new == old:
        assert done(answer, 200) == order
    elif new in NEXT[old]:
        changed = done(answer, 200)
        assert changed["status"] == new
        assert changed["version"] == order["version"] + 1
        assert answer.header("ETag") == f'"{changed["version"]}"'
        assert changed["allowed_transitions"] == NEXT[new]
        assert [step["status"] for step in changed["history"]] == ["pending", *WAYS[old], new]
        assert changed["updated_at"] == changed["history"][-1]["at"]
        assert shop.read_order(order["id"]) == changed
    else:
        problem = is_problem(answer, 409, "invalid-transition")
        assert problem["allowed_transitions"] == NEXT[old]
        assert shop.read_order(order["id"]) == order


def test_status_may_stand_in_the_query(shop):
    order = shop.buy({shop.make_product(): 1})
    path = f"/orders/{order['id']}/status"
    assert done(shop.order.put(f"{path}?status=processing"), 200)["status"] == "processing"
    body = {"reason": "sent", "tracking_number": "1Z"}
    changed = done(shop.order.put(f"{path}/?status=shipped", json=body), 200)
    assert changed["history"][-1]["reason"] == "sent"
    assert changed["tracking_number"] == "1Z"
    both = shop.order.put(f"{path}?status=delivered", json={"status": "delivered"})
    assert done(both, 200)["status"] == "delivered"


def test_status_must_be_said_once(shop):
    order = shop.buy({shop.make_product(): 1})
    path = f"/orders/{order['id']}/status"
    for answer in (
        shop.order.put(path),
        shop.order.put(path, json={}),
        shop.order.put(path, json={"reason": "none"}),
        shop.order.put(f"{path}?status=shipped", json={"status": "cancelled"}),
        shop.order.put(f"{path}?status=lost"),
        shop.order.put(f"{path}?status="),
        shop.order.put(f"{path}?status=Shipped"),
    ):
        problem = is_problem(answer, 422)
        assert [error["pointer"] for error in problem["errors"]] == ["/status"]
    assert shop.read_order(order["id"]) == order


@pytest.mark.parametrize("name", ["reason", "tracking_number"])
@pytest.mark.parametrize("value", ["", "x" * 501, 1, None, ["x"]])
def test_bad_remarks(shop, name, value):
    order = shop.buy({shop.make_product(): 1})
    problem = is_problem(shop.put_status(order["id"], "shipped", **{name: value}), 422)
    assert [error["pointer"] for error in problem["errors"]] == [f"/{name}"]


def test_reason_and_tracking_number(shop):
    order = shop.buy({shop.make_product(): 1})
    order = shop.set_status(order["id"], "processing", reason="päckchen 📦")
    order = shop.set_status(order["id"], "shipped", tracking_number="T-1")
    order = shop.set_status(order["id"], "delivered")
    assert [step.get("reason") for step in order["history"]] == [None, "päckchen 📦", None, None]
    assert order["tracking_number"] == "T-1"


@pytest.mark.parametrize("status", STATUSES)
def test_remark_that_leaves_the_status(shop, status):
    """A wrong number can be corrected, even after delivery; a repeated remark counts once."""
    product = shop.make_product(inventory=5)
    order = order_in(shop, status, {product: 2})
    length = len(order["history"])
    for more in ({"tracking_number": "A"}, {"tracking_number": "B"}, {"reason": "wrong label"},
                 {"tracking_number": "A", "reason": "it was right"}):  # fmt: skip
        length += 1
        for _ in range(2):
            changed = shop.set_status(order["id"], status, **more)
            assert changed["version"] == length == len(changed["history"])
            assert changed["history"][-1]["status"] == changed["status"] == status
            said = {name: changed["history"][-1].get(name) for name in ("reason", "tracking_number")}
            assert said == {"reason": None, "tracking_number": None, **more}
            assert changed["updated_at"] == changed["history"][-1]["at"]
    assert changed["tracking_number"] == "A"
    assert shop.set_status(order["id"], status) == changed == shop.read_order(order["id"])
    invariants.settle(shop.bed.directory, 30)
    stock = {"cancelled": (5, 0), "shipped": (3, 0), "delivered": (3, 0)}.get(status, (3, 2))
    assert shop.stock(product) == stock


def test_lost_update(shop):
    order = shop.buy({shop.make_product(): 1})
    path = f"/orders/{order['id']}/status"
    headers = {"If-Match": '"1"'}
    done(shop.order.put(path, json={"status": "processing"}, headers=headers), 200)
    for status in ("processing", "cancelled", "delivered"):
        answer = shop.order.put(path, json={"status": status}, headers=headers)
        is_problem(answer, 412, "precondition-failed")
    assert shop.read_order(order["id"])["status"] == "processing"


@pytest.mark.skipif(not stores.POSTGRES, reason="SQLite's one writer sees one moment anyhow")
def test_status_that_is_answered_is_of_one_moment(shop):
    """The order is read in three parts, while another transaction changes it between them."""
    order = shop.buy({shop.make_product(): 1})
    store = shop.bed.order.store
    second_part = "BEGIN; LOCK TABLE order_lines IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)"
    locks = "SELECT pid FROM pg_locks WHERE relation = 'order_lines'::regclass AND "
    locked = f"{locks} granted AND mode = 'AccessExclusiveLock'"
    process = f"""
        WITH changed AS (UPDATE orders SET status = 'processing', version = 2
                         WHERE id = '{order["id"]}' RETURNING id, updated_at)
        INSERT INTO order_history SELECT id, 2, 'processing', NULL, updated_at, NULL FROM changed"""
    changes = threading.Thread(target=stores.psql, args=(store.url, process))
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%WITH changed%'"
    answers = []
    reader = threading.Thread(
        target=lambda: answers.append(shop.clone().put_status(order["id"], "pending"))
    )
    with subprocess.Popen(["psql", "-q", store.url, "-c", second_part], stderr=subprocess.DEVNULL):
        try:
            wait_until(lambda: store.read(locked), 30, "the second part waits")
            reader.start()
            wait_until(lambda: store.read(f"{locks} NOT granted"), 30, "the first part is read")
            changes.start()
            wait_until(lambda: not changes.is_alive() or store.read(waits), 30, "it is changed")
        finally:
            store.read(f"SELECT pg_terminate_backend(pid) FROM ({locked}) AS locks")
    for thread in (reader, changes):
        thread.join()
    assert done(answers[0], 200) == order
    assert shop.read_order(order["id"])["status"] == "processing"


# ---- what statuses do to the stock ----


def movements(shop, product, order):
    path = f"/products/{product}/stock/movements"
    ledger = done(shop.product.get(path), 200)[::-1]
    return [(m["reason"], m["delta"]) for m in ledger if m.get("reference") == order["id"]]


@pytest.mark.parametrize("way", [[], ["processing"]])
def test_cancelling_restocks(shop, way):
    one, two = shop.make_product(inventory=5), shop.make_product(inventory=7)
    order = shop.buy({one: 2, two: 3})
    for status in [*way, "cancelled", "cancelled"]:
        shop.set_status(order["id"], status)
    invariants.settle(shop.bed.directory, 30)
    assert (shop.stock(one), shop.stock(two)) == ((5, 0), (7, 0))
    assert movements(shop, one, order) == [("hold", -2), ("release", 2)]
    assert movements(shop, two, order) == [("hold", -3), ("release", 3)]


def test_cancelling_restocks_deleted_products(shop):
    product = shop.make_product(inventory=5)
    order = shop.buy({product: 2})
    shop.delete_product(product)
    shop.set_status(order["id"], "cancelled")
    invariants.settle(shop.bed.directory, 30)
    # Asking for the same hold again changes nothing; it tells whether there still is one.
    path = f"/internal/reservations/{order['id']}"
    hold = {"items": [{"product_id": product, "quantity": 2}]}
    internal = shop.bed.product.internal
    is_problem(internal.put(path, json=hold), 409, "reservation-released")


def test_shipping_takes_the_goods_out_of_the_house(shop):
    product = shop.make_product(inventory=5)
    order = shop.buy({product: 2})
    shop.set_status(order["id"], "shipped")
    invariants.settle(shop.bed.directory, 30)
    assert shop.stock(product) == (3, 0)
    shop.set_status(order["id"], "delivered")
    assert movements(shop, product, order) == [("hold", -2), ("ship", 0)]
    assert shop.stock(product) == (3, 0)
