"""What the services are compared with: a static file, a bare FastCGI loop, two peers in memory."""

import re
import sys
from pathlib import Path

import catalogue
from load import Row
from stack import BUILT, LOOP_THREADS, free_ports

HERE = Path(__file__).resolve().parent
PEERS = {"fastapi": "FastAPI", "fastify": "Fastify"}
BODY_BYTES = 200
PEER_PRODUCTS = 1000


class Others:
    """Static file, bare loop and peers; `extra` is what serves them in the one nginx."""

    def __init__(self, stack):
        self.ports = dict(zip(("static", "bare", *PEERS), free_ports(2 + len(PEERS))))
        stack.path("static").mkdir()
        stack.path("static/file").write_text("x" * BODY_BYTES)
        values = {"DIRECTORY": str(stack.directory)}
        values.update((f"{name.upper()}_PORT", str(port)) for name, port in self.ports.items())
        template = (HERE / "nginx-extra.conf").read_text()
        self.extra = re.sub(r"@(\w+)@", lambda found: values[found.group(1)], template)
        self.processes = {
            "bare": stack.start_fastcgi("bare", BUILT / "bare", LOOP_THREADS),
            "fastapi": stack.start(
                "fastapi",
                [sys.executable, "-m", "uvicorn", "app:app"]
                + ["--app-dir", HERE / "peers" / "fastapi", "--uds", stack.path("fastapi.sock")]
                + ["--loop", "uvloop", "--http", "httptools", "--backlog", 4096]
                + ["--timeout-keep-alive", 75, "--no-access-log", "--log-level", "warning"],
            ),
            "fastify": stack.start(
                "fastify",
                ["node", BUILT / "fastify" / "server.js", stack.path("fastify.sock")],
                NODE_ENV="production",
            ),
        }
        for name, process in self.processes.items():
            stack.wait_for_socket(process, stack.path(name + ".sock"))

    def rows(self, stack):
        ports, processes = self.ports, self.processes
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
