"""A provider of tokens for tests, and platforms that ask for them (AUTH=jwt)."""

import json
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

from issuer import AUDIENCE, ISSUER, Issuer  # noqa: E402 - from the folder above


class Provider(Issuer):
    """A key, what it publishes, and the tokens that it signs."""

    def __init__(self, kid="1"):
        super().__init__(Ed25519PrivateKey.generate())
        self.jwk["kid"] = kid

    def jwks(self):
        return {"keys": [self.jwk]}

    def token(self, sub=None, scopes="", lifetime=3600, **claims):
        """Of a customer, or of staff with scopes; claims replace or, where None, leave out."""
        return super().token(sub, scopes, lifetime, **{"client_id": "storefront", **claims})

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
