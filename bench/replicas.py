"""Three replicas of each service against one, both on PostgreSQL behind a gateway: each replica with
as much of a processor as the others, as pods have it, and all on the processors that there are."""

from cpu_limit import Unavailable, cpu_limit
from pair import Pair
from postgres import Cluster
from report import prose
from shop import ReplicatedShop

NAMES = ("one", "three")
PRODUCTS = 2000
KEYS = ("get", "list", "checkout")
LIMITED = dict.fromkeys(KEYS, (32,))
SHARED = dict.fromkeys(KEYS, (1, 32))
# Of a processor, for a worker and its sidecar: three of each service leave most of two processors to
# PostgreSQL, the gateway and what loads them.
SHARE = 0.15
LIMITED_LOWEST = 1.5
# Without limit three have no more processors than one, and thrice the code and data in their caches.
# More than that costs would be replicas that hinder each other.
SHARED_LOWEST = 0.75


def pods(stack, shops):
    """The processes of each replica, by a name that no other run has."""
    return {
        f"{stack.directory.name}-{one.name}": [one.worker.pid, *one.sidecar.pids()]
        for shop in shops
        for ones in shop.services.values()
        for one in ones
    }


class Replicas:
    def __init__(self, stack, scale, say):
        say("starting one and three of each service on PostgreSQL")
        cluster = Cluster(stack)
        shops = [ReplicatedShop(stack, name, cluster, n) for name, n in zip(NAMES, (1, 3))]
        say(f"loading {PRODUCTS:,} products into each")
        ids = [shop.load(PRODUCTS) for shop in shops]
        self.scale = scale

        def measured(plan):
            pair = Pair(NAMES, *(shop.rows(of) for shop, of in zip(shops, ids)), plan)
            pair.measure(scale.pair_rounds, scale.pair_seconds, say)
            return pair

        self.shared = measured(SHARED)
        self.limited, self.reason = None, ""
        try:
            with cpu_limit(SHARE, pods(stack, shops)):
                say(f"each replica with {SHARE} processors")
                self.limited = measured(LIMITED)
        except Unavailable as error:
            self.reason = str(error)

    def failures(self):
        return sum(pair.failures() for pair in (self.limited, self.shared) if pair)

    def floors(self):
        with_limit = f"three ≥ {LIMITED_LOWEST} × one, {SHARE} processors each"
        without = f"three ≥ {SHARED_LOWEST} × one, sharing the processors"
        floors = [self.shared.floor(without, key, 32, SHARED_LOWEST) for key in KEYS]
        if self.limited:
            floors += [self.limited.floor(with_limit, key, 32, LIMITED_LOWEST) for key in KEYS]
        return floors

    def sections(self):
        about = prose(
            f"""
            Clients at the gateway, {PRODUCTS:,} products; siblings ask each other through the
            balancer, with one replica too, so that nothing but their number differs.
            {self.scale.pair_spells()}. CPU µs includes the PostgreSQL server's."""
        )
        limited = prose(
            f"""
            Each worker with its sidecar has {SHARE} processors, as a pod has its limit: another one
            brings its own. What has used its share waits for the next tenth of a second, which is
            most of p99. PostgreSQL, the gateway and the load are not limited."""
        )
        shared = prose(
            """
            All share the processors, which one replica keeps busy already at 32 connections:
            three cannot be faster here. This is what it costs to divide the same work among three
            times as many processes. Already a single client waits longer: whichever replica it
            gets, another one's code and data are in the caches."""
        )
        missing = f"Not measured: {self.reason}."
        return [
            f"## One and three replicas on PostgreSQL\n\n{about}",
            f"{limited}\n\n{self.limited.table() if self.limited else missing}",
            f"{shared}\n\n{self.shared.table()}",
        ]


measure = Replicas
