"""The score of the Numenta Anomaly Benchmark, from its paper: early hits in a window count for more, hits outside cost.

Lavin, Ahmad: Evaluating Real-time Anomaly Detection Algorithms, the Numenta Anomaly Benchmark (ICMLA 2015).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PROBATION_SHARE, PROBATION_POINTS = 0.15, 750


@dataclass(frozen=True)
class Profile:
    """What a hit, a wrong hit and a missed window are worth."""

    name: str
    hit: float
    wrong: float
    missed: float


PROFILES = (
    Profile("standard", 1.0, 0.11, 1.0),
    Profile("low false positives", 1.0, 0.22, 1.0),
    Profile("low false negatives", 1.0, 0.11, 2.0),
)


@dataclass(frozen=True)
class Judged:
    """One file as a detector judged it: a score in [0, 1] for each row, and the windows as first and last row, in order of time."""

    scores: NDArray[np.float64]
    windows: Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Scored:
    """The best threshold for all files, and the normalised score there: 100 is perfect, 0 is never to detect anything."""

    score: float
    threshold: float


def scaled_sigmoid(y: float) -> float:
    """1 far before the end of a window, 0 at its end, −1 far behind."""
    return -1.0 if y > 3 else 2 / (1 + math.exp(5 * y)) - 1


def probation(rows: int) -> int:
    """How many rows at a file's beginning count for nothing."""
    return min(int(PROBATION_SHARE * rows), int(PROBATION_SHARE * 5_000), PROBATION_POINTS)


def worth(rows: int, windows: Sequence[tuple[int, int]], profile: Profile) -> NDArray[np.float64]:
    """What a detection at each row is worth; within a window, where it is the first there."""
    found = np.full(rows, -profile.wrong)
    for number, (left, right) in enumerate(windows):
        width = right - left + 1
        for row in range(left, right + 1):
            found[row] = profile.hit * scaled_sigmoid(-(right - row + 1) / width) / scaled_sigmoid(-1)
        until = windows[number + 1][0] if number + 1 < len(windows) else rows
        for row in range(right + 1, until):
            found[row] = profile.wrong * scaled_sigmoid((row - right) / max(width - 1, 1))
    return found


def raw_score(judged: Judged, profile: Profile, threshold: float) -> float:
    """One file's score at a threshold, before it is normalised."""
    values = worth(len(judged.scores), judged.windows, profile)
    hits = judged.scores >= threshold
    hits[: probation(len(hits))] = False
    total = 0.0
    for left, right in judged.windows:
        inside = np.flatnonzero(hits[left : right + 1])
        total += values[left + inside[0]] if len(inside) else -profile.missed
        hits[left : right + 1] = False
    return total + float(values[hits].sum())


def best(files: Sequence[Judged], profile: Profile) -> Scored:
    """The threshold that scores best over all files, found exactly: every score that occurs is tried, from the greatest down."""
    windows = sum(len(file.windows) for file in files)
    total = -profile.missed * windows  # of no detection
    changes: list[tuple[float, float]] = []
    for file in files:
        changes += _changes(file, profile)
    changes.sort(key=lambda change: -change[0])
    top, threshold = total, math.inf
    for number, (score, change) in enumerate(changes):
        total += change
        last = number + 1 == len(changes) or changes[number + 1][0] != score
        if last and total > top:
            top, threshold = total, score
    return Scored(normalised(top, windows, profile), threshold)


def normalised(score: float, windows: int, profile: Profile) -> float:
    """0 for no detection, 100 for all windows hit at their first row and no wrong hit."""
    worst, perfect = -profile.missed * windows, profile.hit * windows
    return 100 * (score - worst) / (perfect - worst)


def _changes(file: Judged, profile: Profile) -> list[tuple[float, float]]:
    """By how much the file's score changes where the threshold falls to a row's score: (score, change)."""
    rows = len(file.scores)
    values, begin = worth(rows, file.windows, profile), probation(rows)
    outside = np.ones(rows, dtype=bool)
    outside[:begin] = False
    found: list[tuple[float, float]] = []
    for left, right in file.windows:
        outside[left : right + 1] = False
        greatest, now = -math.inf, -profile.missed
        # the earliest row at or above a threshold is one whose score exceeds all before it in the window
        record: list[tuple[float, float]] = []
        for row in range(max(left, begin), right + 1):
            if file.scores[row] > greatest:
                greatest = float(file.scores[row])
                record.append((greatest, float(values[row])))
        for score, value in reversed(record):
            found.append((score, value - now))
            now = value
    found += zip(file.scores[outside].tolist(), values[outside].tolist(), strict=True)
    return found
