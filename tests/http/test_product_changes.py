"""Lists of products by time: what was created, what has changed, what was deleted."""

import pytest
from client import walk
from listings import listed
from world import made


@pytest.fixture(scope="module")
def dated(make_platform):
    """(client, its product service, five products in the order in which they were made)"""
    service = make_platform(services=("product",), gateway=False).product
    bodies = [
        {"name": f"dated {number}", "price": 1, "inventory": 9, "category": "c", "tags": ["t"]}
        for number in range(5)
    ]
    return service, [made(service.public.post("/products", json=body)) for body in bodies]


def test_ranges_of_creation_join_without_a_gap(dated):
    service, there = dated
    ids = [product["id"] for product in there]
    times = [product["created_at"] for product in there]
    for query in ("", "&category=c", "&tag=t", "&sort=name", "&sort=updated_at", "&q=dated", "&limit=1"):
        def found(times, query=query):
            return [p["id"] for p in walk(service.public, f"/products?{times}{query}")]

        for cut in range(5):
            before, after = found(f"created_before={times[cut]}"), found(f"created_after={times[cut]}")
            assert sorted(before + after) == sorted(ids) and len(before) == cut, query
        assert sorted(found(f"created_after={times[1]}&created_before={times[3]}")) == ids[1:3]
        assert found(f"created_after={times[3]}&created_before={times[1]}") == []
    answer = service.public.get(f"/products?created_after={times[2]}&count=true")
    assert answer.header("X-Total-Count") == "3"
    assert found("created_after=1970-01-01T00:00:00Z&created_before=1970-01-01T00:00:00Z") == []


def changed_since(service, time, more=""):
    path = f"/products?updated_after={time}&limit=2{more}"
    return [product["id"] for product in walk(service.public, path)]


def test_a_copy_is_kept_up_to_date(dated):
    """For every kind of change: the changed product is last in the list of changes."""
    service, there = dated
    client, ids = service.public, [product["id"] for product in there]
    order = f"/internal/reservations/{there[0]['id']}"
    hold = {"items": [{"product_id": ids[0], "quantity": 2}]}
    changes = [
        (ids[0], lambda: service.internal.put(order, json=hold)),
        (ids[1], lambda: client.post(f"/products/{ids[1]}/stock", json={"delta": 1, "reason": "x"})),
        (ids[0], lambda: service.internal.post(f"{order}/ship")),
        (ids[2], lambda: client.patch(f"/products/{ids[2]}", json={"price": 2})),
        (ids[3], lambda: client.delete(f"/products/{ids[3]}")),
        (ids[3], lambda: client.post(f"/products/{ids[3]}/restore")),
    ]
    for identifier, change in changes:
        (last,) = listed(client, "sort=-updated_at&limit=1")
        assert change().status in (200, 201, 204)
        gone = [product["id"] for product in listed(client, "deleted=true")]
        if gone:
            assert gone == [identifier] == changed_since(service, last["updated_at"], "&deleted=true")
            assert changed_since(service, last["updated_at"]) == [last["id"]]
            continue
        # The moment itself is part of the range, so the last one is there again.
        expected = [last["id"], identifier] if identifier != last["id"] else [identifier]
        assert changed_since(service, last["updated_at"]) == expected
        now = made(client.get(f"/products/{identifier}"), 200)
        assert changed_since(service, now["updated_at"]) == [identifier]
        answer = client.get(f"/products?updated_after={now['updated_at']}&count=true&q=dated")
        assert answer.json() == [now] and answer.header("X-Total-Count") == "1"
    assert changed_since(service, "2000-01-01T00:00:00Z", "&sort=name") == ids
    assert changed_since(service, "2999-01-01T00:00:00%2B02:00") == []


def test_deleted_products_are_listed(dated):
    service, _ = dated
    client = service.public
    bodies = [{"name": f"gone {number}", "price": 1, "sku": f"GONE-{number}", "category": "gone"} for number in range(3)]
    gone = [made(client.post("/products", json=body)) for body in bodies]
    for product in gone:
        assert client.delete(f"/products/{product['id']}").status == 204
    found = walk(client, "/products?deleted=true&limit=1&count=true")
    assert [product["id"] for product in found] == [product["id"] for product in gone]
    assert all(product["deleted_at"] == product["updated_at"] for product in found)
    assert listed(client, "deleted=true&sort=-updated_at") == found[::-1]
    assert listed(client, "deleted=true&sku=GONE-1") == [found[1]]
    for query in ("in_stock=false", "low_stock=false", "max_price=1", "category=gone"):
        assert listed(client, f"deleted=true&{query}") == found, query
    since = found[1]["created_at"]
    assert listed(client, f"deleted=true&created_after={since}") == found[1:]
    assert listed(client, f"deleted=true&updated_after={found[2]['updated_at']}") == found[2:]
    assert listed(client, "deleted=true&in_stock=true") == []
    assert listed(client, f"deleted=true&ids={found[2]['id']}") == [found[2]]
    assert not any("deleted_at" in product for product in listed(client, "deleted=false"))
    for product in gone:
        assert client.post(f"/products/{product['id']}/restore").status == 200
    assert listed(client, "deleted=true") == []
