"""docker/entrypoint.sh as process 1, which gets only signals that it has a trap for: once a trap is
set, no signal is lost, whatever has been started by then."""

import concurrent.futures
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import testbed
from installation import EVENTUALLY
from metronome import Metronome

# Milliseconds after the trap is there. A sidecar starts seven programs one after the other.
MOMENTS = range(0, 400, 25)
UNSHARE = ["unshare", "--pid", "--fork", "--kill-child"]
UNSHARE += [] if os.geteuid() == 0 else ["--user", "--map-root-user"]

pytestmark = pytest.mark.skipif(
    subprocess.run([*UNSHARE, "true"], capture_output=True, check=False).returncode != 0,
    reason="needs namespaces of its own",
)


@pytest.fixture(scope="module")
def entrypoint(tmp_path_factory):
    """With the paths of this tree instead of an image's. The services' name is service there."""
    folder = tmp_path_factory.mktemp("entrypoint")
    text = (testbed.ROOT / "docker/entrypoint.sh").read_text()
    for inside, here in {
        "/usr/local/share/nginx": testbed.ROOT / "nginx",
        "/usr/local/bin/service": folder / "service",
    }.items():
        assert inside in text
        text = text.replace(inside, str(here))
    (folder / "entrypoint").write_text(text)
    (folder / "entrypoint").chmod(0o755)
    (folder / "service").symlink_to(testbed.program("product")[-1])
    return folder / "entrypoint"


def traps(pid, signum):
    """It catches the signal, or has it wait."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return False
    masks = [line.split()[1] for line in lines if line.startswith(("SigCgt:", "SigBlk:"))]
    # unshare blocks it until it becomes what is tested.
    return lines[0] != "Name:\tunshare" and any(int(mask, 16) >> (signum - 1) & 1 for mask in masks)


def end_at(entrypoint, directory, role, moment, signum):
    """(its exit status, its log)"""
    directory.mkdir()
    ports = testbed.free_ports(3)
    settings = {
        "PATH": f"{entrypoint.parent}:{os.environ['PATH']}",
        "SERVICE": "product",
        "DATABASE_URL": f"sqlite:///{directory}/product.db",
        "WORKER_SOCKET": directory / "worker.sock",
        "RUNTIME_DIR": directory,
        "LISTEN_ADDRESS": "127.0.0.1",
        **dict(zip(("PUBLIC_PORT", "INTERNAL_PORT", "HEALTH_PORT"), ports)),
        "GATEWAY_PORT": ports[0],
    }
    log = directory / "log"
    with log.open("wb") as out:
        outer = subprocess.Popen(
            [*UNSHARE, entrypoint, role],
            env=testbed.environment(settings), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
        )  # fmt: skip
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
    testbed.wait_until(children.read_text, EVENTUALLY, "it is started")
    pid = int(children.read_text())
    testbed.wait_until(lambda: traps(pid, signum) or outer.poll() is not None, EVENTUALLY, "there is a trap")
    time.sleep(moment / 1000)
    if outer.poll() is None:
        os.kill(pid, signum)
    try:
        return outer.wait(EVENTUALLY), log.read_text()
    except subprocess.TimeoutExpired:
        outer.kill()
        outer.wait()
        return "never", log.read_text()


@pytest.mark.parametrize("role", ["nginx", "gateway", "worker"])
def test_no_signal_is_lost(entrypoint, tmp_path, role):
    def end(moment):
        return moment, *end_at(entrypoint, tmp_path / str(moment), role, moment, signal.SIGTERM)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(end, MOMENTS))
    assert [(moment, status, log[-500:]) for moment, status, log in ends if status != 0] == []


def test_a_signal_that_comes_before_nginx_is_remembered(entrypoint, tmp_path):
    """While the sidecar still waits for the input of its configuration."""
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "entrypoint").write_text(entrypoint.read_text())
    (slow / "entrypoint").chmod(0o755)
    program = entrypoint.parent / "service"
    (slow / "service").write_text(f"#!/bin/sh\nsleep 1\nexec {program} \"$@\"\n")
    (slow / "service").chmod(0o755)
    with Metronome() as metronome:
        started = time.monotonic()
        status, log = end_at(slow / "entrypoint", tmp_path / "run", "nginx", 0, signal.SIGTERM)
        assert status == 0, log
        assert time.monotonic() - started < 5 + metronome.slack
