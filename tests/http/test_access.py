"""Who may call what: every operation of the documents with every kind of caller, against one table.
An operation that is not in the table fails."""

import uuid

import pytest
import tokens
from documents import source_operations
from test_service_accounts import account, vouching
from world import made

# How each operation is guarded, in other words than its document's.
PUBLIC, SERVICE, MAKES_CART = "public", "service", "makes a cart"


class Staff(str):
    """For who has this scope."""


class Lists(str):
    """Each user's own; with this scope everybody's."""


class Own(str):
    """The owner's thing; with this scope everybody's."""


class OwnOrGuests(Own):
    """A guest's thing, too, with its cart's secret."""


META = dict.fromkeys(
    ("getServiceInfo", "getDocument", "getDocs", "getDocsFile", "getRedoc", "getLiveness",
     "getReadiness", "getMetrics"),
    PUBLIC,
)  # fmt: skip
TABLE = {
    "product": META | {
        "listProducts": PUBLIC,
        "getProduct": PUBLIC,
        "createProduct": Staff("products:write"),
        "replaceProduct": Staff("products:write"),
        "patchProduct": Staff("products:write"),
        "deleteProduct": Staff("products:write"),
        "restoreProduct": Staff("products:write"),
        "importProducts": Staff("products:write"),
        "exportProducts": Staff("products:read"),
        "adjustStock": Staff("stock:write"),
        "listStockMovements": Staff("stock:read"),
        "holdStock": SERVICE,
        "shipStock": SERVICE,
        "releaseStock": SERVICE,
    },
    "cart": META | {
        "createCart": MAKES_CART,
        "listCarts": Lists("carts:read"),
        "getCart": OwnOrGuests("carts:read"),
        "clearCart": OwnOrGuests("carts:write"),
        "addItem": OwnOrGuests("carts:write"),
        "setItem": OwnOrGuests("carts:write"),
        "removeItem": OwnOrGuests("carts:write"),
        "refreshCart": OwnOrGuests("carts:write"),
        "mergeCart": Own("carts:write"),
        "openCheckout": SERVICE,
        "consumeCheckout": SERVICE,
        "releaseCheckout": SERVICE,
    },
    "order": META | {
        "createOrder": OwnOrGuests("orders:write"),
        "listOrders": Lists("orders:read"),
        "getOrder": OwnOrGuests("orders:read"),
        "setOrderStatus": Own("orders:write"),
    },
}  # fmt: skip
SCOPES = sorted({rule for rules in TABLE.values() for rule in rules.values()
                 if isinstance(rule, (Staff, Lists, Own))})  # fmt: skip
OPERATIONS = source_operations()
OWNED = [(service, name) for service, name in OPERATIONS if isinstance(TABLE[service].get(name), Own)]


def test_no_operation_is_unlisted():
    assert sorted(OPERATIONS) == sorted((s, name) for s, rules in TABLE.items() for name in rules)


# ---- callers


class Callers:
    """The headers of each kind of caller. ada is the owner of things, and so is one guest."""

    def __init__(self, provider, guest_secret, other_secret):
        stranger = tokens.Provider(provider.jwk["kid"])
        self.good = {"ada": {"sub": "ada"}, "bob": {"sub": "bob"}, "admin": {"sub": "s", "scopes": "admin"}}
        self.good |= {scope: {"sub": "s", "scopes": scope} for scope in SCOPES}
        self.headers = {
            "nobody": {},
            "guest": {"Cart-Secret": guest_secret},
            "other guest": {"Cart-Secret": other_secret},
            "no secret": {"Cart-Secret": "gst_" + "A" * 43},
            **{name: provider.headers(**who) for name, who in self.good.items()},
        }
        self.bad = {
            "another audience": provider.headers("ada", "admin", aud="other"),
            "expired": provider.headers("ada", "admin", lifetime=-60),
            "another issuer": provider.headers("ada", "admin", iss="https://other.example"),
            "another's signature": stranger.headers("ada", "admin"),
            "no token": {"Authorization": "Bearer x"},
            "an empty token": {"Authorization": "Bearer"},
            "a password": {"Authorization": "Basic YWRhOng="},
        }
        self.headers |= self.bad

    def is_token(self, name):
        return name in self.good

    def has_scope(self, name, scope):
        return name in (scope, "admin")


def expected(rule, callers, name, owner):
    """The status that refuses the caller, or None. owner: "ada" or "guest"."""
    if name in callers.bad:
        return None if rule == PUBLIC else 401
    if rule in (PUBLIC, MAKES_CART):
        return None
    if isinstance(rule, Staff):
        allowed = callers.has_scope(name, rule)
        return None if allowed else 403 if callers.is_token(name) else 401
    if isinstance(rule, Lists):
        return None if callers.is_token(name) else 401
    if rule == SERVICE:
        return 401
    if callers.is_token(name):
        return None if callers.has_scope(name, rule) or name == owner else 404
    if name == "nobody" or not isinstance(rule, OwnOrGuests):
        return 401
    return None if name == owner == "guest" else 404


# ---- platforms and things


class Things:
    """A cart and an order of a user, or of a guest; made with the headers."""

    def __init__(self, bed, product, headers, user=None):
        self.bed, self.headers = bed, headers
        self.body = {"user_id": user} if user else {}
        cart = made(bed.cart.public.post("/carts", json=self.body, headers=headers))
        self.secret = cart.get("secret")
        if self.secret:
            self.headers = {"Cart-Secret": self.secret}
        self.cart = cart["id"]
        self.empty_cart = self.cart
        item = {"product_id": product, "quantity": 1}
        made(bed.cart.public.post(f"/carts/{self.cart}/items", json=item, headers=self.headers), 200)
        body = {"cart_id": self.cart, **self.body}
        self.order = made(bed.order.public.post("/orders", json=body, headers=self.headers))["id"]


class Shop:
    """A platform with things of ada's and of a guest's."""

    def __init__(self, bed, provider=None):
        self.bed = bed
        self.provider = provider or tokens.Provider()
        self.asks = provider is not None
        admin = self.provider.headers("s", "admin")
        body = {"name": "Lamp", "price": 1, "inventory": 1000}
        self.product = made(bed.product.public.post("/products", json=body, headers=admin))["id"]
        self.things = {"ada": Things(bed, self.product, self.provider.headers("ada"), "ada")}
        if self.asks:
            self.things["guest"] = Things(bed, self.product, {})
            other = Things(bed, self.product, {})
            self.callers = Callers(self.provider, self.things["guest"].secret, other.secret)
        else:
            self.callers = Callers(self.provider, "gst_a", "gst_b")

    def ask(self, service, operation, headers, things=None, **ids):
        """A request that changes nothing: it is refused for what it sends once the caller is not;
        or, if that would be too early to tell, for its If-Match."""
        cart = ids.get("cart", things.cart if things else str(uuid.uuid4()))
        order = ids.get("order", things.order if things else str(uuid.uuid4()))
        own = {"product": self.product, "cart": cart, "order": order}[service]
        path = operation.path.format(
            id=own, product_id=self.product, order_id=order, file="x.0123456789abcde.css"
        )
        client = getattr(self.bed.services[service], operation.listener)
        if things is None and not ids:
            return client.request(operation.method, f"{path}?no-such-parameter=1", headers=headers)
        bodies = {
            "addItem": {"product_id": self.product, "quantity": 1},
            "setItem": {"quantity": 1},
            "mergeCart": {"source_cart_id": str(uuid.uuid4())},
            "createOrder": {"cart_id": cart},
            "setOrderStatus": {"status": "cancelled"},
        }
        headers = {**headers, **({"If-Match": '"0"'} if operation.method != "GET" else {})}
        body = bodies.get(operation.id)
        if operation.id == "createOrder" and ids.get("user"):
            body["user_id"] = ids["user"]
        return client.request(operation.method, path, json=body, headers=headers)


@pytest.fixture(scope="module")
def provider():
    return tokens.Provider()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return tmp_path_factory.mktemp("auth")


@pytest.fixture(scope="module")
def asking(make_platform, provider, keys):
    settings = tokens.settings(provider, keys) | vouching(provider, keys)
    return Shop(make_platform(gateway=False, worker=settings), provider)


@pytest.fixture(scope="module")
def open_shop(make_platform):
    return Shop(make_platform(gateway=False))


def granted(operation, answer):
    """What the requests of Shop.ask() get from who may."""
    return {"createOrder": 409, "getCart": 200, "getOrder": 200}.get(
        operation.id, 412 if isinstance(TABLE[operation.service][operation.id], Own) else 422
    )


# ---- the table


@pytest.fixture(scope="module")
def operations():
    found = {}
    source_operations(lambda operation: found.update({(operation.service, operation.id): operation}))
    return found


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_each_caller_gets_what_the_table_says(asking, operations, service, name):
    operation, rule = operations[service, name], TABLE[service][name]
    wrong = []
    for owner, things in asking.things.items() if isinstance(rule, Own) else [(None, None)]:
        for caller, headers in asking.callers.headers.items():
            refused = expected(rule, asking.callers, caller, owner)
            answer = asking.ask(service, operation, headers, things)
            status = refused or granted(operation, answer)
            if answer.status != status or not is_challenged(answer) or not is_told(answer, rule, caller):
                wrong.append((owner, caller, status, answer, answer.header("WWW-Authenticate")))
    assert not wrong


def is_told(answer, rule, caller):
    """Whoever shows nothing, or no token, is told what would do."""
    if answer.status != 401 or caller not in ("nobody", "a password"):
        return True
    problem = answer.json()
    names_secret = "Cart-Secret" in problem["detail"]
    return problem["code"] == "unauthorized" and names_secret == isinstance(rule, OwnOrGuests)


def is_challenged(answer):
    """RFC 6750 section 3: a refusal says what is missing, nothing else does."""
    challenge = answer.header("WWW-Authenticate")
    if answer.status not in (401, 403):
        return challenge is None
    code = answer.json()["code"]
    start = 'Bearer realm="shop"'
    return {
        "unauthorized": challenge == start,
        "invalid-token": challenge == f'{start}, error="invalid_token"',
        "insufficient-scope": challenge and challenge.startswith(f'{start}, error="insufficient_scope", scope="'),
        "forbidden": challenge is None,
    }[code]  # fmt: skip


@pytest.mark.parametrize(("service", "name"), OPERATIONS)
def test_with_auth_off_everybody_may(open_shop, operations, service, name):
    operation, rule = operations[service, name], TABLE[service][name]
    things = open_shop.things["ada"] if isinstance(rule, Own) else None
    wrong = []
    for caller, headers in open_shop.callers.headers.items():
        named = {"user": "ada"} if name == "createOrder" else {}
        answer = open_shop.ask(service, operation, headers, things, **named)
        if answer.status != granted(operation, answer):
            wrong.append((caller, answer))
    assert not wrong


SERVICES_OWN = [(service, name) for service, name in OPERATIONS if TABLE[service].get(name) == SERVICE]


@pytest.mark.parametrize(("service", "name"), SERVICES_OWN)
def test_siblings_show_who_they_are(asking, keys, provider, operations, service, name):
    operation = operations[service, name]
    answer = asking.ask(service, operation, tokens.order_headers(keys))
    assert answer.status == 422
    cart = account(provider, "shop-services", "system:serviceaccount:shop:cart")
    answer = asking.ask(service, operation, {"Authorization": f"Bearer {cart}"})
    assert (answer.status, answer.json()["code"]) == (403, "forbidden")
    answer = asking.ask(service, operation, {"Authorization": "Bearer " + "0" * 64})
    assert (answer.status, answer.json()["code"]) == (401, "invalid-token")


# ---- another's thing is no thing


def told(answer):
    """All of an answer that may not tell one 404 from another."""
    problem = answer.json()
    del problem["request_id"]
    varying = ("X-Request-ID", "traceparent", "Date")
    return answer.status, problem, [h for h in answer.headers.items() if h[0] not in varying]


@pytest.mark.parametrize(("service", "name"), OWNED)
def test_anothers_thing_is_as_unknown_as_none(asking, operations, service, name):
    operation = operations[service, name]
    unknown = {"cart": str(uuid.uuid4()), "order": str(uuid.uuid4())}
    answers = []
    for things in asking.things.values():
        answers.append(asking.ask(service, operation, asking.callers.headers["bob"], things))
        if isinstance(TABLE[service][name], OwnOrGuests):
            headers = asking.callers.headers["other guest"]
            answers.append(asking.ask(service, operation, headers, things))
    answers.append(asking.ask(service, operation, asking.callers.headers["bob"], None, **unknown))
    assert answers[0].status == 404
    assert all(told(answer) == told(answers[0]) for answer in answers)
