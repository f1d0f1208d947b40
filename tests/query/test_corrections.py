"""Points say when they were corrected after they had been final: for good, by slice, and of each step for itself."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from livekpi.engine.housekeeping import AGE_US
from livekpi.moments import time_text
from livekpi.query.points import Request
from livekpi.scripts.rehearsal import Rehearsal
from livekpi.store.maintenance import compact
from tests.rehearsed import DAY_US, HOUR_US, MINUTE_US, NOON_US, at, definition, points, rehearsed, send, values

FIELDS = "c: optional string, user: string, x: number"
KPIS = {
    "orders": "value: count(*), by: [c]",
    "users": "value: count(distinct user), by: [c]",
    "middle": "value: median(x), by: [c]",
    "level": "value: last(x), by: [c]",
    "lately": "value: sum(x), by: [c], over: 10m",
}
COMPOSED = {"each": "lately / users"}
SOURCE = "late: 30s, idle: 5m,"
MADE = definition(FIELDS, KPIS, composed=COMPOSED, source=SOURCE)


def event(time: str | int, c: str | None = "DE", x: float = 1, user: str = "u") -> dict[str, Any]:
    return {"ts": time_text(at(time) if isinstance(time, str) else time), "c": c, "x": x, "user": user}


def marks(server: Rehearsal, kpi: str, **request: Any) -> dict[Any, str]:
    """When points were corrected, by time of day, or (time, dimensions…)."""
    found: dict[Any, str] = {}
    for point in points(server, kpi, **request):
        time = time_text(point.time_us)[11:-1]
        if point.corrected_us is not None:
            found[(time, *point.dimensions) if point.dimensions else time] = time_text(point.corrected_us)[11:-1]
    return found


def begin(server: Rehearsal) -> None:
    send(server, event("11:00:10"), event("11:00:20", "FR"), event("11:01:00"), event("11:01:30", "FR"), event("11:02:40"))


def correct(server: Rehearsal) -> None:
    """At noon an event comes for 11:00 in DE; nothing was waited for any more, but of what is after 11:02 nothing had been told."""
    server.clock.set_us(NOON_US)
    send(server, event("11:00:50", x=7, user="late"), event("11:06:00"))


@pytest.mark.parametrize("kpi", [*KPIS, *COMPOSED])
def test_a_point_that_changes_after_it_was_final_says_when(tmp_path: Path, kpi: str) -> None:
    with rehearsed(tmp_path, MADE, at("11:02:50")) as server:
        begin(server)
        assert marks(server, kpi) == {}
        correct(server)
        in_windows = ("lately", "each")
        steps = ["11:00:00", "11:01:00", *(f"11:{minute:02}:00" for minute in range(2, 7))] if kpi in in_windows else ["11:00:00"]
        # "each" is a point where one of its parts has none, too
        assert marks(server, kpi) == {step: "12:00:00" for step in steps if step in values(server, kpi)}
        by_c = marks(server, kpi, by=("c",))
        assert {key[0] for key in by_c} <= set(steps)
        assert {key[1] for key in by_c} == {"DE"}
        assert marks(server, kpi, where="c = 'FR'") == {}


def test_a_step_that_was_still_open_was_not_corrected(tmp_path: Path) -> None:
    with rehearsed(tmp_path, MADE, at("11:30:00")) as server:
        send(server, event("11:00:10"), event("11:29:50"))
        send(server, event("11:00:20"))
        assert marks(server, "orders") == {"11:00:00": "11:30:00"}
        assert marks(server, "orders", step="15m") == {"11:00:00": "11:30:00"}
        assert marks(server, "orders", step="1h") == {}
        # as the hour is final, too, and its other part is corrected
        server.clock.set_us(at("12:10:00"))
        send(server, event("12:09:59"))
        server.clock.set_us(at("12:10:01"))
        send(server, event("11:59:00"))
        assert marks(server, "orders", step="1h") == {"11:00:00": "12:10:01"}
        assert marks(server, "orders", step="15m") == {"11:00:00": "11:30:00", "11:45:00": "12:10:01"}


def test_late_but_not_too_late_is_no_correction(tmp_path: Path) -> None:
    with rehearsed(tmp_path, MADE, at("11:02:00")) as server:
        send(server, event("11:01:29"))
        send(server, event("11:00:10"))  # the watermark less 30 s is in its minute
        assert marks(server, "orders") == {}
        send(server, event("11:01:30"))
        send(server, event("11:00:10"))
        assert marks(server, "orders") == {"11:00:00": "11:02:00"}


def test_what_comes_after_a_silence_in_order_corrects_nothing(tmp_path: Path) -> None:
    """While all were idle the clock's time counted; but a bucket after the last event has told nobody a number."""
    with rehearsed(tmp_path, MADE, at("11:00:30")) as server:
        send(server, event("11:00:10"))
        server.clock.set_us(at("11:45:00"))
        server.restart()
        send(server, event("11:20:10"), event("11:21:10"), event("11:44:00"))
        assert marks(server, "orders") == {}
        assert values(server, "orders", step="1h") == {"11:00:00": 4}


@dataclass
class _Late:
    """A late event as an oracle of its own sees it."""

    time_us: int
    c: str | None
    final_us: int
    at_us: int


def expected_us(late: Iterable[_Late], start_us: int, size_us: int, over_us: int) -> int | None:
    """When a step was last corrected, by those of its slice."""
    end_us = start_us + size_us
    seen = [each for each in late if min(start_us, end_us - over_us) <= each.time_us < end_us]
    return max(each.at_us for each in seen) if any(each.final_us >= end_us for each in seen) else None


@pytest.mark.parametrize("seed", range(2))
def test_marks_are_those_of_the_events_that_came_too_late(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    begin_us = NOON_US - 3 * HOUR_US
    late: list[_Late] = []
    with rehearsed(tmp_path, MADE, begin_us) as server:
        last_us = None
        for _ in range(25):
            server.clock.set_us(server.clock.now_us() + chance.choice([1, 20, 90, 400]) * 1_000_000)
            now_us = server.clock.now_us()
            sent = [
                (
                    now_us - chance.choice([0, 10, 60, 300, 3_600]) * 1_000_000 - chance.randrange(1_000_000),
                    chance.choice(["DE", "FR", None]),
                )
                for _ in range(chance.randrange(1, 4))
            ]
            with server.query() as query:
                final_us = query.final_us(server.definition.kpis["orders"])
            for time_us, c in sent:
                bucket_us = time_us // MINUTE_US * MINUTE_US
                if last_us is not None and bucket_us + MINUTE_US <= final_us and bucket_us <= last_us:
                    late.append(_Late(bucket_us, c, final_us, now_us))
            send(server, *(event(time_us, c, user=f"u{chance.randrange(9)}") for time_us, c in sent))
            last_us = max([last_us or 0, *(time_us for time_us, _ in sent)])
        if chance.random() < 0.5:
            server.restart()
            with server.store.transaction() as cursor:
                for grouping in server.engine.plan.all():
                    compact(cursor, grouping, range(begin_us - HOUR_US, NOON_US, MINUTE_US))
        assert late
        for name, kpi in server.definition.kpis.items():
            for step, size_us in (("1m", MINUTE_US), ("5m", 5 * MINUTE_US), ("1h", HOUR_US)):
                for by, where in (((), None), (("c",), None), ((), "c = 'DE'")):
                    with server.query() as query:
                        found = query.points(Request(name, step=step, by=by, where=where)).points
                    for point in found:
                        seen = [each for each in late if (where is None or each.c == "DE") and (not by or (each.c,) == point.dimensions)]
                        assert point.corrected_us == expected_us(seen, point.time_us, size_us, kpi.over_us), (name, step, by, where)


@pytest.mark.parametrize("way", ["restart", "kill", "compact"])
def test_a_mark_lasts(tmp_path: Path, way: str) -> None:
    with rehearsed(tmp_path, MADE, at("11:02:50")) as server:
        begin(server)
        correct(server)
        before = {kpi: points(server, kpi, by=("c",)) for kpi in server.definition.kpis}
        if way == "compact":
            with server.store.transaction() as cursor:
                for grouping in server.engine.plan.all():
                    compact(cursor, grouping, [at("11:00:00"), at("11:01:00"), at("11:02:00")])
        else:
            getattr(server, way)()
        assert {kpi: points(server, kpi, by=("c",)) for kpi in server.definition.kpis} == before
        assert marks(server, "orders", by=("c",)) == {("11:00:00", "DE"): "12:00:00"}


def test_a_mark_is_on_the_disk_with_its_number_or_neither_is(tmp_path: Path) -> None:
    with rehearsed(tmp_path, MADE, at("11:02:50")) as server:
        begin(server)
        server.kill_in(lambda: correct(server))
        server.commit()
        number = values(server, "orders", step="1m", by=("c",))["11:00:00", "DE"]
        assert (number, marks(server, "orders", by=("c",))) == (2, {("11:00:00", "DE"): "12:00:00"})


def test_a_mark_goes_the_way_of_its_bucket(tmp_path: Path) -> None:
    """It is rolled up with it, where it tells of the coarser bucket what it told of the finer, and dropped with it."""
    keep = "keep: { 1m: 1d, 1h: 3d }"
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED, source=SOURCE, rest=keep), at("11:02:50")) as server:
        begin(server)
        correct(server)
        send(server, event("12:00:00"))
        server.clock.set_us(NOON_US + 2 * HOUR_US)
        send(server, event("13:59:59"))
        send(server, event("11:30:00"))
        hourly = marks(server, "orders", step="1h", by=("c",))
        assert hourly == {("11:00:00", "DE"): "14:00:00"}
        for days, expected in ((2, hourly), (6, {})):
            server.clock.set_us(NOON_US + days * DAY_US + AGE_US)
            send(server, event(NOON_US + days * DAY_US))
            server.commit()
            assert marks(server, "orders", step="1h", by=("c",)) == expected
