"""Whether a request costs the same in a small and in a large catalogue: two workers, one with each,
loaded in turns. What counts is the worker's processor time a request."""

import random
import re

import catalogue
from load import Row, failures, measure_interleaved
from report import same_cost, table
from subjects import Service

CONNECTIONS = 32
SMALL = 1000
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

    def __init__(self, stack, count, say):
        self.count = count
        product = Service(stack, "product", f"product-{count}")
        product.start()
        say(f"loading {count:,} products")
        self.load_rate = catalogue.load_in_bulk(product.public_port, count, stack.directory)
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
    def __init__(self, stack, scale, say):
        self.small = Size(stack, SMALL, say)
        self.large = Size(stack, scale.large, say)
        rows = [size.rows[title] for title in self.small.rows for size in (self.small, self.large)]
        measure_interleaved(rows, [CONNECTIONS], scale.flat_rounds, 1, say)

    def failures(self):
        return failures([*self.small.rows.values(), *self.large.rows.values()])

    def ratio(self, title):
        return self.large.cell(title).cpu_us / self.small.cell(title).cpu_us

    def floors(self):
        small, large = f"{self.small.count:,}", f"{self.large.count:,}"
        return [
            same_cost(f"{title}: {large} cost what {small} do, ±25 %", self.ratio(title))
            for title in HELD
        ]

    def _lines(self):
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

    def _header(self):
        small, large = f"{self.small.count:,}", f"{self.large.count:,}"
        return ["", f"a second, {small}", large, f"CPU µs, {small}", large, "ratio", "p99 ms"]

    def sections(self):
        return [
            f"""\
## Small and large catalogue, {CONNECTIONS} connections

Two product services, loaded through `POST /products/bulk` ({self.large.load_rate:,.0f} products a
second into the large one). Searches ask for a page of 100. A word that every product has ("all
match") is bounded: the index hands out matches newest first, and only the first 1,000 are ranked.

{table(self._header(), self._lines())}"""
        ]


measure = Flat
