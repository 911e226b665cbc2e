"""Lists of products: filters, orders, paging while others write, counting, searching."""

import re
import threading
import time
from urllib.parse import quote, urlencode

import pytest
from client import is_problem
from world import made

# Far more than any list here has.
PAGES_MAX = 1000
SORTS = [
    "created_at", "-created_at", "name", "-name", "price", "-price", "updated_at", "-updated_at",
]  # fmt: skip

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
def bed(make_platform):
    """Its own, so that nothing else is in the lists."""
    bed = make_platform(services=("product",), gateway=True)
    for name, price, inventory, category, tags, sku, threshold, description in SHELF:
        body = {"name": name, "price": price, "inventory": inventory, "tags": tags}
        body["description"] = description
        optional = {"category": category, "sku": sku, "low_stock_threshold": threshold}
        body |= {key: value for key, value in optional.items() if value is not None}
        made(bed.product.public.post("/products", json=body))
    return bed


@pytest.fixture
def client(bed):
    return bed.product.public


def listed(client, query):
    return made(client.get(f"/products?{query}"), 200)


def names(client, query):
    return [product["name"] for product in listed(client, query)]


def next_path(path, answer):
    """The next page's, resolved against the page's own as RFC 3986 says; None after the last."""
    link = answer.header("Link")
    if link is None:
        return None
    found = re.fullmatch(r'<(\?[!#-;=?-~]*)>; rel="next"', link)
    assert found, link
    return path.split("?")[0] + found.group(1)


def pages(client, path):
    for _ in range(PAGES_MAX):
        answer = client.get(path)
        assert answer.status == 200, answer
        yield answer
        path = next_path(path, answer)
        if not path:
            return
    pytest.fail(f"more than {PAGES_MAX} pages")


def walk(client, path):
    return [product for answer in pages(client, path) for product in answer.json()]


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
    """Whatever the filters, in every order: the same products, and as many as are counted."""
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


# ---- orders ----

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


# ---- times ----


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
    """By every kind of change; each is at the end of what changed."""
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


def test_links_keep_the_query_and_lead_on_everywhere(bed):
    """They are relative: right at the sidecar, at the gateway, and with the slash at the end."""
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
    """What a client sends stands in the header as what may stand in a URI, and still leads on."""
    path, found = f"/products?limit=1&q=mug{mark}", []
    while path and len(found) < 4:
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = client.raw(request.encode())
        found += [product["name"] for product in made(answer, 200)]
        path = next_path(path, answer)
    assert sorted(found) == ["Enamel mug", "Enamel mug, large", "Mugwort tea"]


@pytest.mark.parametrize("length", [10, 500, 1000, 1500, 2000, 3000, 3700])
def test_long_queries_lead_on_or_are_refused(client, length):
    """Percent-encoded, what was sent raw grows threefold; no page looks like the last one."""
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


# ---- paging while others write ----


class Writer(threading.Thread):
    """Inserts before, between and behind what is there, and changes what it inserted."""

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
    """The sku counts as much as two names, that as two categories or tags, a word that is there
    twice as one; newer first."""
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
