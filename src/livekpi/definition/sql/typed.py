"""Typed expressions, and what of a type's digits arithmetic needs.

All engines compute these trees with the same meaning: a cast that fails gives null, division is floating and gives null for a zero
divisor, and no decimal or integer is computed in fewer digits than its type says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from sys import float_info

from sqlglot import exp

from livekpi.definition.types import INTEGER, NUMBER, Type

_SHORT_DIGITS = 18
"""Of the decimals that DuckDB keeps in 64 bits."""
_INTEGER_DIGITS = 19


@dataclass(frozen=True, slots=True)
class Typed:
    """An expression and its type; type None is the null literal, which fits anywhere."""

    tree: exp.Expr
    type: Type | None


def cast(value: Typed, to: Type) -> exp.Expr:
    """The value as another type; null where it has no such value."""
    from_ = value.type
    fits = from_ is not None and from_.kind == to.kind
    if from_ is not None and to.kind == "decimal":
        fits = fits and from_.scale == to.scale and from_.precision <= to.precision
    return value.tree if fits else exp.TryCast(this=value.tree.copy(), to=data_type(to))


def whole(values: Sequence[Typed]) -> list[exp.Expr]:
    """Integers to compute with: literals alone would bring 32 bits only, and a result beyond them would be lost."""
    if all(value.type is None or value.type.precision for value in values):
        return [exp.TryCast(this=value.tree.copy(), to=data_type(INTEGER)) for value in values]
    return [value.tree for value in values]


def finite(number: exp.Expr) -> exp.Expr:
    """A floating number; null for an infinity or NaN, one of which would spoil a sum for good."""
    within = exp.LTE(this=exp.Abs(this=number.copy()), expression=exp.Literal.number(repr(float_info.max)))
    return exp.Case(ifs=[exp.If(this=within, true=number.copy())])


def divide(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """Floating division; null for a zero divisor."""
    double = data_type(NUMBER)
    divisor = exp.Nullif(this=exp.TryCast(this=right.copy(), to=double.copy()), expression=exp.Literal.number(0))
    return exp.Paren(this=exp.Div(this=exp.TryCast(this=left.copy(), to=double), expression=divisor))


def common_type(types: Sequence[Type | None]) -> Type | None:
    """The type that all values fit into, a decimal's precision may be above 38; raises ValueError where there is none."""
    known = [type_ for type_ in types if type_ is not None]
    if not known:
        return None
    if all(type_.numeric for type_ in known):
        if any(type_.kind == "number" for type_ in known):
            return NUMBER
        if all(type_.kind == "integer" for type_ in known):
            return INTEGER
        scale = max(type_.scale for type_ in known)
        before = max(_digits(type_) - type_.scale for type_ in known)
        return Type("decimal", before + scale, scale)
    if len({type_.kind for type_ in known}) > 1:
        raise ValueError(" and ".join(dict.fromkeys(map(str, known))))
    return known[0]


def _digits(type_: Type) -> int:
    return type_.precision or _INTEGER_DIGITS


def data_type(type_: Type) -> exp.DataType:
    """A type as SQL's."""
    names = {"string": "TEXT", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}
    return exp.DataType.build(f"DECIMAL({type_.precision}, {type_.scale})" if type_.kind == "decimal" else names[type_.kind])


def decimal_result(node: exp.Expr, left: Type, right: Type) -> Type:
    """The type that all results fit into; its precision may be above 38."""
    if isinstance(node, exp.Mul):
        return Type("decimal", _digits(left) + _digits(right), left.scale + right.scale)
    scale = max(left.scale, right.scale)
    carry = 0 if isinstance(node, exp.Mod) else 1
    return Type("decimal", max(_digits(left) - left.scale, _digits(right) - right.scale) + scale + carry, scale)


def roomy(left: Typed, right: Typed) -> tuple[Typed, Typed]:
    """The sides of a decimal product, one of them with a digit more than DuckDB has room for in 64 bits: of two that are not wider
    it keeps the product to 18 digits, however many it needs."""
    sides = [left, right]
    known = [side.type or INTEGER for side in sides]
    if sum(map(_digits, known)) > _SHORT_DIGITS >= max(map(_digits, known)):
        place = 0 if known[0].kind == "decimal" else 1
        wide = Type("decimal", _SHORT_DIGITS + 1, known[place].scale)
        sides[place] = Typed(exp.TryCast(this=sides[place].tree.copy(), to=data_type(wide)), wide)
    return sides[0], sides[1]
