"""Lists of products: filters, sort orders, pages, counting, searching."""

from urllib.parse import quote, urlencode

import pytest
from client import is_problem, next_path, pages, walk
from listings import SORTS, listed
from world import made

CAFE = "Caf\u00e9 cr\u00e8me, \u00c5ngstr\u00f6m"
DOLL = "\u041c\u0430\u0442\u0440\u0451\u0448\u043a\u0430"
# name, price, inventory, category, tags, sku, low_stock_threshold, description
SHELF = [
    ("Enamel mug", 12.50, 10, "kitchen", ["mug", "blue"], "MUG-BLUE-035", 5, "Holds coffee."),
    ("Enamel mug, large", 17.50, 0, "kitchen", ["mug", "red"], "MUG-RED-050", 5, "Holds more."),
    ("Mugwort tea", 4.99, 3, "food", ["tea"], "TEA-01", 3, "Bitter; serve in a mug."),
    ("Lamp", 99.00, 4, "living", [], "LAMP-1", None, "Lights a room."),
    ("Desk lamp", 99.00, 6, "office", ["light"], None, 5, "Lamp for a desk, bends."),
    (CAFE, 3.00, 1, "food", ["\u00fcber"], None, None, "\u4e16\u754c"),
    (DOLL, 25.00, 2, "toys", ["light"], "TOY-9", 1, "Nested."),
    ("zipper", 0.00, 1000000, None, [], "ZIP", 0, "O'Neil's 100% \"best\" near-new zip_lock"),
    ("Sofa", 9999999.99, 0, "living", ["blue"], None, None, ""),
]  # fmt: skip
NAMES = [row[0] for row in SHELF]


@pytest.fixture(scope="module")
def bed(catalogue):
    for name, price, inventory, category, tags, sku, threshold, description in SHELF:
        body = {"name": name, "price": price, "inventory": inventory, "tags": tags}
        body["description"] = description
        optional = {"category": category, "sku": sku, "low_stock_threshold": threshold}
        body |= {key: value for key, value in optional.items() if value is not None}
        made(catalogue.product.public.post("/products", json=body))
    return catalogue


@pytest.fixture
def client(bed):
    return bed.product.public


def names(client, query):
    return [product["name"] for product in listed(client, query)]


# ---- filters ----


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", NAMES),
        ("category=kitchen", ["Enamel mug", "Enamel mug, large"]),
        ("category=Kitchen", []),
        ("category=kit", []),
        ("category=kitchen%20", ["Enamel mug", "Enamel mug, large"]),
        ("tag=mug", ["Enamel mug", "Enamel mug, large"]),
        ("tag=blue", ["Enamel mug", "Sofa"]),
        ("tag=%C3%BCber", [CAFE]),
        ("tag=mu", []),
        ("tag=%25", []),
        ("sku=MUG-BLUE-035", ["Enamel mug"]),
        ("sku=mug-blue-035", []),
        ("min_price=99", ["Lamp", "Desk lamp", "Sofa"]),
        ("min_price=99.01", ["Sofa"]),
        ("min_price=9999999.99", ["Sofa"]),
        ("max_price=3", [CAFE, "zipper"]),
        ("max_price=2.99", ["zipper"]),
        ("max_price=0", ["zipper"]),
        ("min_price=4.99&max_price=12.5", ["Enamel mug", "Mugwort tea"]),
        ("min_price=5&max_price=4", []),
        ("in_stock=false", ["Enamel mug, large", "Sofa"]),
        ("in_stock=true", [row[0] for row in SHELF if row[2] > 0]),
        ("low_stock=true", ["Enamel mug, large", "Mugwort tea"]),
        ("low_stock=false", [n for n in NAMES if n not in ("Enamel mug, large", "Mugwort tea")]),
        ("category=kitchen&tag=red&in_stock=false&low_stock=true", ["Enamel mug, large"]),
        ("category=food&max_price=4&in_stock=true", [CAFE]),
        ("category=living&tag=mug", []),
        ("q=mug&category=kitchen&in_stock=true", ["Enamel mug"]),
        ("q=lamp&min_price=99&tag=light", ["Desk lamp"]),
        ("q=lamp&category=living", ["Lamp"]),
        ("q=mug&sku=TEA-01", ["Mugwort tea"]),
        # A closing quote, an ideographic full stop, a crab: no words, so nothing matches.
        ("q=%E2%80%9D&category=kitchen", []),
        ("q=%E3%80%82&tag=blue", []),
        ("q=%F0%9F%A6%80&category=kitchen", []),
        ("q=mug%20%E2%80%9D&category=food", ["Mugwort tea"]),
        ("category='%20OR%20'1'='1", []),
        ("sku=%25", []),
    ],
)
def test_filters(client, query, expected):
    """Whatever the filters, every sort order has the same products, and as many as are counted."""
    for sort in SORTS:
        answer = client.get(f"/products?sort={sort}&count=true&{query}")
        assert answer.status == 200, answer
        found = [product["name"] for product in answer.json()]
        assert sorted(found) == sorted(expected), sort
        assert answer.header("X-Total-Count") == str(len(expected))
        assert answer.header("Link") is None


def test_ids(client):
    everything = listed(client, "sort=created_at")
    ids = [product["id"] for product in everything]
    found = listed(client, f"ids={ids[3]},none,{ids[1]},{ids[3]}&sort=created_at")
    assert found == [everything[1], everything[3]]
    assert listed(client, f"ids={ids[0]}&category=food") == []
    assert listed(client, "ids=none,%27%22%5B%5D,%5C") == []
    many = ["none"] * (100 - len(ids)) + ids
    assert listed(client, f"ids={','.join(many)}&sort=created_at") == everything
    assert listed(client, f"ids={quote(','.join(ids[:2]))}&sort=created_at") == everything[:2]
    (error,) = is_problem(client.get(f"/products?ids={','.join([*many, 'x'])}"), 422)["errors"]
    assert error["pointer"] == "/ids"


def test_the_list_shows_what_the_product_shows(client):
    for product in listed(client, ""):
        assert made(client.get(f"/products/{product['id']}"), 200) == product


# ---- sort orders ----


@pytest.mark.parametrize("sort", SORTS)
def test_orders(client, sort):
    """Texts by code point; ties by id, in the same direction."""
    key = sort.lstrip("-")
    found = listed(client, f"sort={sort}")
    expected = sorted(found, key=lambda p: (p[key], p["id"]), reverse=sort.startswith("-"))
    assert len(found) == len(SHELF)
    assert [product["name"] for product in found] == [product["name"] for product in expected]


def test_newest_first_unless_said_otherwise(client):
    assert names(client, "") == NAMES[::-1] == names(client, "sort=-created_at")


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("updated_after=yesterday", "/updated_after"),
        ("created_after=2026-01-31", "/created_after"),
        ("created_before=2026-02-30T00:00:00Z", "/created_before"),
        ("deleted=1", "/deleted"),
        ("deleted=true&q=mug", "/q"),
        ("deleted=true&tag=mug", "/tag"),
        ("deleted=true&sort=name", "/sort"),
        ("sort=deleted_at", "/sort"),
    ],
)
def test_bad_times_and_orders(client, query, pointer):
    (error,) = is_problem(client.get(f"/products?{query}"), 422)["errors"]
    assert (error["in"], error["pointer"]) == ("query", pointer)


# ---- paging ----


@pytest.mark.parametrize(
    "query", ["", "category=kitchen", "tag=blue", "max_price=20", "q=mug", "q=lamp&tag=light"]
)
@pytest.mark.parametrize("sort", [None, *SORTS])
def test_pages_add_up_to_the_list(client, query, sort):
    path = f"/products?count=true&{query}" + (f"&sort={sort}" if sort else "")
    whole = made(client.get(path), 200)
    assert whole
    for limit in (1, 2, len(whole)):
        answers = list(pages(client, f"{path}&limit={limit}"))
        assert [product for answer in answers for product in answer.json()] == whole
        assert {answer.header("X-Total-Count") for answer in answers} == {str(len(whole))}
        # No page is empty, and the last one has no Link.
        assert [len(answer.json()) for answer in answers][:-1] == [limit] * (len(answers) - 1)
        assert answers[-1].json()


@pytest.mark.parametrize("query", ["", "category=kitchen", "sku=LAMP-1", "ids"])
@pytest.mark.parametrize("sort", [None, *SORTS])
def test_a_page_is_the_same_by_one_statement_and_by_several(client, query, sort):
    """The worker sends one that is short along with others; count, even false, keeps it from that."""
    if query == "ids":
        query = "ids=" + ",".join(product["id"] for product in listed(client, "tag=mug"))
    path = f"/products?limit=1&{query}" + (f"&sort={sort}" if sort else "")
    short, long = pages(client, path), pages(client, f"{path}&count=false")
    found = [answer.json() for answer in short]
    assert found[0] and found == [answer.json() for answer in long]


def test_links_keep_the_query_and_lead_on_everywhere(bed):
    """Links are relative, so they are right at the sidecar, at the gateway, and with a slash at the
    end."""
    for client in (bed.product.public, bed.product.internal, bed.gateway):
        for path in ("/products", "/products/"):
            query = "category=food&limit=1&sort=name&count=true&min_price=1"
            first = client.get(f"{path}?{query}")
            link = next_path(path, first)
            assert link.startswith(f"{path}?category=food&limit=1&sort=name&count=true&min_price=1")
            second = client.get(link)
            assert [len(first.json()), len(second.json())] == [1, 1]
            assert first.json() != second.json()
            assert second.header("X-Total-Count") == "2" and second.header("Link") is None


@pytest.mark.parametrize("mark", ['>;"<', '"\\', "^`{|}", "\u00bf", "%3E%3B%22", "%C2%BF"])
def test_links_cannot_be_broken_out_of(client, mark):
    """The header encodes what a client sent as a URI requires, and the link still works."""
    path, found = f"/products?limit=1&q=mug{mark}", []
    while path and len(found) < 4:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = client.raw(request.encode())
        found += [product["name"] for product in made(answer, 200)]
        path = next_path(path, answer)
    assert sorted(found) == ["Enamel mug", "Enamel mug, large", "Mugwort tea"]


@pytest.mark.parametrize("length", [10, 500, 1000, 1500, 2000, 3000, 3700])
def test_long_queries_lead_on_or_are_refused(client, length):
    """Percent-encoding makes raw input three times as long; no page may look like the last one."""
    ids = ",".join([*(product["id"] for product in listed(client, "limit=3")), "\u00e4" * length])
    request = f"GET /products?limit=2&ids={ids} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = client.raw(request.encode())
    if answer.status != 200:
        (error,) = is_problem(answer, 422)["errors"]
        assert error["in"] == "query" and "too long" in error["detail"]
        assert length >= 1500
        return
    assert len(made(client.get(next_path("/products", answer)), 200)) == 1
    assert length <= 1000


def test_the_default_and_the_largest_page(make_platform):
    """And a count beyond both."""
    client = make_platform(services=("product",), gateway=False).product.public
    lines = "".join(f'{{"sku":"S-{number}","name":"Same","price":1}}\n' for number in range(230))
    headers = {"Content-Type": "application/x-ndjson"}
    assert client.post("/products/bulk", body=lines.encode(), headers=headers).status == 200
    for query, length in (("", 50), ("limit=200", 200), ("limit=1", 1), ("ids=x&limit=200", 0)):
        answer = client.get(f"/products?count=true&{query}")
        assert len(answer.json()) == length
        assert answer.header("X-Total-Count") == ("0" if "ids" in query else "230")
    # All alike: only the id tells them apart.
    for sort in SORTS:
        found = [product["id"] for product in walk(client, f"/products?sort={sort}&limit=7")]
        assert len(found) == len(set(found)) == 230


# ---- searching ----


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("mug", ["Enamel mug", "Enamel mug, large", "Mugwort tea"]),
        ("MUG", ["Enamel mug", "Enamel mug, large", "Mugwort tea"]),
        ("  mug\u0020 ", ["Enamel mug", "Enamel mug, large", "Mugwort tea"]),
        ("mu", []),
        ("mugs", ["Enamel mug", "Enamel mug, large", "Mugwort tea"]),
        ("enamel large", ["Enamel mug, large"]),
        ("large enamel", ["Enamel mug, large"]),
        ("enamel lamp", []),
        ("coffee", ["Enamel mug"]),
        ("MUG-BLUE-035", ["Enamel mug"]),
        ("mug-blue", ["Enamel mug"]),
        ("blue-mug", []),
        ("035", ["Enamel mug"]),
        ("kitchen", ["Enamel mug", "Enamel mug, large"]),
        ("light", ["Desk lamp", "Lamp", DOLL]),
        ("light desk", ["Desk lamp"]),
        ("cafe", [CAFE]),
        ("caf\u00e9", [CAFE]),
        ("cafe\u0301", [CAFE]),
        ("CREME angstrom", [CAFE]),
        ("uber", [CAFE]),
        (DOLL, [DOLL]),
        (DOLL.upper(), [DOLL]),
        ("\u4e16\u754c", [CAFE]),
        ("100%", ["zipper"]),
        ("O'Neil's", ["zipper"]),
        ("best", ["zipper"]),
        ("zip_lock", ["zipper"]),
        ("nothing", []),
    ],
)
def test_words(client, q, expected):
    assert sorted(names(client, urlencode({"q": q}))) == sorted(expected)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ('"', []),
        ('""', []),
        ('"mug', ["Enamel mug", "Enamel mug, large", "Mugwort tea"]),
        ('"enamel mug"', ["Enamel mug", "Enamel mug, large"]),
        ('mug" OR "lamp', []),
        ("mug OR lamp", []),
        ("mug NOT blue", []),
        ("mug AND blue", []),
        ("NEAR(mug blue)", []),
        ("NEAR(mug blue, 10)", []),
        ("near-new", ["zipper"]),
        ("mug*", ["Enamel mug", "Enamel mug, large", "Mugwort tea"]),
        ("mu*", []),
        ("*", []),
        ("^enamel", ["Enamel mug", "Enamel mug, large"]),
        ("-mug", ["Enamel mug", "Enamel mug, large", "Mugwort tea"]),
        ("name:lamp", []),
        ("name : lamp", []),
        ("{name sku}:lamp", []),
        ("- {name} : lamp", []),
        ("sku:*", []),
        ("rowid:1", []),
        ("product_search", []),
        ("mug + blue", ["Enamel mug"]),
        ("(mug)", ["Enamel mug", "Enamel mug, large", "Mugwort tea"]),
        ("(((((mug", ["Enamel mug", "Enamel mug, large", "Mugwort tea"]),
        ("mug; DROP TABLE products; --", []),
        ("' OR 1=1 --", []),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("--", []),
        ("\u00bf\u3002\u2026", []),
        ("\u200b", []),
        ("\U0001f980", []),
        ("\ufffd", []),
        ("' UNION SELECT * FROM products", []),
        ("\" MATCH \"mug", []),
    ],
)
def test_search_syntax_means_nothing(client, q, expected):
    """Only words count: no operator, column or wildcard gets through, and nothing breaks."""
    for sort in (None, "name"):
        parameters = {"q": q, "count": "true", **({"sort": sort} if sort else {})}
        answer = client.get(f"/products?{urlencode(parameters)}")
        assert answer.status == 200, answer
        assert sorted(product["name"] for product in answer.json()) == sorted(expected)
        assert answer.header("X-Total-Count") == str(len(expected))


@pytest.mark.parametrize(
    "q", ['"' * 200, "(" * 200, "\u4e16" * 200, "a" * 200, '" ' * 100, "*a" * 16]
)
def test_the_longest_searches(client, q):
    assert client.get(f"/products?{urlencode({'q': q})}").json() == []


def test_sixteen_words_are_enough(client):
    assert names(client, urlencode({"q": " ".join(["mug"] * 16)}))
    for parted in "+", "-":
        (error,) = is_problem(client.get(f"/products?q={parted.join(['mug'] * 17)}"), 422)["errors"]
        assert (error["in"], error["pointer"]) == ("query", "/q")


def test_ranking(make_platform):
    """The sku scores as much as two names, a name as much as two categories or tags, and a word that
    occurs twice as much as one; newer products come first."""
    client = make_platform(services=("product",), gateway=False).product.public
    shelf = {
        "by description": {"description": "walnut"},
        "by tag": {"tags": ["walnut"]},
        "walnut by name": {},
        "by category": {"category": "walnut"},
        "by sku": {"sku": "walnut-1"},
        "by description, newer": {"description": "a walnut"},
        "walnut walnut twice": {},
    }
    for name, members in shelf.items():
        made(client.post("/products", json={"name": name, "price": 1, **members}))
    ranked = names(client, "q=walnut")
    assert ranked == [
        "by sku", "walnut walnut twice", "walnut by name", "by category", "by tag",
        "by description, newer", "by description",
    ]  # fmt: skip
    assert [product["name"] for product in walk(client, "/products?q=walnut&limit=2")] == ranked
    assert names(client, "q=walnut&sort=name") == sorted(shelf)


def test_what_is_changed_is_found_anew(client):
    created = made(client.post("/products", json={"name": "Changeling", "price": 1}))
    path = f"/products/{created['id']}"
    for patch, found, lost in (
        ({"name": "Wechselbalg"}, "wechselbalg", "changeling"),
        ({"description": "quux"}, "quux", "changeling"),
        ({"tags": ["foundling"]}, "foundling", "changeling"),
        ({"tags": None, "description": None}, "wechselbalg", "foundling"),
    ):
        assert client.patch(path, json=patch).status == 200
        assert [product["id"] for product in listed(client, f"q={found}")] == [created["id"]]
        assert listed(client, f"q={lost}") == []
    assert client.delete(path).status == 204
    assert listed(client, "q=wechselbalg") == []
