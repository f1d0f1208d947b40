"""What a count or sum will be once all its events are there, from the part that is."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST_VALUES = 20
"""Of so few values of a series it can't be said how much it varies."""


@dataclass(frozen=True, slots=True)
class Predicted:
    """A bucket's value once all its events are there, and between which values that lies in about 19 cases of 20."""

    value: float
    low: float
    high: float


def dispersion(values: NDArray[np.float64]) -> float | None:
    """How much a series varies from one bucket to the next: its variance in units of its mean size; None where that can't be said.

    It is 1 for a count of events that come at random (Poisson), and what its amounts' mean square is over their mean for a sum of such.
    What comes in bursts has more. The variance is half the mean square of the steps from value to value (von Neumann et al., The Mean
    Square Successive Difference, 1941), so that a day's season does not count as one.
    """
    if len(values) < LEAST_VALUES:
        return None
    size = float(np.abs(values).mean())
    return float(np.square(np.diff(values)).mean()) / 2 / size if size > 0 else None


def predicted(value: float, share: float, unit: float, *, one_way: bool) -> Predicted:
    """The complete value of a count or sum of which `share` is expected to be there, of a series with this `dispersion`.

    The value is Horvitz and Thompson's (1952), value / share. Of a Poisson count, what is missing given what is there is negative
    binomial with variance (value + 1)(1 − share)/share² (a flat prior on the rate); anything else is taken to be one in steps of `unit`.
    `one_way` says that what is missing moves the value away from 0 only, as it does a count.
    """
    if share >= 1:
        return Predicted(value, value, value)
    if share <= 0:
        return Predicted(value, value if one_way else -math.inf, math.inf)
    whole = value / share
    deviation = math.sqrt(unit * (abs(value) + unit) * (1 - share)) / share
    low, high = whole - 2 * deviation, whole + 2 * deviation
    if one_way:
        low, high = (max(low, value), high) if value >= 0 else (low, min(high, value))
    return Predicted(whole, low, high)
