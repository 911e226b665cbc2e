"""The proofs stand on the HTTP tests' platform and tools (tests/http), and show its logs too."""

import importlib.util
import os
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


# A full disk is what SQLite has to deal with; the others are about a server or several replicas.
collect_ignore = (
    ["test_full_disk.py"]
    if os.environ.get("STORE") == "postgres"
    else ["test_postgres.py", "test_rolling.py"]
)


@pytest.fixture(scope="session")
def make_bed():
    """make_bed(): a platform on SQLite, or on PostgreSQL with three replicas."""
    import stores
    from bed import Bed
    from replicas import ReplicaBed

    return ReplicaBed if stores.POSTGRES else Bed
