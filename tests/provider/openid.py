"""Runs provider.mjs beside a platform: a certified OpenID Connect provider from npm, on loopback."""

import json
from pathlib import Path
from urllib.request import urlopen

from testbed import Process, SLOWNESS, free_ports, wait_until

HERE = Path(__file__).resolve().parent
READY_WITHIN = 60 * SLOWNESS


class OpenIdProvider:
    """A context. The settings besides the port are those of provider.mjs."""

    def __init__(self, folder, **settings):
        (port,) = free_ports(1)
        self.issuer = f"http://127.0.0.1:{port}"
        self.settings = {"port": port, **settings}
        self.process = Process("provider", folder / "provider.log", "KILL")

    def document(self, path):
        with urlopen(self.issuer + path, timeout=10) as answer:
            return json.load(answer)

    def answers(self):
        assert self.process.alive(), self.process.logged()
        try:
            return self.document("/.well-known/openid-configuration")["issuer"] == self.issuer
        except OSError:
            return False

    def __enter__(self):
        self.process.start(["node", HERE / "provider.mjs"], {"PROVIDER": json.dumps(self.settings)}, HERE)
        wait_until(self.answers, READY_WITHIN, "the provider answers")
        return self

    def __exit__(self, *_):
        if self.process.alive():
            self.process.end(15)
