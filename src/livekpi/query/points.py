"""Points of a KPI: partials merged into steps and slices, and only then divided, so that every zoom is right."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.durations import parse_duration
from livekpi.definition.problems import nearest
from livekpi.definition.sql.expressions import Aggregate
from livekpi.definition.tiers import tiers
from livekpi.definition.types import Field, Type
from livekpi.engine.plan import Grouping, Plan, grouping_of, partial_of
from livekpi.query import leaves
from livekpi.query.assembly import Part, Statement, assemble
from livekpi.query.conditions import condition, dimensions
from livekpi.query.snapshot import Snapshot
from livekpi.query.steps import DAY_US, QueryError, Steps, floor, make_steps, parse_step, shift, zone
from livekpi.store import positions
from livekpi.store.layout import OTHER, quote, series

INLINE_STEPS = 32
"""So few steps are written into the statement, which is quicker than a table of them."""
Value = int | float | Decimal | str | bool | datetime
Dimension = str | int | bool | None


@dataclass(frozen=True)
class Request:
    """A question about one KPI."""

    kpi: str
    from_us: int | None = None
    """The first step starts here or later; None: where the data begins."""
    to_us: int | None = None
    """The last step starts before; None: after the last event."""
    step: str | None = None
    """A multiple of the KPI's bucket (1h, 1d, 1w), or `all` for the range as one; None: the finest kept."""
    by: tuple[str, ...] = ()
    where: str | None = None
    timezone: str = "UTC"
    compare: str | None = None
    """A span such as 1d or 1w: each point also gets the value that much earlier, by the calendar."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was expected of a value, between which bounds it usually is, and how it stands there: a score above 1 is outside."""

    expected: float
    low: float
    high: float
    score: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a value will be once all its events are there, and between which values that lies in about 19 cases of 20."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Point:
    """The value of a step that starts at `time_us`; `dimensions` as asked for by `by`."""

    time_us: int
    value: Value
    final: bool
    """Whether no more events are waited for; later ones would still correct it."""
    dimensions: tuple[Dimension, ...] = ()
    before: Value | None = None
    """The value a span earlier, where one was asked for and is there."""
    standing: Standing | None = None
    """Where it was asked for and is known; as is the outlook."""
    outlook: Outlook | None = None


@dataclass(frozen=True)
class Points:
    """The answer: points ordered by time, then dimensions."""

    kpi: str
    unit: str | None
    dimensions: tuple[str, ...]
    points: list[Point]
    compared: bool = False
    also: tuple[str, ...] = ()
    """What else was asked for of each point: `band`, `prediction`."""
    commit: int = 0
    """The number of the last commit that they have seen, where that was asked in the same transaction."""


@dataclass(frozen=True)
class Asked:
    """A question whose names are looked up."""

    kpi: Kpi
    by: tuple[str, ...]
    where: exp.Expr | None
    """A condition over the KPI's dimensions."""
    steps: Steps
    timezone: str
    compare: str | None = None

    @property
    def whole_series(self) -> bool:
        """Whether each point is of a whole series: no condition leaves out a part of what is sliced."""
        return self.where is None or {column.name for column in self.where.find_all(exp.Column)} <= set(self.by)


class Query:
    """Answers questions about a definition's KPIs from a store's cursor.

    `now_us` is the time up to which the store is known to have been fed: the clock's for a live server, the last sign of
    life otherwise. It decides, with the watermark, which points are final.
    """

    def __init__(self, cursor: duckdb.DuckDBPyConnection, definition: Definition, plan: Plan, now_us: int) -> None:
        self._cursor, self._definition, self._plan, self._now_us = cursor, definition, plan, now_us
        self.known = Snapshot(cursor, definition)
        """What the store says of its partials; read once."""
        self._complete_us: dict[str, int] = {}

    @property
    def now_us(self) -> int:
        """Up to when the store is known to have been fed."""
        return self._now_us

    def points(self, request: Request) -> Points:
        """The points asked for; raises QueryError where the question is wrong or its answer would be."""
        return self.answer(self.asked(request))

    def asked(self, request: Request) -> Asked:
        """A question with its names looked up and its range cut into steps; raises QueryError where it is wrong."""
        kpi = self.kpi(request.kpi)
        by = dimensions(kpi, request.by)
        where = None if request.where is None else condition(self._definition, kpi, request.where)
        steps = self._steps(kpi, request) or Steps((), (), None)
        return Asked(kpi, by, where, steps, request.timezone, request.compare)

    def answer(self, asked: Asked) -> Points:
        """The points of a question that was looked up; raises QueryError where they would be wrong."""
        kpi = asked.kpi
        found = self.at(kpi, asked.steps, asked.by, asked.where) if len(asked.steps) else []
        if asked.compare is not None and found:
            found = self._compared(asked, asked.compare, found)
        return Points(kpi.name, kpi.spec.unit, asked.by, found, asked.compare is not None)

    def at(self, kpi: Kpi, steps: Steps, by: tuple[str, ...] = (), where: exp.Expr | None = None) -> list[Point]:
        """The KPI's points at given steps."""
        (found,) = self._together([kpi], steps, by, where)
        return found

    def side_by_side(self, kpis: Sequence[Kpi], steps: Steps, by: tuple[str, ...] = (), where: exp.Expr | None = None) -> list[list[Point]]:
        """The points of each KPI at the same steps. A statement costs some milliseconds, so that they share one where they can.

        With `where` the dimensions it names are the same fields of the same source for all of them.
        """
        found: dict[str, list[Point]] = {}
        for each in self._alike(kpis):
            found |= zip((kpi.name for kpi in each), self._together(each, steps, by, where), strict=True)
        return [found[kpi.name] for kpi in kpis]

    def _together(self, kpis: Sequence[Kpi], steps: Steps, by: tuple[str, ...], where: exp.Expr | None = None) -> list[list[Point]]:
        """The points of KPIs that are complete from the same bucket on; `where` is about the dimensions of the first."""
        statement = self._statement(kpis, steps, by, where)
        limit = self._definition.spec.limits.points
        with self._stepped(steps) as prefix:
            rows = self._cursor.execute(f"{prefix}{statement.sql} LIMIT {limit + 1}", statement.parameters or None).fetchall()
        if len(rows) > limit:
            raise QueryError(f"more than {limit} points; ask for a larger step, a shorter range or fewer dimensions")
        return [self._points(kpi, steps, by, rows, 1 + len(by) + place) for place, kpi in enumerate(kpis)]

    def columns(self, kpi: Kpi, steps: Steps, by: tuple[str, ...] = (), where: exp.Expr | None = None, *, carry: bool = True) -> pa.Table:
        """The KPI's values as columns, however many: `i` (the step's index), dimensions as text ``g0``, ``g1``, …, and ``v0``.

        Without `carry` a level is only in the steps in which an event gave it.
        """
        statement = self._statement([kpi], steps, by, where, carry=carry)
        with self._stepped(steps) as prefix:
            return self._cursor.sql(f"{prefix}{statement.unordered}", params=statement.parameters or None).to_arrow_table()

    def columns_together(
        self, kpis: Sequence[Kpi], steps: Steps, by: tuple[str, ...] = (), *, carry: bool = True
    ) -> Iterator[tuple[list[Kpi], pa.Table]]:
        """As `columns`, of as many KPIs as one statement can answer: these, and their values as ``v0``, ``v1``, …"""
        for alike in self._alike(kpis):
            statement = self._statement(alike, steps, by, None, carry=carry)
            with self._stepped(steps) as prefix:
                yield alike, self._cursor.sql(f"{prefix}{statement.unordered}").to_arrow_table()

    def _alike(self, kpis: Iterable[Kpi]) -> list[list[Kpi]]:
        """Those that are complete from the same bucket on together: one statement can answer them."""
        found: dict[int, list[Kpi]] = {}
        for kpi in kpis:
            found.setdefault(self._since_us(kpi), []).append(kpi)
        return list(found.values())

    def known_series(self, kpi: Kpi, by: tuple[str, ...], before_us: int) -> pa.Table:
        """The KPI's series that had an event before a time: ``g0``, ``g1``, …, and `first`, the bucket of the first (µs)."""
        parts = [
            f"SELECT {''.join(f'd{grouping.by.index(name)} AS g{index}, ' for index, name in enumerate(by))}epoch_us(first) AS first "
            f"FROM {quote(series(grouping))} WHERE first < make_timestamp({before_us})"
            for grouping in self._groupings(kpi)
        ]
        columns = "".join(f"g{index}, " for index in range(len(by)))
        return self._cursor.sql(f"SELECT {columns}min(first) AS first FROM ({' UNION ALL '.join(parts)}) GROUP BY ALL").to_arrow_table()

    def _statement(
        self, kpis: Sequence[Kpi], steps: Steps, by: tuple[str, ...], where: exp.Expr | None, *, carry: bool = True
    ) -> Statement:
        for kpi in kpis:
            self._check_grain(kpi, steps)
        numbers = {aggregate: number for number, aggregate in enumerate(dict.fromkeys(_aggregates(kpis)))}
        since_us = self._since_us(kpis[0])
        return assemble(kpis, numbers, self._parts(numbers), since_us, steps, by, where, self._fields(kpis[0]), carry=carry)

    def _points(self, kpi: Kpi, steps: Steps, by: tuple[str, ...], rows: Iterable[tuple[Any, ...]], column: int) -> list[Point]:
        final_us = self.final_us(kpi)
        typed = _typing([self._field(kpi, name).type for name in by])
        return [
            Point(steps.starts[row[0]], row[column], steps.ends[row[0]] <= final_us, typed(row[1 : 1 + len(by)]))
            for row in rows
            if row[column] is not None
        ]

    @contextmanager
    def _stepped(self, steps: Steps) -> Iterator[str]:
        """Lets a statement read the steps by their name; yields what is to stand before it."""
        if len(steps) <= INLINE_STEPS:
            rows = (f"({index}, make_timestamp({start}), make_timestamp({end}))" for index, start, end in steps.numbered())
            yield f"WITH {leaves.STEPS}(i, start, hi) AS (VALUES {', '.join(rows)}) "
            return
        if steps.size_us is not None:
            start = f"{steps.starts[0]} + i * {steps.size_us}"
            bounds = f"make_timestamp({start}) AS start, make_timestamp({start} + {steps.size_us}) AS hi"
            yield f"WITH {leaves.STEPS} AS (SELECT i, {bounds} FROM range({len(steps)}) numbers(i)) "
            return
        types = {"i": pa.int64(), "start": pa.timestamp("us"), "hi": pa.timestamp("us")}
        columns = zip(*steps.numbered(), strict=True)
        self._cursor.register(
            leaves.STEPS, pa.table({name: pa.array(values, types[name]) for name, values in zip(types, columns, strict=True)})
        )
        try:
            yield ""
        finally:
            self._cursor.unregister(leaves.STEPS)

    def span_us(self, kpi: Kpi) -> tuple[int, int] | None:
        """The bucket of the first event that the KPI counts and the time of its sources' last (µs); None before the first."""
        first = [start for grouping in self._groupings(kpi) if (start := self.known.first_us(grouping)) is not None]
        last = [time for source in kpi.sources if (time := self.known.last_event_us(source)) is not None]
        return (max(min(first), self._since_us(kpi)), max(last)) if first and last else None

    def _since_us(self, kpi: Kpi) -> int:
        """From which bucket on all of its parts are complete."""
        if kpi.name not in self._complete_us:
            since = (
                self.known.since(grouping_of(self._plan, aggregate)).get(partial_of(aggregate).key) for aggregate in kpi.value.aggregates
            )
            self._complete_us[kpi.name] = max(time or 0 for time in since)
        return self._complete_us[kpi.name]

    def is_whole(self, kpi: Kpi, start_us: int, end_us: int) -> bool:
        """Whether the KPI can be told of a step: its windows cut no bucket in two, as these are kept now."""
        step = Steps((start_us,), (end_us,), None)
        return not any(
            _cuts(step, aggregate.over_us, aggregate.every_us)
            or any(_cuts(step, aggregate.over_us, *rolled) for rolled in self.known.rolled(grouping_of(self._plan, aggregate)))
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

    def kept_from_us(self, kpi: Kpi, size_us: int) -> int:
        """From here on buckets of a size can be asked for; before, those that are kept are no parts of it."""
        grains = [each for grouping in self._groupings(kpi) for each in self.known.rolled(grouping)]
        return max((before for grain, before in grains if size_us % grain), default=0)

    def windows(self, kpi: Kpi) -> list[tuple[Grouping, int]]:
        """The groupings a KPI is read from, each with the widest window it is read over."""
        widest: dict[Grouping, int] = {}
        for aggregate in kpi.value.aggregates:
            grouping = grouping_of(self._plan, aggregate)
            widest[grouping] = max(widest.get(grouping, 0), aggregate.over_us)
        return list(widest.items())

    def _compared(self, asked: Asked, span: str, found: list[Point]) -> list[Point]:
        try:
            back = parse_duration(span)
        except ValueError as error:
            raise QueryError(f"compare {span!r}: {error}") from error
        timezone, steps = zone(asked.timezone), asked.steps
        starts = tuple(shift(start, back, timezone) for start in steps.starts)
        ends = tuple(shift(end, back, timezone) for end in steps.ends)
        now = dict(zip(starts, steps.starts, strict=True))
        before = self.at(asked.kpi, Steps(starts, ends, None), asked.by, asked.where)
        earlier = {(now[point.time_us], point.dimensions): point.value for point in before}
        return [replace(point, before=earlier.get((point.time_us, point.dimensions))) for point in found]

    def kpi(self, name: str) -> Kpi:
        """The KPI of a name; raises QueryError."""
        if name not in self._definition.kpis:
            raise QueryError(f"there is no KPI {name!r}{nearest(name, list(self._definition.kpis))}")
        return self._definition.kpis[name]

    def _groupings(self, kpi: Kpi) -> list[Grouping]:
        return list(dict.fromkeys(grouping_of(self._plan, aggregate) for aggregate in kpi.value.aggregates))

    def _fields(self, kpi: Kpi) -> dict[str, Field]:
        return {name: self._field(kpi, name) for name in kpi.by}

    def _field(self, kpi: Kpi, dimension: str) -> Field:
        return self._definition.sources[kpi.value.aggregates[0].source].fields[dimension]

    def _steps(self, kpi: Kpi, request: Request) -> Steps | None:
        timezone, span = zone(request.timezone), self.span_us(kpi)
        if request.step is None:  # buckets as they are
            timezone = zone("UTC")
        size = None if request.step in (None, "all") else parse_step(str(request.step))
        if size is not None and size % kpi.every_us:
            raise QueryError(f"step {request.step!r} is no multiple of {kpi.name}'s bucket, {_seconds(kpi.every_us)}")
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
        grains = [grain for grouping in self._groupings(kpi) for grain, before in self.known.rolled(grouping) if before > from_us]
        return max([kpi.every_us, *grains])

    def _check_grain(self, kpi: Kpi, steps: Steps) -> None:
        for aggregate in kpi.value.aggregates:
            if _cuts(steps, aggregate.over_us, aggregate.every_us):
                raise QueryError(
                    f"{kpi.name} is kept in buckets of {_seconds(aggregate.every_us)}, counted in UTC, and some of these steps would cut "
                    f"one in two: ask in UTC, or in a time zone whose hours and days begin with a bucket"
                )
            for grain, before in self.known.rolled(grouping_of(self._plan, aggregate)):
                if _cuts(steps, aggregate.over_us, grain, before):
                    stages = tiers(aggregate.every_us, self._definition.keep_us)
                    kept = ", ".join(f"{_seconds(size)} for {age / DAY_US:g}d" for size, age in stages)
                    raise QueryError(
                        f"{kpi.name} is kept in buckets of {_seconds(grain)} that far back ({kept}): ask with a step that is "
                        f"a multiple of it, in a time zone whose hours and days begin with one, or for a later time"
                    )

    def _parts(self, numbers: Mapping[Aggregate, int]) -> list[Part]:
        """What is read, by grouping."""
        mine: dict[Grouping, list[tuple[int, Aggregate]]] = {}
        for aggregate, number in numbers.items():
            mine.setdefault(grouping_of(self._plan, aggregate), []).append((number, aggregate))
        return [
            Part(grouping, tuple(asked), self.known.rolled_before_us(grouping), self.known.last_event_us(grouping.source))
            for grouping, asked in mine.items()
        ]

    def watermark_us(self, source: str) -> int | None:
        """Up to which event time a source is thought to be complete, but for late events; None before its first event."""
        return positions.watermark_us(self.known.positions(source), self._now_us, self._definition.sources[source].idle_us)

    def final_us(self, kpi: Kpi) -> int:
        """Steps that end here or earlier are final."""
        watermarks = [(self.watermark_us(name), self._definition.sources[name].late_us) for name in kpi.sources]
        return min(-1 if watermark is None else watermark - late_us for watermark, late_us in watermarks)


def _cuts(steps: Steps, over_us: int, grain_us: int, before_us: int | None = None) -> bool:
    """Whether the window of a step begins or ends inside a bucket of `grain_us`, before a time."""
    spans: Iterable[tuple[int, int]] = zip(steps.starts, steps.ends, strict=True)
    if steps.size_us is not None and (steps.size_us % grain_us == 0 or (before_us is not None and steps.ends[0] - over_us >= before_us)):
        spans = [(steps.starts[0], steps.ends[0])]  # the others lie as it does
    bounds = (bound for start, end in spans for bound in (min(start, end - over_us), end))
    return any(bound % grain_us for bound in bounds if before_us is None or bound < before_us)


def _aggregates(kpis: Iterable[Kpi]) -> Iterable[Aggregate]:
    return (aggregate for kpi in kpis for aggregate in kpi.value.aggregates)


def _typing(types: list[Type]) -> Callable[[tuple[str | None, ...]], tuple[Dimension, ...]]:
    """How the texts of a slice become its dimensions; most are texts, and an answer may have many."""
    if all(type_.kind == "string" for type_ in types):
        return tuple
    return lambda row: tuple(_dimension(value, type_) for value, type_ in zip(row, types, strict=True))


def _dimension(value: str | None, type_: Type) -> Dimension:
    if value is None or value == OTHER or type_.kind == "string":
        return value
    return value == "true" if type_.kind == "boolean" else int(value)


def dimension_text(value: Dimension) -> str | None:
    """A dimension's value as it is kept, whatever its type; None for null."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _seconds(size_us: int) -> str:
    return f"{size_us / 1_000_000:g}s"
