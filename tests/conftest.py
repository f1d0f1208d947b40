"""What every test has."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester", "tests.plugins.no_skips", "tests.plugins.longest_first", "tests.servers.fixtures"]

# no test measures speed, least of all on a busy machine
# and in CI a change is judged by the same examples as the one before it
settings.register_profile(
    "livekpi", deadline=None, derandomize=os.environ.get("CI") == "true", suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("livekpi")
