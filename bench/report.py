"""The tables, and what they are held against."""

import json
import os
import platform
import re
import statistics
import subprocess
from datetime import datetime, timezone
from pathlib import Path

from stack import ON_DISK

HERE = Path(__file__).resolve().parent

class Floor:
    """A figure that must hold, and what was measured."""

    def __init__(self, text, measured, holds, unit=""):
        self.text = text
        self.measured = measured
        self.unit = unit
        self.holds = holds

    def cells(self):
        return [
            self.text,
            f"{self.measured:.2f}{self.unit}",
            "pass" if self.holds else "**FAIL**",
        ]


def at_least(text, measured, lowest):
    return Floor(text, measured, measured >= lowest)


def at_most(text, measured, highest, unit):
    return Floor(text, measured, measured <= highest, unit)


def same_cost(text, measured):
    return Floor(text, measured, 0.75 <= measured <= 1.25)


def table(header, lines, left=1):
    """Markdown, readable as text; the first `left` columns flush left."""
    lines = [header] + [[str(cell) for cell in line] for line in lines]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]

    def row(cells):
        padded = [
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(cells, widths))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = [
        "-" * width if column < left else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    ]
    return "\n".join([row(lines[0]), row(rule)] + [row(line) for line in lines[1:]])


def _first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)
    return (done.stdout or done.stderr).strip().split("\n", maxsplit=1)[0]


def _package(name):
    return _first_line("dpkg-query", "-W", "-f", "${Version}", name)


def machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1))
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    disk = _first_line("findmnt", "-n", "-o", "FSTYPE", "-T", ON_DISK)
    return (
        f"{len(os.sched_getaffinity(0))} × {cpu.group(1) if cpu else platform.machine()}, "
        f"{memory / 2**20:.0f} GiB, Linux {platform.release()}, {system}, databases on {disk}"
    )


def versions():
    fastify = json.loads((HERE / "peers/fastify/package.json").read_text())["dependencies"]
    nginx = _first_line("nginx", "-v").rpartition("/")[2]
    return ", ".join(
        [
            f"commit {_first_line('git', 'describe', '--always', '--dirty')}",
            f"gcc {_first_line('gcc', '-dumpfullversion')}",
            f"nginx {nginx}",
            f"libfcgi {_package('libfcgi0ldbl')}",
            f"SQLite {_first_line('sqlite3', '--version').split()[0]}",
            f"wrk {_package('wrk')}",
            f"FastAPI {_package('python3-fastapi')}",
            f"uvicorn {_package('python3-uvicorn')}",
            f"Python {platform.python_version()}",
            f"Fastify {fastify['fastify']}",
            f"Node.js {_first_line('node', '--version').lstrip('v')}",
        ]
    )


def _throughput(rows, connections):
    def rate(row):
        return row.cells[connections].rate

    lines = []
    for row in rows.values():
        cell = row.cells[connections]
        lines.append(
            [
                row.title,
                f"{cell.rate:,.0f}",
                f"{cell.rate / rate(rows['static']):.2f}",
                f"{cell.rate / rate(rows['bare']):.2f}",
                f"{cell.p50_ms:.2f}",
                f"{cell.p99_ms:.2f}",
                f"{cell.cpu_us:.0f}" if row.processes else "",
                f"{cell.failures}",
            ]
        )
    header = ["", "a second", "× static", "× bare", "p50 ms", "p99 ms", "CPU µs", "failed"]
    return f"## {connections} connections\n\n" + table(header, lines)


def _floors(floors):
    missed = sum(not floor.holds for floor in floors)
    verdict = f"{missed} of {len(floors)} missed" if missed else f"all {len(floors)} hold"
    lines = [floor.cells() for floor in floors]
    return f"## Floors: {verdict}\n\n" + table(["", "measured", ""], lines)


def _head(scale):
    return f"""\
# Measured

- Date: {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC
- Machine: {machine()}
- Versions: {versions()}

Made by `make bench`. One nginx serves the static file, the bare loop, the product service and the
peers: the product sidecar's own configuration (rate limit off, access log written to /dev/null)
with servers added for the others. Each row was loaded by wrk on the same machine, in turns,
{scale.rounds} × {scale.seconds} s at each number of connections: compare the ratios, not the
absolute figures. CPU µs is processor time of the workers for one request, nginx not included. A
checkout is a whole purchase (three requests by the shopper, and those between the services), made
by `bench/checkout.c`. The peers keep their products in memory, in one process, and lose them when
it ends; a durable POST is on the disk (`synchronous=FULL`) before it is answered."""


def _flat(measured):
    return f"""\
## Small and large catalogue, 32 connections

Two product services, loaded through `POST /products/bulk` ({measured.load_rate:,.0f} products a
second into an empty one). Searches ask for a page of 100. A word that every product has ("all
match") is bounded: the index hands out matches newest first, and only the first 1,000 are ranked.

{table(measured.flat.header(), measured.flat.lines())}"""


def _memory_and_start(measured):
    memory = [[name, f"{size:.1f}"] for name, size in measured.memory.items()]
    starts = [
        [f"with {occasion}", f"{statistics.median(taken):.0f}", f"{max(taken):.0f}"]
        for occasion, taken in measured.start_times.items()
    ]
    return f"""\
## Memory and start

{table(["after the load above", "MB resident"], memory)}

{table(["first 200 of /readyz through nginx, ms", "median", "slowest"], starts)}"""


def document(scale, measured, connection_counts, floors):
    sections = [_head(scale)]
    sections += [_throughput(measured.rows, connections) for connections in connection_counts]
    sections += [_flat(measured), _memory_and_start(measured), _floors(floors)]
    return "\n\n".join(sections) + "\n"
