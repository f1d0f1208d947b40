"""How many examples: few where all tests run, as many as LIVEKPI_EXAMPLES says where one looks for what is rare."""

import os

from hypothesis import HealthCheck, Phase, settings

_EXAMPLES = int(os.environ.get("LIVEKPI_EXAMPLES", "0"))
settings.register_profile(
    "engine",
    max_examples=_EXAMPLES or 10,
    deadline=None,  # no test measures speed
    derandomize=os.environ.get("CI") == "true",  # a change is judged by the same examples as the one before it
    # making a failure small takes minutes: only where one has asked for time
    phases=[Phase.explicit, Phase.reuse, Phase.generate, *([Phase.shrink] if _EXAMPLES else [])],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)
settings.load_profile("engine")
