"""The same load on SQLite and on PostgreSQL, in turns."""

from pair import Pair
from postgres import Cluster
from report import prose
from shop import Shop

NAMES = ("SQLite", "PostgreSQL")
PRODUCTS = 5000
PLAN = {"get": (32,), "list": (32,), "checkout": (1, 8, 32)}
LOWEST = 0.6


class Stores:
    def __init__(self, stack, scale, say):
        say("starting the services on SQLite and on PostgreSQL")
        shops = [Shop(stack, "sqlite"), Shop(stack, "postgres", Cluster(stack))]
        say(f"loading {PRODUCTS:,} products into each")
        self.pair = Pair(NAMES, *(shop.rows(shop.load(PRODUCTS)) for shop in shops), PLAN)
        self.scale = scale
        self.pair.measure(scale.pair_rounds, scale.pair_seconds, say)

    def failures(self):
        return self.pair.failures()

    def floors(self):
        text = f"PostgreSQL ≥ {LOWEST} × SQLite"
        return [self.pair.floor(text, key, 32, LOWEST) for key in ("get", "list")]

    def sections(self):
        about = prose(
            f"""
            The three services with a store of each kind and {PRODUCTS:,} products, clients at the
            sidecars. {self.scale.pair_spells()}. PostgreSQL runs on the same cores
            with Debian's settings (a commit is on the disk, as it is with SQLite), reached by a
            Unix socket. CPU µs is that of the workers and of the PostgreSQL server together."""
        )
        return [f"## SQLite and PostgreSQL\n\n{about}\n\n{self.pair.table()}"]


measure = Stores
