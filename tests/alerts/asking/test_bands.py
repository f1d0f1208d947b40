"""Bands beside points, against the formula worked out from the bands that are stored."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from livekpi.alerts.asking.answer import points_with
from livekpi.alerts.judging.anomalies import bucket_us
from livekpi.definition.definition import Definition
from livekpi.query.output import csv_text, point_object
from livekpi.query.points import Points, Request
from livekpi.query.steps import QueryError
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import HOUR_US, definition, rehearsed

MONDAY_US = 1_772_409_600_000_000
"""2026-03-02T00:00:00Z"""
HOURS = 3 * 24


def shop(value: str = "sum(n)") -> Definition:
    kpis = {"visits": f"value: {value}, by: [shop, paid], every: 30m", "other": "value: sum(n), by: [shop], every: 1h"}
    conditions = {
        "all": "when: anomalous(visits) or other > 1e9",
        "each": "when: anomalous(visits) or other > 1e9, by: [shop]",
        "slices": "when: anomalous(visits), by: [paid, shop]",
    }
    rules = "\n".join(f"  {name}: {{ {text}, notify: [am] }}" for name, text in conditions.items())
    rest = f"alerts:\n{rules}\nnotify: {{ am: {{ alertmanager: {{ urls: ['http://localhost:9093'] }} }} }}\nkeep: {{ 1h: 400d }}"
    return definition("shop: string, paid: boolean, n: integer", kpis, source="late: 2h,", rest=rest)


def usual(hour: int) -> int:
    return round(1_000 + 800 * math.sin(2 * math.pi * hour / 24)) + (37 * hour) % 11


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with rehearsed(tmp_path_factory.mktemp("bands"), shop(), MONDAY_US) as server:
        fill(server)
        yield server


def fill(server: Rehearsal) -> None:
    """Three days; in the last but one hour there are three times as many as usual, in the last there are few."""
    for index in range(HOURS):
        visits = usual(index % 24) * (3 if index == HOURS - 4 else 1) // (20 if index == HOURS - 3 else 1)
        at_us = MONDAY_US + index * HOUR_US
        server.clock.set_us(at_us + HOUR_US)
        times = [at_us, at_us + HOUR_US // 2, at_us + HOUR_US - 1_000_000]
        rows = [{"shop": name, "paid": name == "a", "n": visits // 4 + len(name)} for name in ("a", "b") for _ in times]
        records = [
            json.dumps({"ts": datetime.fromtimestamp(time / 1e6, UTC).isoformat(), **row}).encode()
            for time, row in zip([*times, *times], rows, strict=True)
        ]
        server.arrive("s", 0, records)


def asked(server: Rehearsal, also: tuple[str, ...] = ("band",), **request: Any) -> Points:
    with server.cursor() as cursor, server.query() as query:
        return points_with(cursor, server.definition, query, Request("visits", **request), also)


def stored(server: Rehearsal, subject: str) -> dict[tuple[str, int], tuple[float, float, float]]:
    with server.cursor() as cursor:
        rows = cursor.execute("SELECT series, start_us, expected, low, high FROM bands WHERE subject = ?", [subject]).fetchall()
    return {(series, start): tuple(numbers) for series, start, *numbers in rows}


def score(value: float, expected: float, low: float, high: float) -> float:
    """As the docs have it."""
    bound = high if value > expected else low
    return abs(value - expected) / abs(bound - expected)


def test_each_bucket_has_the_band_that_was_expected_of_it(server: Rehearsal) -> None:
    bands = stored(server, f"visits//{HOUR_US}")
    found = asked(server, step="1h")
    assert bands
    for point in found.points:
        band = bands.get(("[]", point.time_us))
        assert (point.standing is None) == (band is None)
        if point.standing is not None and band is not None:
            assert (point.standing.expected, point.standing.low, point.standing.high) == band
            assert point.standing.score == pytest.approx(score(float(str(point.value)), *band))
    outside = [(point.time_us - MONDAY_US) // HOUR_US for point in found.points if point.standing and point.standing.score > 1]
    assert {HOURS - 4, HOURS - 3} >= set(outside) >= {HOURS - 4}


def test_by_dimensions_in_any_order_and_of_any_type(server: Rehearsal) -> None:
    """The rule names them the other way round; a bucket of half an hour is the KPI's own."""
    bands = stored(server, f"visits/paid,shop/{HOUR_US // 2}")
    found = asked(server, step="30m", by=("shop", "paid"))
    known = [point for point in found.points if point.standing is not None]
    assert len(known) == len(bands) > 100
    for point in known:
        shop, paid = point.dimensions
        assert point.standing is not None
        assert point.standing.expected == bands[json.dumps([str(paid).lower(), shop], separators=(",", ":")), point.time_us][0]


@pytest.mark.parametrize(
    "request_",
    [
        {"step": "2h"},
        {"step": "1d"},
        {"step": "30m"},
        {"step": "all"},
        {"step": "1h", "by": ("paid",)},
        {"step": "1h", "where": "shop = 'a'"},
        {"step": "1h", "by": ("shop",), "where": "paid"},
    ],
)
def test_of_anything_else_no_band_is_known(server: Rehearsal, request_: dict[str, Any]) -> None:
    found = asked(server, **request_).points
    assert found
    assert all(point.standing is None for point in found)


def test_a_condition_on_what_is_sliced_leaves_series_whole(server: Rehearsal) -> None:
    found = asked(server, step="1h", by=("shop",), where="shop = 'a'").points
    assert sum(point.standing is not None for point in found) > 40


def test_in_another_time_zone_buckets_are_the_same(server: Rehearsal) -> None:
    assert any(point.standing for point in asked(server, step="1h", timezone="Europe/Berlin").points)
    days = asked(server, step="1d", timezone="Europe/Berlin").points
    assert [point.standing for point in days] == [None] * len(days) != []


def test_a_point_has_the_numbers_where_they_are_known_and_only_if_asked(server: Rehearsal) -> None:
    found = asked(server, step="1h")
    first, last = (point_object(found, point) for point in (found.points[0], found.points[-5]))
    assert set(first) == {"time", "value", "final"}
    assert set(last) == {"time", "value", "final", "expected", "low", "high", "score"}
    assert csv_text(found).splitlines()[0] == "time,value,final,expected,low,high,score"
    assert csv_text(found).splitlines()[1].endswith(",,,,")
    assert all(point.standing is None for point in asked(server, (), step="1h").points)


def test_bands_of_other_numbers_are_not_shown(tmp_path: Path) -> None:
    with rehearsed(tmp_path, shop(), MONDAY_US) as server:
        fill(server)
        assert any(point.standing for point in asked(server, step="1h").points)
        with server.store.beside() as cursor:
            cursor.execute("UPDATE learners SET meaning = 'of another expression'")
        assert not any(point.standing for point in asked(server, step="1h").points)


@pytest.mark.parametrize(
    ("also", "by", "says"),
    [(("bnad",), (), "expected band or prediction; did you mean 'band'?"), (("band", "x"), (), "with 'x': expected band or prediction")],
)
def test_what_nobody_knows_is_refused(server: Rehearsal, also: tuple[str, ...], by: tuple[str, ...], says: str) -> None:
    with pytest.raises(QueryError) as error:
        asked(server, also, by=by)
    assert says in str(error.value)


def test_a_dimension_is_not_hidden(tmp_path: Path) -> None:
    made = definition("score: string", {"visits": "value: count(*), by: [score]"})
    with rehearsed(tmp_path, made) as server, pytest.raises(QueryError, match="a dimension is called so"):
        asked(server, by=("score",))


def test_bucket_sizes() -> None:
    assert bucket_us(10_000_000) == 60_000_000
