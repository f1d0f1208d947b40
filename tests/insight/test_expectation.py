"""What a series is expected to be: made series of known nature, and what must and must not be held to be anomalous in them."""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from livekpi.insight.expectation import ACCEPTED_US, DAY_US, GREATEST_SCORE, HOUR_US, MINUTE_US, Band, Expectation, Learner

EVERY_US = 5 * MINUTE_US
DAY = DAY_US // EVERY_US
"""Buckets."""

Numbers = NDArray[np.float64] | NDArray[np.int64]
Judged = list[Expectation | None]


def play(
    values: Iterable[float | None], *, counts: bool = False, every_us: int = EVERY_US, holidays: Sequence[int] = (), begin_us: int = 0
) -> tuple[Learner, Judged]:
    """A learner that has seen a series, and how it judged each bucket; `holidays` are days by their number."""
    learner = Learner(every_us, counts)
    found: Judged = []
    for number, value in enumerate(values):
        time_us = begin_us + number * every_us
        found.append(learner.observe(time_us, None if value is None else float(value), time_us // DAY_US in holidays))
    return learner, found


def anomalous(judged: Judged) -> list[int]:
    return [number for number, each in enumerate(judged) if each is not None and each.score > 1]


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def season(days: int, every_us: int = EVERY_US) -> NDArray[np.float64]:
    """100 on average, from 20 at 18:00 to 180 at 6:00."""
    times = np.arange(days * DAY_US // every_us) * every_us
    return np.asarray(100 * (1 + 0.8 * np.sin(2 * np.pi * times / DAY_US)))


def weekends(values: NDArray[np.float64], every_us: int = EVERY_US) -> NDArray[np.float64]:
    """Days 5 and 6 of each week at 40 %."""
    day = np.arange(len(values)) * every_us // DAY_US % 7
    return np.where(day >= 5, 0.4, 1) * values


NOISE: dict[str, tuple[Callable[[np.random.Generator, int], Numbers], bool]] = {
    "normal": (lambda r, n: r.normal(100, 5, n), False),
    "uniform": (lambda r, n: r.uniform(0, 1, n), False),
    "exponential": (lambda r, n: r.exponential(1, n), False),
    "ratio": (lambda r, n: r.binomial(200, 0.01, n) / 200, False),
    "rare": (lambda r, n: r.poisson(0.02, n), True),
    "few": (lambda r, n: r.poisson(0.5, n), True),
    "some": (lambda r, n: r.poisson(3, n), True),
    "many": (lambda r, n: r.poisson(100, n), True),
    "bursty": (lambda r, n: r.negative_binomial(2, 0.1, n), True),
    "mostly nothing": (lambda r, n: r.poisson(20, n) * (r.random(n) < 0.1), True),
    "a season": (lambda r, n: r.poisson(season(n // DAY)), True),
}


@pytest.mark.parametrize("name", NOISE)
def test_of_noise_that_stays_as_it_is_about_one_in_a_thousand_alarms(name: str) -> None:
    make, counts = NOISE[name]
    buckets = 14 * DAY
    alarms = [len(anomalous(play(make(rng(seed), buckets).tolist(), counts=counts)[1])) for seed in range(3)]
    assert sum(alarms) <= 3 * (buckets - DAY) / 1_000


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.sampled_from([MINUTE_US, HOUR_US, DAY_US]))
def test_normal_noise_of_any_size_and_bucket_hardly_alarms(seed: int, mean: float, deviation: float, every_us: int) -> None:
    _, judged = play((mean + rng(seed).normal(0, deviation, 3_000)).tolist(), every_us=every_us)
    assert len(anomalous(judged)) <= 6


def test_a_flat_series_is_expected_to_stay_flat() -> None:
    learner, judged = play([45.0] * 3 * DAY)
    assert anomalous(judged) == []
    assert judged[-1] is not None
    assert judged[-1].expected == pytest.approx(45)
    found = learner.observe(3 * DAY_US, 46.0)
    assert found is not None
    assert found.score > 1


def test_nothing_is_said_in_the_first_day() -> None:
    learner, judged = play(rng().normal(100, 5, DAY).tolist())
    assert judged == [None] * DAY
    assert learner.expect(DAY_US) is not None
    assert Learner(EVERY_US, counts=True).expect(0) is None


def test_what_is_expected_is_what_is_judged_by() -> None:
    learner, _ = play(rng().poisson(season(3)).tolist(), counts=True)
    band, judged = learner.expect(3 * DAY_US), learner.observe(3 * DAY_US, 140)
    assert band is not None
    assert judged == band.judge(140)
    assert (judged.expected, judged.low, judged.high) == (band.expected, band.low, band.high)


def test_a_score_is_how_far_off_in_half_widths_on_that_side() -> None:
    band = Band(10, 6, 20)
    assert [band.judge(value).score for value in (10, 15, 20, 25, 6, 4)] == [0, 0.5, 1, 1.5, 1, 1.5]
    assert Band(10, 10, 10).judge(11).score == GREATEST_SCORE
    assert Band(0, 0, 3).judge(0).score == 0


def test_by_the_day_it_is_known_when_to_expect_much() -> None:
    learner, _ = play(rng().poisson(season(7)).tolist(), counts=True)
    noon, night = learner.expect(7 * DAY_US + 6 * HOUR_US), learner.expect(7 * DAY_US + 18 * HOUR_US)
    assert noon is not None
    assert night is not None
    assert 90 < noon.low < 180 < noon.high < 290
    assert night.low < 20 < night.high < 70


def test_what_is_usual_at_noon_is_anomalous_at_night() -> None:
    values = rng().poisson(season(10)).astype(float)
    night = 9 * DAY + 18 * 12
    values[night] = 150
    _, judged = play(values.tolist(), counts=True)
    assert anomalous(judged)[-1] == night


def test_what_is_usual_in_restless_hours_is_anomalous_in_quiet_ones() -> None:
    times = np.arange(14 * DAY)
    learner, judged = play((100 + rng().normal(0, 1, 14 * DAY) * np.where(times % DAY < DAY // 2, 1, 10)).tolist())
    assert len(anomalous(judged)) <= 8
    quiet, restless = learner.expect(14 * DAY_US + 6 * HOUR_US), learner.expect(14 * DAY_US + 18 * HOUR_US)
    assert quiet is not None
    assert restless is not None
    assert quiet.judge(120).score > 1 > restless.judge(125).score


def test_after_a_few_weeks_weekends_are_known() -> None:
    for every_us, known in ((EVERY_US, 14), (HOUR_US, 21)):
        values = rng().poisson(weekends(season(42, every_us) * every_us / EVERY_US, every_us))
        _, judged = play(values.tolist(), counts=True, every_us=every_us)
        assert len([number for number in anomalous(judged) if number * every_us >= known * DAY_US]) <= 3
    daily = weekends(np.full(70, 10_000.0), DAY_US)
    _, judged = play(rng().poisson(daily).tolist(), counts=True, every_us=DAY_US)
    assert [number for number in anomalous(judged) if number >= 28] == []
    last = judged[-1]
    assert last is not None
    assert last.high < 5_000, "a Sunday"


@pytest.mark.parametrize("size", [10, 30, 100])
def test_a_step_is_anomalous_for_hours_and_then_the_level(size: float) -> None:
    values = rng().normal(100, 1, 6 * DAY)
    values[4 * DAY :] += size
    _, judged = play(values.tolist())
    found = [number - 4 * DAY for number in anomalous(judged)]
    assert found[0] == 0
    assert ACCEPTED_US // EVERY_US * 0.8 < len(found) <= ACCEPTED_US // EVERY_US + 2
    assert judged[-1] is not None
    assert judged[-1].expected == pytest.approx(100 + size, abs=2)
    assert judged[-1].high - judged[-1].low < 20


def test_half_of_a_season_is_anomalous_for_hours() -> None:
    values = season(16)
    values[14 * DAY :] /= 2
    _, judged = play(rng().poisson(values).tolist(), counts=True)
    found = [number - 14 * DAY for number in anomalous(judged)]
    assert min(found) in range(3)
    assert len([number for number in found if number < 72]) > 36
    assert judged[-1] is not None
    assert judged[-1].expected == pytest.approx(50, rel=0.2)


def test_an_outage_is_anomalous_until_it_ends_and_leaves_no_trace() -> None:
    values = rng().poisson(season(13))
    begin, end = 10 * DAY + 60, 10 * DAY + 84
    values[begin:end] = 0
    _, judged = play(values.tolist(), counts=True)
    assert [number for number in anomalous(judged) if number >= 3 * DAY] == list(range(begin, end))
    assert all(each is not None and each.low > 60 for each in judged[begin + DAY : end + DAY]), "the next day it would be one again"


@given(st.sampled_from([1e3, 1e6, -1e9]))
@settings(max_examples=3, deadline=None)
def test_a_spike_teaches_nothing_much(height: float) -> None:
    values = rng().normal(100, 1, 7 * DAY)
    learner, _ = play(values.tolist())
    values[5 * DAY] = height
    spoiled, judged = play(values.tolist())
    assert anomalous(judged) == [5 * DAY]
    one, other = learner.expect(7 * DAY_US), spoiled.expect(7 * DAY_US)
    assert one is not None
    assert other is not None
    for name in ("expected", "low", "high"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1.5)


def test_what_spikes_regularly_is_usual() -> None:
    values = rng().normal(100, 1, 14 * DAY)
    values[np.arange(0, 14 * DAY - 50, 50) + rng(2).integers(0, 20, 80)] += 40
    _, judged = play(values.tolist())
    assert [number for number in anomalous(judged) if number > 2 * DAY] == []


def test_missing_values_are_neither_judged_nor_learned() -> None:
    values: list[float | None] = list(rng().poisson(season(9)))
    values[6 * DAY + 40 : 6 * DAY + 100] = [None] * 60
    learner, judged = play(values, counts=True)
    assert judged[6 * DAY + 40 : 6 * DAY + 100] == [None] * 60
    assert [number for number in anomalous(judged) if number > 3 * DAY] == []
    before = learner.to_bytes()
    for nothing in (None, math.nan, math.inf):
        assert learner.observe(9 * DAY_US, nothing) is None
    assert learner.to_bytes() == before


def test_after_a_gap_the_band_is_wider() -> None:
    learner, _ = play((100 + np.cumsum(rng().normal(0, 1, 3 * DAY))).tolist())
    soon, late = learner.expect(3 * DAY_US), learner.expect(4 * DAY_US)
    assert soon is not None
    assert late is not None
    assert late.high - late.low > 1.5 * (soon.high - soon.low)


@pytest.mark.parametrize("usual", [0, 1, 2])
def test_a_few_more_of_few_are_no_alarm(usual: int) -> None:
    learner, _ = play(rng().poisson(usual / 20, 5 * DAY).tolist(), counts=True)
    band = learner.expect(5 * DAY_US)
    assert band is not None
    assert band.low == 0
    assert band.judge(3).score < 1, "3 where 0 or 1 are usual"
    assert band.judge(30).score > 1


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=40), st.integers(0, 2**32))
def test_counts_are_never_expected_below_zero(values: list[int], seed: int) -> None:
    learner, _ = play(rng(seed).choice(values, 100).tolist(), counts=True, every_us=HOUR_US)
    band = learner.expect(100 * HOUR_US)
    assert band is not None
    assert 0 <= band.low <= band.expected <= band.high


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | st.floats(), min_size=20, max_size=80), st.booleans(), st.sampled_from([HOUR_US, 6 * HOUR_US, DAY_US]))
def test_whatever_comes_it_stays_finite(values: list[float | None], counts: bool, every_us: int) -> None:
    usual = [1.0] * 50
    _, judged = play([*usual, *values, *usual], counts=counts, every_us=every_us)
    assert any(each is not None for each in judged[-len(usual) :])
    for each in judged:
        if each is not None:
            assert not math.isnan(each.score)
            assert each.score >= 0
            assert each.low <= each.expected <= each.high


def test_a_holiday_is_not_judged_by_working_days_and_teaches_them_nothing() -> None:
    values = season(21)
    values[17 * DAY : 18 * DAY] *= 0.3
    counts = rng().poisson(values).tolist()
    _, marked = play(counts, counts=True, holidays=(17,))
    _, unmarked = play(counts, counts=True)
    assert len([number for number in anomalous(unmarked) if number >= 3 * DAY]) > 60
    assert len([number for number in anomalous(marked) if number >= 3 * DAY]) <= 5, "the first buckets after midnight"
    after = marked[18 * DAY + 72]
    assert after is not None
    assert after.expected == pytest.approx(180, rel=0.1)


def test_the_second_holiday_is_expected_as_the_first_was() -> None:
    values = season(30)
    for day in (10, 17, 24):
        values[day * DAY : (day + 1) * DAY] = 30 + 0.5 * values[day * DAY : (day + 1) * DAY][::-1]
    _, judged = play(rng().poisson(values).tolist(), counts=True, holidays=(10, 17, 24))
    noon = judged[24 * DAY + 216]
    assert noon is not None
    assert noon.expected == pytest.approx(values[24 * DAY + 216], rel=0.15)


def test_when_the_clocks_change_the_season_follows_the_wall() -> None:
    """Local times, as the caller gives them: an hour is left out on one day, and comes twice on another."""
    learner = Learner(EVERY_US, counts=True)
    late = early = 0
    r = rng()
    usual = season(1)
    for day in range(20):
        for bucket in range(DAY):
            times = 0 if day == 12 and 24 <= bucket < 36 else 2 if day == 16 and 24 <= bucket < 36 else 1
            for _ in range(times):
                judged = learner.observe(day * DAY_US + bucket * EVERY_US, float(r.poisson(usual[bucket])))
                if judged is not None and judged.score > 1:
                    early, late = early + (day < 12), late + (day >= 12)
    assert early <= 4
    assert late <= 3


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.sampled_from([MINUTE_US, HOUR_US, DAY_US]), st.integers(1, 400))
def test_one_that_was_kept_goes_on_exactly_alike(seed: int, counts: bool, every_us: int, buckets: int) -> None:
    values = rng(seed).poisson(5, buckets + 60).tolist()
    learner, _ = play(values[:buckets], counts=counts, every_us=every_us, holidays=(2,))
    again = Learner.from_bytes(learner.to_bytes())
    for number, value in enumerate(values[buckets:], buckets):
        assert again.expect(number * every_us) == learner.expect(number * every_us)
        assert again.observe(number * every_us, value) == learner.observe(number * every_us, value)
    assert again.to_bytes() == learner.to_bytes()


def test_one_that_was_kept_in_the_midst_of_a_step_accepts_it_at_the_same_time() -> None:
    values = rng().normal(100, 1, 4 * DAY)
    values[3 * DAY :] += 30
    kept = 3 * DAY + 60
    learner, judged = play(values[:kept].tolist())
    again = Learner.from_bytes(learner.to_bytes())
    judged += [again.observe(number * EVERY_US, value) for number, value in enumerate(values[kept:].tolist(), kept)]
    assert judged == play(values.tolist())[1]


def test_its_state_is_small() -> None:
    assert len(Learner(1_000_000, counts=True).to_bytes()) < 12_000


@pytest.mark.parametrize("spoil", [lambda data: b"", lambda data: data[:-1], lambda data: data + b"x", lambda data: b"\x07" + data[1:]])
def test_a_state_of_another_kind_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ValueError, match="learner"):
        Learner.from_bytes(spoil(Learner(HOUR_US, counts=False).to_bytes()))


@given(st.floats(-1e6, 1e6), st.floats(0, 1e3), st.floats(0, 1e3), st.floats(-1e7, 1e7))
def test_a_score_is_above_one_just_outside_the_band(expected: float, below: float, above: float, value: float) -> None:
    band = Band(expected, expected - below, expected + above)
    for each in (value, band.low, band.high, np.nextafter(band.low, -np.inf), np.nextafter(band.high, np.inf)):
        found = band.judge(float(each))
        assert (found.score > 1) == (each > band.high or each < band.low)
        bound = band.high if each > expected else band.low
        if abs(bound - expected) > 1e-3 and found.score < GREATEST_SCORE:
            assert found.score == pytest.approx(abs(each - expected) / abs(bound - expected))
