"""The points that a commit changed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from livekpi.commit import Commit
from livekpi.definition.definition import Kpi
from livekpi.query.points import Points, Query
from livekpi.query.steps import QueryError, Steps

CHANGED_STEPS = 500
"""A KPI's changed steps told at once, the newest; a batch of history changes more than anyone watches live."""


@dataclass(frozen=True)
class Changes:
    """What a commit changed, as far as it can be told."""

    points: list[Points]
    """Of each KPI that changed, in the order asked for."""
    untold: Mapping[str, str]
    """Why nothing is said of a KPI, by its name: more points changed at once than one answer may hold."""


def changed(query: Query, kpis: Sequence[Kpi], commit: Commit, by: tuple[str, ...] = ()) -> Changes:
    """The points of KPIs that changed with a commit, sliced by `by`.

    Of what is so old that it has been rolled up nothing is said: it is no longer shown bucket by bucket.
    """
    together: dict[Steps, list[Kpi]] = {}
    for kpi in kpis:
        steps = _steps(query, kpi, commit)
        if steps is not None:
            together.setdefault(steps, []).append(kpi)
    found: dict[str, Points] = {}
    untold: dict[str, str] = {}
    for steps, those in together.items():
        try:
            found |= _points(query, those, steps, by)
        except QueryError:  # one that holds too much is left out, and costs no other its points
            for kpi in those:
                try:
                    found |= _points(query, [kpi], steps, by)
                except QueryError as error:
                    untold[kpi.name] = str(error)
    return Changes([found[kpi.name] for kpi in kpis if kpi.name in found], untold)


def _points(query: Query, kpis: Sequence[Kpi], steps: Steps, by: tuple[str, ...]) -> dict[str, Points]:
    answers = query.side_by_side(kpis, steps, by)
    return {kpi.name: Points(kpi.name, kpi.spec.unit, by, points) for kpi, points in zip(kpis, answers, strict=True)}


def _steps(query: Query, kpi: Kpi, commit: Commit) -> Steps | None:
    """The KPI's steps that changed; None where none did."""
    earliest = query.fine_from_us(kpi) + max(over_us for _, over_us in query.windows(kpi))
    starts = sorted({start for start in _starts(query, kpi, commit) if start >= earliest})[-CHANGED_STEPS:]
    if not starts:
        return None
    even = kpi.every_us if starts[-1] - starts[0] == (len(starts) - 1) * kpi.every_us else None
    return Steps(tuple(starts), tuple(start + kpi.every_us for start in starts), even)


def _starts(query: Query, kpi: Kpi, commit: Commit) -> Iterable[int]:
    span = query.span_us(kpi)
    if span is None:
        return
    end, size = span[1] // kpi.every_us * kpi.every_us, kpi.every_us
    carried = any(aggregate.kind == "last" for aggregate in kpi.value.aggregates)
    for grouping, over_us in query.windows(kpi):
        buckets = commit.touched.get(grouping.key, frozenset())
        for bucket in {min(buckets)} if carried and buckets else buckets:
            first = bucket // size * size
            # a bucket is in the windows that end within `over` after it; a level is carried on from it
            last = end if carried else min((bucket + over_us - 1) // size * size, end)
            yield from range(first, max(first, last) + 1, size)
        if grouping.source in commit.before_us:  # what lies between two events is known with the second
            yield from range(commit.before_us[grouping.source] // size * size + size, end + 1, size)
