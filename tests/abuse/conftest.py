"""One client with one address and no credentials, within the permitted rate, against the HTTP tests'
platform: it may lose its own answer, but must not cost others theirs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))

pytest_plugins = ["platform_fixtures"]
