"""What counts and sums that are not final will be, beside them: from how late the events of their source usually are.

Of a step [start, end) the share of events that is there when the watermark is at w is the mean over the step of what has arrived of the
events of each moment t in it, 1/(end - start) ∫ A(w - t) dt from start to min(end, w), where A(age) is the share of events that arrive
within an age. For a step that is still running that is its elapsed part, times the mean of A over that part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace

import duckdb
import numpy as np

from livekpi.definition.sql.additive import Lone, lone
from livekpi.insight.completion import dispersion, predicted
from livekpi.insight.lateness import Lateness
from livekpi.query.points import Asked, Outlook, Point, dimension_text
from livekpi.query.query import Query
from livekpi.query.steps import HOUR_US, Steps

LEAST_EVENTS = 1_000
"""Of a source of which fewer have been seen it is not known how late they are."""
LEAST_SHARE = 0.1
"""Where less should be there, what there is says too little of the rest."""
LONGEST_US = HOUR_US
"""Over more than this events do not come evenly; where a day will end, its pace says."""
LOOK_BACK = 60
"""Complete steps that show how much a series varies."""
COMPLETE = 0.99
"""The share of a step's events that makes it one of them."""
_Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class _Arrivals:
    """What of a source has arrived by now."""

    lateness: Lateness
    watermark_us: int
    idle: bool
    """Whether nothing is waited for, so that all is there that will be."""

    def share(self, start_us: int, end_us: int) -> float:
        """The share that is there of a step's events."""
        size_us = end_us - start_us
        if self.idle:
            return min(1.0, max(0.0, (self.watermark_us - start_us) / size_us))
        return self.lateness.complete(size_us, self.watermark_us - end_us)

    def complete_until_us(self, size_us: int) -> int:
        """Up to which end steps of a size are complete."""
        return self.watermark_us - (0 if self.idle else self.lateness.wait_us(size_us, COMPLETE))


@dataclass(frozen=True, slots=True)
class _Usual:
    """How a series varies, and whether what is missing of it only ever adds to it."""

    unit: float
    one_way: bool


def with_predictions(cursor: duckdb.DuckDBPyConnection, query: Query, asked: Asked, points: Sequence[Point]) -> list[Point]:
    """The points, with its prediction each that is not final, where enough is known for one."""
    kind, size_us = lone(asked.kpi.value), asked.steps.size_us
    provisional = [point.time_us for point in points if not point.final]
    if kind is None or size_us is None or size_us > LONGEST_US or not provisional:
        return list(points)
    arrivals = _arrivals(cursor, query, asked)
    if arrivals is None:
        return list(points)
    open_us = max(0, min(provisional) - arrivals.complete_until_us(size_us))
    usual = _usual(query, asked, kind, min(provisional) - -(-open_us // size_us) * size_us, size_us)
    return [point if point.final else _predicted(point, size_us, arrivals, usual) for point in points]


def _predicted(point: Point, size_us: int, arrivals: _Arrivals, usual: Mapping[_Key, _Usual]) -> Point:
    known, share = usual.get(tuple(map(dimension_text, point.dimensions))), arrivals.share(point.time_us, point.time_us + size_us)
    if known is None or share < LEAST_SHARE:
        return point
    found = predicted(float(point.value), share, known.unit, one_way=known.one_way)  # type: ignore[arg-type] # a count or a sum
    return replace(point, outlook=Outlook(*astuple(found)))


def _arrivals(cursor: duckdb.DuckDBPyConnection, query: Query, asked: Asked) -> _Arrivals | None:
    """What is known of the KPI's source; None where that is too little."""
    (source,) = asked.kpi.sources
    state = cursor.execute("SELECT state FROM lateness WHERE source = ?", [source]).fetchall()
    watermark_us = query.watermark_us(source)
    if not state or watermark_us is None:
        return None
    lateness = Lateness.from_bytes(state[0][0])
    return _Arrivals(lateness, watermark_us, idle=watermark_us >= query.now_us) if lateness.events >= LEAST_EVENTS else None


def _usual(query: Query, asked: Asked, kind: Lone, end_us: int, size_us: int) -> Mapping[_Key, _Usual]:
    """How each series went in the steps up to a time, of those of which that can be said."""
    start_us = max(end_us - LOOK_BACK * size_us, query.kept.from_us(asked.kpi, size_us))
    start_us = end_us - (end_us - start_us) // size_us * size_us
    span = query.kept.span_us(asked.kpi)
    if span is None or start_us >= end_us:
        return {}
    starts = range(start_us, end_us, size_us)
    steps = Steps(starts, range(start_us + size_us, end_us + size_us, size_us), size_us)
    table = query.columns(asked.kpi, steps, asked.by, asked.where)
    keys = list(zip(*(table[f"g{index}"].to_pylist() for index in range(len(asked.by))), strict=True)) if asked.by else [()] * len(table)
    rows: dict[_Key, dict[int, float]] = {}
    for key, index, value in zip(keys, table["i"].to_pylist(), table["v0"].to_pylist(), strict=True):
        rows.setdefault(key, {})[index] = float(value)
    found = {}
    for key, values in rows.items():
        # a step without events holds nothing, once the series has begun
        series = np.array([values.get(index, 0.0) for index in range(min(values), len(steps))])
        unit = dispersion(series)
        if unit is not None:
            found[key] = _Usual(max(unit, 1.0), True) if kind == "count" else _Usual(unit, bool((series >= 0).all() or (series <= 0).all()))
    return found
