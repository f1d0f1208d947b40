"""Bands learned from a KPI's own history, and where a period will end, through the real engine and store."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from livekpi.alerts import ledger
from livekpi.alerts.judging.anomalies import Subject, bands, meaning
from livekpi.definition.definition import Definition
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import HOUR_US, definition, rehearsed

MONDAY_US = 1_772_409_600_000_000
"""2026-03-02T00:00:00Z"""
NOTIFY = "notify: { am: { alertmanager: { urls: ['http://localhost:9093'] } } }"


def visits(when: str, value: str = "sum(n)") -> Definition:
    rest = f"alerts:\n  odd: {{ when: {when}, notify: [am] }}\n{NOTIFY}\nkeep: {{ 1h: 400d }}"
    kpis = {"visits": f"value: {value}, by: [shop], every: 1h"}
    return definition("shop: string, n: integer", kpis, source="late: 2h,", rest=rest)


def usual(hour: int) -> int:
    """How many visits an hour of the day has."""
    return round(1_000 + 800 * math.sin(2 * math.pi * hour / 24)) + (37 * hour) % 11


def hour(server: Rehearsal, at_us: int, visits: int) -> None:
    """An hour's visits arrive, in its first and its last minute."""
    server.clock.set_us(at_us + HOUR_US)
    ends = ((at_us, visits - 1), (at_us + HOUR_US - 1_000_000, 1))
    records = [json.dumps({"ts": datetime.fromtimestamp(time / 1e6, UTC).isoformat(), "shop": "a", "n": n}).encode() for time, n in ends]
    server.arrive("s", 0, records)


def hours(server: Rehearsal, first: int, count: int) -> Iterator[int]:
    for index in range(first, first + count):
        hour(server, MONDAY_US + index * HOUR_US, usual(index % 24))
        yield index


def told(server: Rehearsal) -> list[tuple[int, str]]:
    """(hour, note) in which each alert began."""
    with server.cursor() as cursor:
        return [((alert.started_us - MONDAY_US) // HOUR_US - 1, alert.note) for alert in ledger.alerts(cursor)]


def test_what_is_outside_its_band_is_told(tmp_path: Path) -> None:
    with rehearsed(tmp_path, visits("anomalous(visits)"), MONDAY_US) as server:
        for _ in hours(server, 0, 8 * 24):
            assert told(server) == []
        at = 8 * 24
        hour(server, MONDAY_US + at * HOUR_US, usual(0) * 3)
        for _ in hours(server, at + 1, 3):
            pass
        assert told(server) == [(at, "")]
        with server.cursor() as cursor:
            found = bands(cursor, Subject("visits", (), HOUR_US), MONDAY_US + at * HOUR_US, MONDAY_US + (at + 1) * HOUR_US).to_pylist()
        assert len(found) == 1
        with server.cursor() as cursor:
            assert [alert.value for alert in ledger.alerts(cursor)] == [usual(0) * 3]
        assert found[0]["low"] < usual(0) < found[0]["high"] < usual(0) * 3


def test_a_value_that_is_corrected_is_judged_by_the_same_band(tmp_path: Path) -> None:
    with rehearsed(tmp_path, visits("anomalous(visits)"), MONDAY_US) as server:
        for _ in hours(server, 0, 8 * 24):
            pass
        at = 8 * 24
        hour(server, MONDAY_US + at * HOUR_US, 2)
        for _ in hours(server, at + 1, 1):
            pass
        assert told(server) == [(at, "")]
        late = {"ts": datetime.fromtimestamp((MONDAY_US + at * HOUR_US) / 1e6, UTC).isoformat(), "shop": "a", "n": usual(0) - 2}
        server.arrive("s", 0, [json.dumps(late).encode()])
        assert told(server) == [(at, "corrected")]


@pytest.mark.parametrize("death", ["restart", "kill"])
def test_what_was_learned_is_learned_again_after_a_restart(tmp_path: Path, death: str) -> None:
    def expected(server: Rehearsal) -> object:
        with server.cursor() as cursor:
            return bands(cursor, Subject("visits", (), HOUR_US), 0, 2**62).to_pylist()

    with rehearsed(tmp_path / "one", visits("anomalous(visits)"), MONDAY_US) as server:
        for _ in hours(server, 0, 4 * 24):
            pass
        undisturbed = expected(server)
    with rehearsed(tmp_path / "other", visits("anomalous(visits)"), MONDAY_US) as server:
        for index in hours(server, 0, 4 * 24):
            if index % 7 == 0:
                getattr(server, death)()
        assert expected(server) == undisturbed
    assert undisturbed


def test_other_numbers_are_learned_anew(tmp_path: Path) -> None:
    with rehearsed(tmp_path, visits("anomalous(visits)"), MONDAY_US) as server:
        for _ in hours(server, 0, 3 * 24):
            pass
        server.redefine(visits("anomalous(visits)", "sum(2 * n)"))
        with server.cursor() as cursor:
            assert cursor.execute("SELECT count(*) FROM bands").fetchall() == [(0,)]


def test_a_kpi_of_kpis_has_another_meaning_with_them() -> None:
    def ratio(filter_: str) -> str:
        kpis = {"good": f"value: count(*) filter (where {filter_})", "all": "value: count(*)"}
        return meaning(definition("n: integer", kpis, composed={"conv": "good / all"}).kpis["conv"])

    assert ratio("n = 1") == ratio("n  =  1")
    assert ratio("n = 1") != ratio("n = 2")


def test_a_target_that_will_be_missed_is_told(tmp_path: Path) -> None:
    whole = sum(map(usual, range(24)))
    kpis = {"visits": f"value: sum(n), by: [shop], every: 1h, target: {{ 1d: {whole} }}"}
    rest = f"alerts:\n  off_pace: {{ when: pace(visits) < 0.9, notify: [am] }}\n{NOTIFY}\nkeep: {{ 1h: 400d }}"
    with rehearsed(tmp_path, definition("shop: string, n: integer", kpis, source="late: 2h,", rest=rest), MONDAY_US) as server:
        for _ in hours(server, 0, 5 * 24):
            pass
        # the first evening was behind an even pace; the later days were told apart by how the earlier ones went
        assert all(index < 24 for index, _ in told(server))
        before, first = len(told(server)), 5 * 24
        for index in range(first, first + 24):
            hour(server, MONDAY_US + index * HOUR_US, usual(index % 24) // 2)
        found = told(server)[before:]
        assert len(found) == 1
        assert first <= found[0][0] < first + 12
