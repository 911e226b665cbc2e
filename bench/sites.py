"""The compared shops, set up to sell the same products: ours on either store, Vendure and Medusa from
npm on a PostgreSQL server each."""

import csv
import functools
import json
import os
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote, urlencode

import catalogue
from postgres import Cluster
from shop import SERVICES, Shop
from stack import BUILT, ROOT, StackError, free_ports, http_status
from storefronts import Client, Medusa, Ours, Vendure

NODE = BUILT / "node" / "node_modules" / ".bin" / "node"
PRODUCTS = 200
PAGE = 20
SCARCE = 5  # units of the first product
READY_WITHIN = 180  # seconds
FILL_WITHIN = 600


def described():
    """The products, the scarce one first."""
    products = [catalogue.product(number, PRODUCTS) for number in range(PRODUCTS)]
    products[0]["inventory"] = SCARCE
    return products


def size_of(path):
    """Bytes on the disk of a file, or of all in a folder; a hard link counts once."""
    found = subprocess.run(["du", "-sB1", path], capture_output=True, text=True, check=True)
    return int(found.stdout.split()[0])


class Site:
    """A shop that runs. Its processes are those whose names begin with its own.

    front: makes a shopper of it. products: the ids of what is sold, the scarce one's first.
    reads: paths by what they read; names_in: of its answers, what each is about."""

    headers = {}

    def __init__(self, stack, name, title):
        self.stack = stack
        self.name = name
        self.title = title

    def processes(self):
        return [
            process
            for process in self.stack.processes
            if process.name.startswith(self.name + "-") and process.popen.poll() is None
        ]

    def cpu_seconds(self):
        return sum(process.tree_cpu_seconds() for process in self.processes())

    def memory(self):
        """Bytes of the program's processes and of the database server's. What several share is
        divided among them (proc(5): Pss)."""
        program = database = 0
        for process in self.processes():
            found = sum(self._share_of(pid) for pid in process.pids())
            if process.name == f"{self.name}-postgres":
                database += found
            else:
                program += found
        return program, database

    @staticmethod
    def _share_of(pid):
        with suppress(FileNotFoundError):  # ended meanwhile
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
        return 0

    def kill(self, victims):
        """All of them at one moment."""
        for process in victims:
            os.kill(process.pid, signal.SIGKILL)
        for process in victims:
            process.popen.wait()

    def check(self):
        """The reads that are measured answer what they are asked for."""
        expected = {"get": 1, "list": PAGE}
        for what, paths in self.reads.items():
            _, answer = Client().ask_well(self.port, "GET", paths[0], None, self.headers)
            names = self.names_in(answer)
            if len(names) != expected[what] or not all(names):
                raise StackError(f"{self.title}: {paths[0]} answers {json.dumps(answer)[:300]}")


class OurSite(Site):
    def __init__(self, stack, name, title, on_postgres):
        super().__init__(stack, name, title)
        self.cluster = Cluster(stack, f"{name}-postgres") if on_postgres else None
        self.shop = Shop(stack, name, self.cluster)
        self.port = self.shop.ports["product"]
        self.front = functools.partial(Ours, self.shop.ports)
        client = Client()
        self.products = [
            client.ask_well(self.port, "POST", "/products", product)[1]["id"]
            for product in described()
        ]
        self.reads = {
            "get": [f"/products/{found}" for found in self.products],
            "list": [f"/products?limit={PAGE}"],
        }

    @staticmethod
    def names_in(answer):
        return [product["name"] for product in (answer if isinstance(answer, list) else [answer])]

    def _workers(self):
        return [self.shop.services[service][0] for service in SERVICES]

    def stop_at_once(self):
        self.kill([one.worker for one in self._workers()])

    def start(self):
        for one in self._workers():
            one.start()

    def _rows(self, service, statement):
        if self.cluster:
            return self.cluster.run(f"{self.name}-{service}", statement)
        database = self.shop.services[service][0].database
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            return [str(row[0]) for row in connection.execute(statement)]

    def orders(self):
        placed = "SELECT id FROM orders WHERE saga = 'placed' AND status <> 'cancelled'"
        return set(self._rows("order", placed))

    def payments(self):
        return None

    def stock_taken(self):
        return int(self._rows("product", "SELECT sum(reserved) FROM products")[0])

    def disk(self):
        programs = [ROOT / "build" / "release" / f"{service}-service" for service in SERVICES]
        if self.cluster:
            databases = [self.cluster.size(f"{self.name}-{service}") for service in SERVICES]
        else:
            files = self.stack.directory.glob(f"{self.name}-*.db*")
            databases = [size_of(file) for file in files if file.is_file()]
        return sum(map(size_of, programs)), sum(databases)


class Rival(Site):
    """One from npm: a folder in bench/peers, whose dependencies run.sh installed in BUILT."""

    def __init__(self, stack, name, title):
        super().__init__(stack, name, title)
        self.folder = BUILT / name
        (self.port,) = free_ports(1)
        self.cluster = Cluster(stack, f"{name}-postgres")
        self.cluster.create(name)
        # Their tools write into the home directory.
        self.settings = {
            "NODE_ENV": "production",
            "HOME": stack.directory,
            "PATH": f"{NODE.parent}:{os.environ['PATH']}",
        }

    def _start(self, part, *command):
        name = f"{self.name}-{part}"
        return self.stack.start(name, [NODE, *command], cwd=self.folder, **self.settings)

    def _finish(self, part, *command):
        process = self._start(part, *command)
        if process.popen.wait(FILL_WITHIN) != 0:
            raise StackError(f"{process.name} failed:\n{process.last_words()}")

    def _wait_for(self, what, is_so):
        deadline = time.monotonic() + READY_WITHIN
        while not is_so():
            if time.monotonic() > deadline:
                words = "\n".join(process.last_words() for process in self.processes())
                raise StackError(f"{self.title}: {what} takes too long:\n{words}")
            time.sleep(0.2)

    def _wait_until_ready(self):
        self._wait_for("its start", lambda: http_status(self.port, "/health") == 200)

    def stop_at_once(self):
        self.kill([one for one in self.processes() if one.name != f"{self.name}-postgres"])

    def _rows(self, statement):
        return self.cluster.run(self.name, statement)

    def _ids_by_sku(self, column):
        found = self._rows(f"SELECT sku, {column} FROM product_variant")
        ids = dict(row.split("|") for row in found)
        return [ids[product["sku"]] for product in described()]

    def orders(self):
        return set(self._rows(self.ORDERS))

    def payments(self):
        return int(self._rows(self.PAYMENTS)[0])

    def stock_taken(self):
        return int(self._rows(self.STOCK_TAKEN)[0])

    def disk(self):
        return size_of(self.folder), self.cluster.size(self.name)


class VendureSite(Rival):
    ORDERS = 'SELECT code FROM "order" WHERE "orderPlacedAt" IS NOT NULL AND state <> \'Cancelled\''
    PAYMENTS = "SELECT count(*) FROM payment WHERE state = 'Settled'"
    STOCK_TAKEN = 'SELECT sum("stockAllocated") FROM stock_level'
    COLUMNS = (
        "name slug description assets facets optionGroups optionValues sku price taxCategory"
        " stockOnHand trackInventory variantAssets variantFacets"
    ).split()
    ONE = """{ product(id: "%s") { id name slug description
        variants { id sku name priceWithTax stockLevel } } }"""
    LIST = """{ search(input: {take: %d, groupByProduct: true}) { totalItems items {
        productId productName slug sku inStock
        priceWithTax { ... on SinglePrice { value } ... on PriceRange { min max } } } } }"""
    headers = {"Apollo-Require-Preflight": "1"}

    def __init__(self, stack):
        super().__init__(stack, "vendure", "Vendure")
        self.settings.update(
            DATABASE_HOST=self.cluster.folder,
            DATABASE_NAME=self.name,
            PORT=self.port,
            VENDURE_DISABLE_TELEMETRY="true",
        )
        self._finish("fill", "fill.js", self._write_products())
        self.start()
        indexed = "SELECT count(*) FROM search_index_item"
        self._wait_for("the index", lambda: int(self._rows(indexed)[0]) == PRODUCTS)
        (shipping,) = self._rows("SELECT id FROM shipping_method")
        self.front = functools.partial(Vendure, self.port, shipping)
        self.products = self._ids_by_sku("id")
        ids = self._ids_by_sku('"productId"')
        self.reads = {
            "get": [self._path(self.ONE % found) for found in ids],
            "list": [self._path(self.LIST % PAGE)],
        }

    def _write_products(self):
        path = self.stack.path("vendure-products.csv")
        with path.open("w", newline="") as file:
            rows = csv.DictWriter(file, self.COLUMNS, restval="")
            rows.writeheader()
            for product in described():
                rows.writerow(
                    {
                        "name": product["name"],
                        "slug": product["sku"].lower(),
                        "description": product["description"],
                        "sku": product["sku"],
                        "price": product["price"],
                        "taxCategory": "Standard",
                        "stockOnHand": product["inventory"],
                        "trackInventory": "true",
                    }
                )
        return path

    @staticmethod
    def _path(query):
        return "/shop-api?" + urlencode({"query": " ".join(query.split())})

    @staticmethod
    def names_in(answer):
        data = answer["data"]
        if "search" in data:
            return [item["productName"] for item in data["search"]["items"]]
        return [data["product"]["name"]]

    def start(self):
        self._start("server", "server.js")
        self._start("worker", "worker.js")
        self._wait_until_ready()


class MedusaSite(Rival):
    ORDERS = """SELECT id FROM "order" WHERE status <> 'canceled' AND deleted_at IS NULL
        AND NOT is_draft_order"""
    PAYMENTS = "SELECT count(*) FROM payment WHERE canceled_at IS NULL AND deleted_at IS NULL"
    STOCK_TAKEN = "SELECT sum(reserved_quantity) FROM inventory_level WHERE deleted_at IS NULL"
    PRICE = "*variants.calculated_price"
    MEDUSA = "node_modules/.bin/medusa"

    def __init__(self, stack):
        super().__init__(stack, "medusa", "Medusa")
        host = quote(str(self.cluster.folder), safe="")
        self.settings.update(
            DATABASE_URL=f"postgres://postgres@{host}:5432/{self.name}?sslmode=disable",
            MEDUSA_DISABLE_TELEMETRY="true",
        )
        self._finish("migrate", self.MEDUSA, "db:migrate")
        products = stack.path("medusa-products.json")
        products.write_text(json.dumps(described()))
        self._finish("fill", self.MEDUSA, "exec", "fill.js", products)
        self.start()
        (key,) = self._rows("SELECT token FROM api_key WHERE title = 'Web'")
        (region,) = self._rows("SELECT id FROM region")
        (shipping,) = self._rows("SELECT id FROM shipping_option")
        self.headers = {"x-publishable-api-key": key}
        self.front = functools.partial(Medusa, self.port, key, region, shipping)
        self.products = self._ids_by_sku("id")
        one = f"id,title,handle,description,{self.PRICE},+variants.inventory_quantity"
        wanted = urlencode({"region_id": region, "fields": one})
        page = {"region_id": region, "limit": PAGE, "fields": f"id,title,handle,{self.PRICE}"}
        self.reads = {
            "get": [f"/store/products/{i}?{wanted}" for i in self._ids_by_sku("product_id")],
            "list": [f"/store/products?{urlencode(page)}"],
        }

    @staticmethod
    def names_in(answer):
        return [product["title"] for product in answer.get("products") or [answer["product"]]]

    def start(self):
        self._start("server", self.MEDUSA, "start", "--host", "127.0.0.1", "--port", self.port)
        self._wait_until_ready()
