"""A rule's verdicts over a range of buckets: its conditions evaluated over the answers to their questions, for all series at once.

A count or sum whose bucket is not complete is judged by what it will be: divided by the share of its events that usually has arrived by
then, and only where the verdict is the same at both ends of what that leaves open. SPREAD standard deviations are allowed for, of a
Poisson number of missing events; what a missing event adds to a sum is not known, so there all that is missing is open.
"""

from collections.abc import Callable, Mapping, Sequence

import duckdb
import pyarrow as pa
from sqlglot import exp

from livekpi.alerts.judging.answers import Answers, select
from livekpi.alerts.judging.machine import Run
from livekpi.alerts.series import Series, series_text, steps_of
from livekpi.definition.conditions import Condition, Question
from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.rules import Rule
from livekpi.query.points import Query
from livekpi.query.steps import Steps

SPREAD = 2.0
_BOUNDS = ("", "_low", "_high")


class Judge:
    """Judges rules over one snapshot of the store."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, query: Query, definition: Definition) -> None:
        self._cursor, self._definition, self._answers = cursor, definition, Answers(cursor, query, definition)

    def runs(
        self,
        rule: Rule,
        from_us: int,
        to_us: int,
        *,
        open_at: Callable[[int], bool] | None = None,
        shares: Mapping[int, float] | None = None,
    ) -> dict[Series, list[Run]]:
        """The verdicts of the buckets in [from, to), by series, those alike as one run, in the order of time.

        `open_at` says of a bucket's end whether the rule may fire then. `shares` says of buckets that are not complete, by their start,
        which share of their events is thought to be there.
        """
        steps = steps_of(from_us, to_us, rule.every_us)
        if not len(steps):
            return {}
        questions = rule.questions
        tables = {f"answer{place}": self._answers.ask(question, steps, rule.by) for place, question in enumerate(questions)}
        incomplete = {index: shares[start] for index, start in enumerate(steps.starts) if start in shares} if shares else {}
        tables["shares"] = pa.table({"i": pa.array(incomplete, pa.int64()), "share": pa.array(incomplete.values(), pa.float64())})
        closed = [] if open_at is None else [index for index, end in enumerate(steps.ends) if not open_at(end)]
        tables["closed"] = pa.table({"i": pa.array(closed, pa.int64())})
        statement = self._statement(rule, questions, predicting=bool(incomplete))
        return _runs(select(self._cursor, statement, tables), steps, len(rule.by))

    def _statement(self, rule: Rule, questions: Sequence[Question], *, predicting: bool) -> str:
        series = "".join(f", g{index}" for index in range(len(rule.by)))
        answers = " UNION ALL BY NAME ".join(f"SELECT i{series}, value AS a{place} FROM answer{place}" for place in range(len(questions)))
        merged = ", ".join(f"max(a{place}) AS a{place}" for place in range(len(questions)))
        bounds = _BOUNDS if predicting else ("",)
        answered = f"({self._predicted(questions, series)})" if predicting else "merged"
        clears = "NOT met" if rule.clear is None else f"({agreed(rule.clear, questions, bounds)} OR i IN (FROM closed))"
        met = f"SELECT *, {agreed(rule.when, questions, bounds)} AND i NOT IN (FROM closed) AS met FROM {answered}"
        judged = f"SELECT i{series}, met, {clears} AS clears, {shown(rule, questions, predicting=predicting)} AS value FROM ({met})"
        islands = f"SELECT *, i - row_number() OVER (PARTITION BY met, clears{series} ORDER BY i) AS island FROM ({judged})"
        return (
            f"WITH merged AS (SELECT i{series}, {merged} FROM ({answers}) GROUP BY ALL) "
            f"SELECT min(i) AS first, max(i) AS last, met, clears, arg_max(value, i) AS value{series} "
            f"FROM ({islands}) GROUP BY met, clears, island{series} ORDER BY first"
        )

    def _predicted(self, questions: Sequence[Question], series: str) -> str:
        """The answers as they will be, with what is open."""
        columns = []
        for place, question in enumerate(questions):
            kind = _additive(self._definition.kpis[question.kpi]) if question.function == "value" else None
            value, missing = f"a{place} / s", f"abs(a{place}) * (1 - s)"
            if kind == "count":  # what has been counted stays counted
                spread = f"{SPREAD!r} * sqrt({missing}) / s"
                values = [value, f"greatest(a{place}, {value} - {spread})", f"{value} + {spread}"]
            elif kind == "sum":
                values = [value, f"{value} - {missing} / s", f"{value} + {missing} / s"]
            else:
                values = [f"a{place}"] * 3
            columns += [f"{text} AS a{place}{bound}" for text, bound in zip(values, _BOUNDS, strict=True)]
        named = ", ".join(columns)
        seen = ", ".join(f"a{place} AS seen{place}" for place in range(len(questions)))
        return f"SELECT i{series}, {named}, {seen} FROM (SELECT merged.*, coalesce(share, 1) AS s FROM merged LEFT JOIN shares USING (i))"


def _runs(found: pa.Table, steps: Steps, dimensions: int) -> dict[Series, list[Run]]:
    runs: dict[Series, list[Run]] = {}
    columns = [column.to_pylist() for column in found.columns]
    for first, last, when, clear, value, *series in zip(*columns, strict=True):
        runs.setdefault(series_text(series[:dimensions]), []).append(Run(steps.starts[first], steps.ends[last], when, clear, value))
    return runs


def agreed(condition: Condition, questions: Sequence[Question], bounds: Sequence[str]) -> str:
    """The condition as SQL; unknown where it is not the same at all bounds."""
    places = {f"q{number}": f"a{questions.index(question)}" for number, question in enumerate(condition.questions)}

    def at(bound: str) -> str:
        def place(node: exp.Expr) -> exp.Expr:
            return exp.column(f"{places[node.name]}{bound}") if isinstance(node, exp.Column) else node

        return f"TRY({condition.tree.transform(place).sql(dialect='duckdb')})"

    verdicts = [at(bound) for bound in bounds]
    if len(verdicts) == 1:
        return verdicts[0]
    return f"(CASE WHEN {' AND '.join(f'{verdicts[0]} = {other}' for other in verdicts[1:])} THEN {verdicts[0]} END)"


def shown(rule: Rule, questions: Sequence[Question], *, predicting: bool) -> str:
    """The number that a notice shows: as it is, not as it will be."""
    first = rule.when.first
    column = f"{'seen' if predicting else 'a'}{questions.index(first)}"
    return f"TRY_CAST({column} AS DOUBLE)" if first.function in ("value", "pace") else "NULL::DOUBLE"


def _additive(kpi: Kpi) -> str | None:
    """`count` or `sum` for a KPI of one bucket that is nothing but one: twice the bucket's events make twice the number."""
    if not isinstance(kpi.value.tree, exp.Column) or len(kpi.value.aggregates) != 1 or kpi.over_us > kpi.every_us:
        return None
    kind = kpi.value.aggregates[0].kind
    return kind if kind in ("count", "sum") else None
