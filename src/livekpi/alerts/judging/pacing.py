"""Where a KPI with a target will stand at the end of the period that is running, if it goes on as usual."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from livekpi.alerts.series import steps_of
from livekpi.definition.definition import Kpi, microseconds
from livekpi.definition.model import PeriodTarget
from livekpi.definition.values import moment
from livekpi.insight.pace import Projection, project
from livekpi.query.points import Query
from livekpi.query.steps import Steps, floor, shift

PERIODS = 28
"""How many earlier periods show how one usually goes."""
_PARTS = 24
"""A period is compared with earlier ones at so many times."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """A period with its target, [start, end) in µs."""

    start_us: int
    end_us: int
    target: float


def period_at(kpi: Kpi, time_us: int) -> Period | None:
    """The period of a KPI's target that a time is in; of several kinds the shortest. None where no target holds then."""
    target = kpi.spec.target
    if target is None:
        return None
    if isinstance(target, PeriodTarget):
        size, value = min(target.values.items())
        zone = ZoneInfo(target.timezone or kpi.timezone)
        start_us = floor(time_us, microseconds(size), zone)
        return Period(start_us, shift(start_us, -size, zone), value)
    for dated in target:
        zone_name = dated.timezone or kpi.timezone
        start_us, end_us = (_instant(moment(text, zone_name)) for text in (dated.from_, dated.to))
        if start_us <= time_us < end_us:
            return Period(start_us, end_us, dated.value)
    return None


def earlier(kpi: Kpi, period: Period) -> Iterator[Period]:
    """The like periods before one, newest first; before a dated one there is none like it."""
    target = kpi.spec.target
    if not isinstance(target, PeriodTarget):
        return
    size, value = min(target.values.items())
    zone = ZoneInfo(target.timezone or kpi.timezone)
    for _ in range(PERIODS):
        period = Period(shift(period.start_us, size, zone), period.start_us, value)
        yield period


def paces(query: Query, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> pa.Table:
    """The projected end of the running period as a share of its target, at each bucket's end: i, g0, …, value."""
    found: dict[str, list[object]] = {name: [] for name in ("i", *(f"g{index}" for index in range(len(by))), "value")}
    for index, key, period, projection in projections(query, kpi, steps, by):
        if period.target:
            for name, value in zip(found, (index, *key, projection.expected / period.target), strict=True):
                found[name].append(value)
    types = {"i": pa.int64(), "value": pa.float64()}
    return pa.table({name: pa.array(values, types.get(name, pa.string())) for name, values in found.items()})


def projections(query: Query, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> Iterator[tuple[int, _Key, Period, Projection]]:
    """What each bucket's end lets one expect of the period it is in, by series."""
    span = query.span_us(kpi)
    if span is None:
        return
    size_us = steps.ends[0] - steps.starts[0]
    indexes: dict[Period, list[int]] = {}
    for index, start_us in enumerate(steps.starts):
        period = period_at(kpi, start_us)
        if period is not None:
            indexes.setdefault(period, []).append(index)
    for period, own in indexes.items():
        curves = _curves(query, kpi, period, by, span[0])
        first_us, last_us = max(period.start_us, span[0] // size_us * size_us), steps.ends[own[-1]]
        totals = _running(query, kpi, steps_of(first_us, last_us, size_us), by)
        for index in own:
            share = min(1.0, (steps.ends[index] - period.start_us) / (period.end_us - period.start_us))
            at = (steps.ends[index] - first_us) // size_us - 1
            for key, running in totals.items():
                projection = project(float(running[at]), share, curves.get(key, ())) if at >= 0 else None
                if projection is not None:
                    yield index, key, period, projection


def _curves(query: Query, kpi: Kpi, period: Period, by: tuple[str, ...], first_us: int) -> Mapping[_Key, Sequence[NDArray[np.float64]]]:
    """How earlier periods went, by series: running totals from 0 to the end."""
    found: dict[_Key, list[NDArray[np.float64]]] = {}
    for before in earlier(kpi, period):
        if before.start_us < first_us:
            break
        part_us = max(kpi.every_us, (before.end_us - before.start_us) // _PARTS // kpi.every_us * kpi.every_us)
        for key, running in _running(query, kpi, steps_of(before.start_us, before.end_us, part_us), by).items():
            found.setdefault(key, []).append(np.concatenate([[0.0], running]))
    return found


def _running(query: Query, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> dict[_Key, NDArray[np.float64]]:
    """The running total at each step's end, by series."""
    if not len(steps):
        return {}
    table = query.columns(kpi, steps, by)
    keys = list(zip(*(table[f"g{index}"].to_pylist() for index in range(len(by))), strict=True)) if by else [()] * len(table)
    found: dict[_Key, NDArray[np.float64]] = {}
    for key, index, value in zip(keys, table["i"].to_pylist(), table["v0"].to_pylist(), strict=True):
        found.setdefault(key, np.zeros(len(steps)))[index] = float(value)
    return {key: np.cumsum(values) for key, values in found.items()}


def _instant(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)
