"""Lists of carts."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import is_problem, pages, walk
from shop import done


def test_list_is_newest_first(shop):
    carts = [shop.make_cart(user="cart-lister") for _ in range(7)]
    shop.make_cart(user="another")
    listed = done(shop.cart.get("/carts?user_id=cart-lister"), 200)
    assert [cart["id"] for cart in listed] == carts[::-1]


@pytest.mark.parametrize("limit", [1, 3, 7, 8, 200])
def test_pages(shop, limit):
    user = f"pager-{limit}"
    product = shop.make_product()
    carts = [shop.make_cart({product: 1}, user=user) for _ in range(7)]
    path = f"/carts?user_id={user}&limit={limit}"
    found = [answer.json() for answer in pages(shop.cart, path)]
    assert [cart["id"] for page in found for cart in page] == carts[::-1]
    assert all(len(page) == limit for page in found[:-1])
    assert len(found) == -(-7 // limit)
    assert found[0][0] == shop.read_cart(carts[-1])


def test_pages_while_carts_come(shop):
    """New carts come before the first page: none is skipped, none repeated."""
    carts = [shop.make_cart(user="growing") for _ in range(40)]
    with ThreadPoolExecutor(2) as pool:
        writer = shop.clone()
        more = pool.submit(lambda: [writer.make_cart(user="growing") for _ in range(60)])
        listed = [cart["id"] for cart in walk(shop.cart, "/carts?user_id=growing&limit=3")]
        more.result()
    assert len(set(listed)) == len(listed)
    assert [cart_id for cart_id in listed if cart_id in carts] == carts[::-1]


def test_count(shop):
    for _ in range(3):
        shop.make_cart(user="counted")
    answer = shop.cart.get("/carts?user_id=counted&count=true&limit=1")
    assert answer.header("X-Total-Count") == "3"
    assert shop.cart.get("/carts?user_id=counted").header("X-Total-Count") is None


@pytest.mark.parametrize(
    "query",
    ["", "user_id=", "user_id=a&limit=0", "user_id=a&limit=201", "user_id=a&limit=x",
     "user_id=a&cursor=x", "user_id=a&cursor=", "user_id=a&count=yes", "user_id=a&page=2",
     "user_id=a&user_id=b", "user_id=" + "x" * 256],
)  # fmt: skip
def test_bad_lists(shop, query):
    assert is_problem(shop.cart.get(f"/carts?{query}"), 422)["errors"]


def test_cursor_of_another_list(shop):
    user = "cursor"
    for _ in range(2):
        shop.make_product()
        shop.make_cart(user=user)
    link = shop.product.get("/products?limit=1&sort=name").header("Link")
    cursor = re.search("cursor=([^&>]+)", link).group(1)
    answer = shop.cart.get(f"/carts?user_id={user}&cursor={cursor}")
    assert is_problem(answer, 422)["errors"][0]["pointer"] == "/cursor"
