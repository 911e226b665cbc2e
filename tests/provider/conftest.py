"""The tests with a real provider use the HTTP tests' platform, and show its logs too."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "http"))

pytest_plugins = ["platform_fixtures"]
