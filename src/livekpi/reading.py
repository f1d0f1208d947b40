"""Numbers as people read them, with their unit."""

import re
from decimal import Decimal

_CURRENCY = re.compile(r"[A-Z]{3}")
_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"))
_BYTES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


def format_value(value: object, unit: str | None) -> str:
    """A value of a point in few characters: ``0.52 %`` for a ratio, ``1.25 s`` for 1250 ms, ``3.4 MiB``, ``1,234.50 EUR``."""
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if unit == "ratio":
        return f"{_short(value * 100)} %"
    if unit == "bytes":
        return _scaled(value, _BYTES, "B")
    if unit == "ms" and abs(value) >= 1000:
        return f"{_short(value / 1000)} s"
    if unit is not None and _CURRENCY.fullmatch(unit) and abs(value) < 1e6:
        return f"{value:,.2f} {unit}"
    text = _scaled(value, _LARGE, "")
    return f"{text} {unit}" if unit else text


def _short(value: float) -> str:
    """Three digits that count; whole numbers and everything from 100 on without a fraction."""
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 0.1:
        return f"{value:.2g}"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:.1f}"


def _scaled(value: float, sizes: tuple[tuple[float, str], ...], small: str) -> str:
    for size, name in sizes:
        if abs(value) >= size:
            return f"{value / size:.2f} {name}"
    return f"{_short(value)} {small}".rstrip()
