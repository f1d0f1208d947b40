"""Learning what series usually are: for each KPI that `anomalous()` asks for, a learner a series, and the bands it expected, in the store.

A bucket is learned once it is over and complete, and keeps the band that was expected of it; so a value that is corrected later is
judged by the same band. Learners' states are kept now and then; after a restart the buckets since are learned again, to the same end.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import lcm
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pyarrow as pa

from livekpi.alerts.judging.values import Codes
from livekpi.alerts.series import Series, steps_of
from livekpi.definition.definition import Definition, Kpi
from livekpi.definition.kpi_meaning import kpi_meaning
from livekpi.insight.expectation import Band, Learner
from livekpi.query.query import Query
from livekpi.query.steps import offset_us
from livekpi.store.arrow import registered

LEAST_BUCKET_US = 60_000_000
"""Finer buckets are learned a minute at a time: more would cost more, and tell of noise."""
LOOK_BACK_US = 14 * 86_400_000_000
"""How much of its history a series is learned from where nothing has been learned yet."""
MOST_BUCKETS = 1_440
"""Learned of a KPI in one step; of more the next steps learn."""
KEPT_US = 600_000_000
"""How often learners' states are kept."""
BANDS_US = 32 * 86_400_000_000
"""How long bands are kept."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A KPI as it is asked for: by these dimensions, in buckets of this size."""

    kpi: str
    by: tuple[str, ...]
    every_us: int

    @property
    def key(self) -> str:
        """Its name in the store."""
        return f"{self.kpi}/{','.join(self.by)}/{self.every_us}"


@dataclass
class _Learned:
    """How far a subject is learned."""

    until_us: int
    """Up to which bucket's end."""
    learners: dict[Series, Learner] = field(default_factory=dict)
    kept_us: int = 0


def subjects(definition: Definition) -> list[Subject]:
    """What the rules' conditions ask to be learned."""
    found = [
        Subject(question.kpi, rule.by, bucket_us(rule.every_us))
        for rule in definition.rules.values()
        for question in rule.questions
        if question.function == "anomalous"
    ]
    return list(dict.fromkeys(found))


def bucket_us(every_us: int) -> int:
    """The bucket that is learned where a rule is judged at one of this size: a multiple of it, and of a minute."""
    return lcm(every_us, LEAST_BUCKET_US)


def meaning(kpi: Kpi) -> str:
    """What numbers are a KPI's, and its calendar; where it changes all that was learned of it is forgotten."""
    return hashlib.sha256(json.dumps([*kpi_meaning(kpi), kpi.timezone, kpi.holidays]).encode()).hexdigest()


class Anomalies:
    """Learns a definition's subjects; belongs to the thread that judges. After a transaction that failed it must `forget`."""

    def __init__(self, definition: Definition) -> None:
        self._definition = definition
        self._subjects = subjects(definition)
        self._learned: dict[Subject, _Learned] = {}

    def forget(self) -> None:
        """Goes on from what is in the store."""
        self._learned.clear()

    def learn(self, cursor: duckdb.DuckDBPyConnection, query: Query, until_us: Mapping[str, int], now_us: int) -> bool:
        """Learns the buckets that have become complete, by KPI up to a time; returns whether there are more to be learned at once."""
        more = False
        for subject in self._subjects:
            if subject.kpi in until_us:
                more |= self._learn(cursor, query, subject, until_us[subject.kpi], now_us)
        return more

    def _learn(self, cursor: duckdb.DuckDBPyConnection, query: Query, subject: Subject, until_us: int, now_us: int) -> bool:
        kpi = self._definition.kpis[subject.kpi]
        known = self._learned.get(subject) or self._load(cursor, subject, kpi)
        span = query.kept.span_us(kpi)
        if span is None:
            return False
        first_us = max(span[0], until_us - LOOK_BACK_US, query.kept.from_us(kpi, subject.every_us) + kpi.over_us)
        start_us = max(known.until_us, -(-first_us // subject.every_us) * subject.every_us)
        whole_us = until_us // subject.every_us * subject.every_us
        end_us = min(whole_us, start_us + MOST_BUCKETS * subject.every_us)
        if end_us <= start_us:
            self._learned[subject] = known
            return False
        bands = list(self._observe(known, query, subject, kpi, start_us, end_us))
        known.until_us = end_us
        _save_bands(cursor, subject, bands)
        if now_us - known.kept_us >= KEPT_US and end_us == whole_us:
            _save_learners(cursor, subject, kpi, known)
            cursor.execute("DELETE FROM bands WHERE subject = ? AND start_us < ?", [subject.key, end_us - BANDS_US])
            known.kept_us = now_us
        self._learned[subject] = known
        return end_us < whole_us

    def _observe(
        self, known: _Learned, query: Query, subject: Subject, kpi: Kpi, start_us: int, end_us: int
    ) -> Iterator[tuple[Series, int, Band]]:
        steps, codes = steps_of(start_us, end_us, subject.every_us), Codes(subject.by)
        table = query.columns(kpi, steps, subject.by)
        numbers, indexes = codes.of(table), table["i"].to_numpy()
        values = [_number(value) for value in table["v0"].to_pylist()]
        zone = ZoneInfo(kpi.timezone)
        times = [(time_us, time_us + offset_us(time_us, zone), kpi.holiday(time_us)) for time_us in steps.starts]
        counts = len(kpi.value.aggregates) == 1 and kpi.value.aggregates[0].kind in ("count", "distinct")
        rows = np.lexsort((indexes, numbers))
        bounds = np.flatnonzero(np.diff(numbers[rows], prepend=-1, append=len(codes))).tolist()
        for begin, end in pairwise(bounds):
            own = rows[begin:end]
            series = codes.texts[numbers[own[0]]]
            learner = known.learners.get(series) or known.learners.setdefault(series, Learner(subject.every_us, counts))
            for row, index in zip(own.tolist(), indexes[own].tolist(), strict=True):
                time_us, local_us, holiday = times[index]
                expectation = learner.observe(local_us, values[row], holiday)
                if expectation is not None:
                    yield series, time_us, expectation

    def _load(self, cursor: duckdb.DuckDBPyConnection, subject: Subject, kpi: Kpi) -> _Learned:
        """What is in the store, unless it is of other numbers."""
        rows = cursor.execute("SELECT meaning, until_us, series, state FROM learners WHERE subject = ?", [subject.key]).fetchall()
        if not rows or rows[0][0] != meaning(kpi):
            cursor.execute("DELETE FROM learners WHERE subject = ?", [subject.key])
            cursor.execute("DELETE FROM bands WHERE subject = ?", [subject.key])
            return _Learned(0)
        until_us = rows[0][1]
        cursor.execute("DELETE FROM bands WHERE subject = ? AND start_us >= ?", [subject.key, until_us])
        return _Learned(until_us, {series: Learner.from_bytes(state) for _, _, series, state in rows})


def bands(cursor: duckdb.DuckDBPyConnection, subject: Subject, from_us: int, to_us: int) -> pa.Table:
    """What was expected of a subject's buckets that begin in [from, to): series, start_us, expected, low, high."""
    return cursor.sql(
        "SELECT series, start_us, expected, low, high FROM bands WHERE subject = $subject AND start_us >= $begin AND start_us < $end "
        "ORDER BY start_us, series",
        params={"subject": subject.key, "begin": from_us, "end": to_us},
    ).to_arrow_table()


def learned(cursor: duckdb.DuckDBPyConnection, subject: Subject, kpi: Kpi) -> bool:
    """Whether the bands in the store are of what the KPI's numbers are now; until its learners are kept, that is not known."""
    known = cursor.execute("SELECT count(*) FROM learners WHERE subject = ? AND meaning = ?", [subject.key, meaning(kpi)]).fetchall()
    return bool(known[0][0])


def _number(value: object) -> float | None:
    return None if value is None else float(value)  # type: ignore[arg-type] # only numbers are asked for


def _save_bands(cursor: duckdb.DuckDBPyConnection, subject: Subject, found: Sequence[tuple[Series, int, Band]]) -> None:
    if not found:
        return
    columns = {
        "series": pa.array([series for series, _, _ in found], pa.string()),
        "start_us": pa.array([start for _, start, _ in found], pa.int64()),
        **{name: pa.array([getattr(band, name) for _, _, band in found], pa.float64()) for name in ("expected", "low", "high")},
    }
    with registered(cursor, {"found_bands": pa.table(columns)}):
        cursor.execute("INSERT INTO bands SELECT ?, * FROM found_bands", [subject.key])


def _save_learners(cursor: duckdb.DuckDBPyConnection, subject: Subject, kpi: Kpi, known: _Learned) -> None:
    cursor.execute("DELETE FROM learners WHERE subject = ?", [subject.key])
    rows: Iterable[tuple[Series, bytes]] = ((series, learner.to_bytes()) for series, learner in known.learners.items())
    if known.learners:  # of a KPI that has no numbers yet there are none
        values = [[subject.key, meaning(kpi), known.until_us, *row] for row in rows]
        cursor.executemany("INSERT INTO learners VALUES (?, ?, ?, ?, ?)", values)
