"""What SQL's operators and functions make of values, in plain Python. It shares no code with livekpi.

Null is None; an integer is an int, a decimal a Decimal, a number a float, a text a str, a time its µs since the epoch, and json what
Python's `json` makes of it. An operator gets values of one type.
"""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from tests.oracle.oracle import DAY_US, EPOCH, MICROSECOND

EXACT = Context(prec=400)
"""Wide enough to round nothing."""
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_NUMBER = re.compile(r"-?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,4})?")
_TIME = re.compile(r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[T ](?P<time>[0-9]{2}:[0-9]{2}(:[0-9]{2})?)(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})")

Meaning = Callable[..., Any]


def strict(of: Meaning) -> Meaning:
    """Null where any of the values is."""
    return lambda *values: None if None in values else of(*values)


# Numbers


def integer(value: int) -> int | None:
    """Null where 64 bits don't hold it."""
    return value if -(2**63) <= value < 2**63 else None


def divide(left: Any, right: Any) -> float | None:
    """Floating division."""
    return float(left) / float(right) if float(right) else None


def integer_remainder(left: int, right: int) -> int | None:
    """With the dividend's sign."""
    return (abs(left) % abs(right)) * (1 if left >= 0 else -1) if right else None


def decimal_remainder(left: Decimal, right: Decimal) -> Decimal | None:
    return EXACT.remainder(left, right) if right else None


def number_remainder(left: float, right: float) -> float | None:
    return math.fmod(left, right) if right else None


def square_root(value: float) -> float | None:
    return math.sqrt(value) if value >= 0 else None


def rounded(value: float, places: int) -> float:
    """Halves away from zero."""
    return float(Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT))


def fitted(value: Any, digits: int, scale: int) -> Decimal | None:
    """As a decimal of so many digits, halves away from zero; null where it has more."""
    found = Decimal(value).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, EXACT)
    return found if abs(found) < Decimal(10) ** (digits - scale) else None


# Conditions: true, false, and null for what is not known


def both(left: bool | None, right: bool | None) -> bool | None:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def either(left: bool | None, right: bool | None) -> bool | None:
    return negated(both(negated(left), negated(right)))


def negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def among(value: Any, *options: Any) -> bool | None:
    found: bool | None = False
    for option in options:
        found = either(found, None if value is None or option is None else value == option)
    return found


def between(value: Any, low: Any, high: Any) -> bool | None:
    return both(
        None if value is None or low is None else value >= low,
        None if value is None or high is None else value <= high,
    )


def like(text: str, pattern: str) -> bool:
    """`%` is any text, `_` any one character."""
    parts = (".*" if character == "%" else "." if character == "_" else re.escape(character) for character in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


# Choices


def case(condition: bool | None, value: Any, otherwise: Any) -> Any:
    return value if condition is True else otherwise


def coalesce(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def nullif(value: Any, other: Any) -> Any:
    return None if value is not None and value == other else value


# Text


def right(text: str, count: int) -> str:
    return text[max(0, len(text) - count) :]


def split_part(text: str, separator: str, number: int) -> str:
    """Empty where there is no such part."""
    parts = text.split(separator)
    return parts[number - 1] if number <= len(parts) else ""


def text_as_integer(text: str) -> int | None:
    return integer(int(text)) if _INTEGER.fullmatch(text) else None


def text_as_number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


def text_as_decimal(text: str, digits: int, scale: int) -> Decimal | None:
    return fitted(text, digits, scale) if _NUMBER.fullmatch(text) else None


def text_as_time(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    try:
        time = datetime.fromisoformat(f"{match['day']}T{match['time']}{match['zone']}")
    except ValueError:  # the 31st of a month that has 30 days
        return None
    return (time - EPOCH) // MICROSECOND if 1970 <= int(text[:4]) <= 2199 else None


# Times and json


def part_of_time(part: str) -> Meaning:
    """A part of a time, in UTC."""
    return lambda time_us: getattr((EPOCH + time_us * MICROSECOND).astimezone(UTC), part)


def seconds(span_us: int) -> float:
    """Of a span, or of a time those since 1970."""
    return span_us / 1e6


def weekday(time_us: int) -> int:
    """1 on a Monday in UTC, 7 on a Sunday: the first day of 1970 was a Thursday."""
    return (time_us // DAY_US + 3) % 7 + 1


def json_text(value: Any, *path: str | int) -> str | None:
    """The text of a part of json: null where there is none, or where it is null."""
    for key in path:
        if isinstance(key, int):
            value = value[key] if isinstance(value, list) and key < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
