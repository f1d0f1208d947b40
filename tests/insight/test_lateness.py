"""How late a source's events are, learned from what arrives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.insight.lateness import BOUNDS_US, Lateness, running_behind

MINUTE_US = 60_000_000
CAUTIOUS_US = 600_000_000


def learned(behind_us: object, times: int = 1, memory_events: int = 300_000) -> Lateness:
    lateness = Lateness(CAUTIOUS_US, memory_events)
    for _ in range(times):
        lateness.observe(np.asarray(behind_us, dtype=np.int64))
    return lateness


def exponential(mean_us: float, events: int = 50_000) -> Lateness:
    return learned(np.random.default_rng(1).exponential(mean_us, events))


def test_how_far_each_event_is_behind_the_newest_before_it() -> None:
    times = np.array([10, 12, 9, 12, 15, 11], dtype=np.int64)
    assert running_behind(times, None).tolist() == [0, 0, 3, 0, 0, 4]
    assert running_behind(times, 13).tolist() == [3, 1, 4, 1, 0, 4]
    assert running_behind(times[:0], 13).tolist() == []


@given(st.lists(st.integers(0, 10**15), min_size=1), st.integers(0, 10), st.none() | st.integers(0, 10**15))
def test_cut_into_batches_they_are_as_far_behind(times: list[int], cut: int, before: int | None) -> None:
    whole = np.array(times, dtype=np.int64)
    first, rest = whole[:cut], whole[cut:]
    newest = max([*first.tolist(), *([] if before is None else [before])], default=None)
    parts = [*running_behind(first, before).tolist(), *running_behind(rest, newest).tolist()]
    assert parts == running_behind(whole, before).tolist()


def test_before_anything_is_known_a_bucket_waits_cautiously() -> None:
    assert Lateness(CAUTIOUS_US).wait_us(MINUTE_US) == CAUTIOUS_US
    assert Lateness(CAUTIOUS_US).share(CAUTIOUS_US - 1) == 0
    assert Lateness(CAUTIOUS_US).share(CAUTIOUS_US) == 1


def test_a_source_in_order_waits_for_nothing_once_it_has_shown_that_it_is() -> None:
    assert learned([0] * 98).wait_us(MINUTE_US) > 0
    assert learned([0] * 100).wait_us(MINUTE_US) == 0
    assert learned([0] * 100).wait_us(MINUTE_US, 0.999) > 0, "a greater share needs more events"
    assert learned([0] * 1_000).wait_us(MINUTE_US, 0.999) == 0


def test_what_has_come_by_an_age_is_the_share_that_was_no_later() -> None:
    lateness = exponential(5e6)
    for age_us in (100_000, 2_000_000, 5_000_000, 20_000_000):
        assert lateness.share(age_us) == pytest.approx(1 - math.exp(-age_us / 5e6), abs=0.01)
    assert lateness.share(-1) == 0


def test_a_bucket_is_as_complete_as_its_events_are_on_average() -> None:
    """Against the integral, for events as late as an exponential distribution with a mean of 5 s."""
    lateness = exponential(5e6)
    for past_us in (0, 5_000_000, 30_000_000):
        expected = 1 - 5e6 / MINUTE_US * (math.exp(-past_us / 5e6) - math.exp(-(past_us + MINUTE_US) / 5e6))
        assert lateness.complete(MINUTE_US, past_us) == pytest.approx(expected, abs=0.003)
    half = 1 - (5e6 / 30e6) * (1 - math.exp(-6))
    assert lateness.complete(MINUTE_US, -MINUTE_US // 2) == pytest.approx(half / 2, abs=0.003), "half of it is open"
    assert lateness.complete(MINUTE_US, -MINUTE_US) == 0


def test_a_bucket_is_as_complete_as_the_mean_share_at_its_events_ages() -> None:
    lateness = learned([0, 3_000_000, 3_000_000, 50_000_000] * 100)
    for past_us in (-500_000, 0, 1_800_000, 2_500_000, 40_000_000):
        ages = [past_us + round((step + 0.5) * 1_000) for step in range(1_000)]
        mean = sum(map(lateness.share, ages)) / len(ages)
        assert lateness.complete(1_000_000, past_us) == pytest.approx(mean, abs=1e-5)


@given(
    st.lists(st.integers(-5, 10**12), min_size=1, max_size=300),
    st.sampled_from([1_000_000, MINUTE_US, 86_400_000_000]),
    st.sampled_from([0.5, 0.9, 0.99]),
)
def test_the_wait_is_the_least_that_gives_the_share(behind_us: list[int], every_us: int, share: float) -> None:
    lateness = learned(behind_us)
    wait_us = lateness.wait_us(every_us, share)
    if wait_us not in (0, CAUTIOUS_US):
        assert lateness.complete(every_us, wait_us) >= share > lateness.complete(every_us, wait_us - 1)
    ages = sorted({0, 1, 1_000, *behind_us, 2 * 10**12})
    shares = [lateness.share(age) for age in ages]
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1


@given(st.lists(st.integers(-(2**40), 2**42), min_size=1, max_size=300))
def test_each_event_is_in_the_class_of_its_bounds(behind_us: list[int]) -> None:
    counts = learned(behind_us, memory_events=10**15)._counts
    expected = [0] * (len(BOUNDS_US) + 1)
    for behind in behind_us:
        expected[0 if behind <= 0 else max(1, sum(bound <= behind for bound in BOUNDS_US))] += 1
    assert counts == pytest.approx(expected)


def test_what_is_long_ago_is_forgotten() -> None:
    lateness = learned([3_600_000_000] * 10_000, memory_events=10_000)
    assert lateness.wait_us(MINUTE_US) > 3_000_000_000
    for _ in range(10):
        lateness.observe(np.zeros(10_000, dtype=np.int64))
    assert lateness.wait_us(MINUTE_US) == 0
    assert lateness.events < 16_000


def test_a_source_that_is_later_than_a_week_waits_cautiously() -> None:
    assert learned([30 * 86_400_000_000] * 1_000).wait_us(MINUTE_US) == CAUTIOUS_US


def test_it_is_kept_and_taken_up_again() -> None:
    lateness = exponential(5e6, 1_000)
    again = Lateness.from_bytes(lateness.to_bytes())
    for each in (lateness, again):
        each.observe(np.array([0, 7_000_000], dtype=np.int64))
    assert again.to_bytes() == lateness.to_bytes()
    assert again.wait_us(MINUTE_US) == lateness.wait_us(MINUTE_US)


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[:-1], lambda data: b"\x63" + data[1:]])
def test_what_was_kept_by_another_version_is_refused(spoil: object) -> None:
    assert callable(spoil)
    with pytest.raises(ValueError, match="version 1"):
        Lateness.from_bytes(spoil(Lateness(CAUTIOUS_US).to_bytes()))
