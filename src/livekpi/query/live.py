"""The points that a commit changed."""

from collections.abc import Iterable, Mapping

from livekpi.definition.definition import Kpi
from livekpi.query.points import Points, Query
from livekpi.query.steps import Steps

CHANGED_STEPS = 500
"""A KPI's changed steps told at once, the newest; a batch of history changes more than anyone watches live."""


def changed(query: Query, kpi: Kpi, touched: Mapping[str, frozenset[int]], by: tuple[str, ...] = ()) -> Points | None:
    """The points of a KPI that changed with these buckets (by grouping key), sliced by `by`; None where none did.

    Of what is so old that it has been rolled up nothing is said: it is no longer shown bucket by bucket.
    """
    earliest = query.fine_from_us(kpi) + max(over_us for _, over_us in query.windows(kpi))
    starts = sorted({start for start in _starts(query, kpi, touched) if start >= earliest})[-CHANGED_STEPS:]
    if not starts:
        return None
    even = kpi.every_us if starts[-1] - starts[0] == (len(starts) - 1) * kpi.every_us else None
    steps = Steps(tuple(starts), tuple(start + kpi.every_us for start in starts), even)
    return Points(kpi.name, kpi.spec.unit, by, query.at(kpi, steps, by))


def _starts(query: Query, kpi: Kpi, touched: Mapping[str, frozenset[int]]) -> Iterable[int]:
    span = query.span_us(kpi)
    if span is None:
        return
    for grouping, over_us in query.windows(kpi):
        for bucket in touched.get(grouping.key, ()):
            first = bucket // kpi.every_us * kpi.every_us
            # a bucket is in the windows that end within `over` after it
            last = min(bucket + over_us - 1, span[1])
            yield from range(first, max(first, last // kpi.every_us * kpi.every_us) + 1, kpi.every_us)
