"""The browser tests use the HTTP tests' platform, show its logs too, and have Prometheus scrape it."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "http"), str(TESTS / "observe")]

pytest_plugins = ["platform_fixtures"]
