"""When house is kept, and that it changes no number."""

from pathlib import Path

import pytest

from livekpi.engine.housekeeping import AGE_US, COMPACT_ROWS, Housekeeping
from livekpi.engine.plan import Grouping, make_plan
from livekpi.scripts.rehearsal import KilledError, Rehearsal
from livekpi.store import dead_letters
from livekpi.store.layout import cells, quote, series, spread
from tests.rehearsed import DAY_US, HOUR_US, MINUTE_US, NOON_US, definition, rehearsed, send, values

FIELDS = "c: optional string, n: integer"
KPIS = {
    "total": "value: sum(n), by: [c]",
    "events": "value: count(*), by: [c]",
    "level": "value: last(n), by: [c]",
    "different": "value: count(distinct n), by: [c]",
    "middle": "value: median(n), by: [c]",
}


def grouping(server: Rehearsal) -> Grouping:
    (found,) = server.engine.plan.groupings["s"]
    return found


def rows(server: Rehearsal, table: str) -> int:
    with server.cursor() as cursor:
        row = cursor.execute(f"SELECT count(*) FROM {quote(table)}").fetchone()
    assert row is not None
    return int(row[0])


def expired(server: Rehearsal) -> float | None:
    return server.engine._metrics.registry.get_sample_value("livekpi_expired_events_total", {"source": "s"})


def test_ages_are_looked_at_at_the_start_and_then_each_minute(tmp_path: Path) -> None:
    """At the start, so that a server that is started anew each minute ages too."""
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        housekeeping = Housekeeping(server.definition, make_plan(server.definition), server.clock)
        for step_us, due in ((0, True), (0, False), (AGE_US - 1, False), (1, True), (0, False)):
            server.clock.set_us(server.clock.now_us() + step_us)
            found = housekeeping.due()
            assert bool(found) == due
            with server.store.transaction() as cursor:
                housekeeping.run(cursor, found)


def test_a_clock_set_back_delays_no_ageing(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        housekeeping = Housekeeping(server.definition, make_plan(server.definition), server.clock)
        for step_us, due in ((0, True), (-HOUR_US, True), (AGE_US - 1, False), (1, True)):
            server.clock.set_us(server.clock.now_us() + step_us)
            found = housekeeping.due()
            assert found.age == due
            if found:
                with server.store.transaction() as cursor:
                    housekeeping.run(cursor, found)


def test_what_was_to_be_merged_is_merged_after_a_commit_that_failed(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        for number in range(4):
            send(server, {"n": number})
        housekeeping, name = server.engine._housekeeping, cells(grouping(server)).name
        what = housekeeping.everything()
        server.store.lives = 0
        with pytest.raises(KilledError), server.store.transaction() as cursor:
            housekeeping.run(cursor, what)
        server.store.lives = None
        assert rows(server, name) == 4
        with server.store.transaction() as cursor:
            housekeeping.run(cursor, what)
        assert rows(server, name) == 1
        assert not housekeeping.everything().compact


def test_no_more_dead_letters_are_kept_than_may_be(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS, rest="limits: { dead_letters: 2 }")) as server:
        for number in range(5):
            send(server, {"n": f"no number {number}"})
        with server.store.transaction() as cursor:
            server.engine._housekeeping.run(cursor, server.engine._housekeeping.everything())
        with server.cursor() as cursor:
            assert [letter.position for letter in dead_letters.find(cursor)] == [3, 4]


def test_a_merge_is_due_once_enough_rows_have_been_appended(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        housekeeping = Housekeeping(server.definition, server.engine.plan, server.clock)
        with server.store.transaction() as cursor:
            housekeeping.run(cursor, housekeeping.due())
        key = grouping(server).key
        housekeeping.wrote({key: frozenset({NOON_US})}, {key: COMPACT_ROWS - 1})
        assert not housekeeping.due()
        housekeeping.wrote({key: frozenset({NOON_US})}, {key: 1})
        assert housekeeping.due().compact == {key: {NOON_US}}
        with server.store.transaction() as cursor:
            housekeeping.run(cursor, housekeeping.due())
        assert not housekeeping.due()


def test_what_a_cluster_replaced_is_not_noted_for_a_merge(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        housekeeping = Housekeeping(server.definition, server.engine.plan, server.clock)
        key = grouping(server).key
        housekeeping.wrote({key: frozenset({NOON_US})}, {key: 0})
        assert housekeeping._touched[key] == set()


def test_a_merge_leaves_one_row_a_bucket_and_series_and_every_number(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS)) as server:
        for number in range(12):
            send(server, {"ts": f"2026-03-01T11:0{number % 3}:00Z", "c": [None, "", "x"][number % 2], "n": number % 5})
        before = {kpi: values(server, kpi, by=("c",)) for kpi in KPIS}
        assert rows(server, cells(grouping(server)).name) == 12
        housekeeping = server.engine._housekeeping
        with server.store.transaction() as cursor:
            housekeeping.run(cursor, housekeeping.everything())
        assert rows(server, cells(grouping(server)).name) == 6
        assert {kpi: values(server, kpi, by=("c",)) for kpi in KPIS} == before
        send(server, {"ts": "2026-03-01T11:00:00Z", "c": None, "n": 4})
        assert values(server, "total", step="all") == {"11:00:00": sum(number % 5 for number in range(12)) + 4}


def test_ages_go_by_event_time(tmp_path: Path) -> None:
    """Old data that is read late is kept, whatever the clock says."""
    made = definition(FIELDS, KPIS, rest="keep: { 1m: 2h, 1h: 2d }")
    with rehearsed(tmp_path, made, NOON_US + 300 * DAY_US) as server:
        send(server, {"ts": "2026-03-01T11:00:10Z", "n": 1}, {"ts": "2026-03-01T11:59:00Z", "n": 2})
        server.advance(NOON_US + 400 * DAY_US)
        assert values(server, "total") == {"11:00:00": 1, "11:59:00": 2}
        send(server, {"ts": "2026-03-01T14:59:00Z", "n": 4})
        server.advance(NOON_US + 400 * DAY_US + MINUTE_US)
        assert values(server, "total") == {"11:00:00": 3, "14:00:00": 4}
        assert rows(server, cells(grouping(server)).name) == 2
        send(server, {"ts": "2026-03-03T14:59:00Z", "n": 8})
        server.advance(NOON_US + 400 * DAY_US + 2 * MINUTE_US)
        assert values(server, "total") == {"14:00:00": 4, "2026-03-03T14:00:00": 8}
        assert rows(server, spread(grouping(server), grouping(server).spreads[0]).name) == 2


def test_what_is_too_old_to_be_kept_is_counted(tmp_path: Path) -> None:
    """What is counted is what is dropped, however it came: with the event that makes it old, or after it."""
    made = definition(FIELDS, KPIS | {"slow": "value: sum(n), every: 10m"}, rest="keep: { 1m: 1h, 10m: 2h }")
    with rehearsed(tmp_path, made, NOON_US + DAY_US) as server:
        send(server, *({"ts": f"2026-03-01T{time}Z", "n": 1} for time in ("09:59:59", "10:00:00", "12:05:00")))
        assert expired(server) == 1
        send(server, *({"ts": f"2026-03-01T{time}Z", "n": 1} for time in ("08:00:00", "10:01:00", "09:59:59")))
        assert expired(server) == 3
        server.advance(NOON_US + DAY_US + MINUTE_US)
        assert sum(values(server, "events").values()) == 6 - 3


def test_a_series_that_went_and_came_back_is_one(tmp_path: Path) -> None:
    made = definition(FIELDS, KPIS, rest="keep: { 1m: 1h }")
    with rehearsed(tmp_path, made, NOON_US + DAY_US) as server:
        send(server, {"ts": "2026-03-01T08:00:00Z", "c": "x", "n": 1})
        send(server, {"ts": "2026-03-01T12:00:00Z", "c": "y", "n": 1})
        server.advance(NOON_US + DAY_US + MINUTE_US)
        assert rows(server, series(grouping(server))) == 1
        send(server, {"ts": "2026-03-01T12:10:00Z", "c": "x", "n": 2}, {"ts": "2026-03-01T12:12:00Z", "c": "y", "n": 2})
        assert values(server, "events", by=("c",), where="c = 'x'") == {("12:10:00", "x"): 1, ("12:11:00", "x"): 0, ("12:12:00", "x"): 0}
        assert values(server, "level", where="c = 'x'") == {"12:10:00": 2, "12:11:00": 2, "12:12:00": 2}


def test_all_that_was_there_may_go(tmp_path: Path) -> None:
    made = definition(FIELDS, KPIS, rest="keep: { 1m: 1h }")
    with rehearsed(tmp_path, made, NOON_US + DAY_US) as server:
        send(server, {"ts": "2026-03-01T08:00:00Z", "n": 1})
        send(server, b"{}", {"ts": "2026-03-01T12:00:00Z", "n": 1})
        server.advance(NOON_US + DAY_US + MINUTE_US)
        assert values(server, "events", step="all") == {"11:00:00": 1}  # of what is kept, and nothing before it
