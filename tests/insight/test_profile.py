"""A season's usual values."""

import pytest

from livekpi.insight.expectation import DAY_US, HOUR_US, MINUTE_US
from livekpi.insight.profile import Profile


def test_a_slot_is_known_once_it_was_seen() -> None:
    profile = Profile(DAY_US, 5 * MINUTE_US, HOUR_US, 0.2)
    assert profile.at(3 * HOUR_US) is None
    profile.learn(3 * HOUR_US, 7.0)
    assert profile.at(3 * HOUR_US) == profile.at(DAY_US + 3 * HOUR_US) == 7
    assert profile.at(4 * HOUR_US) is None, "a slot is no finer than a bucket, and no coarser"


def test_at_first_it_is_the_mean_and_later_the_newest_weigh_most() -> None:
    profile = Profile(DAY_US, HOUR_US, HOUR_US, 0.25)
    for day, value in enumerate((10.0, 20.0, 30.0)):
        profile.learn(day * DAY_US, value)
    assert profile.at(0) == pytest.approx(20)
    for day in range(3, 100):
        profile.learn(day * DAY_US, 20.0)
    profile.learn(100 * DAY_US, 100.0)
    assert profile.at(0) == pytest.approx(40)


def test_a_period_weighs_the_same_whatever_the_bucket() -> None:
    profile = Profile(DAY_US, 60 * MINUTE_US, MINUTE_US, 0.25)
    for day in range(100):
        for minute in range(60):
            profile.learn(day * DAY_US + minute * MINUTE_US, 100.0 if day == 99 else 20.0)
    assert profile.at(0) == pytest.approx(20 + 80 * (1 - (1 - 0.25 / 60) ** 60))


def test_times_before_the_epoch_have_their_slot() -> None:
    profile = Profile(DAY_US, HOUR_US, HOUR_US, 0.2)
    profile.learn(-HOUR_US, 5.0)
    assert profile.at(23 * HOUR_US) == 5


def test_another_size_is_refused() -> None:
    data = Profile(DAY_US, HOUR_US, HOUR_US, 0.2).to_bytes()
    with pytest.raises(ValueError, match="48 slots"):
        Profile(DAY_US, HOUR_US // 2, HOUR_US // 2, 0.2).load(data)
