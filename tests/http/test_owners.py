"""Whose things are whose, with AUTH=jwt: what each finds, and a guest's way to an order."""

import re
import uuid

import invariants
import pytest
import stores
from client import is_problem
from market import open_market
from sidecar import entries_of
from testbed import wait_until
from world import made


@pytest.fixture(scope="module")
def market(make_platform, tmp_path_factory):
    return open_market(make_platform, tmp_path_factory.mktemp("auth"), LOG_LEVEL="debug")


# ---- users


def test_the_subject_is_the_user(market):
    ada = market.token("ada")
    assert market.cart(ada)["user_id"] == market.cart(ada, user_id="ada")["user_id"] == "ada"
    order = market.order(ada)
    assert order["user_id"] == "ada"
    assert "secret" not in market.cart(ada)


def test_nobody_else_may_be_named(market):
    bob = market.token("bob")
    cart = market.cart(bob)["id"]
    for answer in (
        market.make_cart(bob, user_id="ada"),
        market.bed.cart.public.get("/carts?user_id=ada", headers=bob),
        market.bed.order.public.get("/orders?user_id=ada", headers=bob),
        market.post_order(cart, bob, user_id="ada"),
    ):
        assert is_problem(answer, 403)["code"] == "forbidden"
    assert is_problem(market.make_cart({}, user_id="ada"), 401)["code"] == "unauthorized"


def test_staff_name_anybody(market):
    staff = market.token("clerk", "carts:write carts:read orders:write orders:read")
    cart = market.cart(staff, user_id="customer-1")
    assert cart["user_id"] == "customer-1"
    market.fill(cart["id"], staff)
    order = made(market.post_order(cart["id"], staff, user_id="customer-1"))
    assert order["user_id"] == "customer-1"
    mine = market.bed.order.public.get("/orders", headers=market.token("customer-1")).json()
    assert [entry["id"] for entry in mine] == [order["id"]]


def test_staff_order_for_whoever_the_cart_belongs_to(market):
    """Also for a guest, whose secret still opens the order; but not for another than they say."""
    clerk = market.token("clerk", "orders:write")
    guests, secret = market.guest()
    customers = market.cart(market.token("customer-2"))["id"]
    for cart, headers, user in ((guests, secret, None), (customers, market.token("customer-2"), "customer-2")):
        market.fill(cart, headers)
        assert market.post_order(cart, clerk, user_id="customer-3").status == 404
        assert market.post_order(cart, market.token("customer-3")).status == 404
        order = made(market.post_order(cart, clerk, key=f"for-{cart}"))
        assert order.get("user_id") == user and order["history"][0]["actor"] == "user:clerk"
        assert made(market.post_order(cart, clerk, key=f"for-{cart}")) == order
        seen = made(market.bed.order.public.get(f"/orders/{order['id']}", headers=headers), 200)
        assert seen["id"] == order["id"]
        assert is_problem(market.post_order(cart, clerk), 409)["order_id"] == order["id"]


def test_lists_and_counts_are_ones_own(market):
    carts, orders = market.bed.cart.public, market.bed.order.public
    eve, mallory = market.token("eve"), market.token("mallory")
    made_carts = [market.cart(eve)["id"] for _ in range(3)]
    made_order = market.order(eve)["id"]
    assert {c["id"] for c in carts.get("/carts", headers=eve).json()} >= set(made_carts)
    answer = carts.get("/carts?count=true", headers=eve)
    assert answer.header("X-Total-Count") == "4"
    for path, client in (("/carts", carts), ("/orders", orders)):
        answer = client.get(f"{path}?count=true", headers=mallory)
        assert (answer.json(), answer.header("X-Total-Count")) == ([], "0")
    everybody = market.token("clerk", "orders:read")
    assert made_order in [o["id"] for o in orders.get("/orders?limit=200", headers=everybody).json()]
    # A scope of one service is none in the other.
    assert orders.get("/orders", headers=market.token("clerk", "carts:read")).json() == []


def test_a_cursor_opens_nothing(market):
    owner, thief = market.token("owner"), market.token("thief")
    for _ in range(3):
        market.cart(owner)
    link = market.bed.cart.public.get("/carts?limit=1", headers=owner).header("Link")
    page = re.search(r"<(\?[^>]*)>", link)[1]
    assert len(market.bed.cart.public.get(f"/carts{page}", headers=owner).json()) == 1
    assert market.bed.cart.public.get(f"/carts{page}", headers=thief).json() == []


def test_a_strangers_order_leaves_nothing(market):
    """No mark on the cart of somebody else, and no trace of the order: as with no cart at all."""
    owner, thief = market.token("owner"), market.token("thief")
    cart, (guests, secret) = market.cart(owner)["id"], market.guest()
    market.fill(cart, owner)
    market.fill(guests, secret)
    for other in (cart, guests, str(uuid.uuid4())):
        assert market.post_order(other, thief).status == 404
    carts, orders = (stores.find(market.bed.directory, name) for name in ("cart", "order"))
    marks = carts.read("SELECT count(*) FROM checkouts WHERE cart_id IN (?, ?)", cart, guests)
    traces = orders.read("SELECT count(*) FROM orders WHERE user_id = ?", "thief")
    assert (int(marks[0][0]), int(traces[0][0])) == (0, 0)


# ---- guests


def test_a_guest_buys(market):
    cart, headers = market.guest()
    market.fill(cart, headers)
    order = made(market.post_order(cart, headers))
    invariants.settle(market.bed.directory, 30)
    assert "user_id" not in order and order["cart_id"] == cart
    path = f"/orders/{order['id']}"
    assert made(market.bed.order.public.get(path, headers=headers), 200)["id"] == order["id"]
    shown = made(market.bed.cart.public.get(f"/carts/{cart}", headers=headers), 200)
    assert "user_id" not in shown and "secret" not in shown and shown["items"] == []
    for other in ({}, {"Cart-Secret": "gst_"}, market.guest()[1], market.token("ada")):
        assert market.bed.order.public.get(path, headers=other).status == (404 if other else 401)
    staff = market.token("clerk", "orders:read")
    assert market.bed.order.public.get(path, headers=staff).status == 200


def test_a_secret_comes_again_with_its_key_and_is_in_no_store(market):
    first = market.make_cart({}, key="guest-key-1")
    again = market.make_cart({}, key="guest-key-1")
    assert again.json() == first.json() and again.header("Idempotent-Replayed") == "true"
    secret = first.json()["secret"]
    assert re.fullmatch("gst_[A-Za-z0-9_-]{43}", secret)
    market.fill(first.json()["id"], {"Cart-Secret": secret, "Idempotency-Key": "guest-key-2"})
    store = stores.find(market.bed.directory, "cart")
    kept = store.read("SELECT count(*) FROM idempotency_keys WHERE key LIKE '%guest-key-%'")
    shown = store.read(
        "SELECT count(*) FROM idempotency_keys"
        " WHERE key LIKE '%gst%' OR headers LIKE '%gst%' OR body LIKE '%gst%'"
    )
    assert (int(kept[0][0]), int(shown[0][0])) == (2, 0)


def test_a_guests_cart_becomes_the_customers(market):
    ada = market.token("ada")
    source, secret = market.guest()
    market.fill(source, secret, quantity=3)
    target = market.cart(ada)["id"]

    def merge(headers):
        path, body = f"/carts/{target}/merge", {"source_cart_id": source}
        return market.bed.cart.public.post(path, json=body, headers=headers)

    assert merge(ada).status == 404
    assert merge({**ada, **market.guest()[1]}).status == 404
    assert merge(secret).status == 401
    assert merge({**market.token("bob"), **secret}).status == 404
    merged = made(merge({**ada, **secret}), 200)
    assert [item["quantity"] for item in merged["items"]] == [3]
    # It opens the source only.
    own = market.cart(ada)["id"]
    path, body = f"/carts/{source}/merge", {"source_cart_id": own}
    assert market.bed.cart.public.post(path, json=body, headers={**ada, **secret}).status == 404
    # The token decides, and the secret opens its cart besides.
    answer = market.bed.cart.public.get(f"/carts/{source}", headers={**ada, **secret})
    assert answer.json()["items"] == []


def test_a_customer_orders_a_guests_cart_by_its_secret(market):
    ada, bob = market.token("ada"), market.token("bob")
    cart, secret = market.guest()
    market.fill(cart, {**ada, **secret})
    assert market.post_order(cart, ada).status == 404
    assert market.post_order(cart, {**ada, **market.guest()[1]}).status == 404
    assert market.post_order(cart, {**ada, **secret}, user_id="ada").status == 404
    key = str(uuid.uuid4())
    order = made(market.post_order(cart, {**ada, **secret}, key=key))
    assert market.post_order(cart, {**ada, **secret}, key=key).json() == order
    # It is the guest's, as the cart is.
    path = f"/orders/{order['id']}"
    for headers, status in ((secret, 200), ({**bob, **secret}, 200), (ada, 404), (bob, 404)):
        assert market.bed.order.public.get(path, headers=headers).status == status
    # A customer's own cart is theirs, whatever else they show.
    own = market.cart(ada)["id"]
    market.fill(own, ada)
    order = made(market.post_order(own, {**ada, **secret}))
    assert market.bed.order.public.get(f"/orders/{order['id']}", headers=ada).status == 200


# ---- what changes an order


def set_status(market, order, status, headers):
    path = f"/orders/{order['id']}/status"
    return market.bed.order.public.put(path, json={"status": status}, headers=headers)


def test_a_customer_cancels_what_nobody_works_on(market):
    ada, staff = market.token("ada"), market.token("clerk", "orders:write")
    order = market.order(ada)
    refused = set_status(market, order, "shipped", ada)
    assert is_problem(refused, 403)["code"] == "insufficient-scope"
    assert 'scope="orders:write"' in refused.header("WWW-Authenticate")
    assert set_status(market, order, "cancelled", market.token("bob")).status == 404
    assert made(set_status(market, order, "cancelled", ada), 200)["status"] == "cancelled"
    assert made(set_status(market, order, "cancelled", ada), 200)["status"] == "cancelled"
    other = market.order(ada)
    made(set_status(market, other, "processing", staff), 200)
    assert is_problem(set_status(market, other, "cancelled", ada), 403)["code"] == "insufficient-scope"
    assert made(set_status(market, other, "cancelled", staff), 200)["status"] == "cancelled"


def test_a_customer_tells_nothing_else(market):
    """Neither a parcel's number nor remarks on what is cancelled."""
    ada, staff = market.token("ada"), market.token("clerk", "orders:write")
    order = market.order(ada)

    def cancel(headers, **more):
        body = {"status": "cancelled", **more}
        return market.bed.order.public.put(f"/orders/{order['id']}/status", json=body, headers=headers)

    refused = cancel(ada, tracking_number="T-1")
    assert is_problem(refused, 403)["code"] == "insufficient-scope"
    cancelled = made(cancel(ada, reason="too late"), 200)
    assert made(cancel(ada, reason="too late"), 200) == cancelled
    assert is_problem(cancel(ada, reason="another"), 403)["code"] == "insufficient-scope"
    assert cancel(ada, tracking_number="T-1").status == 403
    assert made(cancel(staff, reason="another"), 200)["version"] == cancelled["version"] + 1


def test_staff_see_who_did_it(market):
    """Also where a user is called like a guest, or below like a service."""
    ada, staff = market.token("ada"), market.token("guest", "orders:write orders:read")
    order = market.order(ada)
    path = f"/orders/{order['id']}"
    made(set_status(market, order, "processing", staff), 200)
    seen = made(market.bed.order.public.get(path, headers=staff), 200)["history"]
    assert [event["actor"] for event in seen] == ["user:ada", "user:guest"]
    listed = made(market.bed.order.public.get("/orders?user_id=ada", headers=staff), 200)
    assert [e["actor"] for o in listed if o["id"] == order["id"] for e in o["history"]] == ["user:ada", "user:guest"]
    own = made(market.bed.order.public.get(path, headers=ada), 200)["history"]
    assert not [event for event in own if "actor" in event]
    cart, secret = market.guest()
    market.fill(cart, secret)
    bought = made(market.post_order(cart, secret))
    path = f"/orders/{bought['id']}"
    assert made(market.bed.order.public.get(path, headers=staff), 200)["history"][0]["actor"] == "guest"


# ---- Idempotency-Keys


def test_anothers_key_gives_nothing_away(market):
    """The same operation, key and body: each gets a cart of their own."""
    ada = made(market.make_cart(market.token("ada"), key="shared"))
    bob = made(market.make_cart(market.token("bob"), key="shared"))
    nobody = made(market.make_cart({}, key="shared"))
    assert (ada["user_id"], bob["user_id"], nobody.get("user_id")) == ("ada", "bob", None)
    assert len({ada["id"], bob["id"], nobody["id"]}) == 3
    assert made(market.make_cart(market.token("ada"), key="shared")) == ada


def test_a_repeated_order_needs_its_owner(market):
    ada = market.token("ada")
    cart = market.cart(ada)["id"]
    market.fill(cart, ada)
    order = made(market.post_order(cart, ada, key="order-key"))
    assert made(market.post_order(cart, ada, key="order-key"))["id"] == order["id"]
    assert market.post_order(cart, market.token("bob"), key="order-key").status == 404
    assert market.post_order(cart, {}, key="order-key").status == 401
    sue = market.token("sue")
    for rights in (market.token("sue", "orders:write"), sue):
        cart, secret = market.guest()
        market.fill(cart, secret)
        made(market.post_order(cart, {**rights, **secret}, key=cart))
        refused = market.post_order(cart, sue, key=cart)
        assert is_problem(refused, 404) and refused.header("Location") is None


def test_a_repeated_cart_needs_its_scope(market):
    """Who made it for somebody else as staff is staff no more."""
    staff, same = market.token("sue", "carts:write"), market.token("sue")
    made(market.make_cart(staff, key="cart-key", user_id="ada"))
    refused = market.make_cart(same, key="cart-key", user_id="ada")
    assert is_problem(refused, 403)["code"] == "forbidden"
    assert refused.header("Location") is None and refused.header("Idempotent-Replayed") is None


def test_a_refusal_is_kept_for_the_same_rights_only(market):
    """With a scope or a secret more or less, a repeated request is told what a new one would be."""
    lines = market.bed.cart.public.clone()

    def add(cart, headers, key, quantity):
        body = {"product_id": market.product, "quantity": quantity}
        more = {"Idempotency-Key": key}
        return lines.post(f"/carts/{cart}/items", json=body, headers={**headers, **more}).status

    staff, same = market.token("kim", "carts:write orders:write"), market.token("kim")
    theirs = market.cart(market.token("ada"))["id"]
    guests, secret = market.guest()
    for cart, more in ((theirs, staff), (guests, {**same, **secret})):
        key = f"{cart}-1"
        assert [add(cart, headers, key, 999) for headers in (more, same, more)] == [200, 404, 200]
        key = f"{cart}-2"
        assert [add(cart, headers, key, 1) for headers in (more, same, more)] == [409, 404, 409]
        key = f"{cart}-3"
        assert [add(cart, headers, key, 1) for headers in (same, more)] == [404, 409]
        assert made(market.post_order(cart, more))["id"]
        again = [market.post_order(cart, headers, key=key).status for headers in (more, same, more)]
        assert again == [409, 404, 409]
    assert market.make_cart(same, key=key, user_id="ada").status == 403
    assert market.make_cart(staff, key=key, user_id="ada").status == 201
    own = market.cart(same)["id"]
    first = market.post_order(own, same, key=own)
    assert is_problem(first, 409)["code"] == "cart-empty"
    market.fill(own, same)
    assert market.post_order(own, same, key=own).header("Idempotent-Replayed") == "true"


# ---- what takes a scope when it is sent


def test_stock_takes_its_scope(market):
    products = market.bed.product.public
    seller = market.token("seller", "products:write")
    keeper = market.token("keeper", "products:write stock:write")
    path = "/products"
    lamp = {"name": "Lamp", "price": 1}
    refused = products.post(path, json={**lamp, "inventory": 5}, headers=seller)
    assert is_problem(refused, 403)["code"] == "insufficient-scope"
    assert 'scope="stock:write"' in refused.header("WWW-Authenticate")
    product = made(products.post(path, json={**lamp, "inventory": 5}, headers=keeper))
    path = f"/products/{product['id']}"
    # Whole, without stock, it would be set to 0.
    assert products.put(path, json=lamp, headers=seller).status == 403
    assert products.patch(path, json={"inventory": None}, headers=seller).status == 403
    patched = made(products.patch(path, json={"name": "Lamp 2"}, headers=seller), 200)
    assert (patched["name"], patched["inventory"]) == ("Lamp 2", 5)
    assert made(products.put(path, json=lamp, headers=keeper), 200)["inventory"] == 0
    assert made(products.put(path, json=lamp, headers=seller), 200)["inventory"] == 0


def test_the_ledger_says_who_did_it(market):
    keeper = market.token("keeper", "products:write stock:write stock:read")
    products = market.bed.product.public
    body = {"name": "Lamp", "price": 1, "inventory": 5, "sku": "LEDGER-1"}
    product = made(products.post("/products", json=body, headers=keeper))["id"]
    path = f"/products/{product}"
    clerk = market.token("order", "stock:write")
    made(products.post(f"{path}/stock", json={"delta": 1, "reason": "counted"}, headers=clerk), 200)
    made(products.patch(path, json={"inventory": 9}, headers=keeper), 200)
    lines = b'{"sku":"LEDGER-1","name":"Lamp","price":1,"inventory":3}\n'
    headers = {"Content-Type": "application/x-ndjson", **keeper}
    made(products.request("POST", "/products/bulk", body=lines, headers=headers), 200)
    cart, secret = market.guest()
    line = {"product_id": product, "quantity": 1}
    made(market.bed.cart.public.post(f"/carts/{cart}/items", json=line, headers=secret), 200)
    made(market.post_order(cart, secret))
    ledger = made(products.get(f"{path}/stock/movements", headers=keeper), 200)
    actors = [(entry["reason"], entry.get("actor")) for entry in reversed(ledger)]
    assert actors == [("opening", "user:keeper"), ("counted", "user:order"), ("set", "user:keeper"),
                      ("import", "user:keeper"), ("hold", "service:order")]  # fmt: skip


def test_lines_of_an_import_take_it_each(market):
    lines = b'{"sku":"I-1","name":"a","price":1,"inventory":1}\n{"sku":"I-2","name":"b","price":1}\n'
    headers = {"Content-Type": "application/x-ndjson", **market.token("seller", "products:write")}
    answer = market.bed.product.public.request("POST", "/products/bulk", body=lines, headers=headers)
    results = [line for line in answer.body.decode().splitlines()]
    assert '"status":"error"' in results[0] and "stock:write" in results[0]
    assert '"status":"created"' in results[1]


def test_what_is_public_ignores_a_bad_token(market):
    expired = market.provider.headers("ada", lifetime=-60)
    assert market.bed.product.public.get("/products", headers=expired).status == 200
    assert market.bed.product.public.get(f"/products/{market.product}", headers=expired).status == 200
    answer = market.bed.product.public.get("/products?low_stock=true", headers=expired)
    assert is_problem(answer, 401)["code"] == "invalid-token"


def test_two_authorizations_are_refused(market):
    headers = market.token("ada")["Authorization"]
    with market.bed.cart.public.clone() as client:
        client.connection.putrequest("GET", "/carts")
        client.connection.putheader("Authorization", headers)
        client.connection.putheader("Authorization", headers)
        client.connection.endheaders()
        assert client.connection.getresponse().status == 400


def test_scopes_are_refused_before_the_body_is_looked_at(market):
    answer = market.bed.product.public.request(
        "POST", "/products", body=b"{", headers={"Content-Type": "text/plain", **market.token("ada")}
    )
    assert answer.status == 403


def test_figures_of_tokens(market):
    market.bed.cart.public.get("/carts", headers=market.provider.headers("ada", lifetime=-60))
    figures = market.bed.cart.health.get("/metrics").body.decode()
    assert re.search(r'^auth_refused_total\{reason="expired"\} [1-9]', figures, re.M)
    assert re.search(r"^auth_token_cache_misses_total [1-9]", figures, re.M)


def test_no_token_and_no_secret_is_logged(market):
    """Neither by a worker, at any level, nor by nginx."""
    cart, secret = market.guest()
    asked = {**market.token("ada"), **secret, "X-Request-ID": "secretly"}
    assert market.bed.cart.public.get(f"/carts/{cart}", headers=asked).status == 200
    wait_until(lambda: "secretly" in market.bed.cart.worker.logged(), 30, "the worker logs it")
    assert entries_of(market.bed.cart.nginx, "secretly")
    seen = "".join(process.logged() for process in market.bed.processes())
    seen += str([service.nginx.access_entries() for service in market.bed.services.values()])
    assert "answered" in seen and "/carts" in seen
    assert "gst_" not in seen and "eyJ" not in seen
