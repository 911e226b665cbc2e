"""Lints what the services really serve, to the public and to their operator, who sees all of it (make
lint-openapi)."""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "http"))

import testbed  # noqa: E402


def fetch(folder):
    with testbed.Platform(gateway=False) as platform:
        for name, service in platform.services.items():
            for listener, client in (("public", service.public), ("whole", service.health)):
                file = Path(folder) / f"{name}-{listener}.json"
                file.write_bytes(client.get("/openapi.json").body)
                yield file


def main():
    with tempfile.TemporaryDirectory(prefix="openapi-") as folder:
        return subprocess.call(["node", HERE / "lint.mjs", *fetch(folder)])


if __name__ == "__main__":
    sys.exit(main())
