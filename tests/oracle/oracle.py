"""What a batch query over all accepted events says: plain Python, slow and plain to see through. It shares no code with livekpi.

A KPI is arithmetic over parts. A part aggregates a field (any function of an event) of the events that a condition takes, in
buckets, over windows, by dimensions. Times are µs since the epoch.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from functools import lru_cache
from itertools import pairwise
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
HOUR_US = 3_600_000_000
QUARTER_US = HOUR_US // 4
DAY_US = 24 * HOUR_US
WIDE = Context(prec=100)
"""Decimals of any size are added without rounding."""

Slice = tuple[Any, ...]
Step = tuple[int, int]
"""A span [start, end) in µs."""


@dataclass(frozen=True)
class Event:
    """An accepted event. `order` decides between events of the same time."""

    time_us: int
    order: tuple[int, int]
    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)


def one(_: Event) -> Any:
    """The argument of count(*)."""
    return 1


def every(_: Event) -> bool | None:
    """The condition that takes all events."""
    return True


@dataclass(frozen=True)
class Part:
    """An aggregate: kind is count, sum, min, max, last, first, distinct or quantile."""

    kind: str
    of: Callable[[Event], Any] = one
    where: Callable[[Event], bool | None] = every
    by: tuple[str, ...] = ()
    every_us: int = 60_000_000
    over_us: int = 0
    quantile: str = "0.5"


def single(value: Any) -> Any:
    return value


@dataclass(frozen=True)
class Kpi:
    """Parts, and what is computed of their values; None where a part has none."""

    parts: tuple[Part, ...]
    value: Callable[..., Any] = single
    tolerance: float = 0.0
    """How far from the exact value an answer may be, relatively."""

    @property
    def by(self) -> tuple[str, ...]:
        return tuple(name for name in self.parts[0].by if all(name in part.by for part in self.parts))

    @property
    def every_us(self) -> int:
        return max(part.every_us for part in self.parts)


def divide(left: Any, right: Any) -> float | None:
    """Floating division; nothing where a side is nothing or the divisor is zero."""
    if left is None or right is None or float(right) == 0:
        return None
    return float(left) / float(right)


@dataclass
class Oracle:
    """Answers from all accepted events of one source."""

    events: Sequence[Event] = field(default_factory=list)
    silent_us: int = 0
    """Up to when it is known that there are no more."""

    def points(
        self, kpi: Kpi, steps: Sequence[Step], by: tuple[str, ...] = (), where: Callable[[Event], bool | None] = every
    ) -> dict[tuple[int, Slice], Any]:
        """The value of each step and slice that has one, by (start, slice)."""
        kept = [event for event in self.events if where(event)]
        until_us = max([self.silent_us, *(event.time_us for event in self.events)])
        columns = [_Column(part, _slices(kept, by), until_us) for part in kpi.parts]
        found = {}
        for slice_ in dict.fromkeys(slice_ for column in columns for slice_ in column.slices):
            for step in steps:
                value = kpi.value(*(column.value(slice_, step) for column in columns))
                if value is not None:
                    found[step[0], slice_] = value
        return found


def _slices(events: Iterable[Event], by: tuple[str, ...]) -> dict[Slice, list[Event]]:
    found: dict[Slice, list[Event]] = {}
    for event in sorted(events, key=lambda event: (event.time_us, event.order)):
        found.setdefault(tuple(event[name] for name in by), []).append(event)
    return found


class _Column:
    """A part's values by slice, in order of time."""

    def __init__(self, part: Part, slices: Mapping[Slice, list[Event]], last_us: int) -> None:
        self._part, self.slices, self._last_us = part, slices, last_us
        taken = {slice_: [(event.time_us, part.of(event)) for event in events if part.where(event)] for slice_, events in slices.items()}
        self._values = {slice_: [pair for pair in pairs if pair[1] is not None] for slice_, pairs in taken.items()}
        self._times = {slice_: [time_us for time_us, _ in pairs] for slice_, pairs in self._values.items()}

    def value(self, slice_: Slice, step: Step) -> Any:
        part, times, (start, end) = self._part, self._times[slice_], step
        begin = 0 if part.kind == "last" else min(start, end - part.over_us)
        values = [value for _, value in self._values[slice_][bisect_left(times, begin) : bisect_left(times, end)]]
        known = self.slices[slice_][0].time_us // part.every_us * part.every_us < end and start <= self._last_us
        if part.kind in ("count", "distinct"):
            count = len(values) if part.kind == "count" else len(set(values))
            return count if count or known else None
        if part.kind == "last" and not known:
            return None
        return _aggregate(part, values) if values else None


def _aggregate(part: Part, values: list[Any]) -> Any:
    if part.kind == "sum":
        total = values[0]
        for value in values[1:]:
            total = WIDE.add(total, value) if isinstance(total, Decimal) else total + value
        return total
    if part.kind == "quantile":
        return sorted(values)[floor(Decimal(part.quantile) * (len(values) - 1))]
    return {"min": min(values), "max": max(values), "first": values[0], "last": values[-1]}[part.kind]


@lru_cache(256)
def steps(
    first_us: int, last_us: int, size_us: int, timezone: str, from_us: int | None = None, to_us: int | None = None
) -> tuple[Step, ...]:
    """The steps from the one with the first event to the one with the last, of those that start in [from, to)."""
    zone = ZoneInfo(timezone)
    starts = [_start(first_us, size_us, zone)]
    while starts[-1] <= last_us:
        starts.append(_next(starts[-1], size_us, zone))
    return tuple(
        [(start, end) for start, end in pairwise(starts) if (from_us is None or from_us <= start) and (to_us is None or start < to_us)]
    )


def _start(time_us: int, size_us: int, zone: ZoneInfo) -> int:
    """The start of the step that a moment is in: the last moment before it whose wall clock begins a step."""
    wall = _wall(time_us, zone)
    if size_us <= HOUR_US:
        return _short_start(time_us, size_us, zone)
    if size_us < DAY_US and zone.key == "UTC":
        return time_us - time_us % size_us
    midnight = datetime(wall.year, wall.month, wall.day)  # noqa: DTZ001 - a wall clock's time
    if size_us < DAY_US:
        return _first_moment(midnight + (wall - midnight) // timedelta(microseconds=size_us) * timedelta(microseconds=size_us), zone)
    days = size_us // DAY_US
    anchor = date(1970, 1, 5) if days % 7 == 0 else date(1970, 1, 1)  # weeks begin on Mondays
    return _first_moment(midnight - timedelta(days=(wall.date() - anchor).days % days), zone)


def _short_start(time_us: int, size_us: int, zone: ZoneInfo) -> int:
    """As `_start`, of steps of an hour or less: where the clock was set since by a part of a step, the one that began before may go on."""
    found = time_us - _wall_us(time_us, zone) % size_us
    for moment in range(time_us // QUARTER_US * QUARTER_US, found, -QUARTER_US):
        before, after = _wall_us(moment - 1, zone), _wall_us(moment, zone)
        if (after - before - 1) % size_us:
            return moment if after // size_us > before // size_us else _short_start(moment - 1, size_us, zone)
    return found


def _next(start_us: int, size_us: int, zone: ZoneInfo) -> int:
    """The start of the step after one."""
    if size_us < DAY_US and zone.key == "UTC":
        return start_us + size_us
    if size_us <= HOUR_US:
        wall_us = _wall_us(start_us, zone)
        if wall_us % size_us == 0 and _wall_us(start_us + size_us, zone) == wall_us + size_us:
            return start_us + size_us
        quarters = range(start_us // QUARTER_US * QUARTER_US, start_us + 3 * HOUR_US, QUARTER_US) if QUARTER_US % size_us else ()
        return next((moment for moment in quarters if _start(moment, size_us, zone) > start_us), start_us + size_us)
    # a step of the wall clock may be some hours shorter or longer than its size
    for shift in range(-2 * HOUR_US, 4 * HOUR_US, QUARTER_US):
        found = _start(max(start_us + 1, start_us + size_us + shift), size_us, zone)
        if found > start_us:
            return found
    raise AssertionError("the step has no end")


def _wall(time_us: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + time_us * MICROSECOND).astimezone(zone).replace(tzinfo=None)


def _wall_us(time_us: int, zone: ZoneInfo) -> int:
    return (_wall(time_us, zone).replace(tzinfo=UTC) - EPOCH) // MICROSECOND


def _first_moment(wall: datetime, zone: ZoneInfo) -> int:
    """The first moment at which a wall clock shows a time, or, where it leaps over it, a later one."""
    around = (wall.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
    candidates = range(around - 15 * HOUR_US, around + 15 * HOUR_US, QUARTER_US)
    return next(moment for moment in candidates if _wall(moment, zone) >= wall)
