"""The fixtures are a plugin, since tests/abuse and tests/proofs stand on the same platform."""

pytest_plugins = ["platform_fixtures"]
