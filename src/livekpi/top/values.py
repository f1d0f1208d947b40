"""Numbers as people read them, with their unit."""

import math
import re

_CURRENCY = re.compile(r"[A-Z]{3}")
_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"))
_BYTES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))
_SPARKS = "▁▂▃▄▅▆▇█"


def format_value(value: object, unit: str | None) -> str:
    """A value of a point in few characters: ``0.52 %`` for a ratio, ``1.25 s`` for 1250 ms, ``3.4 MiB``, ``1,234.50 EUR``."""
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


def format_change(before: float, now: float) -> str:
    """How much `now` is above or below `before`, in per cent of it; an arrow says it without colour."""
    if now == before:
        return "= 0 %"
    arrow = "▲" if now > before else "▼"
    if before == 0:
        return f"{arrow} new"
    percent = abs(now - before) / abs(before) * 100
    return f"{arrow} {percent:.0f} %" if percent < 1000 else f"{arrow} ×{abs(now / before):.3g}"


def format_age(seconds: float) -> str:
    """A span of time by its largest unit."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"


def sparkline(values: list[float | None]) -> str:
    """A bar a value, from the least to the greatest of them; a blank where there is none."""
    known = [value for value in values if value is not None and math.isfinite(value)]
    if not known:
        return " " * len(values)
    low, span = min(known), max(known) - min(known)

    def bar(value: float | None) -> str:
        if value is None or not math.isfinite(value):
            return " "
        share = (value - low) / span if 0 < span < math.inf else 0.5
        return _SPARKS[min(len(_SPARKS) - 1, int(share * len(_SPARKS)))]

    return "".join(bar(value) for value in values)


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
