"""Real headless Chromium against a private platform: each scenario is a script beside this file.

Pictures go to build/screenshots, or to the folder that SCREENSHOTS names.
"""

import itertools
import json
import math
import os
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import testbed
import tokens
from openid import OpenIdProvider
from prometheus import Prometheus
from shop import Shop

HERE = Path(__file__).resolve().parent
SCENARIO_WITHIN = 600 * testbed.SLOWNESS
STOP_WITHIN = 10


# A picture worth a look needs more of the past than a test does.
WATCHED = 180 if "SCREENSHOTS" in os.environ else 15


@pytest.fixture(scope="module")
def listed():
    """Permits pages of http://localhost:…."""
    with testbed.Platform(nginx={"CORS_ALLOW_ORIGINS": "http://localhost:*"}) as bed:
        yield bed


@pytest.fixture(scope="module")
def addresses(listed):
    anybody = testbed.Platform(
        services=("product",), gateway=False, nginx={"CORS_ALLOW_ORIGINS": "*"}
    )
    with anybody:
        ports = {name: service.public_port for name, service in listed.services.items()}
        ports |= {"gateway": listed.gateway.port, "open": anybody.product.public_port}
        yield {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}


@contextmanager
def customers(bed):
    """Customers that come and go in waves, as long as the context lasts."""
    closed = threading.Event()

    def buy():
        shop = Shop(bed)
        product = shop.make_product(inventory=1_000_000)
        for number in itertools.count():
            for _ in range(number % 12):
                shop.read_product(product)
            shop.buy({product: 1 + number % 3})
            if closed.wait(0.06 + 0.05 * math.sin(time.monotonic() / 9)):
                return

    thread = threading.Thread(target=buy)
    thread.start()
    try:
        yield
    finally:
        closed.set()
        thread.join()


@pytest.mark.parametrize("scenario", ["docs", "redoc", "purchase", "cors"])
def test_scenario(addresses, scenario):
    play(scenario, addresses)


STAFF = "products:write stock:read stock:write orders:read orders:write"


def test_people_sign_in(tmp_path):
    pages = [f"http://127.0.0.1/{page}" for page in ("products/docs", "carts/docs", "orders/docs", "docs")]
    provider = OpenIdProvider(tmp_path, audience="shop", scopes=STAFF, redirects=pages)
    settings = tokens.settings(tokens.Provider(), tmp_path)
    issuer = {"AUTH_ISSUER": provider.issuer}
    settings |= {**issuer, "AUTH_JWKS": "", "AUTH_DOCS_CLIENT": "docs"}
    with provider, testbed.Platform(worker=settings, nginx=issuer) as bed:
        ports = {"order": bed.order.public_port, "gateway": bed.gateway.port}
        addresses = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        play("sign-in", {**addresses, "issuer": provider.issuer})


def test_query_page_shows_the_load(listed, addresses):
    rates = "sum by (service) (rate(http_requests_total[20s]))"
    with Prometheus(listed) as prometheus, customers(listed):
        time.sleep(WATCHED)
        testbed.wait_until(lambda: len(prometheus.query(rates)) == 3, 60, "all three are asked")
        address = f"http://127.0.0.1:{prometheus.port}"
        play("metrics", {**addresses, "prometheus": address}, RANGE=f"{WATCHED}s")


def play(scenario, addresses, **settings):
    screenshots = testbed.ROOT / os.environ.get("SCREENSHOTS", "build/screenshots")
    settings |= {"PLATFORM": json.dumps(addresses), "SCREENSHOTS": str(screenshots)}
    node = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "node", HERE / f"{scenario}.mjs"],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = node.communicate(timeout=SCENARIO_WITHIN)
    except BaseException:
        # Asked to end, it closes its browser first.
        node.send_signal(signal.SIGTERM)
        try:
            node.communicate(timeout=STOP_WITHIN)
        finally:
            node.kill()
        raise
    assert node.returncode == 0, output
