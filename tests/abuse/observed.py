"""What can be observed of a service from outside: its metrics, and the files of its sidecar."""

import contextlib
import os
from pathlib import Path


def figure(service, name):
    """The sum of the metric's series that begin with this."""
    lines = service.health.get("/metrics").body.decode().splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.startswith(name))


def in_flight(service):
    return figure(service, "http_requests_in_flight") - 1  # without this one


def temporary_files(nginx, folder):
    """The sizes of the files that its processes have open there, including unlinked ones."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            session = int(stat.read_text().rpartition(")")[2].split()[3])
            if session != nginx.pid:
                continue
            for file in (stat.parent / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if f"-{folder}/" in os.readlink(file):
                        yield file.stat().st_size
