"""The bands that were expected, beside the points that they were expected of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, replace

import duckdb

from livekpi.alerts.judging.anomalies import Subject, bands, learned, subjects
from livekpi.alerts.series import Series, series_text
from livekpi.definition.definition import Definition
from livekpi.insight.expectation import Band
from livekpi.query.points import Asked, Point, Standing, dimension_text


def with_bands(cursor: duckdb.DuckDBPyConnection, definition: Definition, asked: Asked, points: Sequence[Point]) -> list[Point]:
    """The points, with its band each that is a bucket of which one was learned.

    A band is of a whole series in a bucket of one size: it says nothing of a longer step, of a shorter one, or of a part of the series.
    """
    found = list(points)
    for subject in _subjects(cursor, definition, asked) if points and asked.whole_series else ():
        places = [asked.by.index(name) for name in subject.by]
        known = _bands(cursor, subject, asked)
        found = [_judged(point, known.get((point.time_us, _series(point, places)))) for point in found]
    return found


def _subjects(cursor: duckdb.DuckDBPyConnection, definition: Definition, asked: Asked) -> Iterator[Subject]:
    """What is learned of the KPI by these dimensions; rules may name them in another order."""
    for subject in subjects(definition):
        if subject.kpi == asked.kpi.name and set(subject.by) == set(asked.by) and learned(cursor, subject, asked.kpi):
            yield subject


def _bands(cursor: duckdb.DuckDBPyConnection, subject: Subject, asked: Asked) -> Mapping[tuple[int, Series], Band]:
    """The bands of those steps that are the subject's buckets, by where they begin and by series."""
    spans = zip(asked.steps.starts, asked.steps.ends, strict=True)
    buckets = {start for start, end in spans if end - start == subject.every_us}
    if not buckets:
        return {}
    table = bands(cursor, subject, min(buckets), max(buckets) + 1)
    rows = zip(*(table[name].to_pylist() for name in ("start_us", "series", "expected", "low", "high")), strict=True)
    return {(start, series): Band(*numbers) for start, series, *numbers in rows if start in buckets}


def _series(point: Point, places: Sequence[int]) -> Series:
    return series_text([dimension_text(point.dimensions[place]) for place in places])


def _judged(point: Point, band: Band | None) -> Point:
    if band is None or isinstance(point.value, str):
        return point
    return replace(point, standing=Standing(*astuple(band.judge(float(point.value)))))  # type: ignore[arg-type] # only numbers have bands
