"""How wide the usual is."""

import struct

import numpy as np
import pytest

from livekpi.insight.tail import BEYOND_USUAL, LEAST_WIDTH, QUIET, Tail


def learned(deviations: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Tail:
    tail = Tail(4_000)
    for deviation in deviations.tolist():
        tail.learn(max(deviation, 0.0))
    return tail


@pytest.mark.parametrize("seed", range(5))
def test_of_normal_noise_it_is_about_the_least(seed: int) -> None:
    assert LEAST_WIDTH <= learned(np.random.default_rng(seed).normal(0, 1, 10_000)).width < 5


@pytest.mark.parametrize("seed", range(5))
def test_of_heavy_tails_little_is_beyond_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    width = learned(rng.standard_t(3, 20_000)).width
    assert width > 6
    assert (rng.standard_t(3, 100_000) > width).mean() < 0.001


def test_of_few_it_is_cautious() -> None:
    tail = Tail(4_000)
    widths = []
    for _ in range(300):
        widths.append(tail.width)
        tail.learn(0.5)
    assert widths[1] > 1.5 * widths[-1]
    assert widths[1:] == sorted(widths[1:], reverse=True)


def spike(tail: Tail, height: float, length: int = 1) -> None:
    for _ in range(length):
        tail.learn(height)
    for _ in range(10 * QUIET):
        tail.learn(0.5)


def test_a_spike_teaches_little_and_the_third_of_its_size_is_usual() -> None:
    tail = learned(np.random.default_rng(1).normal(0, 1, 2_000))
    before = tail.width
    spike(tail, 50.0)
    spike(tail, 40.0)
    assert tail.width < 1.3 * before
    spike(tail, 45.0)
    assert tail.width == pytest.approx(40 * BEYOND_USUAL, rel=0.02)


def test_a_long_spike_is_one() -> None:
    tail = learned(np.random.default_rng(1).normal(0, 1, 2_000))
    spike(tail, 50.0, length=60)
    assert tail.width < 10


def test_spikes_close_together_are_one() -> None:
    tail = learned(np.random.default_rng(1).normal(0, 1, 2_000))
    for _ in range(8):
        tail.learn(50.0)
        for _ in range(QUIET - 1):
            tail.learn(0.5)
    spike(tail, 50.0)
    assert tail.width < 10


def test_peaks_are_forgotten() -> None:
    tail = learned(np.random.default_rng(1).normal(0, 1, 2_000))
    for _ in range(3):
        spike(tail, 50.0)
    for deviation in np.random.default_rng(2).normal(0, 1, 5_000).tolist():
        tail.learn(max(deviation, 0.0))
    assert tail.width < 6


def test_it_is_kept_and_taken_up_again() -> None:
    tail, again = learned(np.random.default_rng(1).standard_t(3, 3_000)), Tail(4_000)
    again.load(tail.to_bytes())
    for each in (tail, again):
        spike(each, 20.0)
    assert (again.width, again.to_bytes()) == (tail.width, tail.to_bytes())
    with pytest.raises(struct.error):
        Tail(4_000).load(tail.to_bytes() + b"x")
