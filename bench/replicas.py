"""Three replicas of each service against one, both on PostgreSQL behind a gateway."""

from pair import Pair
from postgres import Cluster
from report import prose
from shop import ReplicatedShop

NAMES = ("one", "three")
PRODUCTS = 2000
PLAN = {"get": (32,), "list": (32,), "checkout": (32,)}
# On as many cores three cannot be faster than one; runs of the same differ by this much.
LOWEST = 0.95


class Replicas:
    def __init__(self, stack, scale, say):
        say("starting one and three of each service on PostgreSQL")
        cluster = Cluster(stack)
        shops = [ReplicatedShop(stack, name, cluster, n) for name, n in zip(NAMES, (1, 3))]
        say(f"loading {PRODUCTS:,} products into each")
        self.pair = Pair(NAMES, *(shop.rows(shop.load(PRODUCTS)) for shop in shops), PLAN)
        self.scale = scale
        self.pair.measure(scale.pair_rounds, scale.seconds, say)

    def failures(self):
        return self.pair.failures()

    def floors(self):
        return [self.pair.floor(f"three ≥ {LOWEST} × one", key, 32, LOWEST) for key in PLAN]

    def sections(self):
        about = prose(
            f"""
            Clients at the gateway, {PRODUCTS:,} products; siblings ask each other through the
            balancer, with one replica too, so that nothing but their number differs.
            {self.scale.spells(self.scale.pair_rounds)}. All share the cores that one replica keeps
            busy already: three cannot be faster here, and must not be slower. The floor leaves
            {1 - LOWEST:.0%} for noise. CPU µs includes the PostgreSQL server's."""
        )
        return [f"## One and three replicas on PostgreSQL\n\n{about}\n\n{self.pair.table()}"]


measure = Replicas
