"""The same carts at a worker that asks for tokens and at one that does not."""

import http.client
import json
import re
import sys
from urllib.request import urlopen

from load import Row
from pair import Pair
from report import at_most, prose
from stack import ROOT
from subjects import ADDRESS, Service

sys.path.append(str(ROOT / "scripts"))
from issuer import Issuer, make_settings  # noqa: E402 - from the folder above

NAMES = ("AUTH=off", "AUTH=jwt, a token")
CUSTOMERS = 500  # each with a cart and a token: half of what a worker's cache takes
CONNECTIONS = 32
LOWEST = 0.95
# What a usual provider adds: a token has about 700 bytes.
CLAIMS = {
    "azp": "storefront",
    "email_verified": True,
    "name": "Ada Lovelace",
    "preferred_username": "ada",
    "realm_access": {"roles": ["offline_access", "uma_authorization"]},
}


def forge(tokens):
    """Each with the signature of the next: it has to be verified before it can be refused."""
    signatures = [token.rpartition(".")[2] for token in (*tokens[1:], tokens[0])]
    return [token.rpartition(".")[0] + "." + other for token, other in zip(tokens, signatures)]


def with_tokens(paths, tokens):
    return [f"{path} {token}" for path, token in zip(paths, tokens)]


def make_carts(service, users, tokens=None):
    """A cart of each; their paths."""
    connection = http.client.HTTPConnection(ADDRESS, service.public_port, timeout=10)
    paths = []
    for number, user in enumerate(users):
        headers = {"Content-Type": "application/json"}
        if tokens:
            headers["Authorization"] = f"Bearer {tokens[number]}"
        connection.request("POST", "/carts", json.dumps({"user_id": user}), headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 201:
            raise RuntimeError(f"POST /carts: {answer.status} {body[:300]!r}")
        paths.append(f"/carts/{json.loads(body)['id']}")
    return paths


class Guarded:
    """Two cart workers with carts of the same customers: one asks nobody, to the other everybody shows
    a token of theirs; a flood of forged ones follows."""

    def __init__(self, stack, scale, say):
        say("starting two cart services, one of them with AUTH=jwt")
        self.stack = stack
        folder = stack.path("issuer")
        issuer = Issuer.in_folder(folder)
        users = [f"customer-{number}" for number in range(CUSTOMERS)]
        tokens = [issuer.token(user, "openid profile email", **CLAIMS) for user in users]
        asks_nobody = self._start("open")
        self.worker = self._start("guarded", **make_settings(folder))
        first = self._row("open", asks_nobody, make_carts(asks_nobody, users))
        paths = make_carts(self.worker, users, tokens)
        second = self._row("guarded", self.worker, with_tokens(paths, tokens))
        self.flood = self._row("forged", self.worker, with_tokens(paths, forge(tokens)))
        self.pair = Pair(NAMES, {"get": first}, {"get": second}, {"get": (CONNECTIONS,)})
        self.pair.measure(scale.pair_rounds, scale.pair_seconds, say)
        say("forged tokens, and the others again")
        self.forged = self._measure_flood(scale.seconds)
        before = self._misses()
        second.spell(CONNECTIONS, scale.seconds)
        self.evicted = self._misses() - before

    def _start(self, name, **settings):
        nobody = f"http://{ADDRESS}:1"  # no cart gets an item
        settings["PRODUCT_SERVICE_URL"] = nobody
        service = Service(self.stack, "cart", f"{name}-cart", **settings)
        service.start()
        return service

    def _row(self, name, service, lines):
        paths = self.stack.write_lines(f"{name}-carts", lines)
        return Row("GET one cart", service.public_port, [service.worker], paths)

    def _measure_flood(self, seconds):
        self.flood.measure(CONNECTIONS, seconds)
        cell = self.flood.cells[CONNECTIONS]
        (sample,) = cell.samples
        if sample.broken or sample.refused != sample.requests:
            raise RuntimeError("not every forged token was refused")
        return cell

    def _misses(self):
        """Of tokens that were not among the verified ones."""
        metrics = urlopen(f"http://{ADDRESS}:{self.worker.health_port}/metrics", timeout=10).read()
        return int(re.search(rb"^auth_token_cache_misses_total (\d+)", metrics, re.M).group(1))

    def failures(self):
        return self.pair.failures()

    def floors(self):
        return [
            self.pair.floor(f"with a token ≥ {LOWEST} × without", "get", CONNECTIONS, LOWEST),
            at_most("tokens evicted by a flood of forged ones", self.evicted, 0, ""),
        ]

    def section(self):
        about = prose(
            f"""
            Two cart workers with {CUSTOMERS} carts each, clients at the sidecars: one with AUTH=off, to
            the other every request shows its customer's token of about 700 bytes, one of {CUSTOMERS}.
            Afterwards a forged token with each request: worker CPU {self.forged.cpu_us:.0f} µs a
            request, answered with 401 {self.forged.rate:,.0f} times a second."""
        )
        return f"{about}\n\n{self.pair.table()}"
