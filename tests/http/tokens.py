"""A provider of tokens for tests, and platforms that ask for them (AUTH=jwt)."""

import base64
import json
import secrets
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ISSUER = "https://provider.example"
AUDIENCE = "shop"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """A key, what it publishes, and the tokens that it signs."""

    def __init__(self, kid="1"):
        self.kid = kid
        self.key = Ed25519PrivateKey.generate()

    def jwks(self):
        public = self.key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        return {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": base64url(public)}]}

    def token(self, sub=None, scopes="", lifetime=3600, **claims):
        """Of a customer, or of staff with scopes; claims replace or, where None, leave out."""
        now = int(time.time())
        body = {"iss": ISSUER, "aud": AUDIENCE, "exp": now + lifetime, "iat": now, "sub": sub}
        body |= {"scope": scopes, "client_id": "storefront", **claims}
        header = {"alg": "EdDSA", "typ": "at+jwt", "kid": self.kid}
        body = {name: value for name, value in body.items() if value is not None}
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (header, body))
        return f"{signed}.{base64url(self.key.sign(signed.encode()))}"

    def headers(self, sub=None, scopes="", **claims):
        return {"Authorization": f"Bearer {self.token(sub, scopes, **claims)}"}


def settings(provider, folder):
    """What workers need to ask for tokens; the files are written into the folder."""
    key = secrets.token_hex(32) + "\n"
    files = {
        "jwks.json": json.dumps(provider.jwks()),
        "guest-keys": secrets.token_hex(32) + "\n",
        "service-keys": f"order {key}",
        "cart": key,
        "product": key,
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return {
        "AUTH": "jwt",
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS": folder / "jwks.json",
        "GUEST_KEYS": folder / "guest-keys",
        "SERVICE_KEYS": folder / "service-keys",
        "SERVICE_TOKENS": folder,
    }


def order_headers(folder):
    """What Order shows its siblings."""
    return {"Authorization": f"Bearer {(folder / 'product').read_text().strip()}"}
