"""Real headless Chromium against a private platform: each scenario is a script beside this file.

Pictures go to build/screenshots, or to the folder that SCREENSHOTS names.
"""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
import testbed

HERE = Path(__file__).resolve().parent
SCENARIO_WITHIN = 300 * testbed.SLOWNESS
STOP_WITHIN = 10


@pytest.fixture(scope="module")
def addresses():
    listed = testbed.Platform(nginx={"CORS_ALLOW_ORIGINS": "http://localhost:*"})
    anybody = testbed.Platform(
        services=("product",), gateway=False, nginx={"CORS_ALLOW_ORIGINS": "*"}
    )
    with listed, anybody:
        ports = {name: service.public_port for name, service in listed.services.items()}
        ports |= {"gateway": listed.gateway.port, "open": anybody.product.public_port}
        yield {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}


@pytest.mark.parametrize("scenario", ["docs", "redoc", "purchase", "cors"])
def test_scenario(addresses, scenario):
    screenshots = testbed.ROOT / os.environ.get("SCREENSHOTS", "build/screenshots")
    settings = {"PLATFORM": json.dumps(addresses), "SCREENSHOTS": str(screenshots)}
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
