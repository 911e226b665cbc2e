"""The fixtures are plugins: tests/abuse and tests/proofs stand on the same platform."""

pytest_plugins = ["platform_fixtures", "targets"]
