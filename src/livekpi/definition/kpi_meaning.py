"""What a KPI's numbers are, whatever it is called and however it is written: what was kept of other numbers is of no use to it."""

from livekpi.definition.definition import Kpi
from livekpi.definition.sql.expressions import Aggregate


def kpi_meaning(kpi: Kpi) -> list[object]:
    """Its arithmetic and each aggregate in it with its filter, as what JSON can hold; a KPI of KPIs changes with these."""
    return [kpi.value.tree.sql(), list(map(_aggregate, kpi.value.aggregates))]


def _aggregate(part: Aggregate) -> object:
    trees = [None if tree is None else tree.sql() for tree in (part.argument, part.where)]
    return [part.kind, part.source, part.every_us, part.over_us, *trees, str(part.type), part.quantile]
