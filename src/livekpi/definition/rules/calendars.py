"""Calendars: when a rule is judged, in local days and hours."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from livekpi.definition.holiday_dates import holiday_dates
from livekpi.definition.shape.alerting import CalendarSpec
from livekpi.moments import datetime_of

_DAY = timedelta(days=1)
_DAY_MINUTES = 24 * 60
_WEEK = 7


@dataclass(frozen=True, slots=True)
class Calendar:
    """Some days (of the week, by date, holidays; all where none are named), and of these some hours.

    Hours are read off the wall: where the clock goes back, a repeated hour counts twice, and one that is skipped not at all.
    """

    weekdays: frozenset[int]
    """0 is Monday."""
    dates: frozenset[date]
    country: str | None
    """Whose holidays are among the days; None: no holidays."""
    minutes: tuple[int, int]
    """From and to, in minutes since midnight; a `to` that is not after the `from` is on the next day."""
    zone: ZoneInfo

    def open(self, at_us: int) -> bool:
        """Whether a time (µs since the epoch) is in it; hours past midnight belong to the day on which they began."""
        local = datetime_of(at_us, self.zone)
        day, minute, (begin, end) = local.date(), local.hour * 60 + local.minute, self.minutes
        if begin < end:
            return begin <= minute < end and self._has(day)
        return (minute >= begin and self._has(day)) or (minute < end and self._has(day - _DAY))

    def holiday(self, at_us: int) -> bool:
        """Whether a time (µs since the epoch) is on a holiday of its country."""
        return is_holiday(self.country, self.zone, at_us)

    def _has(self, day: date) -> bool:
        if not (self.weekdays or self.dates or self.country):
            return True
        return day.weekday() in self.weekdays or day in self.dates or _on_holiday(self.country, day)


def calendars(given: CalendarSpec | Sequence[CalendarSpec] | None) -> tuple[Calendar, ...]:
    """Those of a rule's `only` or `except`."""
    specs = [given] if isinstance(given, CalendarSpec) else given or []
    return tuple(
        Calendar(spec.days or frozenset(), frozenset(spec.dates), spec.holidays, spec.hours or (0, _DAY_MINUTES), ZoneInfo(spec.timezone))
        for spec in specs
    )


_ALWAYS = Calendar(frozenset(), frozenset(), None, (0, _DAY_MINUTES), ZoneInfo("UTC"))


def never_open(only: Sequence[Calendar], except_: Sequence[Calendar]) -> bool:
    """Whether what is left out is all there is, as far as that can be seen without going through the days."""
    return all(any(_covers(outer, inner) for outer in except_) for inner in only or [_ALWAYS])


def _covers(outer: Calendar, inner: Calendar) -> bool:
    """Whether a calendar is sure to be open where another is."""
    whole_days = outer.minutes == (0, _DAY_MINUTES)
    if whole_days and _every_day(outer):
        return True
    within_days = inner.minutes[0] < inner.minutes[1]
    if outer.zone != inner.zone or not (outer.minutes == inner.minutes or (whole_days and within_days)):
        return False
    if _every_day(outer) or _every_day(inner):
        return _every_day(outer)
    dates = all(day in outer.dates or day.weekday() in outer.weekdays for day in inner.dates)
    return dates and inner.weekdays <= outer.weekdays and inner.country in (None, outer.country)


def _every_day(calendar: Calendar) -> bool:
    return len(calendar.weekdays) == _WEEK or not (calendar.weekdays or calendar.dates or calendar.country)


def is_holiday(country: str | None, zone: ZoneInfo, at_us: int) -> bool:
    """Whether a time (µs since the epoch) is on a public holiday, by the date in `zone`; never where there is no country."""
    return country is not None and _on_holiday(country, datetime_of(at_us, zone).date())


def _on_holiday(country: str | None, day: date) -> bool:
    return country is not None and day in holiday_dates(country, day.year)
