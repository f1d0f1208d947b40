"""What every test has."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester", "tests.plugins.no_skips", "tests.servers.fixtures"]

# no test measures speed, least of all on a busy machine
settings.register_profile("livekpi", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("livekpi")
