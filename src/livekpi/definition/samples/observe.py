"""What sample values say about a field: its type, whether it may lack, how many values it has."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from livekpi.definition.types import Field, parse_field

MONEY = {"amount", "price", "revenue", "total", "subtotal", "cost", "fee", "tax", "paid", "discount", "sales", "turnover"}
_MINOR = {"cents", "cent", "minor", "pence"}
_TIME = {"ts", "time", "timestamp", "date", "datetime", "at", "when", "occurred", "created", "updated", "epoch", "unix", "t"}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d(:\d\d(:\d\d([.,]\d+)?)?)?([Zz]|[+-]\d\d(:?[0-5]\d)?)")
_FIRST_S, _LAST_S = 631_152_000, 4_102_444_800
"""A number that is a time lies between 1990 and 2100."""
_LONGEST_TIME = 40
_PATTERNS = (
    *("%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M"),
    *("%Y/%m/%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S %z", "%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S GMT"),
    *("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%Y-%m-%d"),
)


@dataclass(frozen=True, slots=True)
class Observed:
    """A field as the sample shows it."""

    field: Field
    declaration: str
    """Its type as the file has it."""
    values: Sequence[Any]
    """All but the nulls."""
    distinct: frozenset[str]
    """The values as text."""

    @property
    def name(self) -> str:
        return self.field.name

    @property
    def unique(self) -> bool:
        return len(self.distinct) == len(self.values)

    @property
    def words(self) -> frozenset[str]:
        return words(self.name)


def words(name: str) -> frozenset[str]:
    """The words in a name: of ``durationMs`` or ``duration_ms``, duration and ms."""
    return frozenset(word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+", name))


def observe(events: Sequence[Mapping[str, Any]], *, text: bool) -> list[Observed]:
    """The fields of sample events, in the order they are met; `text` where all values are text, as in CSV."""
    names = dict.fromkeys(name for event in events for name in event)
    return [_observed(name, [event.get(name) for event in events], text=text) for name in names]


def _observed(name: str, given: Sequence[Any], *, text: bool) -> Observed:
    values = [value for value in given if value is not None]
    declaration = _declaration(words(name), _typed(values) if text else values)
    if len(values) < len(given):
        declaration = f"optional {declaration}"
    return Observed(parse_field(name, declaration), declaration, values, frozenset(map(str, values)))


def _typed(cells: Sequence[str]) -> Sequence[Any]:
    """Cells as what all of them can be read as."""
    if all(cell in ("true", "false") for cell in cells):
        return [cell == "true" for cell in cells]
    if all(_INTEGER.fullmatch(cell) for cell in cells):
        return [int(cell) for cell in cells]
    return [Decimal(cell) for cell in cells] if all(_NUMBER.fullmatch(cell) for cell in cells) else cells


def _declaration(named: frozenset[str], values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "boolean"
    if kinds and kinds <= {int, Decimal}:
        return _number(named, values)
    return _text(named, values) if kinds == {str} else "json"


def _number(named: frozenset[str], values: Sequence[int | Decimal]) -> str:
    whole = all(isinstance(value, int) for value in values)
    if named & _TIME:
        for unit, in_a_second in (("epoch_s", 1), ("epoch_ms", 10**3), ("epoch_us", 10**6), ("epoch_ns", 10**9)):
            if (whole or in_a_second == 1) and all(_FIRST_S * in_a_second <= value <= _LAST_S * in_a_second for value in values):
                return f"timestamp({unit})"
    if named & MONEY and not named & _MINOR:
        scale = max(2, *(_scale(value) for value in values))
        if scale <= 6 and all(abs(value) < 10 ** (18 - scale) for value in values):
            return f"decimal(18, {scale})"
    return "integer" if whole and all(-(2**63) <= value < 2**63 for value in values) else "number"


def _scale(value: int | Decimal) -> int:
    exponent = value.as_tuple().exponent if isinstance(value, Decimal) else 0
    return -exponent if isinstance(exponent, int) else 0


def _text(named: frozenset[str], values: Sequence[str]) -> str:
    if all(_is_iso(value) for value in values):
        return "timestamp"
    for pattern in _PATTERNS if len(max(values, key=len)) <= _LONGEST_TIME else ():
        if ("%H" in pattern or named & _TIME) and all(_is_time(value, pattern) for value in values):
            return f"timestamp({pattern})"
    return "string"


def _is_iso(text: str) -> bool:
    if _ISO.fullmatch(text) is None:
        return False
    try:
        return 1970 < datetime.fromisoformat(text.upper()).year < 2200
    except ValueError:
        return False


def _is_time(text: str, pattern: str) -> bool:
    try:
        return 1970 < datetime.strptime(text, pattern).year < 2200  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
