#!/usr/bin/python3
"""Issues access tokens for local use, where no provider is at hand.

    scripts/issuer.py FOLDER [--user NAME] [--scopes "NAME ..."] [--minutes NUMBER]

FOLDER has issuer.pem, the private key (EdDSA), which is made once and which its owner alone can read, and
jwks.json, the public one: the AUTH_JWKS of services with AUTH_ISSUER and AUTH_AUDIENCE as below. With a
user or scopes it prints a token: of that customer, or of staff with those scopes.
"""

import argparse
import base64
import hashlib
import json
import os
import secrets
import subprocess
import time
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ISSUER = "https://issuer.invalid"  # a name that nobody can have (RFC 2606)
AUDIENCE = "shop"
CLIENT = "issuer.py"
STAFF = "staff"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


class Issuer:
    """A key pair and the tokens that it signs."""

    def __init__(self, key):
        self.key = key
        public = key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
        self.jwk = {"crv": "Ed25519", "kty": "OKP", "x": base64url(public)}
        # The thumbprint of RFC 7638: these members in this order.
        self.jwk["kid"] = base64url(hashlib.sha256(compact(self.jwk)).digest())

    @classmethod
    def in_folder(cls, folder):
        """That of the folder, made if need be; jwks.json is what its key publishes."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "issuer.pem"
        if not path.exists():
            write(path, private_pem(Ed25519PrivateKey.generate()), 0o600, replace=False)
        issuer = cls(serialization.load_pem_private_key(path.read_bytes(), None))
        published, text = folder / "jwks.json", compact({"keys": [issuer.jwk]}) + b"\n"
        # Workers read it anew when it changes, and forget what they know of tokens.
        if not published.exists() or published.read_bytes() != text:
            write(published, text, 0o644, replace=True)
        return issuer

    def token(self, subject, scopes="", seconds=3600, **claims):
        """claims replace those that it has anyway, or, where None, leave them out."""
        now = int(time.time())
        payload = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + seconds}
        payload |= {"jti": secrets.token_hex(16), "client_id": CLIENT, "sub": subject, "scope": scopes}
        payload = {name: value for name, value in (payload | claims).items() if value is not None}
        header = {"alg": "EdDSA", "typ": "at+jwt", "kid": self.jwk["kid"]}
        signed = ".".join(base64url(compact(part)) for part in (header, payload))
        return f"{signed}.{base64url(self.key.sign(signed.encode()))}"


def make_settings(folder):
    """Of a worker that takes the tokens of the folder's key. The keys that it needs beside are made."""
    subprocess.run([Path(__file__).with_name("make-keys.sh"), folder], check=True)
    return {
        "AUTH": "jwt",
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS": folder / "jwks.json",
        "GUEST_KEYS": folder / "guest-keys",
        "SERVICE_KEYS": folder / "service-keys",
        "SERVICE_TOKENS": folder / "order",
    }


def private_pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def write(path, content, mode, replace):
    """All of the file or nothing of it. Unless it replaces a file, the first of several stays."""
    written = path.with_name(f".{path.name}.{os.getpid()}")
    written.touch(mode)
    try:
        written.write_bytes(content)
        if replace:
            written.replace(path)
        else:
            os.link(written, path)
    except FileExistsError:
        pass
    finally:
        written.unlink(missing_ok=True)


def read_arguments():
    parser = argparse.ArgumentParser(description="Issues access tokens for local use.")
    parser.add_argument("folder", type=Path, help="where the key is, or is to be")
    parser.add_argument("--user", default="", help="the user_id, sub in the token")
    parser.add_argument("--scopes", default="", help='what staff may do: "products:write stock:write"')
    parser.add_argument("--minutes", type=int, default=60, help="until it expires (60)")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    issuer = Issuer.in_folder(arguments.folder)
    if arguments.user or arguments.scopes:
        print(issuer.token(arguments.user or STAFF, arguments.scopes, arguments.minutes * 60))


if __name__ == "__main__":
    main()
