"""Which KPIs a KPI is made of, and an order in which parts come first."""

from collections.abc import Mapping

from sqlglot import exp

from livekpi.definition.report import Report
from livekpi.definition.sql.expressions import is_aggregate
from livekpi.definition.sql.parsing import fail


def kpis_named(tree: exp.Expr) -> list[exp.Column]:
    """The columns outside the aggregates of a parsed value: the KPIs it is made of."""
    return [node for node in tree.walk(prune=is_aggregate) if isinstance(node, exp.Column)]


def parts_first(trees: Mapping[str, exp.Expr], report: Report) -> list[str]:
    """The KPIs' names such that each comes after those it is made of; a ring is reported with its path."""
    order: list[str] = []
    met: set[str] = set()
    for start in trees:
        path = [] if start in met else [(start, iter(kpis_named(trees[start])))]
        met.add(start)
        while path:
            name, parts = path[-1]
            part = next(parts, None)
            if part is None:
                order.append(name)
                path.pop()
                continue
            above = [step for step, _ in path]
            if part.name in above:
                ring = " → ".join([*above[above.index(part.name) :], part.name])
                report.expression(("kpis", name, "value"), fail(f"a KPI can't be made of itself: {ring}", part))
            elif part.name in trees and part.name not in met:
                met.add(part.name)
                path.append((part.name, iter(kpis_named(trees[part.name]))))
    return order
