"""The platform with several workers and sidecars of each service, on PostgreSQL, behind the gateway
and the balancer as scripts/up.sh runs them with REPLICAS=3."""

import re
import socket
import time
from types import SimpleNamespace

import bed
import testbed
from client import Client

REPLICAS = 3


class Replica(testbed.Service):
    """One worker and its sidecar, of several."""

    def __init__(self, platform, name, number, ports, nginx_settings):
        super().__init__(platform, name, ports, nginx_settings)
        self.instance = instance = f"{name}-{number}"
        self.socket = platform.directory / f"{instance}.sock"
        self.provider_socket = platform.directory / f"{instance}-provider.sock"
        self.worker = testbed.Process(
            f"{instance}-worker", platform.directory / f"{instance}-worker.log", "KILL"
        )
        sockets = {"WORKER_SOCKET": self.socket, "PROVIDER_SOCKET": self.provider_socket}
        self.nginx = testbed.Nginx(platform, instance, "sidecar", {**self.nginx.settings, **sockets})
        for setting, file in (("RUNTIME_DIR", ""), ("ACCESS_LOG", "access.log")):
            self.nginx.settings[setting] = self.nginx.directory / file

    def ready(self):
        """Without its sidecar: it takes connections."""
        if self.nginx.alive():
            return super().ready()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0

    def away_marks(self):
        """docs/OPERATIONS.md: while they are there, nothing new comes from clients and siblings."""
        yield self.bed.gateway_nginx.directory / "away" / str(self.public_port)
        if self.name in self.bed.balanced:
            yield self.bed.balancer_nginx.directory / "away" / str(self.internal_port)

    def wait_until_idle(self):
        """Nobody asks its sidecar anything any more but we: it is marked as away, and was seen so."""

        def figures(client):
            """Of both its halves: the internal and health ports', then the public one's."""
            found = [int(n) for n in re.findall(r"\d+", client.get("/nginx-status").body.decode())]
            assert len(found) == 14
            return [(requests, reading + writing) for _, _, _, requests, reading, writing, _ in (found[:7], found[7:])]

        time.sleep(testbed.MARK_SEEN_WITHIN)
        with Client(self.health_port) as client:
            end = time.monotonic() + bed.EVENTUALLY
            before = figures(client)
            while True:
                time.sleep(0.2)
                now = figures(client)
                if now == [(requests + 1, 1) for requests, _ in before]:
                    return
                before = now
                assert time.monotonic() < end, f"{self.instance} still gets requests"

    def replace(self):
        """In the order of docs/OPERATIONS.md: first it gets nothing new, then the sidecar finishes,
        then the worker does; the new ones get something when they are ready."""
        marks = list(self.away_marks())
        for mark in marks:
            mark.touch()
        self.wait_until_idle()
        before = self.worker.pid, self.nginx.pid
        assert self.nginx.stop() == 0
        assert self.stop_worker() == 0
        self.start_worker()
        self.nginx.run()
        testbed.wait_until(self.ready, bed.EVENTUALLY, f"{self.instance} is ready")
        for mark in marks:
            mark.unlink()
        assert self.worker.pid != before[0] and self.nginx.pid != before[1]


class ReplicaBed(bed.Bed):
    """services: {"product-1": …} to maltreat; product, cart, order: what clients see."""

    balanced = ("product", "cart")

    def __init__(self, replicas=REPLICAS, **options):
        super().__init__(**options)
        self.replicas = replicas
        self.balancer_nginx = None

    def replicas_of(self, name):
        return [service for service in self.services.values() if service.name == name]

    def worker_settings(self, name):
        settings = super().worker_settings(name)
        for sibling in self.balanced:
            port = self.balancer_nginx.settings[f"{sibling.upper()}_BALANCER_PORT"]
            settings[f"{sibling.upper()}_SERVICE_URL"] = f"http://127.0.0.1:{port}"
        return settings

    def replace(self, name):
        """One after the other: no client notices."""
        for service in self.replicas_of(name):
            service.replace()

    def start_nginx(self):
        while True:
            count = 3 * self.replicas * len(self.wanted) + len(self.balanced) + 1
            ports = iter(testbed.free_ports(count))
            self.services = {
                f"{name}-{number}": Replica(
                    self, name, number, [next(ports) for _ in range(3)], self.nginx_settings
                )
                for name in self.wanted
                for number in range(1, self.replicas + 1)
            }
            try:
                for service in self.services.values():
                    service.nginx.run()
                self.start_balancer({name: next(ports) for name in self.balanced})
                self.start_gateway(next(ports))
                return
            except testbed.PortTaken:
                self.kill_all()

    def ports(self, name, kind):
        """Of all replicas, as nginx/render.sh wants to hear it."""
        return ",".join(str(getattr(service, kind)) for service in self.replicas_of(name))

    def start_balancer(self, ports):
        settings = {}
        for name in self.balanced:
            settings[f"{name.upper()}_BALANCER_PORT"] = ports[name]
            settings[f"{name.upper()}_INTERNAL_PORT"] = self.ports(name, "internal_port")
        self.balancer_nginx = self.start_one("balancer", settings)

    def start_gateway(self, port):
        settings = {f"{name.upper()}_PORT": self.ports(name, "public_port") for name in self.wanted}
        self.gateway_nginx = self.start_one("gateway", {"GATEWAY_PORT": port, **settings})
        self.gateway = Client(port)
        for name in self.wanted:
            setattr(self, name, SimpleNamespace(public_port=port, public=Client(port)))

    def start_one(self, kind, settings):
        nginx = testbed.Nginx(self, kind, kind, settings)
        nginx.run()
        (nginx.directory / "away").mkdir()
        return nginx

    def processes(self):
        yield from super().processes()
        if self.balancer_nginx:
            yield self.balancer_nginx
