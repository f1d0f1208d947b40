"""Which KPIs count: their number is 0, and not unknown, where nothing came."""

from livekpi.definition.sql.expressions import KpiValue


def is_count(value: KpiValue) -> bool:
    """Whether a value is made of counts alone, and not a ratio of them: that has no value where there was nothing to divide."""
    return value.type.kind == "integer" and all(aggregate.kind in ("count", "distinct") for aggregate in value.aggregates)
