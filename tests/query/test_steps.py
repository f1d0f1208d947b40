"""Steps by the wall clock: days of 23 and 25 hours, weeks, half-hour zones, midnights that are not there."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livekpi.query.steps import DAY_US, HOUR_US, WEEK_US, QueryError, floor, make_steps, parse_step, shift, zone
from tests.oracle import oracle

ZONES = (
    *("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns", "Pacific/Chatham"),
    *("Africa/Cairo", "America/Sao_Paulo", "Pacific/Apia", "Pacific/Kiritimati", "America/Havana", "Australia/Lord_Howe"),
)


SINCE_S = 315_532_800
"""1980: since then all of these zones are whole quarters of an hour from UTC, which the oracle's calendar counts on."""


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def hours(first: str, last: str, size_us: int, name: str) -> list[float]:
    """The lengths of the steps that begin in a range, in hours."""
    found = make_steps(us(first), us(last), size_us, zone(name), 100_000)
    assert all(end == start for end, start in zip(found.ends, found.starts[1:], strict=False)), "no gaps"
    return [(end - start) / HOUR_US for start, end in zip(found.starts, found.ends, strict=True)]


def test_days_when_the_clocks_change() -> None:
    assert hours("2026-03-28T00:00+01:00", "2026-03-31T00:00+02:00", DAY_US, "Europe/Berlin") == [24, 23, 24]
    assert hours("2026-10-24T00:00+02:00", "2026-10-27T00:00+01:00", DAY_US, "Europe/Berlin") == [24, 25, 24]
    assert hours("2026-03-07T00:00-05:00", "2026-03-10T00:00-04:00", DAY_US, "America/New_York") == [24, 23, 24]
    assert hours("2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", DAY_US, "America/New_York") == [25]
    assert hours("2026-03-23T00:00+01:00", "2026-04-01T00:00+02:00", WEEK_US, "Europe/Berlin") == [167, 168]
    assert hours("2018-11-03T00:00-03:00", "2018-11-05T00:00-02:00", DAY_US, "America/Sao_Paulo") == [
        24,
        23,
    ]  # whose midnight was leapt over


def test_a_day_that_was_left_out() -> None:
    """Samoa went from 29 to 31 December 2011: between the two lies nothing."""
    assert hours("2011-12-28T00:00-10:00", "2012-01-01T00:00+14:00", DAY_US, "Pacific/Apia") == [24, 24, 0, 24]


def test_parts_of_days_when_the_clocks_change() -> None:
    day = ("2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00")
    assert hours(*day, 6 * HOUR_US, "Europe/Berlin") == [5, 6, 6, 6]
    assert hours(*day, 2 * HOUR_US, "Europe/Berlin") == [2, 1] + [2] * 10
    assert hours(*day, HOUR_US, "Europe/Berlin") == [1] * 23
    assert hours("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 12 * HOUR_US, "Europe/Berlin") == [13, 12]
    assert hours("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", HOUR_US, "Europe/Berlin") == [1] * 25


def test_hours_begin_with_the_hour_of_the_zone() -> None:
    assert floor(us("2026-03-01T12:10Z"), HOUR_US, zone("Asia/Kolkata")) == us("2026-03-01T17:30+05:30") - HOUR_US // 2
    assert floor(us("2026-03-01T12:50Z"), HOUR_US, zone("Asia/Kathmandu")) == us("2026-03-01T18:00+05:45")
    assert floor(us("2026-03-01T12:50Z"), DAY_US, zone("Asia/Kolkata")) == us("2026-03-01T00:00+05:30")
    assert floor(us("2026-03-01T12:50Z"), WEEK_US, zone("UTC")) == us("2026-02-23T00:00Z")
    assert floor(0, WEEK_US, zone("UTC")) == us("1969-12-29T00:00Z")


def test_hours_where_the_clock_is_set_by_half_of_one() -> None:
    """An hour on the wall is one and a half long where half of it comes twice, and a half where it is leapt over."""
    back, forward = ("2025-04-06T00:00+11:00", "2025-04-06T04:00+10:30"), ("2025-10-05T01:00+10:30", "2025-10-05T05:00+11:00")
    assert hours(*back, HOUR_US, "Australia/Lord_Howe") == [1, 1.5, 1, 1]
    assert hours(*forward, HOUR_US, "Australia/Lord_Howe") == [1, 0.5, 1, 1]
    assert hours(*back, HOUR_US // 2, "Australia/Lord_Howe") == [0.5] * 9
    assert hours("1985-12-31T23:00+05:30", "1986-01-01T02:00+05:45", HOUR_US, "Asia/Kathmandu") == [1, 0.75, 1]
    assert hours("2025-04-06T02:00+10:30", "2025-04-06T04:00+10:30", HOUR_US, "Australia/Lord_Howe") == [1, 1]
    assert hours("2026-03-29T00:00+01:00", "2026-03-29T04:30+02:00", HOUR_US * 3 // 4, "Europe/Berlin") == [0.75] * 2 + [0.5] + [0.75] * 2


def test_hours_do_not_depend_on_where_one_begins_to_ask() -> None:
    where = zone("Australia/Lord_Howe")
    for begin in ("2025-04-05T10:00Z", "2025-10-04T10:00Z"):
        whole = make_steps(us(begin), us(begin) + 12 * HOUR_US, HOUR_US, where, 100)
        spans = list(zip(whole.starts, whole.ends, strict=True))
        for time_us in range(whole.starts[0], whole.ends[-1], HOUR_US // 12):
            assert floor(time_us, HOUR_US, where) == max(start for start, _ in spans if start <= time_us)
            found = make_steps(time_us, time_us + 2 * HOUR_US, HOUR_US, where, 100)
            until_us = min(time_us + 2 * HOUR_US, whole.ends[-1])
            expected = [span for span in spans if time_us <= span[0] < until_us]
            assert [span for span in zip(found.starts, found.ends, strict=True) if span[0] < until_us] == expected


def test_steps_are_even_where_they_can_be() -> None:
    """What lies evenly is found by a division, and not by a comparison with each."""
    assert make_steps(us("2026-06-01T00:00+02:00"), us("2026-06-04T00:00+02:00"), DAY_US, zone("Europe/Berlin"), 10).size_us == DAY_US
    assert make_steps(us("2026-03-28T00:00+01:00"), us("2026-04-01T00:00+02:00"), DAY_US, zone("Europe/Berlin"), 10).size_us is None
    assert make_steps(us("2026-03-28T00:00+01:00"), us("2026-04-01T00:00+02:00"), HOUR_US, zone("Europe/Berlin"), 100).size_us == HOUR_US


@example("Australia/Lord_Howe", "1h", 1743862200)  # in the hour that is one and a half long
@example("Australia/Lord_Howe", "1h", 1743858000)
@example("Australia/Lord_Howe", "1h", 1759590000)  # before the hour that is a half
@example("Asia/Kathmandu", "1h", 504900000)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(["15m", "30m", "1h", "2h", "3h", "6h", "12h", "1d", "2d", "1w", "2w"]),
    st.integers(SINCE_S, 2**31),
)
def test_as_the_oracle_has_them(name: str, step: str, time_s: int) -> None:
    size, begin = parse_step(step), time_s * 1_000_000
    found = make_steps(floor(begin, size, zone(name)), begin + 3 * size, size, zone(name), 100_000)
    expected = [pair for pair in oracle.steps(begin, begin + 3 * size, size, name) if pair[0] < begin + 3 * size]
    got = [pair for pair in zip(found.starts, found.ends, strict=True) if pair[0] < pair[1]]
    assert got == list(expected)


@given(st.sampled_from(ZONES), st.integers(0, 2**31), st.sampled_from([timedelta(days=1), timedelta(weeks=-1), timedelta(weeks=1)]))
def test_a_shift_by_days_keeps_the_wall_clock(name: str, time_s: int, by: timedelta) -> None:
    where = ZoneInfo(name)
    before = datetime.fromtimestamp(shift(time_s * 1_000_000, by, where) / 1e6, where)
    now = datetime.fromtimestamp(time_s, where)
    wished = now.replace(tzinfo=None) - by
    exists = wished.replace(tzinfo=where).astimezone(ZoneInfo("UTC")).astimezone(where).replace(tzinfo=None) == wished
    assert (before.replace(tzinfo=None) == wished) == exists


@given(st.sampled_from(ZONES), st.integers(0, 2**31), st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
@example("Europe/Berlin", int(datetime(2026, 10, 25, 1, tzinfo=UTC).timestamp()), timedelta(hours=1))
def test_a_shift_by_less_than_a_day_is_time_that_passes(name: str, time_s: int, by: timedelta) -> None:
    assert shift(time_s * 1_000_000, by, ZoneInfo(name)) == time_s * 1_000_000 - by // timedelta(microseconds=1)


@pytest.mark.parametrize("text", ["0s", "7m", "25h", "36h", "1000y1d", "d", "", "-1h", "1.5h"])
def test_a_step_that_is_none(text: str) -> None:
    with pytest.raises(QueryError, match="step"):
        parse_step(text)


def test_too_many_steps() -> None:
    with pytest.raises(QueryError, match="more than 100 steps"):
        make_steps(0, 200 * HOUR_US, HOUR_US, zone("UTC"), 100)


@pytest.mark.parametrize("name", ["", "Berlin", "../etc/passwd", "Europe/Berlin\0"])
def test_a_zone_that_is_none(name: str) -> None:
    with pytest.raises(QueryError, match="no time zone"):
        zone(name)
