"""Where periods were going, through the real engine and store, against sums of the events by hand."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from livekpi.alerts.asking.pace import PaceRequest, Paces, pace
from livekpi.definition.definition import Definition
from livekpi.insight.pace import project
from livekpi.query.steps import QueryError
from livekpi.scripts.rehearsal import Rehearsal
from tests.alerts.asking.test_bands import usual
from tests.rehearsed import DAY_US, HOUR_US, MINUTE_US, at, definition, rehearsed

MONDAY_US = at("2026-03-02T00:00:00")
DAYS = 6
NOON_US = MONDAY_US + DAYS * DAY_US + 12 * HOUR_US


def shop(target: str = "{ 1d: 20000 }", every: str = "1h", more: str = "", rest: str = "keep: { 1h: 400d }") -> Definition:
    kpis = {
        "visits": f"value: sum(n), every: {every}, unit: visits, target: {target}{more}",
        "untargeted": "value: sum(n), every: 1h",
        "users": "value: count(distinct n), every: 1h, target: { 1d: 7 }",
        "mean": "value: avg(n), every: 1h, target: { 1d: 7 }",
    }
    return definition("n: integer", kpis, source="late: 2h,", rest=rest)


def arrive(server: Rehearsal, at_us: int, n: int) -> None:
    server.clock.set_us(max(server.clock.now_us(), at_us))
    server.arrive("s", 0, [json.dumps({"ts": datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(), "n": n}).encode()])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """Six days, each a little more than the one before, and the seventh up to twenty past noon."""
    with rehearsed(tmp_path_factory.mktemp("pace"), shop(), MONDAY_US) as server:
        for index in range(DAYS * 24 + 12):
            arrive(server, MONDAY_US + index * HOUR_US + 59 * MINUTE_US, visits(index))
        arrive(server, NOON_US + 20 * MINUTE_US, 100)
        yield server


def visits(index: int) -> int:
    return usual(index % 24) + 10 * (index // 24)


def asked(server: Rehearsal, kpi: str = "visits", **request: object) -> Paces:
    with server.query() as query:
        return pace(query, PaceRequest(kpi, **request))  # type: ignore[arg-type]


def test_now_is_up_to_the_last_event(server: Rehearsal) -> None:
    (found,) = asked(server).found
    assert found.time_us == NOON_US + 20 * MINUTE_US + 1_000_000, "the next whole second"
    assert (found.period.start_us, found.period.end_us) == (NOON_US - 12 * HOUR_US, NOON_US + 12 * HOUR_US)
    assert found.so_far == sum(visits(DAYS * 24 + hour) for hour in range(12)) + 100
    assert found.projection.low < found.projection.expected < found.projection.high
    assert found.ratio == found.projection.expected / 20000


def test_at_a_time_it_is_what_was_known_then(server: Rehearsal) -> None:
    """From the days before, by hand: their running totals hour by hour."""
    (found,) = asked(server, at_us=NOON_US - 3 * HOUR_US + 7 * MINUTE_US).found
    assert found.time_us == NOON_US - 3 * HOUR_US, "whole buckets"
    days = [np.cumsum([0, *(visits(day * 24 + hour) for hour in range(24))]).astype(float) for day in reversed(range(DAYS))]
    so_far = sum(visits(DAYS * 24 + hour) for hour in range(9))
    assert found.so_far == so_far
    # the first day is known from its first event on, which was in its first hour
    assert found.projection == project(so_far, 9 / 24, days)


def test_at_the_end_of_a_period_it_is_what_it_came_to(server: Rehearsal) -> None:
    (found,) = asked(server, at_us=MONDAY_US + 2 * DAY_US).found
    whole = sum(visits(24 + hour) for hour in range(24))
    assert (found.period.start_us, found.so_far) == (MONDAY_US + DAY_US, whole)
    assert (found.projection.expected, found.projection.low, found.projection.high) == (whole, whole, whole)


def test_a_range_has_a_pace_for_each_step(server: Rehearsal) -> None:
    found = asked(server, from_us=NOON_US - 36 * HOUR_US, step="6h").found
    assert [(each.time_us - NOON_US) // MINUTE_US for each in found] == [-30 * 60, -24 * 60, -18 * 60, -12 * 60, -6 * 60, 0, 20]
    alone = [asked(server, at_us=each.time_us).found[0] for each in found]
    assert found == alone
    hourly = asked(server, from_us=NOON_US - 3 * HOUR_US, to_us=NOON_US).found
    assert [(each.time_us - NOON_US) // HOUR_US for each in hourly] == [-2, -1, 0]


def test_what_has_not_come_yet_is_the_present(server: Rehearsal) -> None:
    assert asked(server, at_us=NOON_US + 9 * DAY_US) == asked(server)


@pytest.mark.parametrize(
    ("kpi", "request_", "says"),
    [
        ("untargeted", {}, "untargeted has no target to be paced by"),
        ("users", {}, "users can't be added up to where a period will end: the count of distinct values"),
        ("mean", {}, "mean can't be added up to where a period will end: it is not a count or a sum"),
        ("visit", {}, "there is no KPI 'visit'; did you mean 'visits'?"),
        ("visits", {"at_us": 0, "step": "1h"}, "either `at` a time, or from, to and step"),
        ("visits", {"step": "90m"}, "is no multiple of"),
    ],
)
def test_a_wrong_question(server: Rehearsal, kpi: str, request_: dict[str, object], says: str) -> None:
    with pytest.raises(QueryError) as error:
        asked(server, kpi, **request_)
    assert says in str(error.value)


def test_too_many_times(tmp_path: Path) -> None:
    with rehearsed(tmp_path, shop(every="1s", rest=""), MONDAY_US) as server:
        arrive(server, MONDAY_US, 1)
        arrive(server, MONDAY_US + HOUR_US, 1)
        with pytest.raises(QueryError, match="2000 at most"):
            asked(server, step="1s")


def test_before_the_first_event_there_is_none(tmp_path: Path) -> None:
    with rehearsed(tmp_path, shop(), MONDAY_US) as server:
        assert asked(server).found == []
        arrive(server, MONDAY_US + DAY_US, 1)
        assert asked(server, at_us=MONDAY_US).found == []


def test_a_day_on_which_nothing_has_come_has_a_pace(tmp_path: Path) -> None:
    with rehearsed(tmp_path, shop(more=", timezone: Europe/Berlin"), MONDAY_US) as server:
        midnight_us = MONDAY_US - HOUR_US
        for hour in range(2 * 24):
            arrive(server, midnight_us + hour * HOUR_US, 100)
        server.advance(midnight_us + 60 * HOUR_US)
        (found,) = asked(server).found
        assert (found.time_us, found.period.start_us) == (midnight_us + 60 * HOUR_US, midnight_us + 48 * HOUR_US)
        assert found.so_far == 0
        assert found.projection.expected == 2400 / 2 / 2, "half is over, and what is to come is trusted half"


def test_a_long_period_goes_on_where_its_buckets_have_become_coarser(tmp_path: Path) -> None:
    """Buckets of ten seconds are kept for two days, and the target is of a week."""
    with rehearsed(tmp_path, shop("{ 1w: 2400 }", every="10s", rest=""), MONDAY_US) as server:
        for day in range(12):
            arrive(server, MONDAY_US + day * DAY_US + 12 * HOUR_US, 240)
        (found,) = asked(server).found
        assert found.so_far == 240 * 5
        assert found.projection.expected == pytest.approx(1680, rel=0.15)


def test_days_that_are_shorter_are_compared_as_well(tmp_path: Path) -> None:
    """On 2026-03-29 a day in Berlin has 23 hours, which no number of minutes divides into 24 parts."""
    start_us = at("2026-03-27T00:00:00")
    with rehearsed(tmp_path, shop(every="10s", more=", timezone: Europe/Berlin", rest=""), start_us) as server:
        for hour in range(6 * 24):
            arrive(server, start_us + hour * HOUR_US, 10)
        (found,) = asked(server, at_us=at("2026-04-01T10:00:00")).found
        assert found.so_far == 120
        # three days before it are known whole, one of them of 230
        assert found.projection.expected == pytest.approx(240, rel=0.01)
