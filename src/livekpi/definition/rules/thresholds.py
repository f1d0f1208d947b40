"""The simplest kind of condition: one number against a constant."""

from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

Sign = Literal[">", ">=", "<", "<="]
_SIGNS: dict[type[exp.Expr], Sign] = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}
_MIRRORED: dict[Sign, Sign] = {">": "<", ">=": "<=", "<": ">", "<=": ">="}


@dataclass(frozen=True)
class Relation:
    """A parsed comparison of something that is asked with a constant, the constant on the right."""

    asked: exp.Expr
    sign: Sign
    number: float


def relation(node: exp.Expr) -> Relation | None:
    """A parsed node as a comparison with a constant; None where it is none."""
    node = node.unnest()
    sign = _SIGNS.get(type(node))
    if sign is None:
        return None
    left, right = node.this.unnest(), node.expression.unnest()
    if (number := constant(right)) is not None:
        return Relation(left, sign, number)
    if (number := constant(left)) is not None:
        return Relation(right, _MIRRORED[sign], number)
    return None


def constant(node: exp.Expr) -> float | None:
    """The number that a parsed node is; None where it is none."""
    if isinstance(node, exp.Neg):
        inner = constant(node.this.unnest())
        return None if inner is None else -inner
    return float(node.this) if isinstance(node, exp.Literal) and not node.is_string else None
