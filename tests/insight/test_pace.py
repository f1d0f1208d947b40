"""Where a period will end, from how earlier ones went."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from livekpi.insight.pace import BAND, Projection, project

SHOP_DAY = np.concatenate([[0.0], np.cumsum([0, 0, 1, 2, 4, 6, 8, 9, 8, 6, 4, 2])]) / 50
"""Of a day that begins quietly: a hundredth by a quarter of it, half only after seven twelfths."""


def days(totals: list[float]) -> list[NDArray[np.float64]]:
    return [total * SHOP_DAY for total in totals]


def test_without_history_the_pace_is_even() -> None:
    assert project(25, 0.25, []) == Projection(100, 25, 175)
    assert project(-25, 0.25, []) == Projection(-100, -175, -25)
    assert project(0, 0, []) is None, "at the start nothing is known"


def test_at_the_end_it_is_what_it_is() -> None:
    assert project(42, 1, days([100, 90])) == Projection(42, 42, 42)


def test_at_the_start_it_is_what_is_usual() -> None:
    found = project(0, 0, days([90, 100, 110]))
    assert found is not None
    assert found.expected == pytest.approx(100)
    assert found.low < 90
    assert found.high > 110


def test_the_band_is_as_wide_as_earlier_periods_would_have_been_missed() -> None:
    found = project(0, 0, days([90, 100, 110]))
    assert found is not None
    # each is missed from the others' median by 15, 0 and 15: 450 · (1 + 1/3) / (3 - 1) = 300
    assert (found.low, found.high) == pytest.approx((100 - BAND * math.sqrt(300), 100 + BAND * math.sqrt(300)))


def test_the_band_grows_with_the_period_up_to_ten_times_and_does_not_shrink() -> None:
    straight = [np.array([0.0, total / 2, total]) for total in (90, 100, 110)]
    found = [project(so_far, 0.5, straight) for so_far in (10, 50, 150, 2_000)]
    widths = [each.high - each.expected for each in found if each is not None]
    # the ends that are expected are 40, 100, 250 and 3,025, where 100 is usual
    assert [width / widths[1] for width in widths] == pytest.approx([1, 1, 2.5, 10])


def test_what_falls_again_ends_as_far_from_now_as_is_usual() -> None:
    found = project(12, 0.5, [np.array([0.0, 10.0, 5.0])] * 2)
    assert found is not None
    assert found.expected == pytest.approx(12 - 5)


def test_a_day_that_goes_as_always_ends_as_always() -> None:
    for hour, share in enumerate(SHOP_DAY[:-1]):
        found = project(share * 100, hour / 12, days([100, 100, 100]))
        assert found is not None
        assert found.expected == pytest.approx(100), "an even pace would say 200 at noon, and 0 in the morning"


def test_a_day_that_begins_twice_as_well_is_believed_as_the_day_goes_on() -> None:
    expected = [found.expected for hour in range(12) if (found := project(SHOP_DAY[hour] * 200, hour / 12, days([100, 95, 105])))]
    assert expected == sorted(expected)
    assert expected[2] == pytest.approx(100, rel=0.01)
    # by hour 7 of 12, 42 % are done, 84: 84 + 58 % of (84 + 58 % of 100)
    assert expected[7] == pytest.approx(166.36)
    assert expected[11] == pytest.approx(200, rel=0.01)


def test_between_the_points_of_the_grid_a_curve_is_straight() -> None:
    found = project(15, 0.75, [np.array([0.0, 10.0, 20.0])] * 2)
    assert found is not None
    assert found.expected == pytest.approx(20)


def test_one_odd_day_moves_neither_the_usual_nor_much_the_band() -> None:
    found = project(0, 0, days([100, 100, 100, 100, 1_000]))
    assert found is not None
    assert found.expected == 100


def test_of_one_earlier_period_there_is_a_shape_and_no_spread() -> None:
    found = project(10, 0.5, [np.array([0.0, 10.0, 50.0])])
    assert found is not None
    assert (found.low, found.expected, found.high) == pytest.approx((10, 50, 90))


def test_the_end_lies_in_the_band_about_as_often_as_it_should() -> None:
    rng = np.random.default_rng(3)
    inside = 0
    rounds = 600
    for _ in range(rounds):
        all_days = [np.concatenate([[0.0], np.cumsum(rng.poisson(np.diff(SHOP_DAY) * rng.normal(500, 50)))]) for _ in range(9)]
        hour = int(rng.integers(0, 12))
        found = project(float(all_days[0][hour]), hour / 12, all_days[1:])
        assert found is not None
        inside += found.low <= all_days[0][-1] <= found.high
    assert 0.90 < inside / rounds < 0.99


@pytest.mark.parametrize(("so_far", "share"), [(math.nan, 0.5), (math.inf, 0.5), (1, -0.1), (1, 1.1), (1, math.nan)])
def test_nonsense_is_answered_by_nothing(so_far: float, share: float) -> None:
    assert project(so_far, share, days([100, 100])) is None


def test_earlier_periods_that_are_empty_or_broken_do_not_count() -> None:
    assert project(25, 0.25, [np.array([]), np.array([0.0, math.nan])]) == project(25, 0.25, [])
    assert project(0, 0.5, [np.zeros(13)] * 3) == Projection(0, 0, 0)


@given(
    st.lists(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=10), max_size=5),
    st.floats(-1e6, 1e6),
    st.floats(0, 1),
)
def test_the_band_holds_what_is_expected(curves: list[list[float]], so_far: float, share: float) -> None:
    found = project(so_far, share, [np.array(curve) for curve in curves])
    if found is not None:
        assert found.low <= found.expected <= found.high


@given(st.lists(st.lists(st.floats(0, 1e6), min_size=2, max_size=10), max_size=5), st.floats(0, 1e6), st.floats(0.01, 1))
def test_what_only_grows_ends_with_no_less_than_there_is(growths: list[list[float]], so_far: float, share: float) -> None:
    found = project(so_far, share, [np.concatenate([[0.0], np.cumsum(growth)]) for growth in growths])
    assert found is not None
    assert so_far <= found.low * (1 + 1e-12) + 1e-12
    assert so_far <= found.expected * (1 + 1e-12) + 1e-12
