"""scripts/issuer.py: what it makes, and that a service takes its tokens."""

import base64
import json
import stat
import subprocess

import pytest
import tokens
from client import is_problem
from testbed import ROOT

pytestmark = pytest.mark.storeless
SCRIPT = ROOT / "scripts" / "issuer.py"


def run(folder, *options):
    done = subprocess.run([SCRIPT, folder, *options], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def claims(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issuer")
    assert run(folder) == ""
    return folder


@pytest.fixture(scope="module")
def product(make_platform, folder, tmp_path_factory):
    """A service that trusts the issuer."""
    settings = tokens.settings(tokens.Provider(), tmp_path_factory.mktemp("keys"))
    settings["AUTH_JWKS"] = folder / "jwks.json"
    bed = make_platform(services=("product",), gateway=False, worker=settings)
    return bed.product.public


def read_stock(product, token):
    return product.get("/products?low_stock=true", headers={"Authorization": f"Bearer {token}"})


def test_the_key_stays_and_only_its_owner_reads_it(folder):
    path = folder / "issuer.pem"
    key = path.read_bytes()
    published = (folder / "jwks.json").read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    run(folder, "--user", "ada")
    assert path.read_bytes() == key
    assert (folder / "jwks.json").read_bytes() == published
    (jwk,) = json.loads(published)["keys"]
    assert "d" not in jwk
    assert {entry.name for entry in folder.iterdir()} == {"issuer.pem", "jwks.json"}


def test_runs_side_by_side_have_one_key(tmp_path):
    started = [subprocess.Popen([SCRIPT, tmp_path, "--user", "ada"], stdout=subprocess.PIPE) for _ in range(4)]
    headers = {process.communicate()[0].split(b".")[0] for process in started}
    assert all(process.returncode == 0 for process in started)
    assert len(headers) == 1  # which names the key


def test_what_a_token_says(folder):
    customer = claims(run(folder, "--user", "ada", "--minutes", "5"))
    assert (customer["sub"], customer["scope"]) == ("ada", "")
    assert customer["exp"] - customer["iat"] == 300
    staff = claims(run(folder, "--scopes", "stock:read stock:write"))
    assert (staff["sub"], staff["scope"]) == ("staff", "stock:read stock:write")


def test_a_service_takes_the_tokens(product, folder):
    assert read_stock(product, run(folder, "--scopes", "stock:read")).status == 200
    assert read_stock(product, run(folder, "--user", "ada")).status == 403


def test_a_service_refuses_what_the_issuer_did_not_say(product, folder, tmp_path):
    own = tokens.issuer.Issuer.in_folder(folder)
    stranger = tokens.issuer.Issuer.in_folder(tmp_path)
    stranger.jwk["kid"] = own.jwk["kid"]
    good = own.token("staff", "stock:read")
    for token in (
        stranger.token("staff", "stock:read"),
        own.token("staff", "stock:read", seconds=-60),
        own.token("staff", "stock:read", aud="account"),
        own.token("staff", "stock:read", iss="https://other.invalid"),
        own.token("staff", "stock:read", exp=None),
        own.token(None, "stock:read"),
        good[:-1],
        good + "=",
    ):
        is_problem(read_stock(product, token), 401, "invalid-token")
    assert read_stock(product, good).status == 200
