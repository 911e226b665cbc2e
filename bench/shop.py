"""Product, cart and order on one kind of store: alone, or as replicas behind a gateway."""

import catalogue
from load import CheckoutRow, Row
from stack import free_ports
from subjects import ADDRESS, Service, render, start_nginx

SERVICES = ("product", "cart", "order")


class Shop:
    """One worker a service, asked at its sidecar. cluster: a PostgreSQL; none: SQLite."""

    def __init__(self, stack, name, cluster=None):
        self.stack = stack
        self.name = name
        self.cluster = cluster
        self.services = {}
        urls = {}
        for service in SERVICES:
            one = Service(stack, service, f"{name}-{service}", self._create(service), **urls)
            one.start()
            self.services[service] = [one]
            urls[f"{service.upper()}_SERVICE_URL"] = one.internal_url()
        self.ports = {service: ones[0].public_port for service, ones in self.services.items()}

    def _create(self, service):
        return self.cluster.create(f"{self.name}-{service}") if self.cluster else None

    def load(self, count):
        """Fills the catalogue; the ids of half of it."""
        port = self.services["product"][0].public_port
        catalogue.load_in_bulk(port, count, self.stack.directory)
        if self.cluster:
            # What autovacuum does within the next minute, in the middle of the measurement. It lets
            # the tables be that are empty; if told so of them, the server plans to scan them.
            filled = "products, product_tags, stock_movements"
            self.cluster.run(f"{self.name}-product", f"VACUUM ANALYZE {filled}")
        ids, _ = catalogue.walk(port, count // 2)
        return ids

    def _processes(self, *services):
        workers = [one.worker for service in services for one in self.services[service]]
        return workers + ([self.cluster] if self.cluster else [])

    def rows(self, ids):
        write, ports = self.stack.write_lines, self.ports
        get = write(f"{self.name}-get", [f"/products/{found}" for found in ids])
        page = write(f"{self.name}-list", ["/products?limit=100"])
        bought = write(f"{self.name}-ids", ids)
        product, everybody = self._processes("product"), self._processes(*SERVICES)
        return {
            "get": Row("GET one", ports["product"], product, get),
            "list": Row("list of 100", ports["product"], product, page),
            "checkout": CheckoutRow("checkout", ports["cart"], ports["order"], everybody, bought),
        }


class ReplicatedShop(Shop):
    """Any number of workers and sidecars a service on PostgreSQL, behind a gateway; what they ask
    each other goes through a balancer, as `make up DB=postgres REPLICAS=3` has it."""

    def __init__(self, stack, name, cluster, replicas):
        self.stack = stack
        self.name = name
        self.cluster = cluster
        product_port, cart_port, gateway_port = free_ports(3)
        urls = {
            "PRODUCT_SERVICE_URL": f"http://{ADDRESS}:{product_port}",
            "CART_SERVICE_URL": f"http://{ADDRESS}:{cart_port}",
        }
        self.services = {
            service: self._replicas(service, replicas, urls) for service in SERVICES
        }
        self._start_nginx(
            "balancer",
            cart_port,
            PRODUCT_BALANCER_PORT=product_port,
            CART_BALANCER_PORT=cart_port,
            PRODUCT_INTERNAL_PORT=self._list("product", "internal_port"),
            CART_INTERNAL_PORT=self._list("cart", "internal_port"),
        )
        for services in self.services.values():
            for one in services:
                one.start()
        ports = {f"{service.upper()}_PORT": self._list(service) for service in SERVICES}
        self._start_nginx("gateway", gateway_port, GATEWAY_PORT=gateway_port, **ports)
        self.ports = dict.fromkeys(SERVICES, gateway_port)

    def _replicas(self, service, count, urls):
        url = self._create(service)
        more = {"ROOT_PATH": f"/{service}s", "TRUSTED_PROXIES": ADDRESS}
        if count > 1:
            more["WORKER_PROCESSES"] = 1  # as `make up REPLICAS=…` and the pods have it
        return [
            Service(self.stack, service, f"{self.name}-{service}-{number}", url, more=more, **urls)
            for number in range(1, count + 1)
        ]

    def _list(self, service, port="public_port"):
        return ",".join(str(getattr(one, port)) for one in self.services[service])

    def _start_nginx(self, kind, port, **settings):
        name = f"{self.name}-{kind}"
        start_nginx(self.stack, name, render(self.stack, name, kind, **settings), port)
