"""Whether a request costs the same in a small and in a large catalogue: two workers, one with each,
loaded in turns. What counts is the worker's processor time a request."""

import random
import re

import catalogue
from load import Row, measure_interleaved

CONNECTIONS = 32
DISTINCT = 5000  # paths a row takes in turn

GET, FIRST, DEEP, SEARCH = "GET one", "first page", "page in the middle", "search, 100 matches"
EVERYTHING = "search, all match"
HELD = (GET, FIRST, DEEP, SEARCH)  # the same within 25 %


def search_paths(count):
    groups = range(max(count // catalogue.MATCHES, 1))
    some = random.Random(1).sample(groups, min(len(groups), DISTINCT))
    return [f"/products?limit=100&q={catalogue.rare_word(group)}" for group in some]


class Size:
    """One catalogue behind a product service of its own."""

    def __init__(self, stack, product, count):
        self.count = count
        ids, deep = catalogue.walk(product.public_port, count // 2)
        paths = {
            GET: [f"/products/{found}" for found in ids],
            FIRST: ["/products?limit=100"],
            DEEP: [re.sub(r"\blimit=\d+", "limit=100", deep)],
            SEARCH: search_paths(count),
            EVERYTHING: [f"/products?limit=100&q={catalogue.COMMON_WORD}"],
        }
        self.rows = {
            title: Row(
                f"{title} of {count:,}",
                product.public_port,
                [product.worker],
                stack.write_lines(f"{title}-{count}", lines),
            )
            for title, lines in paths.items()
        }

    def cell(self, title):
        return self.rows[title].cells[CONNECTIONS]


class Flat:
    def __init__(self, small, large):
        self.small = small
        self.large = large

    def measure(self, rounds, say):
        rows = [size.rows[title] for title in self.small.rows for size in (self.small, self.large)]
        measure_interleaved(rows, [CONNECTIONS], rounds, 1, say)

    def ratio(self, title):
        return self.large.cell(title).cpu_us / self.small.cell(title).cpu_us

    def lines(self):
        for title in self.small.rows:
            small, large = self.small.cell(title), self.large.cell(title)
            yield [
                title,
                f"{small.rate:,.0f}",
                f"{large.rate:,.0f}",
                f"{small.cpu_us:.0f}",
                f"{large.cpu_us:.0f}",
                f"{self.ratio(title):.2f}",
                f"{large.p99_ms:.1f}",
            ]

    def header(self):
        small, large = f"{self.small.count:,}", f"{self.large.count:,}"
        return ["", f"a second, {small}", large, f"CPU µs, {small}", large, "ratio", "p99 ms"]
