"""Counts on an even scale, and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.insight.counts import count_at, mean_of, to_even


@given(st.floats(0, 1e12))
def test_a_count_comes_back(count: float) -> None:
    assert count_at(to_even(count)) == pytest.approx(count, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("rate", [1, 3, 10, 300])
def test_noise_is_the_same_at_every_height(rate: int) -> None:
    even = [to_even(count) for count in np.random.default_rng(1).poisson(rate, 20_000).tolist()]
    assert 0.8 < np.std(even) < 1.1


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.5, 1, 3, 10, 300])
def test_the_mean_comes_back_without_bias(rate: float) -> None:
    even = [to_even(count) for count in np.random.default_rng(1).poisson(rate, 50_000).tolist()]
    assert mean_of(float(np.mean(even))) == pytest.approx(rate, rel=0.04, abs=0.03)


def test_there_are_no_counts_below_zero() -> None:
    assert to_even(-5) == to_even(0)
    assert mean_of(-3) == 0
    assert count_at(-3) == count_at(1) == 0
