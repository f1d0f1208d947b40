"""What the two sides of a comparison are counted in."""

from collections.abc import Mapping

from sqlglot import exp

from livekpi.definition.problems import ExpressionError
from livekpi.definition.sql.parsing import fail

_COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Add, exp.Sub)
_SAME = (exp.Paren, exp.Neg, exp.Abs, exp.Round, exp.Floor, exp.Ceil)


def mixed_units(tree: exp.Expr, units: Mapping[str, str]) -> tuple[ExpressionError, ...]:
    """The places where a parsed condition compares, adds or subtracts numbers of two units.

    `units` are those of the KPIs that have one. Nothing is said where the unit of a side can't be told.
    """
    found = []
    for node in tree.find_all(*_COMPARISONS):
        left, right = _unit(node.this, units), _unit(node.expression, units)
        if left and right and left != right:
            verb = "adds" if isinstance(node, exp.Add) else "subtracts" if isinstance(node, exp.Sub) else "compares"
            joint = "to" if verb == "adds" else "with" if verb == "compares" else "and"
            found.append(fail(f"{verb} {left} {joint} {right}", node))
    return tuple(found)


def _unit(node: exp.Expr, units: Mapping[str, str]) -> str | None:
    """The unit of a side; a plain number has none, and takes that of what it is multiplied with or added to."""
    if isinstance(node, exp.Column):
        return units.get(node.name)
    if isinstance(node, exp.Anonymous):
        return _unit(node.expressions[0], units) if str(node.this).lower() == "ago" and node.expressions else None
    if isinstance(node, _SAME):
        return _unit(node.this, units)
    if isinstance(node, exp.Add | exp.Sub):
        return _unit(node.this, units) or _unit(node.expression, units)
    if isinstance(node, exp.Mul | exp.Div):
        number, other = node.expression, node.this
        if isinstance(node, exp.Mul) and _constant(other):
            number, other = other, number
        return _unit(other, units) if _constant(number) else None
    return None


def _constant(node: exp.Expr) -> bool:
    return node.find(exp.Column) is None
