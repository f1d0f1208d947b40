"""Changes, ages and curves as people read them in a terminal."""

import math

_SPARKS = "▁▂▃▄▅▆▇█"


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
