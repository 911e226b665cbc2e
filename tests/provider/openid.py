"""Runs provider.mjs beside a platform: a certified OpenID Connect provider from npm, on loopback."""

import hashlib
import json
import secrets
import signal
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener, urlopen
from urllib.response import addinfourl

from cryptography.hazmat.primitives.asymmetric import rsa
from testbed import Process, SLOWNESS, free_ports, wait_until

HERE = Path(__file__).resolve().parent
READY_WITHIN = 60 * SLOWNESS


class OpenIdProvider:
    """A context. The settings besides the port are those of provider.mjs."""

    def __init__(self, folder, **settings):
        (port,) = free_ports(1)
        self.issuer = f"http://127.0.0.1:{port}"
        self.settings = {"port": port, **settings}
        self.process = Process("provider", folder / "provider.log", "KILL")

    def document(self, path):
        with urlopen(self.issuer + path, timeout=10) as answer:
            return json.load(answer)

    def answers(self):
        assert self.process.alive(), self.process.logged()
        try:
            return self.document("/.well-known/openid-configuration")["issuer"] == self.issuer
        except OSError:
            return False

    def __enter__(self):
        self.start()
        return self

    def start(self, **settings):
        """Again, too, with other settings, at the same address."""
        self.settings |= settings
        self.process.start(["node", HERE / "provider.mjs"], {"PROVIDER": json.dumps(self.settings)}, HERE)
        wait_until(self.answers, READY_WITHIN, "the provider answers")

    def stop(self):
        if self.process.alive():
            self.process.end(signal.SIGTERM)

    def __exit__(self, *_):
        self.stop()

    def ask(self, path, form, headers=()):
        """What the provider answers to a form, as JSON."""
        request = Request(self.issuer + path, urlencode(form).encode(), dict(headers))
        with urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def token(self, scopes="", **form):
        """Of the client "backend", which is staff if it has scopes and a customer without."""
        basic = {"Authorization": f"Basic {b64encode(b'backend:backend').decode()}"}
        form = {"grant_type": "client_credentials", **({"scope": scopes} if scopes else {}), **form}
        return self.ask("/token", form, basic)["access_token"]

    def sign_in(self, name, redirect):
        """A person's tokens for the public client "docs", as a browser gets them (PKCE)."""
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        asked = {
            "client_id": "docs", "response_type": "code", "scope": "openid", "redirect_uri": redirect,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }  # fmt: skip
        browser = build_opener(HTTPCookieProcessor(), StopAt(redirect))
        form = browser.open(f"{self.issuer}/auth?{urlencode(asked)}", timeout=30)
        back = browser.open(form.url, urlencode({"login": name}).encode(), timeout=30).url
        (code,) = parse_qs(urlsplit(back).query)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
        return self.ask("/token", form | {"client_id": "docs", "code_verifier": verifier})


class StopAt(HTTPRedirectHandler):
    """Does not go where the client would be: nobody listens there."""

    def __init__(self, address):
        self.address = address

    def http_error_303(self, request, fp, code, message, headers):
        if headers["Location"].startswith(self.address):
            return addinfourl(fp, headers, headers["Location"], code)
        return super().http_error_303(request, fp, code, message, headers)

    http_error_302 = http_error_303


def make_key(kid):
    """A private key as a JWK, for the setting "keys"."""
    numbers = rsa.generate_private_key(65537, 2048).private_numbers()
    public = numbers.public_numbers
    parts = {"n": public.n, "e": public.e, "d": numbers.d, "p": numbers.p, "q": numbers.q}
    parts |= {"dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp}
    encoded = {name: urlsafe_b64encode(part.to_bytes((part.bit_length() + 7) // 8, "big")) for name, part in parts.items()}
    key = {name: text.rstrip(b"=").decode() for name, text in encoded.items()}
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": kid, **key}
