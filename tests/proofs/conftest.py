"""The proofs use the HTTP tests' platform and tools (tests/http), and show its logs too."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))

pytest_plugins = ["platform_fixtures"]

# A full disk is what SQLite has to deal with; the others are about a server or several replicas.
collect_ignore = (
    ["test_full_disk.py"]
    if os.environ.get("STORE") == "postgres"
    else ["test_failover.py", "test_postgres.py", "test_rolling.py"]
)



def pytest_configure(config):
    config.addinivalue_line("markers", "asked: stands for its kind where AUTH=jwt and time is short")


@pytest.fixture(scope="session")
def make_bed():
    """make_bed(): a platform on SQLite, or on PostgreSQL with three replicas."""
    import stores
    from bed import Bed
    from replicas import ReplicaBed

    return ReplicaBed if stores.POSTGRES else Bed


@pytest.fixture(scope="module")
def bed(make_bed, cluster):
    """On the module's own cluster. A module without one gets its own bed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_DATABASE_URL", cluster.url)
        with make_bed() as bed:
            yield bed
