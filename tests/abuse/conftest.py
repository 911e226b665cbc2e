"""One client with one address and no credentials, inside the permitted rate, against the HTTP tests'
platform: what it sends may cost it its answer, and nobody else theirs."""

import importlib.util
import sys
from pathlib import Path

HTTP_TESTS = Path(__file__).resolve().parent.parent / "http"
sys.path.insert(0, str(HTTP_TESTS))


def pytest_configure(config):
    # By another name: two modules called conftest get into each other's way.
    spec = importlib.util.spec_from_file_location("http_conftest", HTTP_TESTS / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.pytest_configure(config)
    config.pluginmanager.register(module, "http_conftest")
