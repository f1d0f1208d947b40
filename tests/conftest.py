"""What every test has."""

pytest_plugins = ["pytester", "tests.plugins.no_skips", "tests.servers.fixtures"]
