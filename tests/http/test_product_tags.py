"""Entity tags of products, and changes that depend on them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import is_problem
from world import fetch, make_product, path_of


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ('"1"', 304),
        ("*", 304),
        ('W/"1"', 304),
        ('"7", "1"', 304),
        ('"2"', 200),
        ("1", 200),
        ('"11"', 200),
    ],
)
def test_if_none_match(product, tag, status):
    created = make_product(product)
    for method in ("GET", "HEAD"):
        answer = product.public.request(method, path_of(created), headers={"If-None-Match": tag})
        assert answer.status == status
        assert answer.header("ETag") == '"1"'
        assert (answer.body == b"") == (status == 304 or method == "HEAD")


OTHER = {"name": "Other", "price": 1}
CHANGES = {
    "PUT": lambda client, path, headers: client.put(path, json=OTHER, headers=headers),
    "PATCH": lambda client, path, headers: client.patch(path, json=OTHER, headers=headers),
    "DELETE": lambda client, path, headers: client.delete(path, headers=headers),
}


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("tag", ['"2"', '"0"', '"11"', "1", '"x"', '"1', '"2", "3"'])
def test_if_match_refuses_what_has_changed(product, method, tag):
    created = make_product(product)
    answer = CHANGES[method](product.public, path_of(created), {"If-Match": tag})
    is_problem(answer, 412, "precondition-failed")
    assert fetch(product, created) == created


@pytest.mark.parametrize("method", CHANGES)
@pytest.mark.parametrize("tag", ['"1"', "*", '"7", "1"', '"7","1" , "9"'])
def test_if_match_lets_the_others_through(product, method, tag):
    created = make_product(product)
    answer = CHANGES[method](product.public, path_of(created), {"If-Match": tag})
    assert answer.status == (204 if method == "DELETE" else 200), answer


@pytest.mark.parametrize("method", CHANGES)
def test_the_tag_of_a_compressed_answer_is_as_good(product, method):
    """nginx marks it as weak, but it still names the version."""
    created = make_product(product, description="long " * 900)
    path = path_of(created)
    tag = product.public.get(path, headers={"Accept-Encoding": "gzip"}).header("ETag")
    assert tag == 'W/"1"'
    assert product.public.get(path, headers={"If-None-Match": tag}).status == 304
    assert CHANGES[method](product.public, path, {"If-Match": tag}).status in (200, 204)
    again = CHANGES[method](product.public, path, {"If-Match": tag})
    is_problem(again, 404 if method == "DELETE" else 412)


@pytest.mark.parametrize("method", CHANGES)
def test_if_match_on_nothing(product, method):
    answer = CHANGES[method](product.public, "/products/none", {"If-Match": "*"})
    assert is_problem(answer, 404)["detail"] == "Product not found"


def test_no_update_is_lost(product):
    """Clients that read and write back, all at once: each increment counts."""
    created = make_product(product, price=0)
    clients, rounds = 12, 8

    def increment(client):
        while True:
            got = client.get(path_of(created))
            price = got.json()["price"] + 1
            headers = {"If-Match": got.header("ETag")}
            answer = client.patch(path_of(created), json={"price": price}, headers=headers)
            if answer.status == 200:
                return
            is_problem(answer, 412)

    def run(start):
        with product.public.clone() as client:
            start.wait()
            for _ in range(rounds):
                increment(client)

    start = threading.Barrier(clients)
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(run, [start] * clients))
    after = fetch(product, created)
    assert after["price"] == clients * rounds
    assert after["version"] == 1 + clients * rounds
