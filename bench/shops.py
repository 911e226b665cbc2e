"""Compares the platform with what people would choose instead, Vendure and Medusa: what reads and
purchases cost, memory and disk, and what each shop has sold after a rush, repeats and a kill."""

import math

import crowd
import report
from load import Row, failures, measure_interleaved
from report import Floor, at_least, prose, table
from sites import NODE, PAGE, PRODUCTS, SCARCE, MedusaSite, OurSite, VendureSite

SHOPPERS = (8, 1)  # the warm-up is made at the first
PURCHASES = {8: 160, 1: 20}
QUICK_PURCHASES = {8: 16, 1: 4}
OURS = "ours-postgres"
LOWEST = 10


def _sites(stack, say):
    sites = []
    for make in (
        lambda: OurSite(stack, OURS, "ours, PostgreSQL", True),
        lambda: OurSite(stack, "ours-sqlite", "ours, SQLite", False),
        lambda: VendureSite(stack),
        lambda: MedusaSite(stack),
    ):
        site = make()
        site.check()
        say(f"{site.title} sells {PRODUCTS} products")
        sites.append(site)
    return sites


class Shops:
    def __init__(self, stack, scale, say):
        self.scale = scale
        self.counts = QUICK_PURCHASES if scale.quick else PURCHASES
        sites = _sites(stack, say)
        self.titles = {site.name: site.title for site in sites}
        self.rows = {site.name: self._rows_of(site) for site in sites}
        every = [row for rows in self.rows.values() for row in rows.values()]
        measure_interleaved(every, SHOPPERS, scale.rounds, scale.seconds, say)
        self.memory = {site.name: site.memory() for site in sites}
        self.disk = {site.name: site.disk() for site in sites}
        self.few, self.often, self.killed = {}, {}, {}
        for site in sites:
            say(f"{site.title}: too few for many, one cart often, killed")
            self.few[site.name] = crowd.few_for_many(site)
            self.often[site.name] = crowd.one_cart_often(site)
            self.killed[site.name] = crowd.killed(site)

    def _rows_of(self, site):
        write, headers = site.stack.write_lines, [f"{k}: {v}" for k, v in site.headers.items()]
        titles = {"get": "GET one product", "list": f"a list of {PAGE}"}
        rows = {
            what: Row(titles[what], site.port, [site], write(f"{site.name}-{what}", paths), headers)
            for what, paths in site.reads.items()
        }
        rows["purchase"] = crowd.PurchaseRow(site, self.counts)
        return rows

    def failures(self):
        return sum(failures(self.rows[name].values()) for name in self.titles if "ours" in name)

    def _ratio(self, name, what, shoppers):
        ours, other = (self.rows[side][what].cells[shoppers].rate for side in (OURS, name))
        return ours / other if other else math.inf

    def floors(self):
        floors = [
            at_least(
                f"purchase: ours ≥ {LOWEST} × {self.titles[name]}, both on PostgreSQL, c=8",
                self._ratio(name, "purchase", 8),
                LOWEST,
            )
            for name in ("vendure", "medusa")
        ]
        for name, title in self.titles.items():
            if "ours" in name:
                floors += self._promises(name, title)
        return floors

    def _promises(self, name, title):
        few, often, killed = self.few[name], self.often[name], self.killed[name]
        sold, placed, carts = len(few.orders), len(killed.orders), crowd.CROWD
        lost = len(killed.lost())
        return [
            Floor(f"{title}: of {SCARCE} units are sold", sold, sold == SCARCE),
            Floor(f"{title}: orders of one cart", len(often.orders), len(often.orders) == 1),
            Floor(f"{title}: orders of {carts} carts, killed", placed, placed == carts),
            Floor(f"{title}: orders lost", lost, lost == 0),
        ]

    def _table(self, header, lines):
        return table([header, *self.titles.values()], lines)

    def _by_row(self, header, text):
        lines = [
            [f"{row.title}, c={shoppers}"]
            + [text(rows[what].cells[shoppers]) for rows in self.rows.values()]
            for what, row in self.rows[OURS].items()
            for shoppers in sorted(SHOPPERS)
        ]
        return self._table(header, lines)

    def _speed(self):
        return [
            self._by_row("a second", lambda cell: f"{cell.rate:,.1f}"),
            self._by_row("p50 / p99 ms", lambda cell: f"{cell.p50_ms:,.1f} / {cell.p99_ms:,.1f}"),
            self._by_row("CPU ms", lambda cell: f"{cell.cpu_us / 1e3:,.2f}"),
            self._by_row("failed", lambda cell: f"{cell.failures}"),
        ]

    def _ratios(self):
        lines = [
            [f"{row.title}, c={shoppers}"]
            + [f"{self._ratio(name, what, shoppers):,.0f} ×" for name in ("vendure", "medusa")]
            for what, row in self.rows[OURS].items()
            for shoppers in sorted(SHOPPERS)
        ]
        header = ["ours on PostgreSQL, as a multiple of", "Vendure", "Medusa"]
        return table(header, lines)

    def _size(self):
        lines = [
            [text, *(self._mb(sizes[part]) for sizes in found.values())]
            for text, found, part in (
                ("memory: the program's processes", self.memory, 0),
                ("memory: PostgreSQL's", self.memory, 1),
                ("disk: the program", self.disk, 0),
                ("disk: the database", self.disk, 1),
            )
        ]
        return self._table("MB", lines)

    @staticmethod
    def _mb(size):
        return f"{size / 1e6:,.0f}" if size else "–"

    def _promised(self):
        lines = []

        def line(title, found, count):
            lines.append([title, *(count(found[name]) for name in self.titles)])

        def orders(sold):
            return len(sold.orders)

        few = f"{SCARCE} units, {crowd.CROWD} shoppers at once"
        often = f"one cart ordered {crowd.REPEATS} times at once"
        line(f"{few}: told that they have it", self.few, lambda sold: len(sold.told))
        line("… units sold", self.few, orders)
        line("… payments taken", self.few, self._payments)
        line(f"{often}: orders", self.often, orders)
        line("… payments taken", self.often, self._payments)
        line("… units taken from stock", self.often, lambda sold: sold.taken)
        line(f"{crowd.CROWD} carts, kill -9: told their order", self.killed, lambda s: len(s.told))
        line("… orders made", self.killed, orders)
        line("… orders told, then lost", self.killed, lambda sold: len(sold.lost()))
        line("… payments taken", self.killed, self._payments)
        line("… units taken from stock", self.killed, lambda sold: sold.taken)
        return self._table("", lines)

    @staticmethod
    def _payments(sold):
        return "–" if sold.payments is None else sold.payments

    def sections(self):
        caveat = prose(
            """
            Vendure and Medusa do a lot that this platform does not: taxes, promotions, payments,
            shipping, customer accounts, several currencies and sales channels, an admin interface.
            Each of their purchases computes tax and shipping and takes a (dummy) payment; ours does
            none of that. If you need these features, use one of the two or build them yourself.
            The tables only compare what a catalogue, a cart and an order cost, and whether stock
            and orders are right afterwards."""
        )
        settings = prose(
            f"""
            All shops sell the same {PRODUCTS} products with one variant each. Vendure and Medusa
            run as their guides describe for production: NODE_ENV=production, one server process,
            Vendure's worker beside it, on the Node.js that bench/peers/node pins. Each shop on
            PostgreSQL has a server of its own with Debian's settings, reached by a Unix socket;
            Vendure and Medusa keep their default pools of ten connections. Cache, events, locks and
            workflow engine are the defaults: Vendure's job queue is in the database, Medusa's are
            in memory (its guides recommend Redis in production). Admin interface, e-mail and
            telemetry are off. Payments go to each shop's own dummy provider, which always succeeds.
            Our services answer through their nginx sidecars, Vendure and Medusa directly."""
        )
        measured = prose(
            f"""
            wrk loads the reads, {self.scale.rounds} × {self.scale.seconds} s a row: Vendure's by
            GraphQL over GET, its list by `search`; Medusa's with the fields that a shop page shows,
            prices included. One program makes the purchases at all shops (`bench/storefronts.py`),
            one process a shopper over kept connections: three requests at ours and at Vendure, five
            at Medusa, the fewest each allows. {self._how_many()}, after a warm-up of
            {self.counts[SHOPPERS[0]]}. The client runs on the same processors. Where a purchase is
            cheap, much of its time is the client's Python, so our rates are lower here than with
            `bench/checkout.c`. All shops run throughout and take turns. CPU ms counts all processes
            of a shop, PostgreSQL and nginx included."""
        )
        counted = prose(
            f"""
            Counted in each shop's database afterwards. Every shopper has a cart that is ready to be
            ordered, and all order at the same moment. For the kill, {crowd.CROWD} do so; when
            {crowd.KILLED_AFTER} of them have been told their order, all processes of the shop
            except nginx and PostgreSQL get SIGKILL and are started again. Shoppers without an
            answer then repeat their order until they are told one, for {crowd.RETRIED_FOR} s at
            most. A payment counts when it is settled (Vendure) or authorized (Medusa) and not
            cancelled; this platform takes none."""
        )
        size = prose(
            """
            Memory is measured after the purchases, over all processes, nginx included; shared pages
            are divided among the processes that share them (Pss). The program on disk is
            node_modules for Vendure and Medusa and three executables for ours. Node.js, nginx and
            PostgreSQL themselves are not counted."""
        )
        return [
            f"## What they do that this does not\n\n{caveat}",
            "\n\n".join(
                ["## Reads and purchases", settings, measured, self._ratios(), *self._speed()]
            ),
            f"## Right in the end\n\n{counted}\n\n{self._promised()}",
            f"## Memory and disk\n\n{size}\n\n{self._size()}",
        ]

    def _how_many(self):
        return " and ".join(
            f"{self.scale.rounds} × {count} purchases at c={shoppers}"
            for shoppers, count in sorted(self.counts.items(), reverse=True)
        )


def head():
    versions = [
        f"Vendure {report.pinned('vendure', '@vendure/core')}",
        f"Medusa {report.pinned('medusa', '@medusajs/medusa')}",
        f"Node.js {report.first_line(NODE, '--version').lstrip('v')}",
    ]
    return f"""\
{report.title("Beside Vendure and Medusa", versions)}

Made by `make bench PARTS=shops`, everything on one machine, the clients too: compare the ratios."""


measure = Shops
