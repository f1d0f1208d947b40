"""Answers questions about KPIs: partials merged into steps and slices, and only then divided, so that every zoom is right."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import chain
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.durations import parse_duration
from livekpi.definition.problems import meant
from livekpi.definition.sql.expressions import Aggregate
from livekpi.definition.types import Field, Type
from livekpi.engine.plan import Grouping, Plan, grouping_of
from livekpi.query import leaves
from livekpi.query.assembly import Part, Statement, assemble
from livekpi.query.conditions import condition, dimensions
from livekpi.query.kept import Kept
from livekpi.query.points import Asked, Dimension, Point, Points, Request
from livekpi.query.snapshot import NEVER_SILENT, Snapshot
from livekpi.query.steps import QueryError, Steps, earlier, zone
from livekpi.store import positions
from livekpi.store.arrow import registered
from livekpi.store.layout import OTHER, quote, series

INLINE_STEPS = 32
"""So few steps are written into the statement, which is quicker than a table of them."""
_Window = tuple[str, int]
"""A grouping, by its key, and over how long (µs) it is read."""


class Query:
    """Answers questions about a definition's KPIs from a store's cursor.

    `now_us` is the time up to which the store is known to have been fed: the clock's for a live server, the last sign of
    life otherwise. It decides, with the watermark, which points are final.
    """

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        definition: Definition,
        plan: Plan,
        now_us: int,
        silent_us: Mapping[str, int] = NEVER_SILENT,
    ) -> None:
        """`silent_us` is as for Snapshot."""
        self._cursor, self._definition, self._plan, self._now_us = cursor, definition, plan, now_us
        self.known = Snapshot(cursor, definition, silent_us)
        """What the store says of its partials; read once."""
        self.kept = Kept(cursor, definition, plan, self.known)

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
        back = None if request.compare is None else _span(request.compare)
        steps = self.kept.steps(kpi, request) or Steps((), (), None)
        return Asked(kpi, by, where, steps, request.timezone, back)

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
        steps = _bridged(kpis, steps)
        windows = [self._windows(kpi) for kpi in kpis]
        marks = {window: number for number, window in enumerate(dict.fromkeys(window for each in windows for window in each))}
        statement = self._statement(kpis, steps, by, where, marks)
        limit = self._definition.spec.limits.points
        with self._stepped(steps) as prefix:
            rows = self._cursor.execute(f"{prefix}{statement.sql} LIMIT {limit + 1}", statement.parameters or None).fetchall()
        if len(rows) > limit:
            raise QueryError(f"more than {limit} points; ask for a larger step, a shorter range or fewer dimensions")
        first = 1 + len(by)
        found = []
        for place, kpi in enumerate(kpis):
            columns = [first + len(kpis) + 2 * marks[window] for window in windows[place]]
            found.append(self._points(kpi, steps, by, rows, first + place, columns))
        return found

    def _windows(self, kpi: Kpi) -> list[_Window]:
        """Those that a KPI is read over, in which anything was corrected."""
        read = dict.fromkeys((grouping_of(self._plan, each), each.over_us) for each in kpi.value.aggregates)
        return [(grouping.key, over_us) for grouping, over_us in read if self.known.corrected(grouping)]

    def columns(
        self,
        kpi: Kpi,
        steps: Steps,
        by: tuple[str, ...] = (),
        where: exp.Expr | None = None,
        *,
        carry: bool = True,
        zeros: bool = False,
    ) -> pa.Table:
        """The KPI's values as columns, however many: `i` (the step's index), dimensions as text ``g0``, ``g1``, …, and ``v0``.

        Without `carry` a level is only in the steps in which an event gave it; with `zeros` a sum over no events is 0, as a count is.
        """
        steps = _bridged([kpi], steps) if carry else steps
        statement = self._statement([kpi], steps, by, where, {}, carry=carry, zeros=zeros)
        with self._stepped(steps) as prefix:
            return self._cursor.sql(f"{prefix}{statement.unordered}", params=statement.parameters or None).to_arrow_table()

    def columns_together(
        self, kpis: Sequence[Kpi], steps: Steps, by: tuple[str, ...] = (), *, carry: bool = True, zeros: bool = False
    ) -> Iterator[tuple[list[Kpi], pa.Table]]:
        """As `columns`, of as many KPIs as one statement can answer: these, and their values as ``v0``, ``v1``, …"""
        for alike in self._alike(kpis):
            bridged = _bridged(alike, steps) if carry else steps
            statement = self._statement(alike, bridged, by, None, {}, carry=carry, zeros=zeros)
            with self._stepped(bridged) as prefix:
                yield alike, self._cursor.sql(f"{prefix}{statement.unordered}").to_arrow_table()

    def _alike(self, kpis: Iterable[Kpi]) -> list[list[Kpi]]:
        """Those that are complete from the same bucket on together: one statement can answer them."""
        found: dict[int, list[Kpi]] = {}
        for kpi in kpis:
            found.setdefault(self.kept.since_us(kpi), []).append(kpi)
        return list(found.values())

    def known_series(self, kpi: Kpi, by: tuple[str, ...], before_us: int) -> pa.Table:
        """The KPI's series that had an event before a time: ``g0``, ``g1``, …, and `first`, the bucket of the first (µs)."""
        parts = [
            f"SELECT {''.join(f'd{grouping.by.index(name)} AS g{index}, ' for index, name in enumerate(by))}epoch_us(first) AS first "
            f"FROM {quote(series(grouping))} WHERE first < make_timestamp({before_us})"
            for grouping in self.kept.groupings(kpi)
        ]
        columns = "".join(f"g{index}, " for index in range(len(by)))
        return self._cursor.sql(f"SELECT {columns}min(first) AS first FROM ({' UNION ALL '.join(parts)}) GROUP BY ALL").to_arrow_table()

    def _statement(
        self,
        kpis: Sequence[Kpi],
        steps: Steps,
        by: tuple[str, ...],
        where: exp.Expr | None,
        marks: Mapping[_Window, int],
        *,
        carry: bool = True,
        zeros: bool = False,
    ) -> Statement:
        """`marks` numbers the windows of which it is asked, too, when what is in them was corrected."""
        for kpi in kpis:
            self.kept.check_grain(kpi, steps)
        numbers = {aggregate: number for number, aggregate in enumerate(dict.fromkeys(_aggregates(kpis)))}
        since_us = self.kept.since_us(kpis[0])
        parts, fields = self._parts(numbers, marks), self._fields(kpis[0])
        return assemble(kpis, numbers, parts, since_us, steps, by, where, fields, carry=carry, zeros=zeros)

    def _points(
        self, kpi: Kpi, steps: Steps, by: tuple[str, ...], rows: Sequence[tuple[Any, ...]], column: int, marks: Sequence[int]
    ) -> list[Point]:
        """The points of a KPI whose values are at a column, and whose marks begin at others."""
        final_us = self.final_us(kpi)
        marks = [mark for mark in marks if any(row[mark] is not None for row in rows)]
        typed = _typing([self._field(kpi, name).type for name in by])
        return [
            Point(
                steps.starts[row[0]],
                row[column],
                steps.ends[row[0]] <= final_us,
                typed(row[1 : 1 + len(by)]),
                corrected_us=_corrected_us(row, marks, steps.ends[row[0]]) if marks else None,
            )
            for row in rows
            if row[column] is not None
        ]

    @contextmanager
    def _stepped(self, steps: Steps) -> Iterator[str]:
        """Lets a statement read the steps by their name; yields what is to stand before it."""
        spans = chain(steps.numbered(), steps.gaps)
        if len(steps) + len(steps.gaps) <= INLINE_STEPS:
            rows = (f"({index}, make_timestamp({start}), make_timestamp({end}))" for index, start, end in spans)
            yield f"WITH {leaves.STEPS}(i, start, hi) AS (VALUES {', '.join(rows)}) "
            return
        if steps.size_us is not None:
            start = f"{steps.starts[0]} + i * {steps.size_us}"
            bounds = f"make_timestamp({start}) AS start, make_timestamp({start} + {steps.size_us}) AS hi"
            yield f"WITH {leaves.STEPS} AS (SELECT i, {bounds} FROM range({len(steps)}) numbers(i)) "
            return
        types = {"i": pa.float64() if steps.gaps else pa.int64(), "start": pa.timestamp("us"), "hi": pa.timestamp("us")}
        columns = zip(*spans, strict=True)
        table = pa.table({name: pa.array(values, types[name]) for name, values in zip(types, columns, strict=True)})
        with registered(self._cursor, {leaves.STEPS: table}):
            yield ""

    def _compared(self, asked: Asked, back: timedelta, found: list[Point]) -> list[Point]:
        then = earlier(asked.steps, back, zone(asked.timezone))
        spans = sorted(set(then.values()))  # where the clock was set back, two steps are compared with the same one
        steps = Steps(tuple(start for start, _ in spans), tuple(end for _, end in spans), None)
        before = self.at(asked.kpi, steps, asked.by, asked.where) if spans else []
        values = {(point.time_us, *point.dimensions): point.value for point in before}
        starts = {start: then_start for start, (then_start, _) in then.items()}
        return [replace(point, before=values.get((starts.get(point.time_us), *point.dimensions))) for point in found]

    def kpi(self, name: str) -> Kpi:
        """The KPI of a name; raises QueryError."""
        if name not in self._definition.kpis:
            raise QueryError(f"there is no KPI {name!r}{meant(name, self._definition.kpis)}")
        return self._definition.kpis[name]

    def _fields(self, kpi: Kpi) -> dict[str, Field]:
        return {name: self._field(kpi, name) for name in kpi.by}

    def _field(self, kpi: Kpi, dimension: str) -> Field:
        return self._definition.sources[kpi.value.aggregates[0].source].fields[dimension]

    def _parts(self, numbers: Mapping[Aggregate, int], marks: Mapping[_Window, int]) -> list[Part]:
        """What is read, by grouping."""
        mine: dict[Grouping, list[tuple[int, Aggregate]]] = {}
        for aggregate, number in numbers.items():
            mine.setdefault(grouping_of(self._plan, aggregate), []).append((number, aggregate))
        return [
            Part(
                grouping,
                tuple(asked),
                self.known.rolled_before_us(grouping),
                self.known.first_us(grouping),
                self.known.filled_us(grouping.source),
                {number: self.kept.part_since_us(aggregate) for number, aggregate in asked},
                {over_us: mark for (key, over_us), mark in marks.items() if key == grouping.key},
            )
            for grouping, asked in mine.items()
        ]

    def watermark_us(self, source: str) -> int | None:
        """Up to which event time a source is thought to be complete, but for late events; None before its first event."""
        return positions.watermark_us(self.known.positions(source), self._now_us, self._definition.sources[source].idle_us)

    def final_us(self, kpi: Kpi) -> int:
        """Steps that end here or earlier are final."""
        watermarks = [(self.watermark_us(name), self._definition.sources[name].late_us) for name in kpi.sources]
        return min(-1 if watermark is None else watermark - late_us for watermark, late_us in watermarks)


def _bridged(kpis: Iterable[Kpi], steps: Steps) -> Steps:
    """The steps, with what lies between them where a level that was given there is carried on."""
    return steps.bridged() if any(aggregate.kind == "last" for aggregate in _aggregates(kpis)) else steps


def _span(text: str) -> timedelta:
    """How much earlier a range is compared with."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise QueryError(f"compare {text!r}: {error}") from error


def _aggregates(kpis: Iterable[Kpi]) -> Iterable[Aggregate]:
    return (aggregate for kpi in kpis for aggregate in kpi.value.aggregates)


def _corrected_us(row: tuple[Any, ...], marks: Iterable[int], end_us: int) -> int | None:
    """When what a row holds was last corrected, if the step that ends then had been final; None where it was not."""
    return max((row[mark + 1] for mark in marks if row[mark] is not None and row[mark] >= end_us), default=None)


def _typing(types: list[Type]) -> Callable[[tuple[str | None, ...]], tuple[Dimension, ...]]:
    """How the texts of a slice become its dimensions; most are texts, and an answer may have many."""
    if all(type_.kind == "string" for type_ in types):
        return tuple
    return lambda row: tuple(_dimension(value, type_) for value, type_ in zip(row, types, strict=True))


def _dimension(value: str | None, type_: Type) -> Dimension:
    if value is None or value == OTHER or type_.kind == "string":
        return value
    return value == "true" if type_.kind == "boolean" else int(value)
