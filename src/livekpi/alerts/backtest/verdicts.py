"""A rule's verdicts over long ranges: what Judge says, bucket by bucket in arrays, of history that is complete."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from livekpi.alerts.backtest.panel import Codes, Panels, one
from livekpi.alerts.judging.answers import Answers, counted_sql, moved_sql, select
from livekpi.alerts.judging.judge import agreed, shown
from livekpi.alerts.judging.machine import Run
from livekpi.alerts.series import Series, series_text, steps_of
from livekpi.definition.conditions import Question
from livekpi.definition.definition import Definition, Kpi, microseconds
from livekpi.definition.rules import Rule
from livekpi.engine.plan import Plan
from livekpi.query.points import Query
from livekpi.query.steps import QueryError, shift

_BLOCK_US = 900_000_000
"""Clocks are set back and forth at whole quarters of an hour."""
_NO_ROW = 0
_OF_VALUES = ("value", "ago", "rising", "falling")


class Verdicts:
    """Judges rules over one snapshot of a store."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, query: Query, definition: Definition, plan: Plan) -> None:
        self._cursor, self._query, self._definition = cursor, query, definition
        self._panels, self._answers = Panels(cursor, query, definition, plan), Answers(cursor, query, definition)

    def runs(self, rule: Rule, from_us: int, to_us: int) -> dict[Series, list[Run]]:
        """The verdicts of the buckets in [from, to), by series, those alike as one run, in the order of time."""
        questions = rule.questions
        codes = self._codes(rule, questions, to_us)
        if not codes.values:
            return {}
        count = (to_us - from_us) // rule.every_us
        columns = self._columns(rule, questions, codes, from_us, count)
        met, closed = agreed(rule.when, questions, ("",)), ""
        if rule.only or rule.except_:
            open_ = [rule.open(end_us) for end_us in range(from_us + rule.every_us, to_us + rule.every_us, rule.every_us)]
            columns["open"] = pa.array(np.tile(np.array(open_, dtype=np.bool_), len(codes.values)))
            met, closed = f"{met} AND open", " OR NOT open"
        answered = ", ".join(f"{self._answer(question, place)} AS a{place}" for place, question in enumerate(questions))
        some = " OR ".join(f"a{place} IS NOT NULL" for place in range(len(questions)))
        clears = "NOT met" if rule.clear is None else f"({agreed(rule.clear, questions, ('',))}{closed})"
        statement = (
            f"SELECT CASE WHEN {some} THEN 1 + 3 * {_code('met')} + {_code(clears)} ELSE {_NO_ROW} END::UTINYINT AS verdict, "
            f"{shown(rule, questions, predicting=False)} AS value FROM (SELECT *, {met} AS met FROM (SELECT *, {answered} FROM columns))"
        )
        found = select(self._cursor, statement, {"columns": pa.table(columns)})
        verdicts = one(found["verdict"]).to_numpy().reshape(len(codes.values), count)
        runs = _Runs(verdicts, one(found["value"]), from_us, rule.every_us)
        return {series_text(values): own for number, values in enumerate(codes.values) if (own := list(runs.of(number)))}

    def extreme(self, rule: Rule, from_us: int, to_us: int) -> float | None:
        """The value that came nearest to a simple threshold; None where the condition is of another kind."""
        threshold = rule.when.threshold
        if threshold is None or threshold.question.function != "value":
            return None
        kpi, codes = self._definition.kpis[threshold.question.kpi], self._codes(rule, (threshold.question,), to_us)
        values = self._panels.value(kpi, codes, from_us, (to_us - from_us) // rule.every_us, rule.every_us)
        nearest = "min" if threshold.sign[0] == "<" else "max"
        found = select(self._cursor, f"SELECT {nearest}(TRY_CAST(v AS DOUBLE)) AS v FROM t", {"t": pa.table({"v": values})})
        extreme: float | None = found["v"][0].as_py()
        return extreme

    def _codes(self, rule: Rule, questions: Sequence[Question], to_us: int) -> Codes:
        kpis = [self._definition.kpis[name] for name in dict.fromkeys(question.kpi for question in questions)]
        return self._panels.codes(kpis, rule.by, to_us)

    def _answer(self, question: Question, place: int) -> str:
        return moved_sql(question, f"b{place}", f"c{place}") if question.function in ("rising", "falling") else f"b{place}"

    def _columns(self, rule: Rule, questions: Sequence[Question], codes: Codes, from_us: int, count: int) -> dict[str, pa.Array]:
        """Each question's answer (b), or the two values that it compares (b, c), with the question's place."""
        size_us = rule.every_us
        columns: dict[str, pa.Array] = {}
        values: dict[str, tuple[int, int, pa.Array]] = {}
        earlier = {
            question: self._earlier_us(question, from_us, count, size_us) for question in questions if question.function in _OF_VALUES
        }
        for name in dict.fromkeys(question.kpi for question in earlier):
            asked = [times for question, times in earlier.items() if question.kpi == name]
            first_us, last_us = min(int(times.min()) for times in asked), from_us + (count - 1) * size_us
            steps = (last_us - first_us) // size_us + 1
            values[name] = first_us, steps, self._panels.value(self._definition.kpis[name], codes, first_us, steps, size_us)
        for place, question in enumerate(questions):
            if question.function == "absent":
                columns[f"b{place}"] = self._absent(question, codes, from_us, count, size_us)
            elif question not in earlier:
                columns[f"b{place}"] = self._asked(question, rule, codes, from_us, count)
            else:
                now_us = np.arange(from_us, from_us + count * size_us, size_us, dtype=np.int64)
                if question.function != "ago":
                    columns[f"b{place}"] = _at(values[question.kpi], now_us, size_us, len(codes.values))
                if question.function != "value":
                    name = f"{'b' if question.function == 'ago' else 'c'}{place}"
                    columns[name] = _at(values[question.kpi], earlier[question], size_us, len(codes.values))
        return columns

    def _asked(self, question: Question, rule: Rule, codes: Codes, from_us: int, count: int) -> pa.Array:
        """What is answered here as it is live."""
        steps = steps_of(from_us, from_us + count * rule.every_us, rule.every_us)
        try:
            answer = self._answers.ask(question, steps, rule.by)
        except KeyError as error:
            raise QueryError(f"{question.function}() can't be tried on history yet") from error
        return self._panels.placed(answer, codes, count)

    def _earlier_us(self, question: Question, from_us: int, count: int, size_us: int) -> NDArray[np.int64]:
        """Where the buckets begin that a question looks at: so long before by the wall clock of the KPI's time zone."""
        starts_us = np.arange(from_us, from_us + count * size_us, size_us, dtype=np.int64)
        if question.function == "value":
            return starts_us
        where = ZoneInfo(self._definition.kpis[question.kpi].timezone)
        if where.key == "UTC":
            return starts_us - microseconds(question.duration)
        blocks, of_block = np.unique(starts_us // _BLOCK_US, return_inverse=True)
        back_us = np.array([block * _BLOCK_US - shift(int(block) * _BLOCK_US, question.duration, where) for block in blocks.tolist()])
        earlier: NDArray[np.int64] = starts_us - back_us[of_block]
        return earlier

    def _absent(self, question: Question, codes: Codes, from_us: int, count: int, size_us: int) -> pa.Array:
        """Whether nothing was counted for so long up to each bucket's end."""
        kpi, buckets = self._definition.kpis[question.kpi], -(-microseconds(question.duration) // size_us)
        start_us, span = from_us - buckets * size_us, self._query.span_us(kpi)
        if span is None:
            return pa.nulls(len(codes.values) * count, pa.bool_())
        values = self._panels.value(kpi, codes, start_us, buckets + count, size_us, carry=False)
        counted = select(
            self._cursor,
            f"SELECT {counted_sql(kpi, 'v')} AS counted FROM t",
            {"t": pa.table({"v": values})},
        )
        some = one(counted["counted"]).to_numpy(zero_copy_only=False).reshape(len(codes.values), -1)
        reached = np.concatenate([np.zeros((len(some), 1), dtype=np.int64), np.cumsum(some, axis=1)], axis=1)
        silent = reached[:, buckets + 1 :] == reached[:, 1 : count + 1]
        known = _places(self._first_us(kpi, codes, span[0]) - start_us, size_us) + buckets - 1
        unknown = np.arange(buckets, buckets + count) < known[:, None]
        return pa.array(silent.ravel(), mask=unknown.ravel())

    def _first_us(self, kpi: Kpi, codes: Codes, begin_us: int) -> NDArray[np.int64]:
        return np.minimum(np.maximum(self._panels.firsts_us(kpi, codes), begin_us), np.int64(2**62))


def _places(distance_us: NDArray[np.int64], size_us: int) -> NDArray[np.int64]:
    rounded: NDArray[np.int64] = -(-distance_us // size_us)
    return rounded


def _at(values: tuple[int, int, pa.Array], times_us: NDArray[np.int64], size_us: int, series_count: int) -> pa.Array:
    """Of each series the values of the steps that begin at these times."""
    first_us, steps, array = values
    places = (times_us - first_us) // size_us
    if series_count == 1 and len(times_us) == steps:
        return array
    index = (np.arange(series_count, dtype=np.int64)[:, None] * steps + places).ravel()
    return array.take(pa.array(index))


def _code(condition: str) -> str:
    return f"CASE {condition} WHEN true THEN 2 WHEN false THEN 1 ELSE 0 END"


class _Runs:
    """Verdicts as runs."""

    def __init__(self, verdicts: NDArray[np.uint8], values: pa.Array, from_us: int, size_us: int) -> None:
        self._verdicts, self._values, self._from_us, self._size_us = verdicts, values, from_us, size_us
        valid = values.is_valid().to_numpy(zero_copy_only=False).reshape(verdicts.shape)
        self._last = np.maximum.accumulate(np.where(valid, np.arange(verdicts.shape[1]), -1), axis=1)

    def of(self, number: int) -> Iterator[Run]:
        """The runs of a series, but for those of which nothing is known."""
        own, steps = self._verdicts[number], self._verdicts.shape[1]
        begins = np.concatenate([[0], np.flatnonzero(own[1:] != own[:-1]) + 1])
        for begin, end in zip(begins.tolist(), [*begins[1:].tolist(), steps], strict=True):
            verdict, last = int(own[begin]) - 1, int(self._last[number, end - 1])
            if verdict > 0:
                value = self._values[number * steps + last].as_py() if last >= begin else None
                when, clear = (_THREE[each] for each in divmod(verdict, 3))
                yield Run(self._from_us + begin * self._size_us, self._from_us + end * self._size_us, when, clear, value)


_THREE = (None, False, True)
