"""What of a KPI is asked for: a condition over its dimensions."""

from sqlglot import exp

from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.problems import ExpressionError, nearest
from livekpi.definition.sql.parsing import parse
from livekpi.definition.sql.scalars import Scalars
from livekpi.definition.sql.typed import Typed
from livekpi.query.steps import QueryError


def condition(definition: Definition, kpi: Kpi, where: str) -> exp.Expr:
    """A condition such as ``country = 'DE'``, its columns the KPI's dimensions; raises QueryError."""

    def leaf(node: exp.Expr) -> Typed | None:
        if not isinstance(node, exp.Column):
            return None
        if node.name not in kpi.by or node.args.get("table"):
            likely = nearest(node.name, kpi.by) or f"; text stands in single quotes: {exp.Literal.string(node.name).sql()}"
            raise QueryError(f"where: {kpi.name} has no dimension {node.name!r}{has(kpi)}{likely}")
        return Typed(exp.column(node.name), definition.sources[kpi.value.aggregates[0].source].fields[node.name].type)

    try:
        return Scalars(leaf, exact=False).condition(parse(where))
    except ExpressionError as error:
        raise QueryError(f"where: {error.message} (character {error.offset + 1} of {where!r})") from error


def dimensions(kpi: Kpi, by: tuple[str, ...]) -> tuple[str, ...]:
    """The dimensions to slice by, each once; raises QueryError for one that the KPI lacks."""
    for name in by:
        if name not in kpi.by:
            raise QueryError(f"{kpi.name} has no dimension {name!r}{has(kpi)}{nearest(name, kpi.by)}")
    return tuple(dict.fromkeys(by))


def has(kpi: Kpi) -> str:
    """Which dimensions there are, as the end of a sentence."""
    return f"; it has {', '.join(kpi.by)}" if kpi.by else "; it has none"
