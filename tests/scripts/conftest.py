"""Installations in folders of their own."""

import contextlib
import signal
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "http"))

import pytest  # noqa: E402
from installation import Installation  # noqa: E402


def pytest_configure(config):
    # Ended like by Ctrl-C: fixtures get to stop what they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextlib.contextmanager
def installed(name="platform", **options):
    # Short: a Unix socket's path may have 107 bytes only.
    with tempfile.TemporaryDirectory(prefix="scripts-", dir="/tmp") as parent:
        Path(parent).chmod(0o755)
        platform = Installation(Path(parent) / name, **options)
        try:
            yield platform
        finally:
            platform.destroy()


@pytest.fixture
def installation():
    with installed() as platform:
        yield platform


@pytest.fixture
def make_installation():
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(installed(**options))
