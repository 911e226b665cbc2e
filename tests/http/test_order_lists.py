"""Lists of orders: filters, sort orders, pages."""

import pytest
from client import is_problem, next_path, pages, walk
from orders import STATUSES, order_in
from shop import done


@pytest.fixture(scope="module")
def listed(shop):
    """Orders of one user by status; oldest first in "all"."""
    orders = {status: [] for status in STATUSES}
    orders["all"] = []
    product = shop.make_product(inventory=100)
    for status in (*STATUSES, *STATUSES[:3]):
        order = order_in(shop, status, {product: 1}, user="lister")
        orders[status].append(order)
        orders["all"].append(order)
    shop.buy({product: 1}, user="another")
    return orders


def list_of(shop, query):
    return done(shop.order.get(f"/orders?{query}"), 200)


def test_list_is_newest_first(shop, listed):
    assert list_of(shop, "user_id=lister") == listed["all"][::-1]
    assert len({order["user_id"] for order in list_of(shop, "limit=200")}) > 1


@pytest.mark.parametrize("status", STATUSES)
def test_filter_by_status(shop, listed, status):
    assert list_of(shop, f"user_id=lister&status={status}") == listed[status][::-1]
    found = list_of(shop, f"status={status}&limit=200")
    assert {order["status"] for order in found} == {status}
    assert {order["id"] for order in listed[status]} <= {order["id"] for order in found}


def test_filter_by_time(shop, listed):
    times = [order["created_at"] for order in listed["all"]]
    ids = [order["id"] for order in listed["all"]]

    def found(query):
        return [order["id"] for order in list_of(shop, f"user_id=lister&{query}")][::-1]

    # The first moment is inside, the last one outside: ranges join.
    assert found(f"created_after={times[2]}") == ids[2:]
    assert found(f"created_before={times[5]}") == ids[:5]
    assert found(f"created_after={times[2]}&created_before={times[5]}") == ids[2:5]
    assert found(f"created_after={times[5]}&created_before={times[2]}") == []
    other_zone = times[2].replace("Z", "%2B00:00")
    assert found(f"created_after={other_zone}") == ids[2:]
    assert found("created_after=1970-01-01T00:00:00Z") == ids
    assert found("created_before=1969-12-31T23:59:59Z") == []
    assert found(f"status=shipped&created_after={times[3]}") == [ids[7]]


@pytest.mark.parametrize("filters", ["", "&status=shipped", "&status=pending"])
def test_sort(shop, listed, filters):
    for key in ("created_at", "updated_at"):
        orders = listed[filters[8:]] if filters else listed["all"]
        wanted = sorted(orders, key=lambda order: (order[key], order["id"]))
        path = f"/orders?user_id=lister&limit=2&sort={key}{filters}"
        assert walk(shop.order, path) == wanted
        down = list_of(shop, f"user_id=lister&sort=-{key}{filters}")
        assert down == wanted[::-1]


def test_changes_since(shop, listed):
    """What a client that synchronises does: it continues at the last change it saw."""
    orders = sorted(listed["all"], key=lambda order: order["updated_at"])
    since = orders[3]["updated_at"]
    query = f"user_id=lister&updated_after={since}"
    assert list_of(shop, f"{query}&sort=updated_at") == orders[3:]
    by_creation = [order for order in listed["all"] if order["updated_at"] >= since]
    assert list_of(shop, query) == by_creation[::-1]
    answer = shop.order.get(f"/orders?{query}&sort=updated_at&limit=1&count=true")
    assert answer.header("X-Total-Count") == str(len(orders) - 3)


def test_cursor_of_another_sequence(shop, listed):
    path = "/orders?user_id=lister&limit=1"
    following = next_path(path, shop.order.get(path))
    for sort in ("created_at", "updated_at", "-updated_at"):
        problem = is_problem(shop.order.get(f"{following}&sort={sort}"), 422)
        assert [error["pointer"] for error in problem["errors"]] == ["/cursor"]


@pytest.mark.parametrize("limit", [1, 3, 8, 9])
@pytest.mark.parametrize("more", ["", "&status=shipped", "&created_after=2020-01-01T00:00:00Z"])
def test_pages(shop, listed, limit, more):
    wanted = listed["shipped"] if "status" in more else listed["all"]
    path = f"/orders?user_id=lister&limit={limit}{more}"
    found = [answer.json() for answer in pages(shop.order, path)]
    assert [order for page in found for order in page] == wanted[::-1]
    assert [len(page) for page in found[:-1]] == [limit] * (len(found) - 1)
    assert len(found) == -(-len(wanted) // limit)


def test_pages_before_a_moment(shop, listed):
    before = listed["all"][6]["created_at"]
    path = f"/orders?user_id=lister&limit=2&created_before={before}"
    assert walk(shop.order, path) == listed["all"][:6][::-1]


def test_pages_while_orders_come(shop, listed):
    product = shop.make_product(inventory=100)
    seen = []
    for answer in pages(shop.order, "/orders?user_id=lister&limit=2&status=pending"):
        seen += answer.json()
        shop.buy({product: 1}, user="lister-too")
    assert seen == listed["pending"][::-1]


def test_count(shop, listed):
    answer = shop.order.get("/orders?user_id=lister&count=true&limit=1")
    assert answer.header("X-Total-Count") == str(len(listed["all"]))
    answer = shop.order.get("/orders?user_id=lister&count=true&status=pending")
    assert answer.header("X-Total-Count") == str(len(listed["pending"]))
    assert shop.order.get("/orders?user_id=lister").header("X-Total-Count") is None


@pytest.mark.parametrize(
    "query",
    ["status=lost", "status=", "user_id=", "created_after=yesterday", "created_before=2026-02-30",
     "created_after=2026-01-31T00:00:00", "updated_after=now", "sort=status",
     "limit=0", "limit=201", "limit=-1", "limit=1e2",
     "cursor=x", "count=maybe", "offset=1", "status=pending&status=shipped",
     "created_after=2026-01-31T00:00:00%2B25:00"],
)  # fmt: skip
def test_bad_lists(shop, query):
    assert is_problem(shop.order.get(f"/orders?{query}"), 422)["errors"]
