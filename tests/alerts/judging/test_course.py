"""A course of verdicts, and the number that goes with each state: that for which the condition held."""

from collections.abc import Iterator

from livekpi.alerts.judging.course import course
from livekpi.alerts.judging.firings import Firing, firings
from livekpi.alerts.judging.machine import STALE_US, Run, Timing, inactive
from tests.rehearsed import MINUTE_US, NOON_US

KEEP_US = 2 * MINUTE_US


def runs(*said: tuple[bool | None, float | None], clears: bool = True) -> Iterator[Run]:
    """A bucket each; a condition that does not hold is one to stop at, too, unless `clears` is False."""
    for number, (when, value) in enumerate(said):
        begin_us = NOON_US + number * MINUTE_US
        yield Run(begin_us, begin_us + MINUTE_US, when, None if when is None else not when and clears, value)


def firing(*said: tuple[bool | None, float | None], keep_us: int = 0, clears: bool = True, value: float | None = None) -> list[Firing]:
    begin, timing = inactive(NOON_US), Timing.of(MINUTE_US, 0, keep_us)
    heard = list(course(begin, list(runs(*said, clears=clears)), timing, NOON_US + len(said) * MINUTE_US))
    return list(firings(begin, heard, value))


def test_the_number_is_the_last_for_which_the_condition_held() -> None:
    assert firing((True, 5), (True, 7)) == [Firing(NOON_US + MINUTE_US, None, 7)]
    assert firing((True, 5), (True, 7), (False, 0)) == [Firing(NOON_US + MINUTE_US, NOON_US + 3 * MINUTE_US, 7)]


def test_it_stays_while_the_alert_is_kept_and_goes_on_with_the_next() -> None:
    assert firing((True, 5), (False, 0), keep_us=KEEP_US) == [Firing(NOON_US + MINUTE_US, None, 5)]
    assert firing((True, 5), (False, 0), (True, 6), (False, 1), keep_us=KEEP_US) == [Firing(NOON_US + MINUTE_US, None, 6)]
    assert firing((True, 5), *[(False, 0.0)] * 4, keep_us=KEEP_US) == [Firing(NOON_US + MINUTE_US, NOON_US + 4 * MINUTE_US, 5)]


def test_it_stays_between_the_thresholds_and_where_nothing_is_known() -> None:
    assert firing((True, 5), (False, 4), clears=False) == [Firing(NOON_US + MINUTE_US, None, 5)]
    assert firing((True, 5), (None, 9)) == [Firing(NOON_US + MINUTE_US, None, 5)]


def test_it_stays_when_nothing_more_is_heard() -> None:
    begin, timing = inactive(NOON_US), Timing.of(MINUTE_US, 0, 0)
    heard = list(course(begin, list(runs((True, 5))), timing, NOON_US + MINUTE_US + STALE_US))
    assert list(firings(begin, heard, None)) == [Firing(NOON_US + MINUTE_US, NOON_US + MINUTE_US + STALE_US, 5)]
