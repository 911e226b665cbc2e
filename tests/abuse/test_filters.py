"""Filters that exclude nearly all of a large catalogue: each page is bounded, and all pages together
are complete."""

import itertools
import re

import pytest
from catalogue import SIZE, Product, fill
from shop import done
from testbed import wait_until

FILTERS = {
    "in_stock=false": lambda p: p.inventory == 0,
    "in_stock=false&category=odd": lambda p: p.inventory == 0 and p.category == "odd",
    "in_stock=false&low_stock=true": lambda p: p.inventory == 0 and p.low,
    "in_stock=true&min_price=190": lambda p: p.inventory > 0 and p.price >= 19000,
    "low_stock=true": lambda p: p.low,
    "low_stock=true&category=even": lambda p: p.low and p.category == "even",
    "tag=few": lambda p: "few" in p.tags,
    "tag=many": lambda p: "many" in p.tags,
    "tag=many&in_stock=false": lambda p: "many" in p.tags and p.inventory == 0,
    "tag=many&category=odd": lambda p: "many" in p.tags and p.category == "odd",
    "min_price=100&max_price=101": lambda p: 10000 <= p.price <= 10100,
    "max_price=20&category=odd": lambda p: p.price <= 2000 and p.category == "odd",
    "min_price=150&in_stock=false": lambda p: p.price >= 15000 and p.inventory == 0,
    "min_price=300": lambda p: False,
    "max_price=100&in_stock=false&low_stock=false&tag=few": lambda p: False,
}
SORTS = {
    "-created_at": lambda p: -p.number,
    "name": lambda p: p.name,
    "-name": None,
    "price": lambda p: p.price,
}
HORIZON = 10_000


@pytest.fixture(scope="module")
def product(make_platform):
    service = make_platform(services=("product",), gateway=False).product
    fill(service)
    return service


def read_all(product, path):
    """The names on all pages, the pages, and the first page's headers about the total."""
    names, pages, first = [], 0, None
    link = path
    while link:
        answer = product.public.get(link)
        names += [entry["name"] for entry in done(answer, 200)]
        first = first or answer
        pages += 1
        following = re.fullmatch(r'<(\?.*)>; rel="next"', answer.header("Link") or "")
        link = f"/products{following[1]}" if following else None
    return names, pages, (int(first.header("X-Total-Count")), first.header("X-Total-Count-Relation"))


def expected(condition, sort):
    products = [product for product in map(Product, range(SIZE)) if condition(product)]
    if sort == "-name":
        return [p.name for p in sorted(products, key=SORTS["name"], reverse=True)]
    return [p.name for p in sorted(products, key=SORTS[sort])]


@pytest.mark.parametrize(("query", "sort"), itertools.product(FILTERS, SORTS))
def test_all_pages_together_are_right(product, query, sort):
    wanted = expected(FILTERS[query], sort)
    names, pages, (count, relation) = read_all(
        product, f"/products?{query}&sort={sort}&limit=200&count=true"
    )
    assert names == wanted
    assert (count == len(wanted)) if relation == "eq" else (count <= len(wanted))
    assert pages <= len(wanted) / 200 + SIZE / HORIZON + 1


@pytest.mark.parametrize(
    "query",
    ["min_price=100&max_price=105", "low_stock=true", "tag=few", "tag=few&in_stock=true"],
)
def test_what_few_products_have_is_found_at_once(product, query):
    for sort in SORTS:
        answer = product.public.get(f"/products?{query}&sort={sort}&limit=200&count=true")
        assert len(done(answer, 200)) > 0
        assert answer.header("X-Total-Count-Relation") == "eq"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=thing&min_price=209", (100, "gte")),
        ("q=thing&max_price=1", (0, "gte")),  # these are older than the newest 20,000
        ("q=thing&in_stock=false&category=odd", (750, "eq")),
        ("q=thing", (1000, "gte")),
        ("q=020999&min_price=1", (1, "eq")),
        ("q=thing+020999&in_stock=false", (1, "eq")),
        ("q=thing+020999&in_stock=true", (0, "eq")),
        ("q=02099&in_stock=false", (10, "eq")),
    ],
)
def test_a_search_says_where_its_filters_end(product, query, wanted):
    """At the newest 20,000 products that have the words."""
    wait_until(lambda: done(product.public.get("/products?q=thing+000000"), 200), 30, "all words")
    answer = product.public.get(f"/products?{query}&count=true&limit=1")
    assert (int(answer.header("X-Total-Count")), answer.header("X-Total-Count-Relation")) == wanted
