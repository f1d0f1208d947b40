"""Where a KPI with a target will stand at the end of the period that is running, if it goes on as usual."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from livekpi.alerts.series import steps_of
from livekpi.definition.definition import Kpi
from livekpi.definition.durations import microseconds
from livekpi.definition.shape.model import PeriodTarget
from livekpi.definition.shape.values import moment
from livekpi.insight.pace import Projection, project
from livekpi.moments import since_epoch_us
from livekpi.query.grid import Grid
from livekpi.query.query import Query
from livekpi.query.steps import DAY_US, HOUR_US, Steps

PERIODS = 28
"""How many earlier periods show how one usually goes."""
_PARTS = 20
"""A period is compared with earlier ones at so many times at least, where its bucket allows for it."""
BEGUN = 0.05
"""So much of a period must be over before a rule goes by its pace, where no earlier period shows how one begins; and data that begins in
its first such part counts as having been there all along."""
_MINUTE_US = 60_000_000
_PARTS_US = (DAY_US, *(hours * HOUR_US for hours in (12, 8, 6, 4, 3, 2, 1)), *(minutes * _MINUTE_US for minutes in (30, 15, 10, 5, 1)))
"""The parts a period is cut into: those that coarser buckets of the past can be cut into, too."""
_Key = tuple[str | None, ...]
_Courses = Mapping[_Key, NDArray[np.float64]]
"""Of each series a number for each step."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period with its target, [start, end) in µs."""

    start_us: int
    end_us: int
    target: float


@dataclass(frozen=True, slots=True)
class Pace:
    """Where a KPI stood in a period at a time, and where it was going."""

    time_us: int
    period: Period
    so_far: float
    projection: Projection
    sure: bool = True
    """Whether a rule may go by it: not where the period began well before its data, nor just now where none before it is known."""

    @property
    def ratio(self) -> float | None:
        """The projected end as a share of the target; None for a target of 0."""
        return self.projection.expected / self.period.target if self.period.target else None


def period_at(kpi: Kpi, time_us: int) -> Period | None:
    """The period of a KPI's target that a time is in; of several kinds the shortest. None where no target holds then."""
    target = kpi.spec.target
    if target is None:
        return None
    if isinstance(target, PeriodTarget):
        grid, value = _shortest(kpi, target)
        return Period(*grid.holding(time_us), value)
    for dated in target:
        zone_name = dated.timezone or kpi.timezone
        start_us, end_us = (since_epoch_us(moment(text, zone_name)) for text in (dated.from_, dated.to))
        if start_us <= time_us < end_us:
            return Period(start_us, end_us, dated.value)
    return None


def earlier(kpi: Kpi, period: Period) -> Iterator[Period]:
    """The like periods before one, newest first; before a dated one there is none like it."""
    target = kpi.spec.target
    if not isinstance(target, PeriodTarget):
        return
    grid, value = _shortest(kpi, target)
    for _ in range(PERIODS):
        period = Period(*grid.holding(period.start_us - 1), value)
        yield period


def _shortest(kpi: Kpi, target: PeriodTarget) -> tuple[Grid, float]:
    """The periods of a target's shortest kind, and what is to be reached in each."""
    size, value = min(target.values.items())
    return Grid(microseconds(size), ZoneInfo(target.timezone or kpi.timezone)), value


def paces(query: Query, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> pa.Table:
    """The projected end of the running period as a share of its target, at each bucket's end where it is sure: i, g0, …, value."""
    found: dict[str, list[object]] = {name: [] for name in ("i", *(f"g{index}" for index in range(len(by))), "value")}
    for index, key, pace in progress(query, kpi, steps.ends, by):
        if pace.ratio is not None and pace.sure:
            for name, value in zip(found, (index, *key, pace.ratio), strict=True):
                found[name].append(value)
    types = {"i": pa.int64(), "value": pa.float64()}
    return pa.table({name: pa.array(values, types.get(name, pa.string())) for name, values in found.items()})


def progress(query: Query, kpi: Kpi, times_us: Sequence[int], by: tuple[str, ...] = ()) -> Iterator[tuple[int, _Key, Pace]]:
    """What was to be expected at each time (ascending) of the period that was running up to it, by the time's index and series.

    What the bucket holds that a time is in counts in whole. Nothing is said of times before the first event.
    """
    span = query.kept.span_us(kpi)
    if span is None:
        return
    indexes: dict[Period, list[int]] = {}
    for index, time_us in enumerate(times_us):
        period = period_at(kpi, time_us - 1) if time_us > span[0] else None
        if period is not None:
            indexes.setdefault(period, []).append(index)
    past = _Past(query, kpi, by, span[0])
    for period, own in indexes.items():
        curves = past.curves(period)
        length_us = period.end_us - period.start_us
        begun_us = max(period.start_us, span[0])  # of what was before the first event nothing is known
        whole = begun_us - period.start_us <= BEGUN * length_us
        first_us = max(period.start_us, span[0] // kpi.every_us * kpi.every_us)
        totals = _totals(query, kpi, first_us, [-(-times_us[index] // kpi.every_us) * kpi.every_us for index in own], by)
        for place, index in enumerate(own):
            share = min(1.0, (times_us[index] - begun_us) / (period.end_us - begun_us))
            for key in {**totals, **curves}:
                so_far = float(totals[key][place]) if key in totals else 0.0
                earlier_ones = curves.get(key, ())
                projection = project(so_far, share, earlier_ones)
                if projection is not None:
                    sure = bool(earlier_ones) or (whole and times_us[index] - period.start_us >= BEGUN * length_us)
                    yield index, key, Pace(times_us[index], period, so_far, projection, sure)


class _Past:
    """How earlier periods went, each read once."""

    def __init__(self, query: Query, kpi: Kpi, by: tuple[str, ...], first_us: int) -> None:
        """`first_us` is where the data begins."""
        self._query, self._kpi, self._by, self._first_us = query, kpi, by, first_us
        self._known: dict[int, _Courses] = {}

    def curves(self, period: Period) -> Mapping[_Key, Sequence[NDArray[np.float64]]]:
        """Running totals from 0 to the end of the periods before one, by series; of those that are kept whole.

        A series has one of each period since its first, also of those in which it had nothing.
        """
        periods: list[_Courses] = []
        for before in earlier(self._kpi, period):
            part_us = _part_us(self._kpi, before)
            if before.start_us < max(self._first_us, self._query.kept.from_us(self._kpi, part_us)):
                break
            if before.start_us not in self._known:
                steps = steps_of(before.start_us, before.end_us, part_us)
                self._known[before.start_us] = _values(self._query, self._kpi, steps, self._by)
            periods.append({key: np.concatenate([[0.0], np.cumsum(values)]) for key, values in self._known[before.start_us].items()})
        oldest = {key: place for place, courses in enumerate(periods) for key in courses}
        return {key: [courses.get(key, np.zeros(2)) for courses in periods[: place + 1]] for key, place in oldest.items()}


def _part_us(kpi: Kpi, period: Period) -> int:
    """What a period is cut into: it ends with a part, and a part with a bucket."""
    length_us = period.end_us - period.start_us
    fitting = (part for part in _PARTS_US if part * _PARTS <= length_us and length_us % part == 0 and part % kpi.every_us == 0)
    return next(fitting, kpi.every_us)


def _totals(query: Query, kpi: Kpi, first_us: int, ends_us: Sequence[int], by: tuple[str, ...]) -> _Courses:
    """The running total at each time. What came before the first of them is read at once, since of it coarser buckets may be kept."""
    before = _values(query, kpi, Steps((first_us,), (ends_us[0],), ends_us[0] - first_us), by)
    since: _Courses = {}
    if len(ends_us) > 1:
        sizes = {end - start for start, end in pairwise(ends_us)}
        since = _values(query, kpi, Steps(ends_us[:-1], ends_us[1:], sizes.pop() if len(sizes) == 1 else None), by)
    none = np.zeros(1), np.zeros(len(ends_us) - 1)
    return {key: np.cumsum(np.concatenate([before.get(key, none[0]), since.get(key, none[1])])) for key in {**before, **since}}


def _values(query: Query, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> dict[_Key, NDArray[np.float64]]:
    """What each step holds, by series; 0 where it holds nothing. The KPI as a whole is there even where all of it is 0."""
    table = query.columns(kpi, steps, by)
    keys = list(zip(*(table[f"g{index}"].to_pylist() for index in range(len(by))), strict=True)) if by else [()] * len(table)
    found: dict[_Key, NDArray[np.float64]] = {} if by else {(): np.zeros(len(steps))}
    for key, index, value in zip(keys, table["i"].to_pylist(), table["v0"].to_pylist(), strict=True):
        found.setdefault(key, np.zeros(len(steps)))[index] = float(value)
    return found
