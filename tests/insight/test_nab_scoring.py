"""The benchmark's score, against cases worked out by hand."""

import math
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.anomaly.detectors import told, windowed_gaussian
from bench.anomaly.files import read
from bench.anomaly.scoring import PROFILES, Judged, Profile, best, normalised, probation, raw_score, scaled_sigmoid, worth

STANDARD, LOW_FP, LOW_FN = PROFILES
ROWS = 100
"""Of which 15 are probation."""


def judged(hits: dict[int, float], windows: list[tuple[int, int]], rows: int = ROWS) -> Judged:
    scores = np.zeros(rows)
    for row, score in hits.items():
        scores[row] = score
    return Judged(scores, windows)


def test_the_sigmoid() -> None:
    assert scaled_sigmoid(-1) == pytest.approx(0.98661, abs=1e-5)
    assert scaled_sigmoid(-0.5) == pytest.approx(0.84828, abs=1e-5)
    assert scaled_sigmoid(0) == 0
    assert scaled_sigmoid(1) == pytest.approx(-0.98661, abs=1e-5)
    assert scaled_sigmoid(3.01) == -1


def test_probation_is_15_percent_of_at_most_5000_rows() -> None:
    assert [probation(rows) for rows in (0, 99, 100, 4_032, 5_000, 20_000)] == [0, 14, 15, 604, 750, 750]


def test_a_hit_at_a_windows_first_row_is_perfect_and_later_ones_are_worth_less() -> None:
    window = [(40, 49)]
    assert raw_score(judged({40: 1}, window), STANDARD, 0.5) == pytest.approx(1)
    # row 49: y = −(49 − 49 + 1)/10 = −0.1; σ = 2/(1 + e^−0.5) − 1 = 0.244919; over σ(−1) = 0.986614
    assert raw_score(judged({49: 1}, window), STANDARD, 0.5) == pytest.approx(0.244919 / 0.986614, abs=1e-6)
    assert raw_score(judged({49: 1, 45: 1, 46: 1}, window), STANDARD, 0.5) == pytest.approx(0.848284 / 0.986614, abs=1e-2)
    assert raw_score(judged({45: 1}, window), STANDARD, 0.5) == raw_score(judged({45: 1, 46: 1}, window), STANDARD, 0.5)


def test_a_missed_window_costs_and_so_does_a_wrong_hit() -> None:
    window = [(40, 49)]
    for profile, missed, wrong in zip(PROFILES, (-1, -1, -2), (-0.11, -0.22, -0.11), strict=True):
        assert raw_score(judged({}, window), profile, 0.5) == missed
        assert raw_score(judged({20: 1}, window), profile, 0.5) == pytest.approx(missed + wrong)
        assert raw_score(judged({20: 1}, []), profile, 0.5) == pytest.approx(wrong), "a file without windows"


def test_a_wrong_hit_soon_after_a_window_costs_less() -> None:
    # 3 rows behind a window of 10: y = 3/9; σ = 2/(1 + e^(5/3)) − 1 = −0.682266
    found = raw_score(judged({52: 1}, [(40, 49)]), STANDARD, 0.5)
    assert found == pytest.approx(-1 - 0.11 * 0.682266, abs=1e-6)
    assert raw_score(judged({80: 1}, [(40, 49)]), STANDARD, 0.5) == pytest.approx(-1.11)
    two = [(20, 29), (60, 69)]
    assert raw_score(judged({72: 1}, two), STANDARD, 0.5) == pytest.approx(-2 - 0.11 * 0.682266, abs=1e-6), "the last window's"


def test_during_probation_nothing_counts() -> None:
    assert raw_score(judged({3: 1}, []), STANDARD, 0.5) == 0
    assert raw_score(judged({14: 1}, []), STANDARD, 0.5) == 0
    assert raw_score(judged({15: 1}, []), STANDARD, 0.5) == -0.11


def test_a_perfect_detector_has_100_and_a_silent_one_0() -> None:
    files = [judged({40: 1}, [(40, 49)]), judged({}, [])]
    for profile in PROFILES:
        assert best(files, profile).score == pytest.approx(100)
        assert best([judged({}, [(40, 49)])], profile).score == 0
    assert normalised(-3, 2, LOW_FN) == pytest.approx(100 / 6)


def test_the_threshold_is_the_one_that_scores_best_over_all_files() -> None:
    files = [judged({40: 0.6, 20: 0.4}, [(40, 49)]), judged({50: 0.8}, [])]
    found = best(files, STANDARD)
    assert found.threshold == 0.6, "the wrong hit at 0.8 is paid for by the right one; that at 0.4 by none"
    assert found.score == pytest.approx(100 * (1 - 0.11 + 1) / 2)


scores = st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0]), min_size=60, max_size=60)


@given(st.lists(scores, min_size=1, max_size=3), st.sampled_from(PROFILES))
def test_it_is_found_as_by_trying_each(series: list[list[float]], profile: Profile) -> None:
    windows: list[list[tuple[int, int]]] = [[(20, 29), (31, 45)], [], [(5, 12)]]  # one that lies half in probation
    files = [Judged(np.array(each), windows[number]) for number, each in enumerate(series)]
    count = sum(len(file.windows) for file in files)
    tried = [sum(raw_score(file, profile, threshold) for file in files) for threshold in (0.0, 0.1, 0.3, 0.5, 0.9, 1.0, math.inf)]
    assert best(files, profile).score == pytest.approx(normalised(max(tried), count, profile))


def test_outside_every_window_nothing_is_gained() -> None:
    values = worth(ROWS, [(40, 49)], STANDARD)
    assert (values[40:50] > 0).all()
    assert (np.delete(values, range(40, 50)) < 0).all()


def test_what_follows_an_anomaly_is_the_same_alert() -> None:
    times = [0, 10, 20, 30, 40]
    assert told(np.array([0.4, 0.9, 0.8, 0.95, 0.6]), times, 0.5, 10).tolist() == [0.4, 0.9, 0, 0, 0]
    assert told(np.array([0.4, 0.9, 0.2, 0.3, 0.6]), times, 0.5, 10).tolist() == [0.4, 0.9, 0, 0.3, 0.6]


def test_the_baseline_is_the_normal_distribution_of_what_came_before() -> None:
    found = windowed_gaussian([1.0, 3.0, 4.0, 2.0])
    assert found[0] == 0
    assert found[1] == pytest.approx(1), "two deviations of nothing"
    assert found[2] == pytest.approx(0.97725, abs=1e-5), "mean 2, deviation 1: two deviations out"


def test_files_are_read_with_their_windows_as_rows(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "data" / "group").mkdir(parents=True)
    lines = [f"2014-04-01 00:{minute:02}:00,{minute / 2}" for minute in range(0, 25, 5)]
    (tmp_path / "data" / "group" / "a.csv").write_text("\n".join(["timestamp,value", *lines, ""]), encoding="utf-8")
    label = '{"group/a.csv": [["2014-04-01 00:05:00.000000", "2014-04-01 00:%s:00.000000"]]}'
    (tmp_path / "labels" / "combined_windows.json").write_text(label % "15", encoding="utf-8")
    (file,) = read(tmp_path)
    assert (file.name, file.windows, file.values) == ("group/a.csv", [(1, 3)], [0, 2.5, 5, 7.5, 10])
    assert file.every_us == 300_000_000
    assert file.times_us[0] == datetime.fromisoformat("2014-04-01T00:00:00+00:00").timestamp() * 1_000_000
    (tmp_path / "labels" / "combined_windows.json").write_text(label % "17", encoding="utf-8")
    with pytest.raises(ValueError, match=r"group/a\.csv: no row at 2014-04-01 00:17"):
        read(tmp_path)
