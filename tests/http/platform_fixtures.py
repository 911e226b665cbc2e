"""Fixtures: the session's platform, and a factory for platforms with other settings."""

import contextlib
import signal

import invariants
import pytest
import stores
import testbed
from shop import Shop

LOG_TAIL = 6000  # bytes of each log that are shown with a failure

# An origin by name and any port of this machine, for what the tests of CORS need.
DEFAULT_NGINX = {"CORS_ALLOW_ORIGINS": "https://shop.example,http://localhost:*"}


def pytest_configure(config):
    # Ended like by Ctrl-C: fixtures get to stop what they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    config.addinivalue_line("markers", "storeless: no store matters to it, so one run of it will do")


def pytest_collection_modifyitems(config, items):
    if stores.POSTGRES:
        left_out = [item for item in items if item.get_closest_marker("storeless")]
        items[:] = [item for item in items if not item.get_closest_marker("storeless")]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def platform():
    """The three services and the gateway, with the default settings."""
    with testbed.Platform(nginx=DEFAULT_NGINX) as bed:
        yield bed


@pytest.fixture(scope="module")
def make_platform():
    """make_platform(services=…, gateway=…, nginx={…}, worker={…}): ends with the module."""
    with contextlib.ExitStack() as stack:
        yield lambda **options: stack.enter_context(testbed.Platform(**options))


@pytest.fixture(scope="module")
def shop(platform):
    return Shop(platform)


@pytest.fixture(scope="module")
def own_shop(make_platform):
    """With stores that no other module writes to."""
    return Shop(make_platform(gateway=False))


@pytest.fixture
def stores_agree(own_shop):
    """Checked after the test, to the last unit."""
    yield
    invariants.check(own_shop.bed)


@pytest.fixture
def stock_adds_up(own_shop):
    """After a test whose reservations belong to no orders."""
    yield
    assert list(invariants.stock_faults(own_shop.bed.directory)) == []


@pytest.fixture(scope="module")
def catalogue(make_platform):
    """With a product service only, and nothing in its lists and exports but the module's."""
    return make_platform(services=("product",), gateway=True)


@pytest.fixture
def service(catalogue):
    return catalogue.product


@pytest.fixture
def product(platform):
    return platform.product


@pytest.fixture
def cart(platform):
    return platform.cart


@pytest.fixture
def order(platform):
    return platform.order


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    item.log_sizes = {
        process.log: len(process.logged()) for bed in testbed.running for process in bed.processes()
    }
    yield


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds to a failure what the processes logged during the test."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for bed in testbed.running:
        for process in bed.processes():
            logged = process.logged()[item.log_sizes.get(process.log, 0) :]
            if logged:
                report.sections.append((f"log of {process.name}", logged[-LOG_TAIL:]))
