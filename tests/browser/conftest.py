"""The browser tests use the HTTP tests' platform, show its logs too, have Prometheus scrape it, and sign
people in at a provider."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS / "http"), str(TESTS / "observe"), str(TESTS / "provider")]

pytest_plugins = ["platform_fixtures"]
