"""The tables, and what they are held against."""

import json
import os
import platform
import re
import subprocess
import textwrap
from datetime import datetime, timezone
from pathlib import Path

import postgres
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


def prose(text):
    """A paragraph, its lines filled."""
    return textwrap.fill(" ".join(text.split()), 100, break_on_hyphens=False)


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


def first_line(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)
    return (done.stdout or done.stderr).strip().split("\n", maxsplit=1)[0]


def _package(name):
    return first_line("dpkg-query", "-W", "-f", "${Version}", name)


def _machine():
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text()).group(1))
    system = platform.freedesktop_os_release()["PRETTY_NAME"]
    disk = first_line("findmnt", "-n", "-o", "FSTYPE", "-T", ON_DISK)
    return (
        f"{len(os.sched_getaffinity(0))} × {cpu.group(1) if cpu else platform.machine()}, "
        f"{memory / 2**20:.0f} GiB, Linux {platform.release()}, {system}, databases on {disk}"
    )


def _program_versions():
    """Of what every part runs."""
    nginx = first_line("nginx", "-v").rpartition("/")[2]
    return [
        f"commit {first_line('git', 'describe', '--always', '--dirty')}",
        f"gcc {first_line('gcc', '-dumpfullversion')}",
        f"nginx {nginx}",
        f"libfcgi {_package('libfcgi0ldbl')}",
        f"PostgreSQL {first_line(postgres.program('postgres'), '--version').split()[2]}",
        f"SQLite {first_line('sqlite3', '--version').split()[0]}",
        f"wrk {_package('wrk')}",
        f"Python {platform.python_version()}",
    ]


def pinned(peer, package):
    """The version of a package that bench/peers has."""
    return json.loads((HERE / f"peers/{peer}/package.json").read_text())["dependencies"][package]


def _peer_versions():
    return [
        f"FastAPI {_package('python3-fastapi')}",
        f"uvicorn {_package('python3-uvicorn')}",
        f"Fastify {pinned('fastify', 'fastify')}",
        f"Node.js {first_line('node', '--version').lstrip('v')}",
    ]


def _floors(floors):
    missed = sum(not floor.holds for floor in floors)
    verdict = f"{missed} of {len(floors)} missed" if missed else f"all {len(floors)} hold"
    lines = [floor.cells() for floor in floors]
    return f"## Floors: {verdict}\n\n" + table(["", "measured", ""], lines)


def title(text, versions):
    """A document's first lines: when, where and with what it was measured."""
    return f"""\
# {text}

- Date: {datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC
- Machine: {_machine()}
- Versions: {", ".join(_program_versions() + versions)}"""


def head():
    return f"""\
{title("Measured", _peer_versions())}

Made by `make bench`. Everything runs on one machine, what loads it too: compare the ratios within a
table, not the absolute figures. Services answer through their sidecars with the sidecars' own
configuration (rate limit off, access log written to /dev/null), loaded by wrk. The rows of a table
take turns, so that noise on the machine meets all of them alike. CPU µs is processor time of the
workers for one request, nginx not included. A checkout is a whole purchase (three requests by the
shopper, and those between the services), made by `bench/checkout.c`. [SHOPS.md](SHOPS.md) compares
the platform with Vendure and Medusa."""


def document(begins, parts, floors):
    sections = [begins]
    for part in parts:
        sections += part.sections()
    return "\n\n".join([*sections, _floors(floors)]) + "\n"
