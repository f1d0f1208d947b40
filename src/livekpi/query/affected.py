"""Which steps of a KPI a commit changed: those that hold its buckets, and those that look back at them or carry them on."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from livekpi.commit import Commit
from livekpi.definition.definition import Kpi
from livekpi.engine.plan import Grouping
from livekpi.query.grid import Grid, Span
from livekpi.query.query import Query
from livekpi.query.steps import Steps

_MOST_CLOSED = 1_000
"""Steps that become final at once and are looked at; more than that are told of nobody."""


class Affected:
    """The steps that one commit changed, of as many KPIs as are asked for."""

    def __init__(self, query: Query, commit: Commit) -> None:
        self._query, self._commit = query, commit
        self._sorted: dict[str, list[int]] = {}
        self._begun: dict[tuple[str, tuple[str, ...] | None], list[int]] = {}
        self._closed: dict[tuple[Grid, int, int], list[Span]] = {}

    def newest(self, kpi: Kpi, grid: Grid, by: tuple[str, ...] | None, limit: int) -> Iterator[Span]:
        """The changed steps, the newest first, at most `limit` of them; those that can't be told any more are left out.

        Those are the ones that would cut a bucket that has been rolled up. `by` is None where only a part of the slices is asked for.
        """
        upper_us: int | None = None  # steps from here on have been looked at
        for first_us, last_us in sorted(self._spans(kpi, grid, by, limit), key=lambda span: span[1], reverse=True):
            time_us = last_us if upper_us is None else min(last_us, upper_us - 1)
            while time_us >= first_us and limit:
                start, end = grid.holding(time_us)
                if self._query.kept.is_whole(kpi, start, end):
                    yield start, end
                    limit -= 1
                upper_us, time_us = start, start - 1

    def closed(self, kpi: Kpi, grid: Grid, before_us: int, final_us: int) -> list[Span]:
        """The steps that became final as all before a time did, and not yet before an earlier one; the newest first."""
        key = grid, before_us, final_us  # the same for all KPIs of a source
        if key not in self._closed:
            self._closed[key] = list(islice(grid.ended(before_us, final_us), _MOST_CLOSED))
        return [span for span in self._closed[key] if self._query.kept.is_whole(kpi, *span)]

    def _spans(self, kpi: Kpi, grid: Grid, by: tuple[str, ...] | None, limit: int) -> Iterator[Span]:
        """From when to when, both included, there are no steps but changed ones."""
        known = self._query.kept.span_us(kpi)
        if known is None:
            return
        end_us = known[1]
        kinds = {aggregate.kind for aggregate in kpi.value.aggregates}
        for grouping, over_us in self._query.kept.windows(kpi):
            buckets = self._buckets(grouping)
            if buckets and "last" in kinds:  # a level is carried on
                yield buckets[0], max(buckets[0], end_us)
            elif buckets:
                yield from _windows(buckets, over_us, grid, end_us, limit)
                if kinds & {"count", "distinct"} and buckets[0] < grid.holding(end_us)[0]:
                    yield from ((start, end_us) for start in self._begun_us(grouping, by)[:1])
            if grouping.source in self._commit.before_us:  # what lies between two events is known with the second
                before_us, since_us = self._commit.before_us[grouping.source], self._query.kept.since_us(kpi)
                # nothing is shown up to `since`, and of its step something only now, though an older event may be in that step, too
                after_us = since_us if before_us < since_us else grid.holding(before_us)[1]
                if after_us <= end_us:
                    yield after_us, end_us

    def _buckets(self, grouping: Grouping) -> list[int]:
        """What was touched of a grouping, ascending."""
        if grouping.key not in self._sorted:
            self._sorted[grouping.key] = sorted(self._commit.touched.get(grouping.key, ()))
        return self._sorted[grouping.key]

    def _begun_us(self, grouping: Grouping, by: tuple[str, ...] | None) -> list[int]:
        """The touched buckets in which a slice begins: if it did not before, it counts 0 from there on."""
        key = grouping.key, by
        if key not in self._begun:
            buckets = self._buckets(grouping)
            touched = self._commit.touched[grouping.key]
            self._begun[key] = [start for start in self._query.kept.begun_us(grouping, by, buckets[0]) if start in touched]
        return self._begun[key]


def _windows(buckets: Sequence[int], over_us: int, grid: Grid, end_us: int, limit: int) -> Iterator[Span]:
    """For the newest touched bucket of each step, the newest step first: how long it is in a step's window.

    An older one of the same step leaves the windows earlier.
    """
    place = len(buckets)
    while place and limit:
        bucket = buckets[place - 1]
        # the last step that ends within `over` after it begins, as only that one's window begins with it or before
        last_us = grid.holding(bucket + over_us)[0] - 1
        yield bucket, max(bucket, min(last_us, end_us))
        place = bisect_left(buckets, grid.holding(bucket)[0])
        limit -= 1


def as_steps(spans: Iterable[Span], size_us: int) -> Steps:
    """Steps of spans that come newest first."""
    ascending = sorted(spans)
    starts, ends = tuple(start for start, _ in ascending), tuple(end for _, end in ascending)
    even = all(end - start == size_us for start, end in ascending) and starts[1:] == ends[:-1]
    return Steps(starts, ends, size_us if even else None)
