"""Helpers for the tests of nginx."""

import time

from testbed import wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"
SHOP = {"Origin": "https://shop.example"}
EXPOSED = "ETag, Link, Location, X-Total-Count, X-Total-Count-Relation, X-Request-ID, Retry-After, WWW-Authenticate, Idempotent-Replayed"
LAMP = {"name": "Lamp", "price": 19.99}


def preflight(origin, method="PUT"):
    return {"Origin": origin, "Access-Control-Request-Method": method}


def by_public_port(product, method, path):
    """Sends the path unchanged: a client library might normalise it."""
    request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return product.public.raw(request.encode())


def entries_of(nginx, request_id):
    def found():
        return [e for e in nginx.access_entries() if e["http.request.id"] == request_id]

    wait_until(found, 10, "the line is written, after the answer is out")
    return found()


# Requests that a slow machine may need until so many were refused.
FLOOD_MAX = 400


def flood(ask, rate, burst, refused=30):
    """The answers to ask(number), until so many were refused. However long it takes, no more get through
    than so many a second, and a burst above that."""
    answers, let_through, began = [], 0, time.monotonic()
    while len(answers) - let_through < refused:
        assert len(answers) < FLOOD_MAX, f"{let_through} of {len(answers)} get through"
        answers.append(ask(len(answers)))
        let_through += answers[-1].status != 429
    assert let_through <= 1 + burst + rate * (time.monotonic() - began)
    return answers
