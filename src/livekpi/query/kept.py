"""What is kept of KPIs: from when on, in which buckets, and so what can be asked of them."""

from collections.abc import Iterable

import duckdb

from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.durations import duration_text
from livekpi.definition.sql.expressions import Aggregate
from livekpi.definition.tiers import tiers
from livekpi.engine.plan import Grouping, Plan, grouping_of, partial_of
from livekpi.moments import time_text
from livekpi.query.points import Request
from livekpi.query.snapshot import Snapshot
from livekpi.query.steps import DAY_US, QueryError, Steps, floor, make_steps, parse_step, zone
from livekpi.store.layout import quote, series


class Kept:
    """The KPIs of a definition as they lie in a store, of one moment."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, definition: Definition, plan: Plan, known: Snapshot) -> None:
        self._cursor, self._definition, self._plan, self._known = cursor, definition, plan, known
        self._complete_us: dict[str, int] = {}

    def span_us(self, kpi: Kpi) -> tuple[int, int] | None:
        """The bucket of the first event that the KPI counts and the time of its sources' last (µs); None before the first."""
        first = [start for grouping in self.groupings(kpi) if (start := self._known.first_us(grouping)) is not None]
        last = [time for source in kpi.sources if (time := self._known.last_event_us(source)) is not None]
        return (max(min(first), self.since_us(kpi)), max(last)) if first and last else None

    def since_us(self, kpi: Kpi) -> int:
        """From which of its buckets on all of its parts are complete."""
        if kpi.name not in self._complete_us:
            since_us = max(map(self.part_since_us, kpi.value.aggregates))
            self._complete_us[kpi.name] = -(-since_us // kpi.every_us) * kpi.every_us
        return self._complete_us[kpi.name]

    def part_since_us(self, aggregate: Aggregate) -> int:
        """From which bucket on an aggregate is complete; 0 where that is the beginning."""
        return self._known.since(grouping_of(self._plan, aggregate)).get(partial_of(aggregate).key) or 0

    def whole_us(self, kpi: Kpi, size_us: int) -> int:
        """From when on buckets of a size lie where all parts of the KPI are complete, the windows of those it is read over included."""
        begun = ((self.part_since_us(each), each.over_us) for each in kpi.value.aggregates)
        return max(since_us + (over_us if over_us > size_us else 0) if since_us else 0 for since_us, over_us in begun)

    def is_whole(self, kpi: Kpi, start_us: int, end_us: int) -> bool:
        """Whether the KPI can be told of a step: its windows cut no bucket in two, as these are kept now."""
        step = Steps((start_us,), (end_us,), None)
        return not any(
            _cuts(step, aggregate.over_us, aggregate.every_us)
            or any(_cuts(step, aggregate.over_us, *rolled) for rolled in self._known.rolled(grouping_of(self._plan, aggregate)))
            for aggregate in kpi.value.aggregates
        )

    def begun_us(self, grouping: Grouping, by: tuple[str, ...] | None, from_us: int) -> list[int]:
        """In which buckets from a time on a series began, or with `by` one that is sliced so; ascending."""
        columns = () if by is None else tuple(f"d{grouping.by.index(name)}" for name in by)
        first = "first" if by is None else "min(first) AS first"
        grouped = f" GROUP BY {', '.join(columns)}" if columns else ""
        begun = f"SELECT {first} FROM {quote(series(grouping))}{grouped}"
        later = f"first >= make_timestamp({from_us})"
        rows = self._cursor.execute(f"SELECT DISTINCT epoch_us(first) AS start FROM ({begun}) WHERE {later} ORDER BY start")
        return [start for (start,) in rows.fetchall()]

    def from_us(self, kpi: Kpi, size_us: int) -> int:
        """From here on buckets of a size can be asked for; before, those that are kept are no parts of it."""
        grains = [each for grouping in self.groupings(kpi) for each in self._known.rolled(grouping)]
        return max((before for grain, before in grains if size_us % grain), default=0)

    def windows(self, kpi: Kpi) -> list[tuple[Grouping, int]]:
        """The groupings a KPI is read from, each with the widest window it is read over."""
        widest: dict[Grouping, int] = {}
        for aggregate in kpi.value.aggregates:
            grouping = grouping_of(self._plan, aggregate)
            widest[grouping] = max(widest.get(grouping, 0), aggregate.over_us)
        return list(widest.items())

    def groupings(self, kpi: Kpi) -> list[Grouping]:
        """Those that a KPI is read from."""
        return list(dict.fromkeys(grouping_of(self._plan, aggregate) for aggregate in kpi.value.aggregates))

    def steps(self, kpi: Kpi, request: Request) -> Steps | None:
        """The range asked for as steps; None where there is nothing in it. Raises QueryError."""
        if request.from_us is not None and request.to_us is not None and request.from_us > request.to_us:
            raise QueryError(f"expected `from` before `to`, got {time_text(request.from_us)} and {time_text(request.to_us)}")
        timezone, span = zone(request.timezone), self.span_us(kpi)
        if request.step is None:  # buckets as they are
            timezone = zone("UTC")
        size = None if request.step in (None, "all") else parse_step(str(request.step))
        if size is not None and size % kpi.every_us:
            raise QueryError(f"step {request.step!r} is no multiple of {kpi.name}'s bucket, {duration_text(kpi.every_us)}")
        if span is None:
            return None
        # nothing is before the first event nor after the last, so an answer's size does not depend on how far one asks
        end = span[1] + 1 if request.to_us is None else min(request.to_us, span[1] + 1)
        if request.step == "all":
            grain = self._finest(kpi, span[0])
            return self._whole(kpi, max(request.from_us or 0, span[0] // grain * grain), end)
        size = size or self._finest(kpi, max(request.from_us or 0, span[0]))
        first = floor(span[0], size, timezone)
        start = first if request.from_us is None else max(request.from_us, first)
        return make_steps(start, end, size, timezone, self._definition.spec.limits.points) if start < end else None

    @staticmethod
    def _whole(kpi: Kpi, start: int, end: int) -> Steps | None:
        """The range as one step, in whole buckets."""
        first, last = -(-start // kpi.every_us) * kpi.every_us, -(-end // kpi.every_us) * kpi.every_us
        return Steps((first,), (last,), None) if first < last else None

    def _finest(self, kpi: Kpi, from_us: int) -> int:
        grains = [grain for grouping in self.groupings(kpi) for grain, before in self._known.rolled(grouping) if before > from_us]
        return max([kpi.every_us, *grains])

    def check_grain(self, kpi: Kpi, steps: Steps) -> None:
        """Raises QueryError for steps that would cut a bucket in two, as these are kept now."""
        for aggregate in kpi.value.aggregates:
            if _cuts(steps, aggregate.over_us, aggregate.every_us):
                raise QueryError(
                    f"{kpi.name} is kept in buckets of {duration_text(aggregate.every_us)}, counted in UTC, and some of these steps would "
                    f"cut one in two: ask in UTC, or in a time zone whose hours and days begin with a bucket"
                )
            for grain, before in self._known.rolled(grouping_of(self._plan, aggregate)):
                if _cuts(steps, aggregate.over_us, grain, before):
                    stages = tiers(aggregate.every_us, self._definition.keep_us)
                    kept = ", ".join(f"{duration_text(size)} for {age / DAY_US:g}d" for size, age in stages)
                    raise QueryError(
                        f"{kpi.name} is kept in buckets of {duration_text(grain)} that far back ({kept}): ask with a step that is "
                        f"a multiple of it, in a time zone whose hours and days begin with one, or for a later time"
                    )


def _cuts(steps: Steps, over_us: int, grain_us: int, before_us: int | None = None) -> bool:
    """Whether the window of a step begins or ends inside a bucket of `grain_us`, before a time."""
    spans: Iterable[tuple[int, int]] = zip(steps.starts, steps.ends, strict=True)
    if steps.size_us is not None and (steps.size_us % grain_us == 0 or (before_us is not None and steps.ends[0] - over_us >= before_us)):
        spans = [(steps.starts[0], steps.ends[0])]  # the others lie as it does
    bounds = (bound for start, end in spans for bound in (min(start, end - over_us), end))
    return any(bound % grain_us for bound in bounds if before_us is None or bound < before_us)
