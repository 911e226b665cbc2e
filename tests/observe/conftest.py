"""The platform of the HTTP tests, with a real Prometheus that scrapes it."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "http"), str(TESTS / "deploy")]

import pytest  # noqa: E402
import testbed  # noqa: E402
from prometheus import Prometheus  # noqa: E402


@pytest.fixture(scope="session")
def platform():
    with testbed.Platform() as bed:
        yield bed


@pytest.fixture(scope="session")
def prometheus(platform):
    with Prometheus(platform) as server:
        yield server
