"""Products to measure with, loaded the way a client would: POST /products/bulk."""

import http.client
import json
import re
import subprocess
import time
from urllib.parse import urljoin

MATCHES = 100  # products that share one rare word
COMMON_WORD = "article"  # occurs in every product
BULK_LINES = 50000  # a request; the service takes 100,000 lines, nginx 32 MiB
PAGE = 200
IDS_WANTED = 5000

ADJECTIVES = "Plain Sturdy Folding Woven Brushed Glazed Quiet Narrow Round Heavy".split()
NOUNS = "Kettle Lamp Basket Chair Blanket Knife Mirror Shelf Teapot Hook Drawer Bench Jug".split()


def rare_word(group):
    """Of one length whatever the group, so that none is the beginning of another."""
    return f"lot{group:07d}"


def product(number, count):
    """The number-th of count products."""
    adjective = ADJECTIVES[number % len(ADJECTIVES)]
    noun = NOUNS[number % len(NOUNS)]
    group = number % max(count // MATCHES, 1)
    return {
        "name": f"{adjective} {noun} {number}",
        "description": f"{noun}, {COMMON_WORD} of {rare_word(group)}. Made to last, sold singly.",
        "price": (100 + number * 7919 % 99000) / 100,
        "inventory": 100000,
        "sku": f"B-{number:08d}",
        "category": f"category-{number % 20}",
        "tags": [adjective.lower(), noun.lower()],
    }


def _send_bulk(port, body, results):
    """From a file into a file."""
    subprocess.run(
        ["curl", "-sS", "--fail", "--max-time", "300", "-o", results, "--data-binary", f"@{body}"]
        + ["-H", "Content-Type: application/x-ndjson", "-H", "Expect:"]
        + [f"http://127.0.0.1:{port}/products/bulk"],
        check=True,
    )


def load_in_bulk(port, count, directory):
    """Products a second."""
    body, results = directory / "bulk.ndjson", directory / "bulk-results.ndjson"
    seconds = 0
    for first in range(0, count, BULK_LINES):
        numbers = range(first, min(first + BULK_LINES, count))
        body.write_text("".join(json.dumps(product(n, count)) + "\n" for n in numbers))
        started = time.monotonic()
        _send_bulk(port, body, results)
        seconds += time.monotonic() - started
        lines = results.read_text().splitlines()
        bad = [line for line in lines if '"status":"created"' not in line]
        if bad or len(lines) != len(numbers):
            raise RuntimeError(f"bulk load: {len(lines)} of {len(numbers)} answered; {bad[:3]}")
    body.unlink()
    results.unlink()
    return count / seconds


def load_one_by_one(port, count):
    """For the peers, which have no bulk operation. Their ids."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    ids = []
    for number in range(count):
        connection.request(
            "POST",
            "/products",
            json.dumps(product(number, count)),
            {"Content-Type": "application/json"},
        )
        response = connection.getresponse()
        answer = response.read()
        if response.status != 201:
            raise RuntimeError(f"loading a peer: {response.status} {answer[:300]!r}")
        ids.append(json.loads(answer)["id"])
    return ids


def walk(port, products):
    """Follows Link: rel="next" over so many products; ids met, spread evenly, and the last link."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    path = f"/products?limit={PAGE}"
    every = max(products // IDS_WANTED, 1)
    ids, seen = [], 0
    while seen < products:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode()
        link = re.match(r'<([^>]*)>; rel="next"', response.headers.get("Link", ""))
        if response.status != 200 or not link:
            raise RuntimeError(f"{path}: {response.status} {body[:300]}")
        page = re.findall(r'\{"id":"([^"]+)"', body)
        ids.extend(page[-seen % every :: every])
        seen += len(page)
        path = urljoin(path, link.group(1))
    return ids, path
