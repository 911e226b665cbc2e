"""A provider of tokens for tests, and platforms that ask for them (AUTH=jwt)."""

import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

sys.path.append(str(Path(__file__).resolve().parents[2] / "scripts"))

import issuer  # noqa: E402 - from the folder above


class Provider(issuer.Issuer):
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
    (folder / "jwks.json").write_text(json.dumps(provider.jwks()))
    return issuer.make_settings(folder)


def order_headers(folder):
    """What Order shows its siblings."""
    return {"Authorization": f"Bearer {(folder / 'order/product').read_text().strip()}"}
