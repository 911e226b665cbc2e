"""What a search finds, and in which order: one table for both stores, and for a PostgreSQL whose locale
knows only ASCII letters."""

from urllib.parse import urlencode

import pytest

import stores

C_LOCALE = "TEMPLATE template0 LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'"

# Oldest first: the name is all that a search has to find, unless there is more.
SHELF = [
    {"name": "Чай"},
    {"name": "чаинка"},
    {"name": "ёлка"},
    {"name": "łódź"},
    {"name": "Καφές"},
    {"name": "größe"},
    {"name": "Groesse"},
    {"name": "5 μm"},
    {"name": "½ x²"},
    {"name": "thing"},
    {"name": "Hoodie"},
    {"name": "One size"},
    {"name": "price in €", "category": "signs", "tags": ["❤️"]},
    {"name": "珈琲 ミル 豆"},
    {"name": "绿茶杯子"},
    {"name": "हिन्दी"},
    {"name": "น้ำดื่ม"},
    {"name": "lamp"},
    {"name": "lampshade"},
    {"name": "shade", "description": "for a lamp"},
    {"name": "Box", "sku": "AB-12/3"},
    {"name": "iPhone手机壳"},
    {"name": "한국어 책"},
    {"name": "كِتَاب"},
    {"name": "שָׁלוֹם"},
    {"name": "L’Oréal don't"},
    {"name": "İstanbul"},
    {"name": "Ｆｕｌｌ ＷＩＤＴＨ"},
    {"name": "lamp stand", "sku": "LAMP-9"},
    {"name": "wagon wagoner"},
    {"name": "wagonry"},
    {"name": "wagtail wagonette"},
    {"name": "tail waggle"},
]

TABLE = [
    ("чай", ["Чай"]),
    ("ЧАЙ", ["Чай"]),
    ("чаи", ["чаинка"]),
    ("чаинка", ["чаинка"]),
    ("елка", ["ёлка"]),
    ("ЁЛКА", ["ёлка"]),
    ("ŁÓDŹ", ["łódź"]),
    ("lodz", ["łódź"]),
    ("ΚΑΦΕΣ", ["Καφές"]),
    ("καφες", ["Καφές"]),
    ("GRÖSSE", ["größe"]),
    ("größe", ["größe"]),
    ("grosse", ["größe"]),
    ("groesse", ["Groesse"]),
    ("µm", ["5 μm"]),
    ("μm", ["5 μm"]),
    ("½", ["½ x²"]),
    ("x²", ["½ x²"]),
    ("x2", ["½ x²"]),
    ("€", []),
    ("₹", []),
    ("™", []),
    ("❤️", []),
    ("☎️", []),
    ("\u0301", []),
    ("\u3099 \u200b", []),
    ("thing ₽", ["thing"]),
    ("thing", ["thing"]),
    ("珈琲\u3000豆", ["珈琲 ミル 豆"]),
    ("珈琲\u00a0豆", ["珈琲 ミル 豆"]),
    ("豆", ["珈琲 ミル 豆"]),
    ("绿茶", ["绿茶杯子"]),
    ("茶杯", ["绿茶杯子"]),
    ("子", ["绿茶杯子"]),
    ("绿杯", []),
    ("हिन्दी", ["हिन्दी"]),
    ("हिन", ["हिन्दी"]),
    ("न्दी", []),
    ("น้ำ", ["น้ำดื่ม"]),
    ("ดื่ม", ["น้ำดื่ม"]),
    ("lamp", ["lamp stand", "lamp", "lampshade", "shade"]),
    ("lam", ["lamp stand", "lampshade", "lamp", "shade"]),
    ("lamps", ["lamp stand", "lampshade", "lamp", "shade"]),
    ("lampsh", ["lampshade"]),
    ("la", []),
    ("lamp stand", ["lamp stand"]),
    ("sta lamp", []),
    ("wago", ["wagtail wagonette", "wagonry", "wagon wagoner"]),
    ("wagon", ["wagon wagoner", "wagtail wagonette", "wagonry"]),
    ("tail wag", ["tail waggle"]),
    ("tail wagtail", []),
    ("wagtail-wagon", ["wagtail wagonette"]),
    ("AB-12/3", ["Box"]),
    ("ab 12 3", ["Box"]),
    ("ab-3", []),
    ("boxes", ["Box"]),
    ("hoodies", ["Hoodie"]),
    ("sizes", ["One size"]),
    ("手机", ["iPhone手机壳"]),
    ("iphone手机", ["iPhone手机壳"]),
    ("iphone", ["iPhone手机壳"]),
    ("한국어", ["한국어 책"]),
    ("كتاب", ["كِتَاب"]),
    ("كـــتاب", ["كِتَاب"]),
    ("שלום", ["שָׁלוֹם"]),
    ("l'oreal", ["L’Oréal don't"]),
    ("oreal", ["L’Oréal don't"]),
    ("don’t", ["L’Oréal don't"]),
    ("istanbul", ["İstanbul"]),
    ("full width", ["Ｆｕｌｌ ＷＩＤＴＨ"]),
]


def shop(make_platform):
    client = make_platform(services=("product",), gateway=False).product.public
    for members in SHELF:
        assert client.post("/products", json={"price": 1, **members}).status == 201
    return client


@pytest.fixture(scope="module", params=["", *([C_LOCALE] if stores.POSTGRES else [])],
                ids=lambda options: "C" if options else "usual")
def client(make_platform, request):
    usual = stores.PostgresStore.options
    stores.PostgresStore.options = request.param
    try:
        return shop(make_platform)
    finally:
        stores.PostgresStore.options = usual


@pytest.mark.parametrize(("q", "expected"), TABLE)
def test_hits_and_their_order(client, q, expected):
    answer = client.get(f"/products?{urlencode({'q': q})}")
    assert [product["name"] for product in answer.json()] == expected


@pytest.mark.parametrize("q", ["€", "❤️", "\u0301", "***"])
@pytest.mark.parametrize("filter", [{"category": "signs"}, {"tag": "❤️"}, {"in_stock": "false"}])
def test_a_symbol_finds_nothing_with_a_filter_too(client, q, filter):
    assert client.get(f"/products?{urlencode({'q': q, **filter})}").json() == []


def test_filters_without_words_of_their_own(client):
    for filter in ({"category": "signs"}, {"tag": "❤️"}):
        answer = client.get(f"/products?{urlencode({'q': 'price', **filter})}")
        assert [product["name"] for product in answer.json()] == ["price in €"]


def test_a_count_says_where_a_search_ends(client):
    """At its 1,000 candidates."""
    lines = "".join(f'{{"sku":"COUNTED-{i}","name":"Zcounted","price":1}}\n' for i in range(1000))
    ndjson = {"Content-Type": "application/x-ndjson"}
    for body, expected in (
        (lines.split("\n", 1)[1], ("999", "eq")),
        (lines, ("1000", "gte")),
    ):
        assert client.post("/products/bulk", body=body, headers=ndjson).status == 200
        answer = client.get("/products?q=zcounted&count=true&limit=1")
        total = answer.header("X-Total-Count"), answer.header("X-Total-Count-Relation")
        assert total == expected
