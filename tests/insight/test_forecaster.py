"""One opinion on what comes next."""

import pytest

from livekpi.insight.expectation import DAY_US, HOUR_US
from livekpi.insight.forecaster import Forecaster
from livekpi.insight.profile import Profile


def learn(forecaster: Forecaster, at_us: int, value: float, cleaned: float, least_scale: float, *, anomalous: bool) -> None:
    forecaster.learn(at_us, forecaster.forecast(at_us), value, cleaned, least_scale, anomalous=anomalous)


def level(values: list[float], gain: float = 0.1) -> Forecaster:
    forecaster = Forecaster(HOUR_US, gain, 0.01)
    for hour, value in enumerate(values):
        learn(forecaster, hour * HOUR_US, value, value, 0.0, anomalous=False)
    return forecaster


def test_before_the_first_value_there_is_no_opinion() -> None:
    assert level([]).forecast(0) is None
    assert level([5.0]).forecast(HOUR_US) == 5


def test_at_first_the_level_is_the_mean() -> None:
    assert level([5.0, 7.0, 12.0]).forecast(0) == pytest.approx(8)


def test_a_value_far_off_moves_the_level_as_one_that_is_three_deviations_off() -> None:
    quiet = [10.0, 11.0] * 20
    mild, wild = level([*quiet, 13.0]), level([*quiet, 1e9])
    assert mild.forecast(0) == pytest.approx(wild.forecast(0), abs=0.02)


def test_an_anomaly_moves_it_not_at_all_and_a_new_start_all_the_way() -> None:
    forecaster = level([10.0, 11.0] * 20)
    before = forecaster.forecast(0)
    learn(forecaster, 40 * HOUR_US, 90.0, 10.5, 0.0, anomalous=True)
    assert forecaster.forecast(0) == before
    forecaster.start_over()
    learn(forecaster, 41 * HOUR_US, 90.0, 10.5, 0.0, anomalous=True)
    assert forecaster.forecast(0) == 90


def test_after_a_gap_it_is_less_sure() -> None:
    forecaster = level([10.0, 11.0] * 20, gain=0.5)
    last_us = 39 * HOUR_US
    assert forecaster.scale(last_us + 5 * HOUR_US) == pytest.approx(forecaster.scale(last_us + HOUR_US) * 2**0.5)
    assert forecaster.scale(last_us - HOUR_US) == forecaster.scale(last_us + HOUR_US), "a clock that was set back is no gap"


def test_over_a_season_the_level_and_the_slot_add_up() -> None:
    forecaster = Forecaster(HOUR_US, 0.05, 0.01, Profile(DAY_US, HOUR_US, HOUR_US, 0.2))
    for hour in range(24 * 5):
        value = 50.0 if hour % 24 >= 12 else 10.0
        learn(forecaster, hour * HOUR_US, value, value, 0.0, anomalous=False)
    assert forecaster.forecast(5 * DAY_US) == pytest.approx(10)
    assert forecaster.forecast(5 * DAY_US + 12 * HOUR_US) == pytest.approx(50)
    forecaster.start_over()
    learn(forecaster, 5 * DAY_US, 30.0, 30.0, 0.0, anomalous=False)
    later = forecaster.forecast(5 * DAY_US + 12 * HOUR_US)
    assert later == pytest.approx(70), "the level has moved, and the season stands on it"


def test_a_slot_that_is_wrong_is_mended_where_others_are_right() -> None:
    forecaster = Forecaster(HOUR_US, 0.05, 0.01, Profile(DAY_US, HOUR_US, HOUR_US, 0.2))
    for hour in range(24 * 9):
        value = (50.0 if hour == 3 else 10.0) + hour % 2
        learn(forecaster, hour * HOUR_US, value, value, 0.0, anomalous=False)
    found = forecaster.forecast(9 * DAY_US + 3 * HOUR_US)
    assert found == pytest.approx(11 + 40 * 1 / 5 * 0.8**4, abs=1), "a mean at first, with a fifth for each later day"
