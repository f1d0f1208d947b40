"""Values as a script writes them, and whether one that came is the one expected."""

import re
from datetime import UTC, datetime
from decimal import Decimal

from livekpi.query.points import Value
from livekpi.scripts.words import Word, written

NULL = "-"
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_EXPECTED = re.compile(rf"(?P<about>~)?(?P<number>{_NUMBER})(?:(?:±|\+-)(?P<off>{_NUMBER})(?P<percent>%)?)?")


def matches(word: Word, value: Value | None) -> bool:
    """Whether a value is the one that a word expects."""
    if value is None or isinstance(value, str | bool | datetime) or word.quoted:
        return word.text == _plain(value) and (not word.quoted or isinstance(value, str))
    expected = _EXPECTED.fullmatch(word.text)
    if expected is None:
        return False
    if isinstance(value, float) and not expected["about"] and not expected["off"]:
        return float(expected["number"]) == value
    number, off = Decimal(expected["number"]), Decimal(0)
    if expected["off"]:
        off = Decimal(expected["off"]) * (abs(number) / 100 if expected["percent"] else 1)
    elif expected["about"]:
        off = Decimal(5).scaleb(int(number.as_tuple().exponent) - 1)  # half of the last digit written
    return abs(Decimal(value) - number) <= off


def value_word(value: Value | None) -> str:
    """A value as a script writes it."""
    return written(value) if isinstance(value, str) else _plain(value)


def word_text(word: Word) -> str | None:
    """What a word expects of a dimension; None for null."""
    return None if word.means(NULL) else word.text


def text_word(text: str | None) -> str:
    """A dimension's text as a script writes it."""
    return NULL if text is None else written(text)


def _plain(value: Value | None) -> str:
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
    return str(value)
