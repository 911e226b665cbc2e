"""What is measured: the services behind their sidecars, and what they are compared with."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from stack import BUILT, INHERITED, ROOT, StackError, free_ports, http_status

HERE = Path(__file__).resolve().parent
PEERS = {"fastapi": "FastAPI", "fastify": "Fastify"}
BODY_BYTES = 200
# Threads of the bare loop: as many as the service's event loop has on this machine.
BARE_THREADS = min(max(os.cpu_count() or 2, 2), 8)


def _configuration(stack, name, service, public_port, internal_port):
    runtime = stack.path(name + "-nginx")
    runtime.mkdir(exist_ok=True)
    settings = {
        "SERVICE": service,
        "LISTEN_ADDRESS": "127.0.0.1",
        "PUBLIC_PORT": str(public_port),
        "INTERNAL_PORT": str(internal_port),
        "WORKER_SOCKET": str(stack.path(name + ".sock")),
        "RUNTIME_DIR": str(runtime),
        "ACCESS_LOG": "/dev/null",
        "ERROR_LOG": str(runtime / "error.log"),
        "RATE_LIMIT_RPS": "0",
    }
    done = subprocess.run(
        [ROOT / "nginx" / "render.sh", "sidecar"],
        env={**INHERITED, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(f"nginx/render.sh: {done.stderr.strip()}")
    return done.stdout


def start_nginx(stack, name, configuration):
    path = stack.path(name + "-nginx.conf")
    path.write_text(configuration)
    runtime = stack.path(name + "-nginx")
    return stack.start(
        name + "-nginx",
        ["nginx", "-p", runtime, "-e", runtime / "error.log", "-c", path, "-g", "daemon off;"],
    )


class Service:
    """A worker, its sidecar and its database."""

    def __init__(self, stack, service, name=None, extra="", **environment):
        self.stack = stack
        self.service = service
        self.name = name or service
        self.database = stack.path(self.name + ".db")
        self.environment = environment
        self.public_port, self.internal_port = free_ports(2)
        configuration = _configuration(
            stack, self.name, service, self.public_port, self.internal_port
        )
        if extra:
            configuration = configuration.rstrip().removesuffix("}") + extra
        self.sidecar = start_nginx(stack, self.name, configuration)
        stack.wait_for_port(self.sidecar, self.public_port)
        self.worker = None

    def start(self):
        """Seconds from the start of spawn-fcgi to the first 200 of /readyz through nginx."""
        started = time.monotonic()
        self.worker = self.stack.start_fastcgi(
            self.name,
            ROOT / "build" / "release" / (self.service + "-service"),
            DATABASE_URL=f"sqlite:///{self.database}",
            **self.environment,
        )
        while http_status(self.internal_port, "/readyz") != 200:
            if self.worker.popen.poll() is not None or time.monotonic() - started > 20:
                raise StackError(f"{self.name} does not start:\n{self.worker.last_words()}")
            time.sleep(0.0005)
        return time.monotonic() - started

    def stop(self):
        code = self.worker.stop()
        if code != 0:
            raise StackError(f"{self.name} ended with {code}:\n{self.worker.last_words()}")

    def remove_database(self):
        for path in self.database.parent.glob(self.database.name + "*"):
            path.unlink()


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
            "bare": stack.start_fastcgi("bare", BUILT / "bare", BARE_THREADS),
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
