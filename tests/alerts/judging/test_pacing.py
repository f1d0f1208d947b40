"""Which period a target is of at a time, which came before it, and what is known of series that began late."""

from pathlib import Path

import numpy as np
import pytest

from livekpi.alerts.judging.pacing import PERIODS, Pace, Period, earlier, paces, period_at, progress
from livekpi.alerts.series import steps_of
from livekpi.definition.definition import Kpi
from livekpi.insight.pace import project
from livekpi.moments import time_text
from tests.rehearsed import DAY_US, HOUR_US, MINUTE_US, NOON_US, at, definition, rehearsed, send

MIDNIGHT_US = at("2026-03-01T00:00:00")
Key = tuple[str | None, ...]


def kpi(target: str, more: str = "") -> Kpi:
    return definition("n: integer", {"visits": f"value: sum(n), every: 1h, target: {target}{more}"}).kpis["visits"]


def test_of_several_kinds_of_period_the_shortest_is_meant() -> None:
    assert period_at(kpi("{ 1w: 700, 1d: 90 }"), NOON_US) == Period(MIDNIGHT_US, MIDNIGHT_US + DAY_US, 90)
    assert period_at(kpi("{ 1d: 90 }"), MIDNIGHT_US) == Period(MIDNIGHT_US, MIDNIGHT_US + DAY_US, 90)
    assert period_at(kpi("{ 1d: 90 }"), MIDNIGHT_US - 1) == Period(MIDNIGHT_US - DAY_US, MIDNIGHT_US, 90)


def test_a_day_is_that_of_the_kpis_time_zone_and_may_have_an_hour_more_or_less() -> None:
    berlin = kpi("{ 1d: 90 }", ", timezone: Europe/Berlin")
    spring = period_at(berlin, at("2026-03-29T12:00:00"))
    assert spring == Period(at("2026-03-28T23:00:00"), at("2026-03-29T22:00:00"), 90)
    assert next(earlier(berlin, spring)) == Period(at("2026-03-27T23:00:00"), at("2026-03-28T23:00:00"), 90)
    autumn = period_at(berlin, at("2026-10-25T12:00:00"))
    assert autumn is not None
    assert autumn.end_us - autumn.start_us == 25 * HOUR_US


def test_periods_within_a_day_follow_one_another_also_around_a_change_of_the_clocks() -> None:
    """On the day before a change an hour was none, or two; and of the hour that comes twice each is one."""
    for size, around, whole in (("1h", "2026-03-28T09:10:00", 1), ("1h", "2026-10-25T00:10:00", 1), ("12h", "2026-10-25T03:00:00", 13)):
        berlin = kpi(f"{{ {size}: 90 }}", ", timezone: Europe/Berlin")
        found = period_at(berlin, at(around))
        assert found is not None
        assert found.start_us <= at(around) < found.end_us
        assert found.end_us - found.start_us == whole * HOUR_US
        before = next(earlier(berlin, found))
        assert before.end_us == found.start_us
        assert period_at(berlin, before.start_us) == before


def test_a_dated_target_holds_from_its_beginning_and_not_at_its_end() -> None:
    dated = kpi('[{ from: "2026-03-01", to: "2026-03-05", value: 40 }, { from: "2026-03-05", to: "2026-03-06", value: 9 }]')
    first, second = Period(MIDNIGHT_US, MIDNIGHT_US + 4 * DAY_US, 40), Period(MIDNIGHT_US + 4 * DAY_US, MIDNIGHT_US + 5 * DAY_US, 9)
    times = [MIDNIGHT_US - 1, MIDNIGHT_US, second.start_us - 1, second.start_us, second.end_us]
    assert [period_at(dated, time) for time in times] == [None, first, first, second, None]
    assert list(earlier(dated, first)) == []


def test_earlier_periods_touch_one_another_newest_first() -> None:
    daily = kpi("{ 1d: 90 }")
    now = period_at(daily, NOON_US)
    assert now is not None
    found = list(earlier(daily, now))
    assert [each.start_us for each in found] == [MIDNIGHT_US - number * DAY_US for number in range(1, PERIODS + 1)]
    assert [each.end_us for each in found] == [each.start_us for each in [now, *found[:-1]]]


def test_without_a_target_there_is_no_period() -> None:
    assert period_at(definition("n: integer", {"visits": "value: sum(n)"}).kpis["visits"], NOON_US) is None


@pytest.mark.parametrize(("minutes", "so_far"), [(0, None), (1, 5), (60, 5), (61, 12), (180, 12)])
def test_what_the_bucket_holds_that_a_time_is_in_counts_in_whole(tmp_path: Path, minutes: int, so_far: float | None) -> None:
    """Five at noon, seven an hour later, and nothing is said of times before the first event."""
    made = definition("n: integer", {"visits": "value: sum(n), every: 1h, target: { 1d: 100 }"})
    with rehearsed(tmp_path, made) as server:
        for hour, n in ((0, 5), (1, 7)):
            server.clock.set_us(NOON_US + hour * HOUR_US)
            send(server, {"n": n})
        with server.query() as query:
            found = list(progress(query, made.kpis["visits"], [NOON_US - DAY_US, NOON_US + minutes * MINUTE_US]))
    assert [(index, key, pace.so_far) for index, key, pace in found] == ([] if so_far is None else [(1, (), so_far)])


def paced(directory: Path, events: list[tuple[int, str, int]], times: list[int], by: tuple[str, ...] = ()) -> list[tuple[int, Key, Pace]]:
    """The paces at times of what came: (time, shop, n)."""
    made = definition(
        "shop: string, n: integer", {"visits": "value: sum(n), by: [shop], every: 1h, target: { 1d: 48 }"}, source="late: 3d,"
    )
    with rehearsed(directory, made, MIDNIGHT_US + 4 * DAY_US) as server:
        send(server, *({"ts": time_text(time), "shop": shop, "n": n} for time, shop, n in events))
        with server.query() as query:
            return list(progress(query, made.kpis["visits"], times, by))


def test_a_shop_that_sells_nothing_has_a_pace(tmp_path: Path) -> None:
    """And one that sold nothing on a day has that day among its earlier ones, since its first."""
    start = MIDNIGHT_US + DAY_US
    sold = [(start + day * DAY_US + hour * HOUR_US, "a", 2) for day in range(3) for hour in range(24)]
    once = [(start + HOUR_US, "b", 24)]
    found = paced(tmp_path, [*sold, *once], [start + 2 * DAY_US + 12 * HOUR_US], ("shop",))
    by_shop = {key: pace for _, key, pace in found}
    assert by_shop["a",].ratio == pytest.approx(1)
    nothing = by_shop["b",]
    assert (nothing.so_far, nothing.sure) == (0, True)
    curves = [np.zeros(25), np.array([0.0, 0.0, *[24.0] * 23])]
    expected = project(0.0, 0.5, curves)
    assert expected is not None
    assert nothing.projection.expected == pytest.approx(expected.expected)


def test_time_before_the_first_event_does_not_count_as_lost(tmp_path: Path) -> None:
    """Begun at 22:00, and since then two an hour: what is left of the day goes on so; no rule is to say that the day was missed."""
    start = MIDNIGHT_US + 22 * HOUR_US
    ((_, _, early),) = paced(tmp_path, [(start, "a", 1), (start + HOUR_US - 1_000_000, "a", 1)], [start + HOUR_US])
    assert early.projection.expected == pytest.approx(4)
    assert not early.sure


@pytest.mark.parametrize(("hours", "sure"), [(1, False), (2, True), (24, True)])
def test_without_an_earlier_period_a_rule_waits_for_a_part_of_it(tmp_path: Path, hours: int, sure: bool) -> None:
    events = [(MIDNIGHT_US + 10 * MINUTE_US + hour * HOUR_US, "a", 2) for hour in range(24)]
    ((_, _, pace),) = paced(tmp_path, events, [MIDNIGHT_US + hours * HOUR_US])
    assert pace.sure is sure


def test_with_an_earlier_period_it_does_not(tmp_path: Path) -> None:
    events = [(MIDNIGHT_US + hour * HOUR_US, "a", 2) for hour in range(49)]
    times = [MIDNIGHT_US + hour * HOUR_US for hour in (24, 25, 49)]
    assert [pace.sure for _, _, pace in paced(tmp_path, events, times)] == [True, True, True]


def test_a_rule_goes_by_what_is_sure(tmp_path: Path) -> None:
    made = definition("n: integer", {"visits": "value: sum(n), every: 1h, target: { 1d: 48 }"}, source="late: 3d,")
    with rehearsed(tmp_path, made, MIDNIGHT_US + 4 * DAY_US) as server:
        send(server, *({"ts": time_text(MIDNIGHT_US + hour * HOUR_US), "n": 1} for hour in (22, 23, 24, 25)))
        with server.query() as query:
            table = paces(query, made.kpis["visits"], steps_of(MIDNIGHT_US + 22 * HOUR_US, MIDNIGHT_US + 26 * HOUR_US, HOUR_US), ())
    assert table["i"].to_pylist() == [3], "the first day began without data, and the second has just begun"
