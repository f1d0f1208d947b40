"""Times and durations as they stand in addresses and answers."""

import re
from datetime import UTC, datetime, tzinfo

from livekpi.definition.durations import microseconds, parse_duration
from livekpi.moments import since_epoch_us, time_text

_FIRST_US, _LAST_US = map(since_epoch_us, (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)))
_SECONDS = re.compile(r"(0|[0-9]{9,})(?:\.([0-9]+))?")
"""From 1973 on: what has fewer digits is a year or a day, and no second that anybody would mean."""


def parse_time(text: str, now_us: int, zone: tzinfo) -> int:
    """A time in µs since the epoch, from ISO 8601 (in `zone` where it names none), seconds since the epoch, `now`, or a
    duration back from it such as `-1h`.

    Raises ValueError with what was expected.
    """
    try:
        time_us = _parse(text, now_us, zone)
        if not _FIRST_US <= time_us <= _LAST_US:
            raise ValueError("no calendar has it")  # noqa: TRY301 - said like all else that is no time
        return time_us
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{text[:80]!r} is no time; expected one such as 2026-03-01T12:00:00Z, 1772366400 (seconds), -1h or now"
        ) from error


def _parse(text: str, now_us: int, zone: tzinfo) -> int:
    if text == "now":
        return now_us
    if text.startswith("-"):
        return now_us - microseconds(parse_duration(text[1:]))
    seconds = _SECONDS.fullmatch(text)
    if seconds is not None:
        return int(seconds[1]) * 1_000_000 + int((seconds[2] or "")[:6].ljust(6, "0"))
    # A + that was not escaped in an address comes as a space.
    time = datetime.fromisoformat(re.sub(r"(T.*) (\d\d:?\d\d)$", r"\1+\2", text))
    return since_epoch_us(time if time.tzinfo else time.replace(tzinfo=zone))


def maybe_time_text(time_us: int | None) -> str | None:
    """A time as answers have it; None where there is none."""
    return None if time_us is None else time_text(time_us)
