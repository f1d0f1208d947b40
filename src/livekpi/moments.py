"""Times as livekpi holds them, µs since the Unix epoch, and as datetimes and text."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_REMEMBERED = 4096  # the slices of a step have its time in common


def datetime_of(time_us: int, zone: tzinfo = UTC) -> datetime:
    """A time as a datetime in a zone. Raises OverflowError before the year 1 and after the year 9999."""
    found = EPOCH + timedelta(microseconds=time_us)
    return found if zone is UTC else found.astimezone(zone)


def since_epoch_us(moment: datetime) -> int:
    """A datetime that has a zone as a time."""
    return (moment - EPOCH) // _MICROSECOND


@lru_cache(_REMEMBERED)
def time_text(time_us: int) -> str:
    """A time as ISO 8601 in UTC, to the second where it has no fraction."""
    return datetime_of(time_us).isoformat(timespec="seconds" if time_us % 1_000_000 == 0 else "microseconds").replace("+00:00", "Z")
