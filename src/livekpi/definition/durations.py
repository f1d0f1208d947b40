"""Durations as the file writes them."""

import re
from datetime import timedelta

_DURATION = re.compile(r"([0-9]{1,12})(ms|[smhdwy])")
DURATION_PATTERN = r"^([0-9]+(ms|[smhdwy]))+$"
"""For the JSON Schema."""
_UNIT_MS = {"y": 31_536_000_000, "w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_LONGEST = timedelta(days=365 * 1000)
_MICROSECOND = timedelta(microseconds=1)


def parse_duration(text: object) -> timedelta:
    """Reads ``90s``, ``5m``, ``1h30m`` or ``2d`` (units ms, s, m, h, d, w; a year is ``y``, 365 days).

    Raises ValueError with what was expected.
    """
    if isinstance(text, timedelta):
        return text
    if isinstance(text, str):
        parts = _DURATION.findall(text.strip())
        if parts and "".join(number + unit for number, unit in parts) == text.strip():
            duration_ms = sum(int(number) * _UNIT_MS[unit] for number, unit in parts)
            if duration_ms <= _LONGEST // timedelta(milliseconds=1):
                return timedelta(milliseconds=duration_ms)
            raise ValueError("expected a duration of at most 1000y")
    raise ValueError("expected a duration such as 10s, 5m, 1h30m or 2d")


def microseconds(duration: timedelta) -> int:
    """A duration in µs, exactly."""
    return duration // _MICROSECOND


def format_duration(duration: timedelta) -> str:
    """A duration as `parse_duration` reads it, in its largest whole unit."""
    duration_ms = duration // timedelta(milliseconds=1)
    unit = next((unit for unit, unit_ms in _UNIT_MS.items() if duration_ms and duration_ms % unit_ms == 0), "s")
    return f"{duration_ms // _UNIT_MS[unit]}{unit}"


def duration_text(duration_us: int) -> str:
    """As `format_duration`, of a duration in µs."""
    return format_duration(timedelta(microseconds=duration_us))
