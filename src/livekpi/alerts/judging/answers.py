"""What a rule's condition asks of its KPIs, bucket by bucket, as columns.

An answer has the bucket's index `i`, the series' dimensions as text ``g0``, ``g1``, …, and the value.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from livekpi.alerts.judging.anomalies import Subject, bands
from livekpi.alerts.judging.anomalies import bucket_us as learned_us
from livekpi.alerts.judging.pacing import paces
from livekpi.alerts.series import series_text, steps_of
from livekpi.definition.conditions import Question
from livekpi.definition.definition import Definition, Kpi, microseconds
from livekpi.query.points import Query
from livekpi.query.steps import Steps, shift

Answer = Callable[["Answers", Question, Kpi, Steps, tuple[str, ...]], pa.Table]


class Answers:
    """Answers questions from one snapshot of the store; each question once a range."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, query: Query, definition: Definition) -> None:
        self._cursor, self._query, self._definition = cursor, query, definition

    def ask(self, question: Question, steps: Steps, by: tuple[str, ...]) -> pa.Table:
        """Columns i, g0, …, value: a number, or whether it is so; no row where it can't be known."""
        return _ANSWERS[question.function](self, question, self._definition.kpis[question.kpi], steps, by)

    def value(self, _question: Question, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> pa.Table:
        return _named(self._query.columns(kpi, steps, by))

    def ago(self, question: Question, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> pa.Table:
        """The value of the bucket that began so long before by the wall clock of the KPI's time zone."""
        return _named(self._query.columns(kpi, _earlier(steps, question.duration, ZoneInfo(kpi.timezone)), by))

    def moved(self, question: Question, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> pa.Table:
        """Whether the value rose, or fell, by at least so many percent of what it was."""
        names = _slices(by)
        now, then = self.value(question, kpi, steps, by), self.ago(question, kpi, steps, by)
        same = " AND ".join(f"now.{name} IS NOT DISTINCT FROM before.{name}" for name in ("i", *names))
        holds = moved_sql(question, "now.value", "before.value")
        columns = "".join(f", now.{name}" for name in names)
        return self._select(f"SELECT now.i{columns}, {holds} AS value FROM now JOIN before ON {same}", now=now, before=then)

    def absent(self, question: Question, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> pa.Table:
        """Whether nothing was counted for so long up to the bucket's end; known of each series that was ever there."""
        size_us, span = _size(steps), self._query.span_us(kpi)
        buckets = -(-microseconds(question.duration) // size_us)
        if span is None:  # of what never began it can't be said that it has stopped
            return _nothing(by)
        lookback = steps_of(steps.starts[0] - buckets * size_us, steps.ends[-1], size_us)
        there, names = self._query.columns(kpi, lookback, by, carry=False), _slices(by)
        known = self._query.known_series(kpi, by, steps.ends[-1])
        columns = "".join(f", {name}" for name in names)
        same = " AND ".join(f"grid.{name} IS NOT DISTINCT FROM there.{name}" for name in ("i", *names))
        there_is = f"{counted_sql(kpi, 'v0')} AS counted"
        # a series can't have ceased before it began
        begun = f"(greatest(first, {span[0]}) - {lookback.starts[0]} + {size_us - 1}) // {size_us} + {buckets - 1} AS begun"
        every = f"SELECT unnest(range({len(lookback)})) AS i{columns}, {begun} FROM known"
        window = f"{f'PARTITION BY {columns[2:]} ' if names else ''}ORDER BY i ROWS BETWEEN {buckets - 1} PRECEDING AND CURRENT ROW"
        return self._select(
            f"SELECT i - {buckets} AS i{columns}, value FROM (SELECT i{columns}, begun, NOT bool_or(counted) OVER ({window}) AS value "
            f"FROM (SELECT grid.*, {there_is} FROM ({every}) grid LEFT JOIN there ON {same})) WHERE i >= greatest({buckets}, begun)",
            there=there,
            known=known,
        )

    def anomalous(self, _question: Question, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> pa.Table:
        """Whether the value is outside the band that was expected; of the last learned bucket that is over, where that is a larger one."""
        size_us = _size(steps)
        subject = Subject(kpi.name, by, learned_us(size_us))
        every_us = subject.every_us
        first_us, last_us = ((end // every_us) * every_us for end in (steps.ends[0], steps.ends[-1]))
        buckets = steps_of(first_us - every_us, last_us, every_us)
        if not len(buckets):
            return _nothing(by)
        found, names = self._query.columns(kpi, buckets, by), _slices(by)
        expected = bands(self._cursor, subject, buckets.starts[0], buckets.ends[-1])
        columns = "".join(f", found.{name}" for name in names)
        same = " AND ".join(f"found.{name} IS NOT DISTINCT FROM series.{name}" for name in names) or "true"
        of_series = f"expected.series = series.series AND expected.start_us = {buckets.starts[0]} + found.i * {every_us}"
        # a learned bucket speaks for all that end with it or before the next
        index = f"({buckets.ends[0]} + found.i * {every_us} - {steps.ends[0]}) // {size_us} + unnest(range({every_us // size_us}))"
        judged = (
            f"SELECT {index} AS i{columns}, found.v0 > expected.high OR found.v0 < expected.low AS value "
            f"FROM found JOIN series ON {same} JOIN expected ON {of_series}"
        )
        tables = {"found": found, "series": _series_of(found, names), "expected": expected}
        return self._select(f"SELECT * FROM ({judged}) WHERE i BETWEEN 0 AND {len(steps) - 1}", **tables)

    def pace(self, _question: Question, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> pa.Table:
        """The projected end of the running period as a share of its target."""
        return paces(self._query, kpi, steps, by)

    def _select(self, statement: str, **tables: pa.Table) -> pa.Table:
        return select(self._cursor, statement, tables)


def counted_sql(kpi: Kpi, value: str) -> str:
    """Whether a value says that something was counted: a count of 0 does not, but a level or a ratio of 0 does."""
    counts = kpi.value.type.kind == "integer" and all(part.kind in ("count", "distinct") for part in kpi.value.aggregates)
    return f"{value} IS NOT NULL AND {value} <> 0" if counts else f"{value} IS NOT NULL"


def moved_sql(question: Question, now: str, before: str) -> str:
    """Whether a value rose, or fell, by at least the question's percent of what it was."""
    change = f"{now} - {before}" if question.function == "rising" else f"{before} - {now}"
    return f"({change}) >= {question.percent / 100!r} * abs({before}) AND {now} <> {before}"


def select(cursor: duckdb.DuckDBPyConnection, statement: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Runs a statement over tables by their names. After an error the cursor's transaction is over."""
    for name, table in tables.items():
        cursor.register(name, table)
    found = cursor.sql(statement).to_arrow_table()
    for name in tables:
        cursor.unregister(name)
    return found


def _nothing(by: Sequence[str]) -> pa.Table:
    """No answer at all."""
    return pa.table({name: pa.array([], pa.string() if name.startswith("g") else pa.int64()) for name in ("i", *_slices(by), "value")})


def _series_of(found: pa.Table, names: Sequence[str]) -> pa.Table:
    """The series in an answer, with their texts."""
    distinct = found.select(list(names)).group_by(list(names)).aggregate([]) if names else pa.table({"one": [1]})
    rows = list(zip(*(distinct[name].to_pylist() for name in names), strict=True)) if names else [()]
    return distinct.append_column("series", pa.array(map(series_text, rows), pa.string()))


def _named(table: pa.Table) -> pa.Table:
    return table.rename_columns([*table.column_names[:-1], "value"])


def _slices(by: Sequence[str]) -> tuple[str, ...]:
    return tuple(f"g{index}" for index in range(len(by)))


def _size(steps: Steps) -> int:
    return steps.ends[0] - steps.starts[0]


def _earlier(steps: Steps, by: timedelta, where: ZoneInfo) -> Steps:
    starts = tuple(shift(start, by, where) for start in steps.starts)
    size_us = _size(steps)
    even = all(after - before == size_us for before, after in pairwise(starts))
    return Steps(starts, tuple(start + size_us for start in starts), size_us if even else None)


_ANSWERS: dict[str, Answer] = {
    "value": Answers.value,
    "ago": Answers.ago,
    "rising": Answers.moved,
    "falling": Answers.moved,
    "absent": Answers.absent,
    "anomalous": Answers.anomalous,
    "pace": Answers.pace,
}
