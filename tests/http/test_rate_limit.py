"""How many requests one client may send, and who a client is."""

import pytest
import tokens
from client import is_problem
from sidecar import SHOP, entries_of, flood, preflight

pytestmark = pytest.mark.storeless

RATE = 5  # with a burst of a second


def statuses(answers):
    return [answer.status for answer in answers]


@pytest.fixture(scope="module")
def limited(make_platform):
    return make_platform(
        services=("product",),
        gateway=False,
        nginx={
            "RATE_LIMIT_RPS": RATE,
            "TRUSTED_PROXIES": "127.0.0.1",
            "CORS_ALLOW_ORIGINS": SHOP["Origin"],
        },
    )


def test_rate_limit_is_per_client(limited):
    product = limited.product

    def ask(address):
        return product.public.get("/products", headers={"X-Forwarded-For": address, **SHOP})

    answers = flood(lambda _: ask("203.0.113.1"), RATE, RATE)
    assert statuses(answers[: 1 + RATE]) == [200] * (1 + RATE)
    for answer in answers:
        if answer.status == 200:
            continue
        is_problem(answer, 429, "too-many-requests")
        assert int(answer.header("Retry-After")) >= 1
        assert answer.header("Access-Control-Allow-Origin") == SHOP["Origin"]
    # Somebody else is not held up by that, and siblings never are.
    assert ask("203.0.113.2").status == 200
    assert all(product.internal.get("/products").status == 200 for _ in range(50))


@pytest.fixture(scope="module")
def provider():
    return tokens.Provider()


@pytest.fixture(scope="module")
def asking(make_platform, provider, tmp_path_factory):
    """make(nginx=…): carts whose clients have a token and an address of their own for each request."""

    def make(**nginx):
        settings = tokens.settings(provider, tmp_path_factory.mktemp("auth"))
        nginx["TRUSTED_PROXIES"] = "127.0.0.1"
        return make_platform(services=("cart",), gateway=False, worker=settings, nginx=nginx)

    return make


def asks(bed, provider, user, method="GET"):
    """ask(number)"""

    def ask(number):
        address = f"198.18.{number // 256}.{number % 256}"
        headers = provider.headers(user, jti=str(number)) | {"X-Forwarded-For": address}
        body = {"json": {}} if method == "POST" else {}
        return bed.cart.public.request(method, "/carts", headers=headers, **body)

    return ask


def test_a_user_is_one_client_with_whichever_token_from_wherever(asking, provider):
    """Others do not suffer from it, nor does this user from other users' tokens."""
    bed = asking(RATE_LIMIT_RPS=RATE)
    assert set(statuses(map(asks(bed, tokens.Provider(), "ada"), range(60)))) == {401}
    answers = flood(asks(bed, provider, "ada"), RATE, RATE)
    assert statuses(answers[: 1 + RATE]) == [200] * (1 + RATE)
    for answer in answers:
        if answer.status != 200:
            is_problem(answer, 429, "too-many-requests")
            assert answer.header("Retry-After") == "1"
    others = [asks(bed, provider, f"user-{number}")(number) for number in range(60)]
    assert statuses(others) == [200] * 60
    assert bed.cart.public.post("/carts", json={}).status == 201


def test_what_a_user_stores_is_limited_likewise(asking, provider):
    """A burst of 50 seconds, as that of an address."""
    bed = asking(STORING_LIMIT_RPS=1)
    made = flood(asks(bed, provider, "ada", "POST"), 1, 50)
    assert statuses(made[:51]) == [201] * 51
    assert set(statuses(map(asks(bed, provider, "ada"), range(60)))) == {200}
    assert asks(bed, provider, "eve", "POST")(0).status == 201


def test_address_is_believed_from_trusted_proxies_only(limited, platform):
    headers = {"X-Forwarded-For": "198.51.100.7", "X-Request-ID": "whose-address"}
    for bed, address in ((limited, "198.51.100.7"), (platform, "127.0.0.1")):
        bed.product.public.get("/", headers=headers)
        (entry,) = entries_of(bed.product.nginx, "whose-address")
        assert entry["client.address"] == address


def lists(client, address):
    """A request with this in X-Forwarded-For."""
    return client.get("/products", headers={"X-Forwarded-For": address})


@pytest.mark.parametrize("own", ["10.1.2.3", "192.168.7.7", "198.51.100.77"])
def test_what_a_client_says_of_itself_is_not_believed(limited, own):
    """Entries before the one that the trusted hop wrote are ignored, wherever the client is: also in a
    network with other hops, or with the trusted hop's own address."""
    def forged(number):
        return f"203.0.{number // 256}.{number % 256}, 127.0.0.1, {own}"

    flood(lambda number: lists(limited.product.public, forged(number)), RATE, RATE)
    limited.product.public.get("/", headers={"X-Forwarded-For": forged(0), "X-Request-ID": f"forged-{own}"})
    (entry,) = entries_of(limited.product.nginx, f"forged-{own}")
    assert entry["client.address"] == own


def test_an_ipv6_network_is_one_client(limited):
    product = limited.product
    flood(lambda number: lists(product.public, f"2001:db8:0:1:{number + 1:x}::{number + 1:x}"), RATE, RATE)
    networks = [f"2001:db8:0:{number:x}::1" for number in range(2, 62)]
    assert statuses(lists(product.public, one) for one in networks) == [200] * 60
    # As an IPv6 socket shows IPv4.
    mapped = [f"::ffff:100.64.0.{number}" for number in range(60)]
    assert statuses(lists(product.public, one) for one in mapped) == [200] * 60


@pytest.mark.parametrize("what", ["preflight", "unknown path", "unknown method", "unknown host", "body"])
def test_refusals_and_preflights_count(limited, what):
    client = limited.product.public
    address = {"X-Forwarded-For": f"203.0.113.{100 + sum(what.encode()) % 100}"}

    def ask(_):
        if what == "preflight":
            return client.request("OPTIONS", "/products", headers={**preflight(SHOP["Origin"]), **address})
        if what == "unknown path":
            return client.get("/nothing", headers=address)
        if what == "unknown method":
            return client.delete("/products", headers=address)
        if what == "unknown host":
            return client.get("/products", headers={"Host": "x.example", **address})
        return client.request("GET", "/products", body=b"a" * 10000, headers=address)

    found = flood(ask, RATE, RATE)
    assert found[0].status == {"preflight": 204, "unknown path": 404, "unknown method": 405, "unknown host": 421,
                               "body": 413}[what]  # fmt: skip
