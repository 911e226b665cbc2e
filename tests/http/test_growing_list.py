"""Paging through products while others write."""

import threading
import time

import pytest
from client import pages
from listings import SORTS
from world import made


class Writer(threading.Thread):
    """Inserts products before, between and after the existing ones, and changes what it inserted."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client = client.clone()
        self.ended = threading.Event()
        self.made = []
        self.fault = None

    def wait_for_more(self):
        """Until two more are there."""
        until = len(self.made) + 2
        while len(self.made) < until and self.fault is None:
            time.sleep(0.0005)

    def run(self):
        try:
            number = 0
            while not self.ended.is_set():
                number += 1
                name = f"{'0Mz'[number % 3]}{number * 7919 % 1000:03} common"
                body = {"name": name, "price": number * 31 % 200, "category": "crowd"}
                self.made.append(made(self.client.post("/products", json=body))["id"])
                if number % 5 == 0:
                    victim = self.made[number * 13 % len(self.made)]
                    answer = self.client.patch(f"/products/{victim}", json={"price": number % 90})
                    assert answer.status == 200, answer
        except BaseException as fault:  # noqa: BLE001 - shown by the test
            self.fault = fault
        finally:
            self.client.close()


@pytest.fixture(scope="module")
def crowded(make_platform):
    client = make_platform(services=("product",), gateway=False).product.public
    old = set()
    for number in range(150):
        name = f"{'aMZ'[number % 3]}{number % 40:03} common"
        body = {"name": name, "price": number % 50, "category": "crowd", "tags": ["crowd"]}
        old.add(made(client.post("/products", json=body))["id"])
    return client, old


@pytest.mark.parametrize(
    "query", ["", "category=crowd", "q=common", "tag=crowd", "min_price=0&in_stock=false"]
)
@pytest.mark.parametrize("sort", [None, *SORTS])
def test_concurrent_inserts_neither_skip_nor_repeat(crowded, query, sort):
    client, old = crowded
    path = f"/products?limit=7&{query}" + (f"&sort={sort}" if sort else "")
    found = []
    writer = Writer(client)
    writer.start()
    try:
        for answer in pages(client, path):
            found += [product["id"] for product in answer.json()]
            writer.wait_for_more()
    finally:
        writer.ended.set()
        writer.join()
        for identifier in writer.made:
            assert client.delete(f"/products/{identifier}").status == 204
    assert writer.fault is None, writer.fault
    # New ones change meanwhile: in the order of what changes, only they may come twice.
    counts = {identifier: found.count(identifier) for identifier in old}
    assert set(counts.values()) == {1}
    if sort is None or not sort.endswith(("price", "updated_at")):
        assert len(found) == len(set(found))
    assert set(found) <= old | set(writer.made)
