"""The platform beside static files, a bare FastCGI loop and two peers; its memory, its start."""

import shutil
import statistics
import time

import catalogue
import flat
from load import CheckoutRow, Row, failures, measure_interleaved
from others import Others
from report import at_least, at_most, prose, table
from subjects import Service

CONNECTIONS = (32, 512)
CATALOGUE = 100000
STARTS = 5
SETTLING = 5  # seconds until a worker has given back what a burst needed


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

    def __init__(self, stack, others, say):
        self.product = Service(stack, "product", extra=others.extra)
        self.start_times = start_times(self.product)

        say(f"loading {CATALOGUE:,} products")
        self.product.start()
        catalogue.load_in_bulk(self.product.public_port, CATALOGUE, stack.directory)
        self.product.stop()
        self.single = Service(stack, "product", "product-single", DB_SINGLE_COMMIT=1)
        shutil.copy(self.product.database, self.single.database)
        self.product.start()
        self.single.start()

        product_url = self.product.internal_url()
        self.cart = Service(stack, "cart", PRODUCT_SERVICE_URL=product_url)
        self.cart.start()
        cart_url = self.cart.internal_url()
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


class Compare:
    def __init__(self, stack, scale, say):
        say("starting nginx, the services and what they are compared with")
        others = Others(stack)
        platform = Platform(stack, others, say)
        self.scale = scale
        self.start_times = platform.start_times
        self.rows = {**others.rows(stack), **platform.rows(stack)}
        rows = list(self.rows.values())
        measure_interleaved(rows, CONNECTIONS, scale.rounds, scale.seconds, say)
        time.sleep(SETTLING)
        self.memory = {
            process.name: process.memory_kib() / 1024
            for process in platform.workers() + list(others.processes.values())
        }

    def failures(self):
        return failures(self.rows.values())

    def _ratio(self, one, other, connections):
        return self.rows[one].cells[connections].rate / self.rows[other].cells[connections].rate

    def _ratio_floors(self, connections):
        """What must hold between the rows of one run."""
        at = f", c={connections}"
        bounds = [
            ("bare loop ≥ 0.45 × static", "bare", "static", 0.45),
            ("GET one ≥ 0.55 × bare loop", "get", "bare", 0.55),
            ("GET one ≥ 1.0 × Fastify GET", "get", "fastify get", 1.0),
            ("durable POST ≥ 0.25 × bare loop", "post", "bare", 0.25),
            ("durable POST ≥ 5 × a commit each", "post", "single", 5),
        ]
        cpu = self.rows["list"].cells[connections].cpu_us
        return [
            at_least(text + at, self._ratio(one, other, connections), lowest)
            for text, one, other, lowest in bounds
        ] + [at_most(f"list of 100 ≤ 200 µs worker CPU{at}", cpu, 200, " µs")]

    def floors(self):
        held = []
        for connections in CONNECTIONS:
            held += self._ratio_floors(connections)
        for name in ("product", "cart", "order"):
            text = f"{name} worker ≤ 10 MB resident after this"
            held.append(at_most(text, self.memory[name], 10, " MB"))
        for occasion, taken in self.start_times.items():
            text = f"first 200 ≤ 100 ms after start, {occasion}"
            held.append(at_most(text, max(taken), 100, " ms"))
        return held

    def _throughput(self, connections):
        static, bare = (self.rows[name].cells[connections].rate for name in ("static", "bare"))
        lines = []
        for row in self.rows.values():
            cell = row.cells[connections]
            lines.append(
                [
                    row.title,
                    f"{cell.rate:,.0f}",
                    f"{cell.rate / static:.2f}",
                    f"{cell.rate / bare:.2f}",
                    f"{cell.p50_ms:.2f}",
                    f"{cell.p99_ms:.2f}",
                    f"{cell.cpu_us:.0f}" if row.processes else "",
                    f"{cell.failures}",
                ]
            )
        header = ["", "a second", "× static", "× bare", "p50 ms", "p99 ms", "CPU µs", "failed"]
        return f"## {connections} connections\n\n" + table(header, lines)

    def _about(self):
        about = prose(
            f"""
            One nginx serves the static file, the bare loop, the product service and the peers: the
            product sidecar's own configuration with servers added for the others.
            {self.scale.spells()} at each number of connections. The peers keep their products in
            memory, in one process, and lose them when it ends; a durable POST is on the disk
            (`synchronous=FULL`) before it is answered."""
        )
        return f"## Beside others\n\n{about}"

    def _memory_and_start(self):
        memory = [[name, f"{size:.1f}"] for name, size in self.memory.items()]
        starts = [
            [f"with {occasion}", f"{statistics.median(taken):.0f}", f"{max(taken):.0f}"]
            for occasion, taken in self.start_times.items()
        ]
        return f"""\
## Memory and start

{table([f"{SETTLING} s after the load above", "MB resident"], memory)}

{table(["first 200 of /readyz through nginx, ms", "median", "slowest"], starts)}"""

    def sections(self):
        throughput = [self._throughput(connections) for connections in CONNECTIONS]
        return [self._about(), *throughput, self._memory_and_start()]


measure = Compare
