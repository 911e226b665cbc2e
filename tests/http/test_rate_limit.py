"""How many requests one client may send, and who a client is."""

import pytest
import tokens
from client import is_problem
from sidecar import SHOP, entries_of, preflight

pytestmark = pytest.mark.storeless


@pytest.fixture(scope="module")
def limited(make_platform):
    return make_platform(
        services=("product",),
        gateway=False,
        nginx={
            "RATE_LIMIT_RPS": 5,
            "TRUSTED_PROXIES": "127.0.0.1",
            "CORS_ALLOW_ORIGINS": SHOP["Origin"],
        },
    )


def test_rate_limit_is_per_client(limited):
    product = limited.product

    def burst(address):
        headers = {"X-Forwarded-For": address, **SHOP}
        return [product.public.get("/products", headers=headers) for _ in range(20)]

    answers = burst("203.0.113.1")
    refused = [answer for answer in answers if answer.status != 200]
    assert len(answers) - len(refused) >= 5
    assert refused
    for answer in refused:
        is_problem(answer, 429, "too-many-requests")
        assert int(answer.header("Retry-After")) >= 1
        assert answer.header("Access-Control-Allow-Origin") == SHOP["Origin"]
    # Somebody else is not held up by that, and siblings never are.
    assert burst("203.0.113.2")[0].status == 200
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


def answers_of(bed, provider, user, method="GET", numbers=range(60)):
    found = []
    for number in numbers:
        headers = provider.headers(user, jti=str(number)) | {"X-Forwarded-For": f"198.18.0.{number}"}
        body = {"json": {}} if method == "POST" else {}
        found.append(bed.cart.public.request(method, "/carts", headers=headers, **body))
    return found


def test_a_user_is_one_client_with_whichever_token_from_wherever(asking, provider):
    """Others do not suffer from it, nor does this user from other users' tokens."""
    bed = asking(RATE_LIMIT_RPS=5)
    forger = tokens.Provider()
    assert {answer.status for answer in answers_of(bed, forger, "ada")} == {401}
    answers = answers_of(bed, provider, "ada")
    assert [answer.status for answer in answers[:5]] == [200] * 5
    refused = [answer for answer in answers if answer.status != 200]
    assert len(refused) >= 30
    for answer in refused:
        is_problem(answer, 429, "too-many-requests")
        assert answer.header("Retry-After") == "1"
    assert [answers_of(bed, provider, f"user-{n}", numbers=[n])[0].status for n in range(60)] == [200] * 60
    assert bed.cart.public.post("/carts", json={}).status == 201


def test_what_a_user_stores_is_limited_likewise(asking, provider):
    """A burst of 50 seconds, as that of an address."""
    bed = asking(STORING_LIMIT_RPS=1)
    made = [answer.status for answer in answers_of(bed, provider, "ada", "POST", range(100))]
    assert made[:51] == [201] * 51 and made.count(429) >= 30
    assert {answer.status for answer in answers_of(bed, provider, "ada")} == {200}
    assert answers_of(bed, provider, "eve", "POST", [0])[0].status == 201


def test_address_is_believed_from_trusted_proxies_only(limited, platform):
    headers = {"X-Forwarded-For": "198.51.100.7", "X-Request-ID": "whose-address"}
    for bed, address in ((limited, "198.51.100.7"), (platform, "127.0.0.1")):
        bed.product.public.get("/", headers=headers)
        (entry,) = entries_of(bed.product.nginx, "whose-address")
        assert entry["client.address"] == address


def statuses(client, addresses, method="GET", headers=None):
    """Of one request for each of what stands in X-Forwarded-For."""
    found = []
    for address in addresses:
        answer = client.request(method, "/products", headers={"X-Forwarded-For": address, **(headers or {})})
        found.append(answer.status)
    return found


@pytest.mark.parametrize("own", ["10.1.2.3", "192.168.7.7", "198.51.100.77"])
def test_what_a_client_says_of_itself_is_not_believed(limited, own):
    """Entries before the one that the trusted hop wrote are ignored, wherever the client is: also in a
    network with other hops, or with the trusted hop's own address."""
    forged = [f"203.0.113.{number}, 127.0.0.1, {own}" for number in range(60)]
    assert statuses(limited.product.public, forged).count(429) >= 30
    limited.product.public.get("/", headers={"X-Forwarded-For": forged[0], "X-Request-ID": f"forged-{own}"})
    (entry,) = entries_of(limited.product.nginx, f"forged-{own}")
    assert entry["client.address"] == own


def test_an_ipv6_network_is_one_client(limited):
    product = limited.product
    same = [f"2001:db8:0:1:{number:x}::{number:x}" for number in range(1, 61)]
    assert statuses(product.public, same).count(429) >= 30
    assert statuses(product.public, [f"2001:db8:0:{number:x}::1" for number in range(2, 62)]) == [200] * 60
    # As an IPv6 socket shows IPv4.
    assert statuses(product.public, [f"::ffff:100.64.0.{number}" for number in range(60)]) == [200] * 60


@pytest.mark.parametrize("what", ["preflight", "unknown path", "unknown method", "unknown host", "body"])
def test_refusals_and_preflights_count(limited, what):
    client = limited.product.public
    address = {"X-Forwarded-For": f"203.0.113.{100 + sum(what.encode()) % 100}"}

    def ask():
        if what == "preflight":
            return client.request("OPTIONS", "/products", headers={**preflight(SHOP["Origin"]), **address})
        if what == "unknown path":
            return client.get("/nothing", headers=address)
        if what == "unknown method":
            return client.delete("/products", headers=address)
        if what == "unknown host":
            return client.get("/products", headers={"Host": "x.example", **address})
        return client.request("GET", "/products", body=b"a" * 10000, headers=address)

    found = [ask().status for _ in range(60)]
    assert found[0] == {"preflight": 204, "unknown path": 404, "unknown method": 405, "unknown host": 421,
                        "body": 413}[what]  # fmt: skip
    assert found.count(429) >= 30
