"""nginx/serve.sh: whenever it is told to stop, it does, and leaves no nginx behind."""

import concurrent.futures
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import testbed
from installation import EVENTUALLY

# Milliseconds after serve.sh listens to signals; nginx does so after some tens of them.
MOMENTS = (*range(0, 64, 4), *range(64, 400, 16))


def configure(directory):
    directory.mkdir()
    for name in ("nginx", "internal"):
        (directory / f"{name}.conf").write_text(
            f"pid {directory}/{name}.pid; events {{}}\n"
            f"http {{ server {{ listen unix:{directory}/{name}.sock; access_log off; }} }}\n"
        )


def catches(pid, signum):
    status = Path(f"/proc/{pid}/status").read_text()
    (caught,) = re.findall(r"^SigCgt:\s*(\w+)$", status, re.MULTILINE)
    return int(caught, 16) >> (signum - 1) & 1


def end_at(directory, moment, signum):
    """(its exit status, what is left of it)"""
    configure(directory)
    server = subprocess.Popen(
        [testbed.ROOT / "nginx/serve.sh", directory, *sorted(directory.glob("*.conf"))],
        env=testbed.environment({"RUNTIME_DIR": directory}),
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Bash ignores SIGQUIT while it starts.
    testbed.wait_until(lambda: catches(server.pid, signum), EVENTUALLY, "serve.sh listens")
    time.sleep(moment / 1000)
    server.send_signal(signum)
    status = server.wait(EVENTUALLY)
    left = subprocess.run(
        ["ps", "-o", "args", "--no-headers", "-s", str(server.pid)], capture_output=True, text=True
    )
    return status, [line for line in left.stdout.splitlines() if "master" in line]


@pytest.mark.parametrize("signum", [signal.SIGQUIT, signal.SIGTERM])
def test_no_signal_is_lost(tmp_path, signum):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda ms: end_at(tmp_path / str(ms), ms, signum), MOMENTS))
    # Before it or nginx has a say, the signal itself ends them.
    well = {0, -signum, 128 + signum}
    assert [(status, left) for status, left in ends if status not in well or left] == []


def test_one_that_ends_takes_the_other_with_it(tmp_path):
    directory = tmp_path / "pair"
    configure(directory)
    (directory / "internal.conf").write_text("no such directive;")
    done = subprocess.run(
        [testbed.ROOT / "nginx/serve.sh", directory, "nginx.conf", "internal.conf"],
        env=testbed.environment({"RUNTIME_DIR": directory}),
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=EVENTUALLY,
    )
    assert done.returncode == 1 and "unknown directive" in done.stderr
