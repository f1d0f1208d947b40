"""Which KPIs can be added up: whose value over a day is the sum of its buckets' values."""

from typing import Literal

from sqlglot import exp

from livekpi.definition.sql.expressions import Aggregate, AggregateKind, KpiValue

Lone = Literal["count", "sum"]
_NAMES: dict[AggregateKind, str] = {"distinct": "count of distinct values", "last": "last value", "first": "first value"}
_OTHER = "it is not a count or a sum, nor made of these by adding and by multiplying with numbers"


def lone(value: KpiValue) -> Lone | None:
    """`count` or `sum` for a value of one bucket that is nothing but one: twice the bucket's events make twice the number."""
    if not isinstance(value.tree.unnest(), exp.Column) or len(value.aggregates) != 1 or _overlaps(value):
        return None
    kind = value.aggregates[0].kind
    return kind if kind in ("count", "sum") else None


def adding_problem(value: KpiValue) -> str | None:
    """Why a value can't be added up; None where it can: counts and sums, times numbers, and what these are together.

    Where one part of a sum is missing the whole is null, and a bucket that is null is not added. So parts must be such as are never
    missing: counts of the same events, or coalesced to 0.
    """
    if _overlaps(value):
        return "its points overlap (`over` is more than `every`)"
    return _problem(value.tree, value, missing=True)


def adds(value: KpiValue) -> bool:
    """Whether a value is counts and sums, times numbers, and what these are together: a number wherever each of them is."""
    return _problem(value.tree, value, missing=False) is None


def _overlaps(value: KpiValue) -> bool:
    return any(aggregate.over_us > aggregate.every_us for aggregate in value.aggregates)


def _problem(node: exp.Expr, value: KpiValue, *, missing: bool) -> str | None:
    """`missing`: whether it is one that a part may be missing where others are not."""
    if isinstance(node, exp.Column):
        kind = _aggregate(node, value).kind
        return None if kind in ("count", "sum") else f"the {_NAMES.get(kind, kind)} of a day is not the sum of its hours'"
    if isinstance(node, exp.Add | exp.Sub):
        sides = (_problem(side, value, missing=missing) for side in (node.this, node.expression))
        return next(filter(None, sides), None) or (_missing_problem(node, value) if missing else None)
    inner = _scaled(node)
    return _OTHER if inner is None else _problem(inner, value, missing=missing)


def _scaled(node: exp.Expr) -> exp.Expr | None:
    """What a node is a number of times of; None where it is no such thing."""
    inner: exp.Expr | None = None
    match node:
        case exp.Paren() | exp.Neg():
            inner = node.this
        case exp.TryCast() if not node.to.is_type(*exp.DataType.INTEGER_TYPES):
            inner = node.this
        case exp.Coalesce() if all(_is_zero(each) for each in node.expressions):
            inner = node.this
        case exp.Mul() | exp.Div() if not _has_parts(node.expression):
            inner = node.this
        case exp.Mul() if not _has_parts(node.this):
            inner = node.expression
    return inner


def _missing_problem(node: exp.Binary, value: KpiValue) -> str | None:
    columns = list(node.find_all(exp.Column))
    aggregates = [_aggregate(column, value) for column in columns]
    of_same_events = len({(each.source, each.every_us, each.by) for each in aggregates}) == 1
    if of_same_events and all(each.kind == "count" for each in aggregates):
        return None
    if all(column.find_ancestor(exp.Coalesce) is not None for column in columns):
        return None
    return "a bucket in which one of its parts is missing would be left out; write each part as coalesce(…, 0)"


def _aggregate(column: exp.Column, value: KpiValue) -> Aggregate:
    return value.aggregates[int(column.name[1:])]


def _has_parts(node: exp.Expr) -> bool:
    return node.find(exp.Column) is not None


def _is_zero(node: exp.Expr) -> bool:
    inner = node.this if isinstance(node, exp.TryCast) else node
    return isinstance(inner, exp.Literal) and not inner.is_string and float(inner.this) == 0
