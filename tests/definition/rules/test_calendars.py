from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.definition.rules.calendars import Calendar, calendars, is_holiday
from livekpi.definition.shape.alerting import CalendarSpec

BERLIN = ZoneInfo("Europe/Berlin")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def us(text: str, zone: ZoneInfo = BERLIN) -> int:
    """A moment on the wall, or with its own offset, in µs."""
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return int(moment.timestamp()) * 1_000_000


def calendar(timezone: str = "Europe/Berlin", **given: object) -> Calendar:
    (found,) = calendars(CalendarSpec.model_validate({**given, "timezone": timezone}))
    return found


WORK = calendar(days="mon-fri", hours="09:00-17:30")
NIGHT = calendar(days="fri", hours="22:00-06:00")


@pytest.mark.parametrize(
    ("what", "at", "is_open"),
    [
        (WORK, "2026-07-01T09:00", True),  # a Wednesday
        (WORK, "2026-07-01T08:59:59", False),
        (WORK, "2026-07-01T17:29:59", True),
        (WORK, "2026-07-01T17:30", False),
        (WORK, "2026-07-04T10:00", False),
        (NIGHT, "2026-07-03T21:59", False),  # a Friday
        (NIGHT, "2026-07-03T22:00", True),
        (NIGHT, "2026-07-04T05:59", True),
        (NIGHT, "2026-07-04T06:00", False),
        (NIGHT, "2026-07-03T05:00", False),  # the night of Thursday
        (NIGHT, "2026-07-04T22:00", False),
        (calendar(days=["sat-mon"]), "2026-07-06T23:59", True),
        (calendar(days=["sat-mon"]), "2026-07-07T00:00", False),
        (calendar(hours="18:00-24:00"), "2026-07-07T23:59", True),
        (calendar(hours="18:00-24:00"), "2026-07-08T00:00", False),
        (calendar(dates=["2026-12-24"]), "2026-12-24T23:59", True),
        (calendar(dates=["2026-12-24"]), "2026-12-25T00:00", False),
        (calendar(dates=["2026-12-24"], days="sun"), "2026-12-27T12:00", True),
        (calendar(holidays="DE"), "2026-12-25T12:00", True),
        (calendar(holidays="DE"), "2026-03-08T12:00", False),
        (calendar(holidays="DE-BE"), "2026-03-08T12:00", True),
        (calendar(holidays="DE", hours="22:00-06:00"), "2027-01-02T05:00", True),  # the night of New Year's Day
    ],
)
def test_what_is_inside(what: Calendar, at: str, is_open: bool) -> None:
    assert what.open(us(at)) is is_open


def test_the_clock_s_changes_are_followed() -> None:
    hour = calendar(hours="02:00-03:00")
    # the 29th of March has no hour from 2 to 3, the 25th of October has two
    assert not any(hour.open(us(f"2026-03-29T00:{minute:02}Z")) for minute in range(60))
    assert not any(hour.open(us(f"2026-03-29T01:{minute:02}Z")) for minute in range(60))
    assert hour.open(us("2026-10-25T00:30Z"))
    assert hour.open(us("2026-10-25T01:30Z"))
    assert not hour.open(us("2026-10-25T02:00Z"))
    nine = calendar(hours="09:00-10:00")
    assert nine.open(us("2026-03-28T08:00Z"))
    assert nine.open(us("2026-03-29T07:00Z"))


def test_holidays_begin_at_local_midnight() -> None:
    assert not is_holiday("DE", BERLIN, us("2026-12-24T22:59:59Z"))
    assert is_holiday("DE", BERLIN, us("2026-12-24T23:00Z"))
    assert calendar(holidays="DE").holiday(us("2026-12-24T23:00Z"))
    assert not calendar(days="mon").holiday(us("2026-12-25T12:00"))
    assert is_holiday("US", ZoneInfo("America/New_York"), us("2026-07-03T12:00", UTC_ZONE))  # the 4th is a Saturday


UTC_ZONE = ZoneInfo("UTC")


def test_one_calendar_several_or_none() -> None:
    one: Any = {"days": "sat"}
    assert calendars(None) == ()
    assert calendars([CalendarSpec.model_validate(one)] * 2) == calendars(CalendarSpec.model_validate(one)) * 2


@given(
    st.integers(0, 4_000_000_000),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(0, 1440),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_it_is_open_where_some_minute_of_the_days_hours_is(at_s: int, days: frozenset[int], begin: int, end: int, zone: str) -> None:
    if begin == end:
        return
    found = Calendar(days, frozenset[date](), None, (begin, end), ZoneInfo(zone))
    wall = datetime.fromtimestamp(at_s, UTC).astimezone(ZoneInfo(zone))
    length = end - begin if end > begin else end - begin + 1440
    minutes = [(weekday * 1440 + begin + minute) % 10_080 for weekday in days for minute in (0, length - 1)]
    at = wall.weekday() * 1440 + wall.hour * 60 + wall.minute
    inside = any((at - first) % 10_080 <= (last - first) % 10_080 for first, last in zip(minutes[::2], minutes[1::2], strict=True))
    assert found.open(at_s * 1_000_000) is inside
