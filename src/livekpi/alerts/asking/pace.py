"""Where a KPI's target periods were going, for those who ask."""

from dataclasses import dataclass
from typing import Any

from livekpi.alerts.judging.pacing import Pace, progress
from livekpi.definition.definition import Kpi
from livekpi.definition.sql.additive import adding_problem
from livekpi.moments import time_text
from livekpi.query.points import Request
from livekpi.query.query import Query
from livekpi.query.steps import HOUR_US, QueryError

MOST_TIMES = 2_000
"""In one answer."""
_SECOND_US = 1_000_000


@dataclass(frozen=True)
class PaceRequest:
    """A question about a KPI's pace: at a time, or at the end of each step of a range; without any of these, now."""

    kpi: str
    at_us: int | None = None
    from_us: int | None = None
    to_us: int | None = None
    step: str | None = None
    """As of points; None: an hour, or the KPI's bucket where that is longer."""
    timezone: str = "UTC"


@dataclass(frozen=True)
class Paces:
    """The answer, in the order of time."""

    kpi: str
    unit: str | None
    found: list[Pace]


def pace(query: Query, request: PaceRequest) -> Paces:
    """The paces asked for, without those of which nothing can be said yet; raises QueryError."""
    kpi = query.kpi(request.kpi)
    if kpi.spec.target is None:
        raise QueryError(f"{kpi.name} has no target to be paced by; give it one in the definition file, such as target: {{1d: 50000}}")
    problem = adding_problem(kpi.value)
    if problem is not None:
        raise QueryError(f"{kpi.name} can't be added up to where a period will end: {problem}")
    times = _times(query, kpi, request)
    if len(times) > MOST_TIMES:
        raise QueryError(f"the range has {len(times)} steps; ask for the pace with a larger step or a shorter range, {MOST_TIMES} at most")
    return Paces(kpi.name, kpi.spec.unit, [each for _, _, each in progress(query, kpi, times)])


def _times(query: Query, kpi: Kpi, request: PaceRequest) -> list[int]:
    """The times asked for: ends of buckets, and the present in place of what has not come yet."""
    ranged = request.from_us is not None or request.to_us is not None or request.step is not None
    if ranged and request.at_us is not None:
        raise QueryError("ask for the pace either `at` a time, or from, to and step")
    span = query.kept.span_us(kpi)
    if span is None:
        return []
    marks = [mark for source in kpi.sources if (mark := query.watermark_us(source)) is not None]
    present_us = _whole_second(max(span[1] + 1, min(marks)))  # behind the last event, which counts
    if not ranged:
        return [_time(kpi, present_us if request.at_us is None else request.at_us, present_us)]
    step = request.step or f"{max(HOUR_US, kpi.every_us) // _SECOND_US}s"
    steps = query.asked(Request(kpi.name, request.from_us, request.to_us, step, timezone=request.timezone)).steps
    return sorted({_time(kpi, end_us, present_us) for end_us in steps.ends})


def _whole_second(time_us: int) -> int:
    """A time, or the next that has no fraction of a second."""
    return -(-time_us // _SECOND_US) * _SECOND_US


def _time(kpi: Kpi, time_us: int, present_us: int) -> int:
    """What is known at a time is known of whole buckets, but for the last of all."""
    return present_us if time_us >= present_us else time_us // kpi.every_us * kpi.every_us


def pace_objects(paces: Paces) -> list[dict[str, Any]]:
    """Paces as the contract has them."""
    return [
        {
            "time": time_text(each.time_us),
            "from": time_text(each.period.start_us),
            "to": time_text(each.period.end_us),
            "target": each.period.target,
            "so_far": each.so_far,
            "projected": each.projection.expected,
            "low": each.projection.low,
            "high": each.projection.high,
            "ratio": each.ratio,
        }
        for each in paces.found
    ]
