"""The steps a range is asked in: seconds to weeks, aligned in a time zone, whose days may have 23 or 25 hours."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from livekpi.definition.durations import microseconds, parse_duration
from livekpi.moments import datetime_of, since_epoch_us

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
WEEK_US = 7 * DAY_US
_SECOND_US = 1_000_000
_DAY = timedelta(days=1)
_SELDOM_US = 6 * DAY_US
"""No clock has been set, and set back, within less since 1940."""
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
        size = microseconds(parse_duration(text))
    except (ValueError, OverflowError) as error:
        raise QueryError(f"step {text!r}: {error}") from error
    if size <= 0 or (size > DAY_US and size % DAY_US):
        raise QueryError(f"step {text!r}: expected a part of a day, or whole days or weeks")
    if size < DAY_US and DAY_US % size:
        raise QueryError(f"step {text!r}: expected a size that divides a day, such as 10s, 1m, 15m, 1h or 6h")
    return size


def make_steps(from_us: int, to_us: int, size_us: int, where: ZoneInfo, limit: int) -> Steps:
    """The steps that start in [from, to); raises QueryError for more than `limit`."""
    if (to_us - from_us) // size_us > limit + 1:
        raise QueryError(f"the range has more than {limit} steps; ask with a larger step or a shorter range")
    if size_us >= DAY_US or (size_us > HOUR_US and where.key != "UTC"):
        return _between(_wall_bounds(from_us, to_us, size_us, where), from_us, to_us, size_us)
    until_us = to_us + 2 * size_us  # longer no step is where the clock is set back
    breaks = _breaks(from_us, until_us, size_us, where)
    if breaks:
        return _between(_broken_bounds(from_us, until_us, breaks, size_us, where), from_us, to_us, size_us)
    ahead_us = offset_us(from_us, where)
    first = -(-(from_us + ahead_us) // size_us) * size_us - ahead_us
    starts = tuple(range(first, to_us, size_us))
    return Steps(starts, tuple(start + size_us for start in starts), size_us)


def _between(bounds: Iterable[int], from_us: int, to_us: int, size_us: int) -> Steps:
    """The steps from bound to bound that start in [from, to)."""
    inside = [(start, end) for start, end in pairwise(bounds) if from_us <= start < to_us]
    even = all(end - start == size_us for start, end in inside)
    return Steps(tuple(start for start, _ in inside), tuple(end for _, end in inside), size_us if even else None)


def floor(time_us: int, size_us: int, where: ZoneInfo) -> int:
    """The start of the step that holds a time."""
    if size_us >= DAY_US or (size_us > HOUR_US and where.key != "UTC"):
        bounds = list(_wall_bounds(time_us, time_us + 1, size_us, where))
        return max(bound for bound in bounds if bound <= time_us)
    from_us = time_us - 2 * size_us
    phase = offset_us(time_us, where) % size_us
    if phase != offset_us(from_us, where) % size_us:
        breaks = _breaks(from_us, time_us + 1, size_us, where)
        return max(_broken_bounds(from_us, time_us + 1, breaks, size_us, where))
    return (time_us + phase) // size_us * size_us - phase


def shift(time_us: int, by: timedelta, where: ZoneInfo) -> int:
    """A time moved back by the calendar: whole days keep the wall clock, the rest is elapsed time."""
    if abs(by) < _DAY:  # by way of the wall clock an hour that it shows twice would be the first of the two
        return time_us - microseconds(by)
    days = _whole_days(by)
    local = datetime_of(time_us, where).replace(tzinfo=None) - days
    return _instant(local, where) - microseconds(by - days)


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
    wall = datetime_of(time_us, where).replace(tzinfo=None) - _whole_days(by)
    return datetime_of(_instant(wall, where), where).replace(tzinfo=None) != wall


def _whole_days(by: timedelta) -> timedelta:
    """The whole days of a span, which may lead either way."""
    return timedelta(days=int(by / _DAY))


def _wall_bounds(from_us: int, to_us: int, size_us: int, where: ZoneInfo) -> Iterator[int]:
    """Where steps begin by the wall clock of a zone, from at or before `from` to at or after `to`."""
    days = max(1, size_us // DAY_US)
    anchor = _FIRST_MONDAY if size_us % WEEK_US == 0 else _FIRST_DAY
    day = datetime_of(from_us, where).date() - timedelta(days=1)
    day -= timedelta(days=(day - anchor).days % days)
    while True:
        midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a wall clock's time
        for part in range(0, DAY_US, size_us) if size_us < DAY_US else (0,):
            bound = _instant(midnight + timedelta(microseconds=part), where)
            yield bound
            if bound >= to_us:
                return
        day += timedelta(days=days)


def _breaks(from_us: int, to_us: int, size_us: int, where: ZoneInfo) -> list[int]:
    """When in [from, to) the clock is set by what is no multiple of steps of an hour or less, so that they begin at other minutes after."""
    if where.key == "UTC":
        return []
    years = range(datetime_of(from_us).year, datetime_of(to_us).year + 1)
    return [time for year in years for time, by_us in _changes(where, year) if from_us <= time < to_us and by_us % size_us]


def _broken_bounds(from_us: int, to_us: int, breaks: Sequence[int], size_us: int, where: ZoneInfo) -> Iterator[int]:
    """Where in [from, to) steps of an hour or less begin: whenever the wall shows a full step, or is set forward past one.

    Where Lord Howe goes back from 2:00 to 1:30, the hour that began at 1:00 is one and a half long; where it goes forward from 2:00 to
    2:30, the hour that begins then is a half, as days are of 25 and of 23 hours.
    """
    for start, end in pairwise(sorted({from_us, *breaks, to_us})):
        ahead_us = offset_us(start, where)
        full = (start + ahead_us) // size_us * size_us - ahead_us
        # just before, the wall showed what had not come to this step, or had gone back to show it again
        if full == start or (start in breaks and full >= start + offset_us(start - 1, where) - ahead_us):
            yield start
        yield from range(full + size_us, end, size_us)


@lru_cache(1024)
def _changes(where: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """When the clock on the wall is set in a year of UTC, and how far forward."""
    if not date.min.year < year < date.max.year:  # days beyond can't be written in every zone
        return ()
    first, last = (_instant(datetime(each, 1, 1), UTC) for each in (year, year + 1))  # noqa: DTZ001 - a wall clock's time
    ahead = [(time, offset_us(time, where)) for time in (*range(first, last, _SELDOM_US), last)]
    return tuple((_set_at(before, time, where), now - then) for (before, then), (time, now) in pairwise(ahead) if now != then)


def _set_at(before_us: int, after_us: int, where: ZoneInfo) -> int:
    """The first moment after a time at which the clock is ahead of UTC as far as at a later one."""
    low, high, ahead_us = before_us // _SECOND_US, after_us // _SECOND_US, offset_us(after_us, where)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if offset_us(middle * _SECOND_US, where) == ahead_us else (middle, high)
    return high * _SECOND_US


def _instant(wall: datetime, where: tzinfo) -> int:
    return since_epoch_us(wall.replace(tzinfo=where).astimezone(UTC))


def offset_us(time_us: int, where: ZoneInfo) -> int:
    """How far the clock on the wall is ahead of UTC at a time."""
    return microseconds(datetime_of(time_us, where).utcoffset() or timedelta(0))
