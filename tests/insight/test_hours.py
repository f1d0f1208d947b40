"""Which hours are restless."""

import pytest

from livekpi.insight.expectation import DAY_US, HOUR_US
from livekpi.insight.hours import Hours


def test_nothing_is_known_at_first() -> None:
    assert Hours(HOUR_US).ratio(5 * HOUR_US) == 1


def test_an_hour_is_as_restless_as_it_was_and_by_little_evidence_like_all_others() -> None:
    hours = Hours(HOUR_US)
    for day in range(200):
        for hour in range(24):
            hours.learn(day * DAY_US + hour * HOUR_US, 9.0 if hour < 12 else 3.0)
        if day == 0:
            assert 1 < hours.ratio(HOUR_US) < 1.1
    assert hours.ratio(HOUR_US) == pytest.approx(1.5, abs=0.05)
    assert hours.ratio(13 * HOUR_US) == pytest.approx(0.5, abs=0.05)


def test_without_errors_all_hours_are_alike() -> None:
    hours = Hours(HOUR_US)
    hours.learn(0, 0.0)
    assert hours.ratio(0) == 1


def test_it_is_kept_and_taken_up_again() -> None:
    hours, again = Hours(HOUR_US), Hours(HOUR_US)
    for hour in range(40):
        hours.learn(hour * HOUR_US, float(hour))
    again.load(hours.to_bytes())
    assert [again.ratio(hour * HOUR_US) for hour in range(24)] == pytest.approx([hours.ratio(hour * HOUR_US) for hour in range(24)])
