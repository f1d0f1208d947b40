"""The types of SQL's expressions, and how many digits a decimal needs. It shares no code with livekpi."""

from collections.abc import Sequence
from dataclasses import dataclass

MOST_DIGITS = 38
ADDEND_DIGITS = 28
"""Of each value of a sum."""
ADDEND_SCALE = 12
"""Behind the point, at most, of a value that may have more digits than that."""
_INTEGER_DIGITS = 19


@dataclass(frozen=True)
class Type:
    """kind is integer, decimal, number, string, boolean or timestamp. An integer has its digits where it is written out."""

    kind: str
    digits: int = 0
    scale: int = 0

    @property
    def before_point(self) -> int:
        return (self.digits or _INTEGER_DIGITS) - self.scale


def widest(types: Sequence[Type]) -> Type:
    """The decimal that holds a value of each."""
    scale = max(type_.scale for type_ in types)
    return Type("decimal", max(type_.before_point for type_ in types) + scale, scale)


def added(types: Sequence[Type]) -> Type:
    """The decimal of a sum or difference."""
    common = widest(types)
    return Type("decimal", common.digits + 1, common.scale)


def multiplied(types: Sequence[Type]) -> Type:
    """The decimal of a product."""
    scale = sum(type_.scale for type_ in types)
    return Type("decimal", sum(type_.before_point for type_ in types) + scale, scale)
