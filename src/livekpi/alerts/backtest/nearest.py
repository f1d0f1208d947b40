"""How near a rule came to what it waits for."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from sqlglot import exp

from livekpi.alerts.judging.answers import MOVES, Part
from livekpi.alerts.judging.judge import Verdicts
from livekpi.alerts.series import Series
from livekpi.definition.rules.conditions import Condition
from livekpi.store.arrow import select

_SIGNS: dict[type[exp.Expr], str] = {exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<="}


@dataclass(frozen=True)
class Nearest:
    """Where a comparison was false by the least."""

    left: float
    sign: str
    right: float
    """What was compared there."""
    start_us: int
    """The beginning of the bucket; of several that are as near the first."""
    series: Series

    @property
    def gap(self) -> float:
        """How far the sides were apart."""
        return abs(self.left - self.right)


def nearer(one: Nearest | None, other: Nearest | None) -> Nearest | None:
    """The nearer of two, of which the first came first."""
    return min((each for each in (one, other) if each is not None), key=lambda each: each.gap, default=None)


def is_comparison(condition: Condition) -> bool:
    """Whether a condition is one comparison of numbers by size; what is `and`, `or`, or asks whether something is so, is none."""
    numbers = all(question.function not in (*MOVES, "absent", "anomalous") for question in condition.questions)
    return numbers and type(condition.tree.unnest()) in _SIGNS


def nearest(
    cursor: duckdb.DuckDBPyConnection, condition: Condition, verdicts: Verdicts, answers: Mapping[Part, pa.Array]
) -> Nearest | None:
    """The nearest of the buckets whose verdict is known, for a condition that is a comparison and holds in none of them.

    `answers` are those that the verdicts were made of. None where none is known.
    """
    comparison = condition.tree.unnest()
    sides = [f"TRY_CAST(TRY({side.sql(dialect='duckdb')}) AS DOUBLE)" for side in (comparison.this, comparison.expression)]
    columns = {f"q{number}": answers[question, "now"] for number, question in enumerate(condition.questions)}
    count = verdicts.known.shape[1]
    place = np.arange(verdicts.known.size)
    columns |= {"row": pa.array(place // max(1, count)), "step": pa.array(place % max(1, count)), "known": pa.array(verdicts.known.ravel())}
    statement = (
        f'SELECT l, r, "row", step FROM (SELECT {sides[0]} AS l, {sides[1]} AS r, "row", step FROM answers WHERE known) '
        'WHERE isfinite(l) AND isfinite(r) ORDER BY abs(l - r), step, "row" LIMIT 1'
    )
    for found in select(cursor, statement, {"answers": pa.table(columns)}).to_pylist():
        start_us = verdicts.from_us + found["step"] * verdicts.every_us
        return Nearest(found["l"], _SIGNS[type(comparison)], found["r"], start_us, verdicts.codes.texts[found["row"]])
    return None
