"""Detectors as the benchmark wants them: rows in order to a score in [0, 1] each, from nothing but what came before."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from livekpi.insight.expectation import ACCEPTED_US, Learner

LINE = 0.5
"""Above it the learner's scores are anomalous."""


def livekpi(times_us: Sequence[int], values: Sequence[float], every_us: int) -> NDArray[np.float64]:
    """How the product's own learner scores each row; a learner's score above 1, which is anomalous, is here above a half.

    No setting is a file's own, and no series is said to be a count.
    """
    learner = Learner(every_us, counts=False)
    judged = [learner.observe(time_us, value) for time_us, value in zip(times_us, values, strict=True)]
    return np.array([0.0 if each is None else each.score / (1 + each.score) for each in judged])


def told(scores: NDArray[np.float64], times_us: Sequence[int], line: float, keep_us: int = ACCEPTED_US) -> NDArray[np.float64]:
    """The scores of what would be told, and 0 for the rest: what comes within `keep_us` of a row above the line is the same alert."""
    found = np.zeros(len(scores))
    until_us = -math.inf
    for row, (score, time_us) in enumerate(zip(scores.tolist(), times_us, strict=True)):
        if time_us > until_us:
            found[row] = score
        if score > line:
            until_us = time_us + keep_us
    return found


def windowed_gaussian(values: Sequence[float]) -> NDArray[np.float64]:
    """How improbable a value is under a normal distribution fitted to the values before it: the benchmark's baseline.

    Its published window, 6,400 values, is longer than any of the files here.
    """
    found = np.zeros(len(values))
    mean = squares = 0.0
    for row, value in enumerate(values):
        if row > 0:
            deviation = math.sqrt(squares / row) or 0.000001
            found[row] = 1 - math.erfc(abs(value - mean) / deviation / math.sqrt(2)) / 2
        change = value - mean  # Welford's update: sums of squares would cancel
        mean += change / (row + 1)
        squares += change * (value - mean)
    return found
