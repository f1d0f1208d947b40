"""The steps a range is asked in: seconds to weeks, aligned in a time zone, whose days may have 23 or 25 hours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from livekpi.definition.durations import format_duration, parse_duration

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
_FIRST_DAY, _FIRST_MONDAY = date(1970, 1, 1), date(1970, 1, 5)


class QueryError(Exception):
    """A question that has no right answer; says why, and what to ask instead."""


@dataclass(frozen=True)
class Steps:
    """Half-open spans [start, end) in µs, ascending."""

    starts: Sequence[int]
    ends: Sequence[int]
    size_us: int | None
    """The size they all have and lie at without gaps; None where they differ."""
    gaps: Sequence[tuple[float, int, int]] = ()
    """(number, start, end) of what lies between two of them, numbered between the two; for what must be known of it, see `bridged`."""

    def __len__(self) -> int:
        return len(self.starts)

    def numbered(self) -> Iterator[tuple[int, int, int]]:
        """(index, start, end) of each."""
        return ((index, *span) for index, span in enumerate(zip(self.starts, self.ends, strict=True)))

    def bridged(self) -> "Steps":
        """With what lies between them as gaps."""
        if self.size_us is not None:  # there are none
            return self
        between = enumerate(pairwise(zip(self.starts, self.ends, strict=True)))
        return replace(self, gaps=tuple((index + 0.5, end, start) for index, ((_, end), (start, _)) in between if end < start))


def zone(name: str) -> ZoneInfo:
    """The time zone of a name; raises QueryError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise QueryError(f"there is no time zone {name!r}; expected a name such as Europe/Berlin or UTC") from error


def parse_step(text: str) -> int:
    """The size of a step in µs; raises QueryError."""
    try:
        size = parse_duration(text) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise QueryError(f"step {text!r}: {error}") from error
    if size <= 0 or (size > DAY_US and size % DAY_US):
        raise QueryError(f"step {text!r}: expected a part of a day, or whole days or weeks")
    if size < DAY_US and DAY_US % size:
        raise QueryError(f"step {text!r}: expected a size that divides a day, such as 10s, 1m, 15m, 1h or 6h")
    return size


def size_text(size_us: int) -> str:
    """A size as people write it, such as 15m."""
    return format_duration(timedelta(microseconds=size_us))


def make_steps(from_us: int, to_us: int, size_us: int, where: ZoneInfo, limit: int) -> Steps:
    """The steps that start in [from, to); raises QueryError for more than `limit`."""
    if (to_us - from_us) // size_us > limit + 1:
        raise QueryError(f"the range has more than {limit} steps; ask with a larger step or a shorter range")
    if size_us >= DAY_US or (size_us > HOUR_US and where.key != "UTC"):
        bounds = list(_wall_bounds(from_us, to_us, size_us, where))
        inside = [(start, end) for start, end in pairwise(bounds) if from_us <= start < to_us]
        even = all(end - start == size_us for start, end in inside)
        return Steps(tuple(start for start, _ in inside), tuple(end for _, end in inside), size_us if even else None)
    first = floor(from_us, size_us, where)
    first += size_us if first < from_us else 0
    starts = tuple(range(first, to_us, size_us))
    return Steps(starts, tuple(start + size_us for start in starts), size_us)


def floor(time_us: int, size_us: int, where: ZoneInfo) -> int:
    """The start of the step that holds a time."""
    if size_us >= DAY_US or (size_us > HOUR_US and where.key != "UTC"):
        bounds = list(_wall_bounds(time_us, time_us + 1, size_us, where))
        return max(bound for bound in bounds if bound <= time_us)
    phase = offset_us(time_us, where) % size_us
    return (time_us + phase) // size_us * size_us - phase


def shift(time_us: int, by: timedelta, where: ZoneInfo) -> int:
    """A time moved back by the calendar: whole days keep the wall clock, the rest is elapsed time."""
    days = timedelta(days=by.days)
    local = _local(time_us, where).replace(tzinfo=None) - days
    return _instant(local, where) - (by - days) // timedelta(microseconds=1)


def earlier(steps: Steps, by: timedelta, where: ZoneInfo) -> dict[int, tuple[int, int]]:
    """The span that each step is compared with, by the step's start: as much earlier by the calendar.

    Steps of an hour or less keep their length, also where the clock is set back between; one of a time that the wall never showed has none.
    Larger ones go from wall clock to wall clock.
    """
    found = {}
    for _, start, end in steps.numbered():
        first = shift(start, by, where)
        if end - start > HOUR_US:
            found[start] = (first, shift(end, by, where))
        elif not skipped(start, by, where):
            found[start] = (first, first + end - start)
    return found


def skipped(time_us: int, by: timedelta, where: ZoneInfo) -> bool:
    """Whether the clock on the wall never showed what `shift` moves a time to, for it was set forward over it."""
    wall = _local(time_us, where).replace(tzinfo=None) - timedelta(days=by.days)
    return _local(_instant(wall, where), where).replace(tzinfo=None) != wall


def _wall_bounds(from_us: int, to_us: int, size_us: int, where: ZoneInfo) -> Iterator[int]:
    """Where steps begin by the wall clock of a zone, from at or before `from` to at or after `to`."""
    days = max(1, size_us // DAY_US)
    anchor = _FIRST_MONDAY if size_us % WEEK_US == 0 else _FIRST_DAY
    day = _local(from_us, where).date() - timedelta(days=1)
    day -= timedelta(days=(day - anchor).days % days)
    while True:
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock's time
        for part in range(0, DAY_US, size_us) if size_us < DAY_US else (0,):
            bound = _instant(midnight + timedelta(microseconds=part), where)
            yield bound
            if bound >= to_us:
                return
        day += timedelta(days=days)


def _local(time_us: int, where: ZoneInfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).astimezone(where)


def _instant(wall: datetime, where: ZoneInfo) -> int:
    return (wall.replace(tzinfo=where).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def offset_us(time_us: int, where: ZoneInfo) -> int:
    """How far the clock on the wall is ahead of UTC at a time."""
    return (_local(time_us, where).utcoffset() or timedelta(0)) // timedelta(microseconds=1)
