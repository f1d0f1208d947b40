"""What rules' conditions ask of KPIs, as arrays of all series and buckets, a series after the other.

A question is answered by one array, `now`: a number, or whether it is so; or by two, that are compared: `now` and `before`. Beside
whether a value is anomalous stands the value, `shown`. What can't be known is null.
"""

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from livekpi.alerts.judging.anomalies import Subject, bands
from livekpi.alerts.judging.anomalies import bucket_us as learned_us
from livekpi.alerts.judging.pacing import paces
from livekpi.alerts.judging.values import Codes, Index, Reader, Want, index_of, one, taken
from livekpi.alerts.series import series_text, steps_of
from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.durations import microseconds
from livekpi.definition.rules.conditions import Question
from livekpi.query.query import Query
from livekpi.query.steps import Steps, shift, skipped
from livekpi.store.arrow import select

Part = tuple[Question, Literal["now", "before", "shown"]]
MOVES = ("rising", "falling")
_BLOCK_US = 900_000_000
"""Clocks are set back and forth at whole quarters of an hour."""


class Answers:
    """Answers questions from one snapshot of the store, whose values `reader` reads."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, query: Query, definition: Definition, reader: Reader) -> None:
        self._cursor, self._query, self._definition, self._reader = cursor, query, definition, reader

    def ask(self, questions: Sequence[Question], steps: Steps, by: tuple[str, ...]) -> tuple[Codes, dict[Part, pa.Array]]:
        """The series that have answers, and these in buckets that lie one after the other; raises QueryError."""
        size_us = steps.ends[0] - steps.starts[0]
        tables = {question: self._table(question, steps, by) for question in questions}
        wants = {part: want for question in questions for part, want in self._wants(question, steps)}
        panel = self._reader.read(by, size_us, list(wants.values()), [table for table in tables.values() if table is not None])
        answers: dict[Part, pa.Array] = dict(zip(wants, panel.arrays, strict=True))
        for question, part in wants:
            if question.function == "ago" or part == "before":
                answers[question, part] = self._there(question, answers[question, part], steps)
        for question, table in tables.items():
            if question.function == "absent":
                answers[question, "now"] = self._absent(question, answers.get((question, "now")), table, panel.codes, steps)
            elif table is not None:
                index = index_of(panel.codes.of(table), table["i"].to_numpy(), len(panel.codes), len(steps))
                answers[question, "now"] = taken(one(table["value"]), index)
                if "shown" in table.column_names:
                    answers[question, "shown"] = taken(one(table["shown"]), index)
        return panel.codes, answers

    def _wants(self, question: Question, steps: Steps) -> list[tuple[Part, Want]]:
        """The values that a question looks at."""
        kpi = self._kpi(question)
        now_us = np.asarray(steps.starts, dtype=np.int64)
        match question.function:
            case "value":
                return [((question, "now"), Want(kpi, now_us))]
            case "ago":
                return [((question, "now"), Want(kpi, earlier_us(now_us, question, kpi)))]
            case "rising" | "falling":
                return [((question, "now"), Want(kpi, now_us)), ((question, "before"), Want(kpi, earlier_us(now_us, question, kpi)))]
            case "absent":
                size_us = steps.ends[0] - steps.starts[0]
                back_us = np.arange(now_us[0] - _buckets(question, size_us) * size_us, now_us[0], size_us, dtype=np.int64)
                return [((question, "now"), Want(kpi, np.concatenate([back_us, now_us]), carry=False))]
        return []

    def _there(self, question: Question, values: pa.Array, steps: Steps) -> pa.Array:
        """Values of so long ago; null where the clock on the wall was set forward over that time, so that there was none."""
        none = skipped_then(np.asarray(steps.starts, dtype=np.int64), question, self._kpi(question))
        if not none.any():
            return values
        return pc.if_else(pa.array(np.tile(none, len(values) // len(none))), pa.scalar(None, values.type), values)

    def _table(self, question: Question, steps: Steps, by: tuple[str, ...]) -> pa.Table | None:
        """Columns i, g0, …, value for what is not made of values as they are; of `absent` the series with their first bucket."""
        kpi = self._kpi(question)
        match question.function:
            case "anomalous":
                return self._anomalous(kpi, steps, by)
            case "pace":
                return paces(self._query, kpi, steps, by)
            case "absent":
                return self._query.known_series(kpi, by, steps.ends[-1])
        return None

    def _absent(self, question: Question, values: pa.Array, known: pa.Table, codes: Codes, steps: Steps) -> pa.Array:
        """Whether nothing was counted for so long up to each bucket's end; known of each series that was ever there."""
        kpi, count, size_us = self._kpi(question), len(steps), steps.ends[0] - steps.starts[0]
        span, buckets = self._query.kept.span_us(kpi), _buckets(question, size_us)
        if span is None:  # of what never began it can't be said that it has stopped
            return pa.nulls(len(codes) * count, pa.bool_())
        some = counted(kpi, values).to_numpy(zero_copy_only=False).reshape(len(codes), buckets + count)
        reached = np.concatenate([np.zeros((len(some), 1), dtype=np.int64), np.cumsum(some, axis=1)], axis=1)
        silent = reached[:, buckets + 1 :] == reached[:, 1 : count + 1]
        first_us = np.full(len(codes), np.int64(2**62))
        there = known.filter(pc.is_valid(known["first"]))
        first_us[codes.of(there)] = np.maximum(there["first"].to_numpy(), span[0])
        # a series can't have ceased before it began
        begun = -(-(first_us - steps.starts[0]) // size_us) + buckets - 1
        return pa.array(silent.ravel(), mask=(np.arange(count) < begun[:, None]).ravel())

    def _anomalous(self, kpi: Kpi, steps: Steps, by: tuple[str, ...]) -> pa.Table:
        """Whether the value is outside the band that was expected; of the last learned bucket that is over, where that is a larger one."""
        size_us = steps.ends[0] - steps.starts[0]
        subject = Subject(kpi.name, by, learned_us(size_us))
        every_us = subject.every_us
        first_us, last_us = ((end // every_us) * every_us for end in (steps.ends[0], steps.ends[-1]))
        buckets = steps_of(first_us - every_us, last_us, every_us)
        names = Codes(by).names
        if not len(buckets):
            types = {"i": pa.int64(), **dict.fromkeys(names, pa.string()), "value": pa.bool_(), "shown": pa.float64()}
            return pa.table({name: pa.array([], type_) for name, type_ in types.items()})
        found = self._query.columns(kpi, buckets, by)
        expected = bands(self._cursor, subject, buckets.starts[0], buckets.ends[-1])
        columns = "".join(f", found.{name}" for name in names)
        same = " AND ".join(f"found.{name} IS NOT DISTINCT FROM series.{name}" for name in names) or "true"
        of_series = f"expected.series = series.series AND expected.start_us = {buckets.starts[0]} + found.i * {every_us}"
        # a learned bucket speaks for all that end with it or before the next
        index = f"({buckets.ends[0]} + found.i * {every_us} - {steps.ends[0]}) // {size_us} + unnest(range({every_us // size_us}))"
        judged = (
            f"SELECT {index} AS i{columns}, found.v0 > expected.high OR found.v0 < expected.low AS value, found.v0::DOUBLE AS shown "
            f"FROM found JOIN series ON {same} JOIN expected ON {of_series}"
        )
        tables = {"found": found, "series": _series_of(found, names), "expected": expected}
        return select(self._cursor, f"SELECT * FROM ({judged}) WHERE i BETWEEN 0 AND {len(steps) - 1}", tables)

    def _kpi(self, question: Question) -> Kpi:
        return self._definition.kpis[question.kpi]


def earlier_us(starts_us: Index, question: Question, kpi: Kpi) -> Index:
    """Where the buckets begin that a question compares with: so long before by the wall clock of the KPI's time zone."""
    where = ZoneInfo(kpi.timezone)
    if where.key == "UTC":
        return starts_us - microseconds(question.duration)
    blocks, of_block = np.unique(starts_us // _BLOCK_US, return_inverse=True)
    back_us = np.array([block * _BLOCK_US - shift(block * _BLOCK_US, question.duration, where) for block in blocks.tolist()])
    earlier: Index = starts_us - back_us[of_block]
    return earlier


def skipped_then(starts_us: Index, question: Question, kpi: Kpi) -> NDArray[np.bool_]:
    """Where there was no such time so long before by the wall clock of the KPI's time zone."""
    where = ZoneInfo(kpi.timezone)
    if where.key == "UTC":
        return np.zeros(len(starts_us), dtype=np.bool_)
    blocks, of_block = np.unique(starts_us // _BLOCK_US, return_inverse=True)
    none = np.array([skipped(block * _BLOCK_US, question.duration, where) for block in blocks.tolist()], dtype=np.bool_)
    found: NDArray[np.bool_] = none[of_block]
    return found


def counted(kpi: Kpi, values: pa.Array) -> pa.Array:
    """Whether values say that something was counted: a count of 0 does not, but a level or a ratio of 0 does."""
    counts = kpi.value.type.kind == "integer" and all(part.kind in ("count", "distinct") for part in kpi.value.aggregates)
    return pc.fill_null(pc.not_equal(values, 0), fill_value=False) if counts else values.is_valid()


def moved_sql(question: Question, now: str, before: str) -> str:
    """Whether a value rose, or fell, by at least the question's percent of what it was."""
    change = f"{now} - {before}" if question.function == "rising" else f"{before} - {now}"
    return f"({change}) >= {question.percent / 100!r} * abs({before}) AND {now} <> {before}"


def _buckets(question: Question, size_us: int) -> int:
    return -(-microseconds(question.duration) // size_us)


def _series_of(found: pa.Table, names: Sequence[str]) -> pa.Table:
    """The series in an answer, with their texts."""
    distinct = found.select(list(names)).group_by(list(names)).aggregate([]) if names else pa.table({"one": [1]})
    rows = list(zip(*(distinct[name].to_pylist() for name in names), strict=True)) if names else [()]
    return distinct.append_column("series", pa.array(map(series_text, rows), pa.string()))
