"""What a bucket holds once the rest has come, against buckets of which all is known."""

import math

import numpy as np
import pytest

from livekpi.insight.completion import LEAST_VALUES, Predicted, dispersion, predicted


def test_a_complete_value_is_itself() -> None:
    assert predicted(12.5, 1.0, 3.0, one_way=False) == Predicted(12.5, 12.5, 12.5)


def test_of_what_nothing_is_there_nothing_is_known() -> None:
    assert predicted(0, 0.0, 1.0, one_way=True) == Predicted(0, 0, math.inf)
    assert predicted(0, 0.0, 1.0, one_way=False) == Predicted(0, -math.inf, math.inf)
    none = predicted(0, 0.99, 1.0, one_way=True)
    assert (none.value, none.low) == (0, 0)
    assert 0 < none.high < 1


def test_the_band_by_hand() -> None:
    found = predicted(30, 0.75, 4.0, one_way=False)
    deviation = math.sqrt(4 * (30 + 4) * 0.25) / 0.75
    assert (found.value, found.low, found.high) == pytest.approx((40, 40 - 2 * deviation, 40 + 2 * deviation))


@pytest.mark.parametrize("share", [0.15, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("rate", [3, 30, 3_000])
def test_counts_and_sums_lie_in_the_band_as_often_as_it_says(rate: int, share: float) -> None:
    """With how much they vary learned from buckets before them, as it is where they are asked for."""
    rng = np.random.default_rng(7)
    inside_count = inside_sum = 0
    rounds = 1_000
    for _ in range(rounds):
        *before, amounts = (rng.exponential(20, rng.poisson(rate)) for _ in range(61))
        here = rng.random(len(amounts)) < share
        unit = dispersion(np.array([float(len(each)) for each in before]))
        of_sums = dispersion(np.array([each.sum() for each in before]))
        assert unit is not None
        assert of_sums is not None
        count = predicted(float(here.sum()), share, max(1.0, unit), one_way=True)
        total = predicted(float(amounts[here].sum()), share, of_sums, one_way=True)
        inside_count += count.low <= len(amounts) <= count.high
        inside_sum += total.low - 1e-9 <= amounts.sum() <= total.high + 1e-9
    assert inside_count / rounds > 0.92
    assert inside_sum / rounds > 0.88


def test_what_is_missing_moves_a_count_one_way() -> None:
    assert predicted(2, 0.5, 1.0, one_way=True).low == 2
    refunds = predicted(-10, 0.5, 5.0, one_way=True)
    assert (refunds.high, refunds.value) == (-10, -20)
    assert predicted(2, 0.5, 1.0, one_way=False).low < 2


def test_how_much_a_series_varies() -> None:
    rng = np.random.default_rng(7)
    assert dispersion(rng.poisson(50, 20_000).astype(float)) == pytest.approx(1, rel=0.05)
    assert dispersion(np.asarray(7.0 * rng.poisson(50, 20_000), dtype=np.float64)) == pytest.approx(7, rel=0.05), "amounts of 7 each"
    bursts = np.array([rng.poisson(5) * 10.0 for _ in range(20_000)])
    assert dispersion(bursts) == pytest.approx(10, rel=0.05)


def test_a_season_is_no_variation() -> None:
    hours = 100 + 80 * np.sin(np.arange(600) * 2 * np.pi / 600)
    assert dispersion(np.asarray(hours, dtype=np.float64)) == pytest.approx(0, abs=0.01)


def test_of_few_values_or_none_it_says_nothing() -> None:
    assert dispersion(np.arange(LEAST_VALUES - 1.0)) is None
    assert dispersion(np.zeros(LEAST_VALUES)) is None
    assert dispersion(np.ones(LEAST_VALUES)) == 0
