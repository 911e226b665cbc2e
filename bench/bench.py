"""Starts everything behind nginx, loads it, prints what came out. Called by run.sh."""

import shutil
import signal
import sys
import time
from pathlib import Path

import catalogue
import flat
import report
from load import CheckoutRow, Row, measure_interleaved
from stack import Stack
from subjects import PEERS, Others, Service

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
CONNECTIONS = (32, 512)
CATALOGUE = 100000
SMALL = 1000
PEER_PRODUCTS = 1000
STARTS = 5
BEGAN = time.monotonic()


class Scale:
    def __init__(self, quick):
        self.quick = quick
        self.rounds = 1 if quick else 2
        self.seconds = 1 if quick else 2
        self.large = CATALOGUE if quick else 1000000
        self.flat_rounds = 1 if quick else 3


def say(text):
    print(f"[{time.monotonic() - BEGAN:4.0f} s] {text}", flush=True)


def start_times(product):
    """Milliseconds to the first 200: with no database yet, and with the one just made."""
    times = {"no database yet": [], "an empty database": []}
    for _ in range(STARTS):
        product.remove_database()
        for occasion in times.values():
            occasion.append(product.start() * 1e3)
            product.stop()
    product.remove_database()
    return times


class Platform:
    """Product, cart and order as they run in production, and beside them a product service that
    commits each request on its own, with the same catalogue."""

    def __init__(self, stack, others):
        self.product = Service(stack, "product", extra=others.extra)
        self.start_times = start_times(self.product)

        say(f"loading {CATALOGUE:,} products")
        self.product.start()
        self.load_rate = catalogue.load_in_bulk(
            self.product.public_port, CATALOGUE, stack.directory
        )
        self.product.stop()
        self.snapshot = stack.path("snapshot.db")
        shutil.copy(self.product.database, self.snapshot)
        self.product.start()

        self.single = Service(stack, "product", "product-single", DB_SINGLE_COMMIT=1)
        shutil.copy(self.snapshot, self.single.database)
        self.single.start()

        product_url = f"http://127.0.0.1:{self.product.internal_port}"
        self.cart = Service(stack, "cart", PRODUCT_SERVICE_URL=product_url)
        self.cart.start()
        cart_url = f"http://127.0.0.1:{self.cart.internal_port}"
        self.order = Service(
            stack, "order", PRODUCT_SERVICE_URL=product_url, CART_SERVICE_URL=cart_url
        )
        self.order.start()

    def workers(self):
        return [self.product.worker, self.cart.worker, self.order.worker]

    def rows(self, stack):
        port, worker = self.product.public_port, [self.product.worker]
        ids, _ = catalogue.walk(port, CATALOGUE // 2)
        get = stack.write_lines("get", [f"/products/{found}" for found in ids])
        page = stack.write_lines("list", ["/products?limit=100"])
        search = stack.write_lines("search", flat.search_paths(CATALOGUE))
        return {
            "get": Row("GET one product", port, worker, get),
            "list": Row("GET list of 100", port, worker, page),
            "search": Row(f"search in {CATALOGUE:,}, 100 matches", port, worker, search),
            "post": Row("POST product, durable", port, worker),
            "single": Row("… a commit each", self.single.public_port, [self.single.worker]),
            "checkout": CheckoutRow(
                "checkout: cart, item, order",
                self.cart.public_port,
                self.order.public_port,
                self.workers(),
                stack.write_lines("product-ids", ids),
            ),
        }


def other_rows(stack, others):
    ports, processes = others.ports, others.processes
    static = stack.write_lines("static", ["/file"])
    bare = stack.write_lines("bare", ["/"])
    rows = {
        "static": Row("nginx static, 200 bytes", ports["static"], (), static),
        "bare": Row("bare FastCGI loop, 200 bytes", ports["bare"], [processes["bare"]], bare),
    }
    for name, title in PEERS.items():
        port, process = ports[name], [processes[name]]
        ids = catalogue.load_one_by_one(port, PEER_PRODUCTS)
        paths = stack.write_lines(name, [f"/products/{found}" for found in ids])
        rows[f"{name} get"] = Row(f"{title} GET one, in memory", port, process, paths)
        rows[f"{name} post"] = Row(f"{title} POST, in memory", port, process)
    return rows


def measure_flat(stack, scale, platform):
    sizes = []
    for count in (SMALL, scale.large):
        product = Service(stack, "product", f"product-{count}")
        if count == CATALOGUE:
            shutil.copy(platform.snapshot, product.database)
        product.start()
        if count != CATALOGUE:
            say(f"loading {count:,} products")
            catalogue.load_in_bulk(product.public_port, count, stack.directory)
        sizes.append(flat.Size(stack, product, count))
    measured = flat.Flat(*sizes)
    measured.measure(scale.flat_rounds, say)
    return measured


class Measured:
    """All there is to report."""

    def __init__(self, stack, scale):
        say("starting nginx, the services and what they are compared with")
        others = Others(stack)
        platform = Platform(stack, others)
        self.start_times = platform.start_times
        self.load_rate = platform.load_rate
        self.rows = {**other_rows(stack, others), **platform.rows(stack)}
        rows = list(self.rows.values())
        measure_interleaved(rows, CONNECTIONS, scale.rounds, scale.seconds, say)
        self.memory = {
            process.name: process.memory_kib() / 1024
            for process in platform.workers() + list(others.processes.values())
        }
        self.flat = measure_flat(stack, scale, platform)

    def ratio(self, one, other, connections):
        return self.rows[one].cells[connections].rate / self.rows[other].cells[connections].rate

    def failures(self):
        return sum(cell.failures for row in self.rows.values() for cell in row.cells.values())


def ratio_floors(measured, connections):
    """What must hold between the rows of one run."""
    at = f", c={connections}"
    bounds = [
        ("bare loop ≥ 0.45 × static", "bare", "static", 0.45),
        ("GET one ≥ 0.55 × bare loop", "get", "bare", 0.55),
        ("GET one ≥ 1.0 × Fastify GET", "get", "fastify get", 1.0),
        ("durable POST ≥ 0.25 × bare loop", "post", "bare", 0.25),
        ("durable POST ≥ 5 × a commit each", "post", "single", 5),
    ]
    cpu = measured.rows["list"].cells[connections].cpu_us
    return [
        report.at_least(text + at, measured.ratio(one, other, connections), lowest)
        for text, one, other, lowest in bounds
    ] + [report.at_most(f"list of 100 ≤ 200 µs worker CPU{at}", cpu, 200, " µs")]


def floors(measured):
    small, large = f"{measured.flat.small.count:,}", f"{measured.flat.large.count:,}"
    held = []
    for connections in CONNECTIONS:
        held += ratio_floors(measured, connections)
    for title in flat.HELD:
        text = f"{title}: {large} cost what {small} do, ±25 %"
        held.append(report.same_cost(text, measured.flat.ratio(title)))
    for name in ("product", "cart", "order"):
        text = f"{name} worker ≤ 10 MB resident after this"
        held.append(report.at_most(text, measured.memory[name], 10, " MB"))
    for occasion, taken in measured.start_times.items():
        text = f"first 200 ≤ 100 ms after start, {occasion}"
        held.append(report.at_most(text, max(taken), 100, " ms"))
    held.append(report.at_most("no request failed", measured.failures(), 0, ""))
    return held


def main():
    scale = Scale("quick" in sys.argv[1:])
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, lambda number, _: sys.exit(128 + number))
    with Stack() as stack:
        measured = Measured(stack, scale)
    held = floors(measured)
    text = report.document(scale, measured, CONNECTIONS, held)
    print("\n" + text)
    if not scale.quick:
        RESULTS.write_text(text)
        say(f"written to {RESULTS}")
    sys.exit(0 if all(floor.holds for floor in held) else 1)


if __name__ == "__main__":
    main()
