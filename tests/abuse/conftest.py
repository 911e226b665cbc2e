"""One client with one address and no credentials, inside the permitted rate, against the HTTP tests'
platform: what it sends may cost it its answer, and nobody else theirs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))

pytest_plugins = ["platform_fixtures"]
