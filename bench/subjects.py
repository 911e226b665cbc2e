"""The services behind their sidecars, and the nginx in front of several of them."""

import subprocess
import time

from stack import INHERITED, ROOT, StackError, free_ports, http_status

READY_WITHIN = 20  # seconds
ADDRESS = "127.0.0.1"


def render(stack, name, kind, **settings):
    """An nginx configuration as it is in production, but without access log."""
    runtime = stack.path(name + "-nginx")
    runtime.mkdir(exist_ok=True)
    common = {
        "LISTEN_ADDRESS": ADDRESS,
        "RUNTIME_DIR": runtime,
        "ACCESS_LOG": "/dev/null",
        "ERROR_LOG": runtime / "error.log",
        "CONNECTIONS": 0,
        "CLIENT_CONNECTIONS": 0,
    }
    done = subprocess.run(
        [ROOT / "nginx" / "render.sh", kind],
        env={**INHERITED, **{key: str(value) for key, value in {**common, **settings}.items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StackError(f"nginx/render.sh: {done.stderr.strip()}")
    return done.stdout


def start_nginx(stack, name, configuration, port):
    path = stack.path(name + "-nginx.conf")
    path.write_text(configuration)
    runtime = stack.path(name + "-nginx")
    runtime.mkdir(exist_ok=True)
    process = stack.start(
        name + "-nginx",
        ["nginx", "-p", runtime, "-e", runtime / "error.log", "-c", path, "-g", "daemon off;"],
    )
    stack.wait_for_port(process, port)
    return process


class Service:
    """A worker, its sidecar and its store: a SQLite file, or what url names. extra is put into the
    sidecar's configuration, more are settings of it."""

    def __init__(self, stack, service, name=None, url=None, extra="", more=None, **environment):
        self.stack = stack
        self.service = service
        self.name = name or service
        self.database = stack.path(self.name + ".db")
        self.environment = {"DATABASE_URL": url or f"sqlite:///{self.database}", **environment}
        self.public_port, self.internal_port, self.health_port = free_ports(3)
        settings = {
            "SERVICE": service,
            "PUBLIC_PORT": self.public_port,
            "INTERNAL_PORT": self.internal_port,
            "HEALTH_PORT": self.health_port,
            "WORKER_SOCKET": stack.path(self.name + ".sock"),
            "RATE_LIMIT_RPS": 0,
            "STORING_LIMIT_RPS": 0,
            "ROUTES": stack.path(self.name + "-routes"),
            **(more or {}),
        }
        settings["ROUTES"].write_bytes(subprocess.check_output([self._program(), "--routes"]))
        configuration = render(stack, self.name, "sidecar", **settings)
        if extra:
            configuration = configuration.rstrip().removesuffix("}") + extra
        self.sidecar = start_nginx(stack, self.name, configuration, self.public_port)
        internal = render(stack, self.name, "internal", **settings)
        start_nginx(stack, f"{self.name}-internal", internal, self.internal_port)
        self.worker = None

    def internal_url(self):
        return f"http://{ADDRESS}:{self.internal_port}"

    def start(self):
        """Seconds from the start of spawn-fcgi to the first 200 of /readyz through nginx."""
        began = time.monotonic()
        self.start_worker()
        return self.wait_for_200(self.health_port, "/readyz") - began

    def _program(self):
        return ROOT / "build" / "release" / (self.service + "-service")

    def start_worker(self):
        self.worker = self.stack.start_fastcgi(self.name, self._program(), **self.environment)

    def wait_for_200(self, port, path):
        """When it came."""
        deadline = time.monotonic() + READY_WITHIN
        while http_status(port, path) != 200:
            if self.worker.popen.poll() is not None or time.monotonic() > deadline:
                raise StackError(f"{self.name} does not answer:\n{self.worker.last_words()}")
            time.sleep(0.0005)
        return time.monotonic()

    def stop(self):
        code = self.worker.stop()
        if code != 0:
            raise StackError(f"{self.name} ended with {code}:\n{self.worker.last_words()}")

    def remove_database(self):
        for path in self.database.parent.glob(self.database.name + "*"):
            path.unlink()
