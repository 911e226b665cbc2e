"""The settings of AUTH: bad ones are named and prevent the start; keys that change are read anew."""

import json

import pytest
import tokens
from test_start import messages, run_worker
from testbed import SERVICES, wait_until

pytestmark = pytest.mark.storeless

SECRET = "0123456789abcdef0123456789abcdef"
FILES = {"none": None, "empty": "", "short": "x\n", "spaces": f"a {SECRET} \n", "three": f"{SECRET}\n" * 3}


def refused(tmp_path, service, **settings):
    good = tokens.settings(tokens.Provider(), tmp_path)
    status, log = run_worker(service, tmp_path, {**good, **settings})
    assert status == 1
    assert not list(tmp_path.glob("*.db*"))
    return messages(log)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("value", ["", "on", "JWT", "off "])
def test_who_may_call_must_be_said(tmp_path, service, value):
    status, log = run_worker(service, tmp_path, {"AUTH": value})
    assert status == 1
    assert any(message.startswith("AUTH=") for message in messages(log))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AUTH_ISSUER", ""),
        ("AUTH_AUDIENCE", ""),
        ("AUTH_JWKS", "/nonexistent/jwks.json"),
        ("AUTH_JWKS", "/etc/hostname"),
        ("AUTH_JWKS", "http://provider.example/keys"),
        ("AUTH_JWKS", "https://"),
        ("AUTH_SCOPES", "scope"),
        ("AUTH_SCOPES", "/scope,"),
        ("AUTH_SCOPES", "/a~2"),
        ("AUTH_SCOPES", ",".join("/a" for _ in range(9))),
        ("AUTH_ALGORITHMS", "none"),
        ("AUTH_ALGORITHMS", "HS256"),
        ("AUTH_ALGORITHMS", "ES256,"),
        ("AUTH_CLOCK_SKEW", "-1"),
        ("AUTH_CLOCK_SKEW", "301"),
        ("AUTH_CLOCK_SKEW", "x"),
    ],
)
def test_a_bad_setting_of_tokens_is_named(tmp_path, name, value):
    assert any(name in message for message in refused(tmp_path, "product", **{name: value}))


@pytest.mark.parametrize("issuer", ["shop", "http://provider.example", "https://provider.example?a=b"])
def test_a_provider_that_cannot_be_asked_is_refused(tmp_path, issuer):
    found = refused(tmp_path, "product", AUTH_JWKS="", AUTH_ISSUER=issuer)
    assert any("AUTH_ISSUER" in message for message in found)


def test_a_socket_that_cannot_be_is_refused(tmp_path):
    found = refused(tmp_path, "product", AUTH_JWKS="", PROVIDER_SOCKET="/" + 107 * "a")
    assert any("PROVIDER_SOCKET" in message for message in found)


def test_people_sign_in_at_an_address(tmp_path):
    said = refused(tmp_path, "product", AUTH_ISSUER="provider", AUTH_DOCS_CLIENT="docs")
    assert any("AUTH_ISSUER" in message and "AUTH_DOCS_CLIENT" in message for message in said)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize(
    ("service", "name"),
    [("cart", "GUEST_KEYS"), ("order", "GUEST_KEYS"), ("cart", "SERVICE_KEYS"), ("product", "SERVICE_KEYS")],
)
def test_a_bad_file_of_keys_is_named(tmp_path, service, name, kind):
    path = tmp_path / "bad"
    if FILES[kind] is not None:
        path.write_text(FILES[kind])
    said = refused(tmp_path, service, **{name: path})
    assert any(name in message for message in said)
    assert not any(SECRET in message for message in said)


@pytest.mark.parametrize("service", ["cart", "product"])
@pytest.mark.parametrize("name", ["ordr", "orders", "orde", "cart", "product", "operator", "service"])
def test_a_key_of_a_service_that_does_not_call_is_named(tmp_path, service, name):
    path = tmp_path / "keys"
    path.write_text(f"order {SECRET[::-1]}\n{name} {SECRET}\n")
    (said,) = [text for text in refused(tmp_path, service, SERVICE_KEYS=path) if "SERVICE_KEYS" in text]
    assert f'"{name}"' in said and said.split(":")[-1].split() == ["order"]
    assert SECRET not in said


@pytest.mark.parametrize("value", ["", "/nonexistent"])
def test_what_order_shows_its_siblings_must_be_there(tmp_path, value):
    said = refused(tmp_path, "order", SERVICE_TOKENS=value)
    assert any("SERVICE_TOKENS" in message for message in said)


def test_a_service_needs_only_what_it_uses(make_platform, tmp_path):
    settings = tokens.settings(tokens.Provider(), tmp_path)
    for name in ("GUEST_KEYS", "SERVICE_TOKENS"):
        settings[name] = "/nonexistent"
    bed = make_platform(services=("product",), gateway=False, worker=settings)
    assert bed.product.public.get("/products").status == 200


def test_another_set_of_keys_takes_the_place_of_the_old(make_platform, tmp_path):
    old, new = tokens.Provider("old"), tokens.Provider("new")
    settings = tokens.settings(old, tmp_path)
    bed = make_platform(services=("cart",), gateway=False, worker=settings)

    def publish(text):
        fresh = tmp_path / "fresh"
        fresh.write_text(text)
        fresh.replace(settings["AUTH_JWKS"])

    def status(provider):
        return bed.cart.public.get("/carts", headers=provider.headers("ada")).status

    assert (status(old), status(new)) == (200, 401)
    publish(json.dumps({"keys": old.jwks()["keys"] + new.jwks()["keys"]}))
    wait_until(lambda: status(new) == 200, 10, "the new key counts")
    assert status(old) == 200
    kept = old.headers("ada")
    assert bed.cart.public.get("/carts", headers=kept).status == 200
    publish(json.dumps(new.jwks()))
    # Also a token that was verified before.
    wait_until(lambda: bed.cart.public.get("/carts", headers=kept).status == 401, 10, "the old is gone")
    publish("not a set")
    wait_until(
        lambda: status(new) == 200 and "cannot read the provider's keys" in bed.cart.worker.logged(),
        10, "the bad set was reported",
    )  # fmt: skip
    assert status(new) == 200


def test_a_new_key_of_guests_leaves_their_carts_open(make_platform, tmp_path):
    settings = tokens.settings(tokens.Provider(), tmp_path)
    bed = make_platform(services=("cart",), gateway=False, worker=settings)
    first = bed.cart.public.post("/carts", json={}).json()
    keys = settings["GUEST_KEYS"]
    old = keys.read_text()

    def status(cart):
        headers = {"Cart-Secret": cart["secret"]}
        return bed.cart.public.get(f"/carts/{cart['id']}", headers=headers).status

    keys.write_text("another-key-of-32-characters-long" + "\n" + old)
    bed.cart.restart_worker()
    second = bed.cart.public.post("/carts", json={}).json()
    assert (status(first), status(second)) == (200, 200)
    keys.write_text("another-key-of-32-characters-long")
    bed.cart.restart_worker()
    assert (status(first), status(second)) == (404, 200)
