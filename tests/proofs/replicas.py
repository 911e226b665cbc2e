"""The platform with several workers and sidecars of each service, on PostgreSQL.

The gateway spreads what comes in over the replicas, and does the same, on ports of its own, for
what the services ask each other: what a cluster's Service objects do.
"""

import re
import socket
import time
from types import SimpleNamespace

import bed
import testbed
from client import Client

REPLICAS = 3

INTERNAL_SERVER = """
	server {{
		listen 127.0.0.1:{port} backlog=4096;
		access_log off;
		location / {{
			{choice}
		}}
		location @problem {{
			return 502;
		}}
	}}
"""

# A server that fails is tried again at once: its worker may be back already.
POOL = """
	upstream {pool} {{
		{servers}
		keepalive 64;
		keepalive_requests 50000;
		keepalive_timeout 60s;
	}}
"""


class Replica(testbed.Service):
    """One worker and its sidecar, of several."""

    def __init__(self, platform, name, number, public_port, internal_port, nginx_settings):
        super().__init__(platform, name, public_port, internal_port, nginx_settings)
        self.instance = instance = f"{name}-{number}"
        self.away_mark = platform.directory / f"{instance}.away"
        self.socket = platform.directory / f"{instance}.sock"
        self.worker = testbed.Process(
            f"{instance}-worker", platform.directory / f"{instance}-worker.log", "KILL"
        )
        self.nginx = testbed.Nginx(
            platform, instance, "sidecar", {**self.nginx.settings, "WORKER_SOCKET": self.socket}
        )
        for setting, file in (("RUNTIME_DIR", ""), ("ACCESS_LOG", "access.log")):
            self.nginx.settings[setting] = self.nginx.directory / file


    def ready(self):
        """Without its sidecar: it takes connections."""
        if self.nginx.alive():
            return super().ready()
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.socket)) == 0


class Balancer(testbed.Nginx):
    """The gateway, with all replicas where it had one sidecar."""

    def __init__(self, platform, settings):
        super().__init__(platform, "gateway", "gateway", settings)
        self.platform = platform

    def start(self, command, env, cwd):
        configuration = self.directory / "nginx.conf"
        text = configuration.read_text()
        more = ""
        for name in testbed.SERVICES:
            pools, choice = self.pools(name, "public_port")
            more += pools
            text, count = re.subn(rf"proxy_pass http://{name};", choice, text)
            assert count == 1, "the gateway's configuration has changed"
            pools, choice = self.pools(name, "internal_port")
            more += pools
            more += INTERNAL_SERVER.format(port=self.platform.internal_ports[name], choice=choice)
        end = text.rindex("}")
        configuration.write_text(text[:end] + more + text[end:])
        super().start(command, env, cwd)

    def pools(self, name, port):
        """Groups of servers, all of them and all but one, and how a request chooses: no new one
        goes to a replica that is marked as away."""
        replicas = [one for one in self.platform.services.values() if one.name == name]
        pools = ""
        choice = f"set $pool {name}_{port};"
        for away in (None, *replicas):
            pool = f"{name}_{port}" + (f"_but_{away.instance}" if away else "")
            servers = " ".join(
                f"server 127.0.0.1:{getattr(one, port)} max_fails=0;"
                for one in replicas
                if one is not away
            )
            if servers:
                pools += POOL.format(pool=pool, servers=servers)
            if servers and away:
                choice += f" if (-f {away.away_mark}) {{ set $pool {pool}; }}"
        return pools, f"{choice} proxy_pass http://$pool;"


class ReplicaBed(bed.Bed):
    """services: {"product-1": …} to maltreat; product, cart, order: what clients see."""

    def __init__(self, cluster, replicas=REPLICAS, **options):
        super().__init__(**options)
        self.cluster = cluster
        self.replicas = replicas
        self.databases = {}

    @property
    def stores(self):
        """The databases as they are now, as SQLite files."""
        directory = self.directory / "stores"
        directory.mkdir(exist_ok=True)
        for name, database in self.databases.items():
            self.cluster.export(database, directory / f"{name}.db")
        return directory

    def settle(self, within=bed.SETTLED_WITHIN):
        start = time.monotonic()
        while left := self.cluster.query(
            self.databases["order"],
            "SELECT id, saga FROM orders WHERE saga = 'placing'"
            " UNION ALL SELECT order_id, kind || ', tried ' || attempts FROM order_effects",
        ):
            duration = time.monotonic() - start
            assert duration < within, f"not settled within {within} s: {left[:5]}"
            time.sleep(0.05)
        return time.monotonic() - start

    def worker_settings(self, name):
        settings = {
            "DATABASE_URL": self.cluster.url(self.databases[name]),
            "CONTRACT_CHECK_RESPONSES": 1,
            **self.extra_worker_settings,
        }
        for sibling in ("product", "cart"):
            port = self.internal_ports[sibling]
            settings[f"{sibling.upper()}_SERVICE_URL"] = f"http://127.0.0.1:{port}"
        return settings

    def start_nginx(self):
        self.create_databases()
        while True:
            ports = iter(testbed.free_ports((2 * self.replicas + 1) * len(self.wanted) + 1))
            self.services = {
                f"{name}-{number}": Replica(
                    self, name, number, next(ports), next(ports), self.nginx_settings
                )
                for name in self.wanted
                for number in range(1, self.replicas + 1)
            }
            self.internal_ports = {name: next(ports) for name in self.wanted}
            try:
                for service in self.services.values():
                    service.nginx.run()
                self.start_gateway(next(ports))
                return
            except testbed.PortTaken:
                self.kill_all()

    def start_gateway(self, port):
        self.gateway_nginx = Balancer(self, {"GATEWAY_PORT": port})
        self.gateway_nginx.run()
        self.gateway = Client(port)
        for name in self.wanted:
            setattr(self, name, SimpleNamespace(public_port=port, public=Client(port)))

    def create_databases(self):
        for name in self.wanted:
            self.databases[name] = f"{self.directory.name}-{name}"
            self.cluster.create(self.databases[name])

    def destroy(self):
        super().destroy()
        for database in self.databases.values():
            self.cluster.drop(database)
