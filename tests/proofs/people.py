"""Who the clients are. With AUTH=jwt in the environment the services ask: customers have tokens of their own,
half of them are guests with the secrets of their carts, and staff have scopes.

    SETTINGS                               of the workers
    person = Person()                      a customer
    person.names                           what a body says about them
    person.headers(*ids)                   what they show for these carts and orders
    staff("stock:write")                   what staff show
"""

import functools
import itertools
import os
import random
import tempfile
import time
from pathlib import Path

import tokens
from world import unique

AUTH = os.environ.get("AUTH", "off")
assert AUTH in ("off", "jwt"), f"AUTH={AUTH}: must be off or jwt"

# A token is good for five minutes, and no call is sent again for longer than a minute.
RENEWED_AFTER = 60

numbers = itertools.count()
STAFF = "user:staff" if AUTH == "jwt" else None  # as whom they are noted down

# All platforms of a run have the same keys.
provider = tokens.Provider()
folder = tempfile.TemporaryDirectory(prefix="people-", dir="/tmp")
SETTINGS = tokens.settings(provider, Path(folder.name)) if AUTH == "jwt" else {}


class Account:
    """One subject's tokens with some scopes."""

    def __init__(self, subject, scopes=""):
        self.subject = subject
        self.scopes = scopes
        self.shown, self.since = None, 0

    def headers(self):
        if AUTH == "off":
            return {}
        now = time.monotonic()
        if not self.shown or now - self.since > RENEWED_AFTER:
            self.shown, self.since = provider.headers(self.subject, self.scopes), now
        return self.shown


@functools.cache
def account_of_staff(scopes):
    return Account("staff", scopes)


def staff(scopes):
    return account_of_staff(scopes).headers()


class Person:
    """For several threads: one customer in many windows."""

    def __init__(self, guest=None):
        self.name = unique("customer")
        likely = random.Random(next(numbers)).random() < 0.5
        self.guest = AUTH == "jwt" and (likely if guest is None else guest)
        self.account = Account(self.name)
        self.secrets = {}  # by the id of a cart, or of its order

    @property
    def names(self):
        return {} if self.guest else {"user_id": self.name}

    @property
    def actor(self):
        """As whom the services note them down."""
        return ("guest" if self.guest else f"user:{self.name}") if AUTH == "jwt" else None

    def headers(self, *ids):
        if not self.guest:
            return self.account.headers()
        secret = next((self.secrets[one] for one in ids if one in self.secrets), None)
        return {"Cart-Secret": secret} if secret else {}

    def remember(self, answer):
        """What opens the cart of an answer, or the order made of a cart."""
        secret = answer.get("secret") or self.secrets.get(answer.get("cart_id"))
        if self.guest and secret:
            self.secrets[answer["id"]] = secret
