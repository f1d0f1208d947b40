"""Conditions that can never be true, or never false, as can be told without looking at any number that came.

What a KPI's numbers can be is taken from what it is: a count is 0 or more and whole, the share that a filter leaves of one from 0 to 1.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from livekpi.definition.problems import ExpressionError
from livekpi.definition.rules.thresholds import constant, relation
from livekpi.definition.sql.expressions import KnownKpi, KpiValue
from livekpi.definition.sql.parsing import fail

_PERCENT = 10
"""From here on a pace is thought to be meant in percent."""
_COMPARISONS = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.EQ, exp.NEQ)


@dataclass(frozen=True, slots=True)
class _Range:
    """The numbers from `low` to `high`, both among them; only the whole ones where it says so."""

    low: float = -math.inf
    high: float = math.inf
    whole: bool = False
    what: str = ""
    """What has such numbers, in words; empty for just any."""

    @property
    def empty(self) -> bool:
        return math.ceil(self.low) > math.floor(self.high) if self.whole and self.finite else self.low > self.high

    @property
    def finite(self) -> bool:
        return math.isfinite(self.low) and math.isfinite(self.high)

    def within(self, other: "_Range") -> "_Range":
        return replace(self, low=max(self.low, other.low), high=min(self.high, other.high))

    def inside(self, other: "_Range") -> bool:
        """Whether it is bounded and all in another."""
        return bool(self.what) and other.low <= self.low and self.high <= other.high


_COUNT = _Range(0, whole=True, what="a count is 0 or more, and whole")
_SHARE = _Range(0, 1, what="a share of a count is from 0 to 1")


def vain(tree: exp.Expr, kpis: Mapping[str, KnownKpi]) -> tuple[ExpressionError, ...]:
    """The places where a parsed condition, or a part of it, can never be true, or is always."""
    return (*_comparisons(tree), *_conjunctions(tree, kpis), *_falls(tree, kpis), *_percents(tree))


def _comparisons(tree: exp.Expr) -> Iterator[ExpressionError]:
    for node in tree.find_all(*_COMPARISONS, exp.Div):
        left, right = node.this.unnest(), node.expression.unnest()
        if isinstance(node, exp.Div):
            if constant(right) == 0:
                yield fail("is never known, for nothing can be divided by 0", node)
        elif exp.Null in (type(left), type(right)):
            yield fail("can never be true, for nothing compares with null; ask `is null`, or `is not null`", node)
        elif left == right:
            truth = "is always true" if isinstance(node, exp.GTE | exp.LTE | exp.EQ) else "can never be true"
            yield fail(f"{truth}, for it compares a number with itself", node)


def _conjunctions(tree: exp.Expr, kpis: Mapping[str, KnownKpi]) -> Iterator[ExpressionError]:
    """What is asked of a number at once, against what it can be."""
    for top in tree.find_all(*_COMPARISONS, exp.Between, exp.And):
        if _outermost(top).parent is not None and isinstance(_outermost(top).parent, exp.And):
            continue
        left: dict[exp.Expr, _Range] = {}
        for node in _parts(top):
            for asked, range_ in _asks(node):
                can_be = _range(asked, kpis)
                before = left.get(asked, can_be)
                if can_be.inside(range_):
                    yield fail(f"is always true where it is known: {can_be.what}", node)
                left[asked] = before.within(range_)
                if left[asked].empty and not before.empty:
                    alone = not range_.empty and can_be.within(range_).empty
                    yield fail(f"can never be true: {can_be.what if alone else 'no number is all that is asked of it'}", node)


def _outermost(node: exp.Expr) -> exp.Expr:
    """The parentheses around a node, or itself."""
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    return node


def _parts(node: exp.Expr) -> Iterator[exp.Expr]:
    """What must all be true for a node to be, in the text's order."""
    node = node.unnest()
    if isinstance(node, exp.And):
        yield from _parts(node.this)
        yield from _parts(node.expression)
    else:
        yield node


def _asks(node: exp.Expr) -> Iterator[tuple[exp.Expr, _Range]]:
    """What must be in which range for a comparison with constants to be true."""
    found = relation(node)
    if found is not None:
        number = found.number
        match found.sign:
            case ">":
                yield found.asked, _Range(math.nextafter(number, math.inf))
            case ">=":
                yield found.asked, _Range(number)
            case "<":
                yield found.asked, _Range(high=math.nextafter(number, -math.inf))
            case "<=":
                yield found.asked, _Range(high=number)
    elif isinstance(node, exp.EQ) and (equal := constant(node.expression.unnest())) is not None:
        yield node.this.unnest(), _Range(equal, equal)
    elif isinstance(node, exp.Between):
        low, high = constant(node.args["low"].unnest()), constant(node.args["high"].unnest())
        if low is not None and high is not None:
            yield node.this.unnest(), _Range(low, high)


def _falls(tree: exp.Expr, kpis: Mapping[str, KnownKpi]) -> Iterator[ExpressionError]:
    for node in tree.find_all(exp.Anonymous):
        if str(node.this).lower() == "falling" and len(node.expressions) > 1:
            percent, can_be = constant(node.expressions[1]), _range(node.expressions[0], kpis)
            if percent is not None and percent > 100 and can_be.low >= 0:
                yield fail(f"can never be true, for nothing falls by more than 100 % that can't be below 0: {can_be.what}", node)


def _percents(tree: exp.Expr) -> Iterator[ExpressionError]:
    """Paces that are compared with what is a percentage rather than a share."""
    for node in tree.find_all(exp.GT, exp.GTE, exp.LT, exp.LTE):
        found = relation(node)
        asks_pace = found is not None and isinstance(found.asked, exp.Anonymous) and str(found.asked.this).lower() == "pace"
        if found is not None and asks_pace and found.number >= _PERCENT:
            yield fail(f"a pace is a share of the target, so that {found.number:g} is {found.number:g} times as much; 0.9 is 90 %", node)


def _range(node: exp.Expr, kpis: Mapping[str, KnownKpi]) -> _Range:
    """What a part of a condition can be."""
    if isinstance(node, exp.Column) and node.name in kpis:
        return _of_value(kpis[node.name].value)
    if isinstance(node, exp.Anonymous) and str(node.this).lower() == "ago" and node.expressions:
        return _range(node.expressions[0], kpis)
    if isinstance(node, exp.Coalesce) and len(node.expressions) == 1:
        can_be, other = _range(node.this, kpis), constant(node.expressions[0])
        if other is not None and can_be.low <= other <= can_be.high and (not can_be.whole or other.is_integer()):
            return can_be
    return _Range()


def _of_value(value: KpiValue) -> _Range:
    tree = _bare(value.tree)
    if isinstance(tree, exp.Column):
        return _COUNT if value.aggregates[int(tree.name[1:])].kind in ("count", "distinct") else _Range()
    if isinstance(tree, exp.Div):
        part, all_ = _bare(tree.this), _bare(tree.expression)
        if isinstance(part, exp.Column) and isinstance(all_, exp.Column):
            counted, of = (value.aggregates[int(each.name[1:])] for each in (part, all_))
            if counted.kind == of.kind == "count" and replace(counted, where=of.where) == of and of.where in (None, counted.where):
                return _SHARE
    return _Range()


def _bare(node: exp.Expr) -> exp.Expr:
    """What is inside of parentheses and of what keeps a division by 0 from being one."""
    while isinstance(node, exp.Paren | exp.Cast | exp.Nullif):
        node = node.this
    return node
