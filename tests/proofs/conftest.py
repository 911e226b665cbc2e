"""The proofs stand on the HTTP tests' platform and tools (tests/http), and show its logs too."""

import importlib.util
import sys
from pathlib import Path

import pytest

HTTP_TESTS = Path(__file__).resolve().parent.parent / "http"
sys.path.insert(0, str(HTTP_TESTS))


def pytest_configure(config):
    # By another name: two modules called conftest get into each other's way.
    spec = importlib.util.spec_from_file_location("http_conftest", HTTP_TESTS / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.pytest_configure(config)
    config.pluginmanager.register(module, "http_conftest")


@pytest.fixture(scope="session")
def cluster():
    """PostgreSQL, as good as new for each platform."""
    from cluster import Cluster

    with Cluster() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def make_bed(request):
    """make_bed(store): a platform on SQLite, or on PostgreSQL with three replicas."""
    from bed import Bed
    from replicas import ReplicaBed

    def make(store):
        return Bed() if store == "sqlite" else ReplicaBed(request.getfixturevalue("cluster"))

    return make
