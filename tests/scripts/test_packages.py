"""scripts/install-packages.sh, on a machine that only records what is done as root."""

import os
import signal
import subprocess

import pytest
from testbed import ROOT, wait_until

COMMANDS = {
    "id": "echo 1000",
    # Nothing is installed.
    "dpkg-query": "exit 1",
    "sudo": """
        echo "$@" >>"$CALLS"
        case $1 in
        tee) cat >/dev/null ;;
        env) while [ -n "${END:-}" ] && [ ! -e "$END" ]; do sleep 0.1; done ;;
        esac
    """,
}


@pytest.fixture
def machine(tmp_path):
    """The settings with which the script is on it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in COMMANDS.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    return {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "CALLS": str(tmp_path / "calls")}


@pytest.mark.parametrize("interruption", [None, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_services_are_only_kept_from_starting_meanwhile(machine, tmp_path, interruption):
    """What would keep later packages from starting their services is removed again, whatever
    happens."""
    calls, end = tmp_path / "calls", tmp_path / "end"
    script = subprocess.Popen(
        [ROOT / "scripts" / "install-packages.sh", "build", "postgres"],
        env={**machine, **({"END": str(end)} if interruption else {})},
        stdout=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    if interruption:
        wait_until(lambda: calls.exists() and " install " in calls.read_text(), 60, "apt-get runs")
        os.killpg(script.pid, interruption)
        # The stand-in, a dash, may have missed it while it began to sleep.
        end.touch()
    assert script.wait(60) == (130 if interruption else 0)
    done = calls.read_text().splitlines()
    made = [line.split()[1] for line in done if line.startswith("tee ")]
    # In a container no service starts anyway.
    assert len(made) == (1 if os.path.exists("/usr/sbin/policy-rc.d") else 2)
    for path in made:
        assert f"rm -f {path}" in done
