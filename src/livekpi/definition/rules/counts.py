"""Which KPIs are 0 for rules, and not unknown, where nothing came."""

from livekpi.definition.sql.additive import adds
from livekpi.definition.sql.expressions import KpiValue


def is_count(value: KpiValue) -> bool:
    """Whether a value is made of counts alone, and not a ratio of them: that has no value where there was nothing to divide."""
    return value.type.kind == "integer" and all(aggregate.kind in ("count", "distinct") for aggregate in value.aggregates)


def is_zero_of_nothing(value: KpiValue) -> bool:
    """Whether a value is a number for rules where there were no events: it is made of counts, or adds up counts and sums."""
    return is_count(value) or adds(value)
