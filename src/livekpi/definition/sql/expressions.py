"""A KPI's value: arithmetic over aggregates of a source's fields, or over other KPIs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

from sqlglot import exp

from livekpi.definition.problems import ExpressionError, nearest
from livekpi.definition.sql.hints import for_number
from livekpi.definition.sql.parsing import fail, parse
from livekpi.definition.sql.scalars import COMPARISONS, Scalars
from livekpi.definition.sql.typed import Typed, cast, divide, finite
from livekpi.definition.types import BOOLEAN, INTEGER, MAX_DIGITS, NUMBER, STRING, Field, Type

AggregateKind = Literal["count", "sum", "min", "max", "last", "first", "quantile", "distinct"]


@dataclass(frozen=True)
class Aggregate:
    """One aggregate of a source's events, in buckets of `every_us`, over windows of `over_us`.

    `argument` and `where` are over the source's fields, in our own tree. Averages do not occur: they are a sum and a count.
    """

    kind: AggregateKind
    source: str
    every_us: int
    over_us: int
    by: tuple[str, ...]
    argument: exp.Expr | None
    where: exp.Expr | None
    type: Type
    """The result's type."""
    quantile: float = 0.0

    @property
    def fields(self) -> frozenset[str]:
        """The fields its events must have for it."""
        trees = [tree for tree in (self.argument, self.where) if tree is not None]
        return frozenset(column.name for tree in trees for column in tree.find_all(exp.Column)) | frozenset(self.by)

    @cached_property
    def texts(self) -> tuple[str | None, str | None]:
        """Argument and condition as SQL; written once, as each question needs them and a tree is slow to write."""
        argument, where = (None if tree is None else tree.sql() for tree in (self.argument, self.where))
        return argument, where


@dataclass(frozen=True)
class KpiValue:
    """`tree` has a column ``a0``, ``a1``, … for each aggregate in its place."""

    tree: exp.Expr
    aggregates: tuple[Aggregate, ...]
    type: Type


class KnownKpi(Protocol):
    """What is needed of a KPI that another one names."""

    @property
    def value(self) -> KpiValue: ...


def field_column(node: exp.Expr, fields: Mapping[str, Field]) -> Typed | None:
    """A field, or a path into a json field, as a typed expression; None where the node is neither.

    A path's value is its text (string); cast it to count with it.
    """
    path = _path(node)
    if path is None:
        return None
    name = str(path[0])
    if name not in fields:
        raise fail(f"there is no field {name!r}{_meant(node, path, fields)}", node)
    field = fields[name]
    column = exp.column(name, quoted=True)
    if field.type.kind != "json":
        if len(path) > 1:
            raise fail(f"{name!r} is {field.type}, not json: it has no parts", node)
        return Typed(column, field.type)
    if any(key in ("", "*") for key in path[1:]):
        raise fail("a part of json can't be named '' or '*'", node)
    keys = [exp.JSONPathSubscript(this=key) if isinstance(key, int) else exp.JSONPathKey(this=key) for key in path[1:]]
    return Typed(exp.JSONExtractScalar(this=column, expression=exp.JSONPath(expressions=[exp.JSONPathRoot(), *keys])), STRING)


def _meant(node: exp.Expr, path: Sequence[str | int], fields: Mapping[str, Field]) -> str:
    """What may have been meant by a name that is no field's."""
    name = str(path[0])
    if len(path) > 1 and path[1] in fields:
        return f"; write {path[1]!r} without the source's name"
    as_text = f"; text stands in single quotes: {exp.Literal.string(name).sql()}"
    quoted = isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier) and bool(node.this.args.get("quoted"))
    return as_text if quoted else nearest(name, list(fields)) or as_text


_MAX_PLACE = 2**31 - 1


def _path(node: exp.Expr) -> list[str | int] | None:
    if isinstance(node, exp.Column):
        return [part.name for part in node.parts]
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        before = _path(node.this)
        return None if before is None else [*before, node.expression.name]
    if isinstance(node, exp.Bracket) and len(node.expressions) == 1 and isinstance(node.expressions[0], exp.Literal):
        before, key = _path(node.this), node.expressions[0]
        if not key.is_string and not key.is_int:
            raise fail("expected a whole number or a name in the brackets", key)
        if not key.is_string and int(key.this) > _MAX_PLACE:
            raise fail(f"a list in json has no place {key.this}: the last that can be named is [{_MAX_PLACE}]", key)
        return None if before is None else [*before, str(key.this) if key.is_string else int(key.this)]
    return None


_AGGREGATES: dict[type[exp.Expr], AggregateKind] = {
    exp.Count: "count",
    exp.Sum: "sum",
    exp.Min: "min",
    exp.Max: "max",
    exp.Last: "last",
    exp.First: "first",
    exp.Quantile: "quantile",
    exp.Median: "quantile",
}
_ADDEND_DIGITS, _ADDEND_SCALE = 28, 12
"""What a sum's 38 digits leave for each of ten thousand million addends. Where a computed one may have more, at most so many stand
behind the point: 16 are left before it, and one that is still larger is null."""
_AGGREGATE_NAMES = ("count", "sum", "avg", "min", "max", "last", "first", "quantile", "median")


@dataclass(frozen=True)
class Frame:
    """What a KPI's aggregates share."""

    source: str
    fields: Mapping[str, Field]
    every_us: int
    over_us: int
    by: tuple[str, ...]


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a parsed node aggregates events."""
    return type(node) in (exp.Filter, exp.Avg, exp.CountIf, *_AGGREGATES)


def fields_named(tree: exp.Expr) -> frozenset[str]:
    """The fields that a parsed value's aggregates name, to find their source by."""
    found: set[str] = set()
    for node in tree.walk(prune=is_aggregate):
        if is_aggregate(node):
            found.update(str(path[0]) for path in map(_path, node.find_all(exp.Column)) if path)
    return frozenset(found)


def has_aggregates(tree: exp.Expr) -> bool:
    """Whether a parsed value is computed from events, and not from KPIs alone."""
    return any(is_aggregate(node) for node in tree.walk())


def build_value(tree: exp.Expr, frame: Frame | None, kpis: Mapping[str, KnownKpi]) -> KpiValue:
    """The value of a parsed expression.

    `frame` is that of its own aggregates, None where it may have none; `kpis` are those it may name.
    Raises ExpressionError.
    """
    return _ValueBuilder(frame, kpis).build(tree)


def parse_value(text: str, frame: Frame | None, kpis: Mapping[str, KnownKpi]) -> KpiValue:
    """As `build_value`, from text."""
    return build_value(parse(text), frame, kpis)


class _ValueBuilder:
    def __init__(self, frame: Frame | None, kpis: Mapping[str, KnownKpi]) -> None:
        self._frame = frame
        self._kpis = kpis
        self._aggregates: list[Aggregate] = []

    def build(self, tree: exp.Expr) -> KpiValue:
        built = Scalars(self._leaf, exact=False, also=_AGGREGATE_NAMES).build(tree)
        if not self._aggregates:
            raise fail("expected an aggregate such as count(*) or sum(field), or another KPI's name", tree)
        return KpiValue(built.tree, tuple(self._aggregates), built.type or NUMBER)

    def _leaf(self, node: exp.Expr) -> Typed | None:
        if isinstance(node, exp.CountIf):
            return self._aggregate(exp.Filter(this=exp.Count(this=exp.Star()), expression=exp.Where(this=node.this)))
        if is_aggregate(node):
            return self._aggregate(node)
        if isinstance(node, exp.Column):
            return self._kpi(node)
        return None

    def _kpi(self, node: exp.Column) -> Typed:
        if node.name not in self._kpis or node.args.get("table"):
            if self._frame is not None and node.name in self._frame.fields:
                raise fail(
                    f"the field {node.name!r} stands outside an aggregate; write sum({node.name}), last({node.name}) or the like", node
                )
            likely = "; write count(*)" if node.name == "count" else nearest(node.name, list(self._kpis))
            raise fail(f"there is no KPI {node.name!r}{likely}", node)
        value = self._kpis[node.name].value
        places = [self._place(aggregate).tree for aggregate in value.aggregates]
        tree = value.tree.copy().transform(lambda part: places[int(part.name[1:])].copy() if isinstance(part, exp.Column) else part)
        return Typed(exp.Paren(this=tree), value.type)

    def _place(self, aggregate: Aggregate) -> Typed:
        if aggregate not in self._aggregates:
            self._aggregates.append(aggregate)
        return Typed(exp.column(f"a{self._aggregates.index(aggregate)}"), aggregate.type)

    def _aggregate(self, node: exp.Expr) -> Typed:
        frame = self._frame
        if frame is None:
            raise fail("a KPI of KPIs has no aggregates of its own; name the KPIs, or give it `every`", node)

        def row_leaf(part: exp.Expr) -> Typed | None:
            if is_aggregate(part):
                raise fail("an aggregate can't stand inside another one", part)
            if isinstance(part, COMPARISONS) and exp.Null in (type(part.this), type(part.expression)):
                raise fail(f"nothing is equal to null, nor unlike it: {part.sql()[:60]!r}; write is null, or is not null", part)
            return field_column(part, frame.fields)

        rows = Scalars(row_leaf, exact=True, also=_AGGREGATE_NAMES)
        where: exp.Expr | None = None
        if isinstance(node, exp.Filter):
            where = rows.condition(node.expression.this)
            node = node.this
            if not is_aggregate(node) or isinstance(node, (exp.Filter, exp.CountIf)):
                raise fail("filter (where …) stands behind an aggregate", node)
        shared = Aggregate("count", frame.source, frame.every_us, frame.over_us, frame.by, None, where, INTEGER)
        if isinstance(node, exp.Avg):
            argument = _addend(rows, node)
            total = self._place(replace(shared, kind="sum", argument=argument.tree, type=_sum_type(argument.type)))
            count = self._place(replace(shared, argument=argument.tree))
            return Typed(divide(total.tree, count.tree), NUMBER)
        return self._place(_primitive(rows, node, shared))


def _primitive(rows: Scalars, node: exp.Expr, shared: Aggregate) -> Aggregate:
    kind = _AGGREGATES[type(node)]
    if kind == "count":
        return _count(rows, node, shared)
    if kind == "sum":
        argument = _addend(rows, node)
        return replace(shared, kind="sum", argument=argument.tree, type=_sum_type(argument.type))
    if kind == "quantile":
        return replace(shared, kind="quantile", argument=_numeric_argument(rows, node).tree, type=NUMBER, quantile=_share(node))
    argument = _argument(rows, _single(node))
    if argument.type is None or argument.type.kind == "json":
        raise fail(f"{kind} needs a field", node)
    if kind in ("min", "max") and argument.type == BOOLEAN:
        raise fail(f"{kind} of true and false has no meaning; count with a filter instead", node)
    return replace(shared, kind=kind, argument=argument.tree, type=argument.type)


def _count(rows: Scalars, node: exp.Expr, shared: Aggregate) -> Aggregate:
    inner = node.this
    if isinstance(inner, exp.Star) and not any(inner.args.values()):
        return shared
    if isinstance(inner, exp.Distinct):
        if len(inner.expressions) != 1:
            raise fail("count(distinct …) takes one value; join several by ||", node)
        return replace(shared, kind="distinct", argument=_one_zero(_argument(rows, inner.expressions[0])))
    return replace(shared, argument=_argument(rows, _single(node)).tree)


def _argument(rows: Scalars, node: exp.Expr) -> Typed:
    """What an aggregate counts; a number that was computed is null where it is not finite (a field always is)."""
    argument = rows.build(node)
    computed = argument.type == NUMBER and not isinstance(argument.tree, exp.Column)
    return Typed(finite(argument.tree), NUMBER) if computed else argument


def _one_zero(value: Typed) -> exp.Expr:
    """A value to be told from others: 0 and -0 are one."""
    if value.type != NUMBER:
        return value.tree
    zero = exp.EQ(this=value.tree.copy(), expression=exp.Literal.number(0))
    return exp.Case(ifs=[exp.If(this=zero, true=exp.Literal.number(0))], default=value.tree.copy())


def _single(node: exp.Expr) -> exp.Expr:
    inner = node.this
    if inner is None or isinstance(inner, (exp.Star, exp.Distinct)) or node.args.get("expressions"):
        hint = "; count(*) counts events" if isinstance(node, exp.Count) else ""
        if isinstance(inner, exp.Distinct):
            hint = "; distinct stands in count alone, as in count(distinct user_id)"
        raise fail(f"expected one field or expression in the parentheses{hint}", node)
    assert isinstance(inner, exp.Expr)
    return inner


def _addend(rows: Scalars, node: exp.Expr) -> Typed:
    """What is summed up, of so few digits that a sum can't run over; a computed decimal that has more is null."""
    argument = _numeric_argument(rows, node)
    assert argument.type is not None
    if argument.type.kind != "decimal" or argument.type.precision <= _ADDEND_DIGITS:
        return argument
    if isinstance(argument.tree, exp.Column) or argument.type.scale > _ADDEND_SCALE:
        raise fail(
            f"a sum has {MAX_DIGITS} digits, and {argument.type} leaves it no room to grow: "
            f"{node.this.sql()[:60]!r}; say which digits count, "
            f"as in sum(cast({node.this.sql()[:60]} as decimal({_ADDEND_DIGITS}, {min(argument.type.scale, _ADDEND_SCALE)})))",
            node.this,
        )
    type_ = Type("decimal", _ADDEND_DIGITS, argument.type.scale)
    return Typed(cast(argument, type_), type_)


def _numeric_argument(rows: Scalars, node: exp.Expr) -> Typed:
    argument = _argument(rows, _single(node))
    if argument.type is None or not argument.type.numeric:
        raise fail(f"expected a number, got {argument.type or 'null'}: {node.this.sql()[:60]!r}{for_number(argument.type)}", node.this)
    return argument


def _sum_type(type_: Type | None) -> Type:
    assert type_ is not None
    return Type("decimal", MAX_DIGITS, type_.scale) if type_.kind == "decimal" else type_ if type_ == NUMBER else INTEGER


def _share(node: exp.Expr) -> float:
    if isinstance(node, exp.Median):
        return 0.5
    given = node.args.get("quantile")
    if not isinstance(given, exp.Literal) or given.is_string or not 0 <= float(given.this) <= 1:
        raise ExpressionError("quantile expects a share from 0 to 1, as in quantile(duration_ms, 0.95)", 0)
    return float(given.this)


def dimension_problem(name: str, fields: Mapping[str, Field]) -> str | None:
    """What keeps a field from being a dimension; None where nothing does."""
    if name not in fields:
        return f"there is no field {name!r}{nearest(name, list(fields))}"
    if fields[name].type.kind not in ("string", "integer", "boolean"):
        return f"{name!r} is {fields[name].type}; a dimension is a string, an integer or a boolean"
    return None


def sources_for(names: frozenset[str], sources: Mapping[str, Mapping[str, Field]]) -> Sequence[str]:
    """The sources that have all of these fields."""
    return [source for source, fields in sources.items() if names <= fields.keys()]
