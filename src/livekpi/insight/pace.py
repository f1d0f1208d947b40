"""Where a period that has begun will end, from how earlier ones went."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BAND = 2.0
"""Standard deviations of earlier projections' errors, to each side."""


@dataclass(frozen=True, slots=True)
class Projection:
    """A period's total as it is expected, and the band it is expected in; in the KPI's unit."""

    expected: float
    low: float
    high: float


def project(so_far: float, elapsed_share: float, histories: Sequence[NDArray[np.float64]]) -> Projection | None:
    """Projects a period's total from what there is `so_far`, when `elapsed_share` (0 to 1) of it has passed.

    `histories` are earlier like periods as running totals on an even grid, from 0 at the start to the total at the end. The projection is
    Benktander's: as far as the season has gone it follows what this period did (the chain ladder's total), and for the rest what is usual.
    See Mack, Credible Claims Reserves: The Benktander Method (ASTIN Bulletin 2000). The band is as wide as the same method was wrong about
    each earlier period at that share, from the others. Without history the pace is taken to be even; with less than two periods the rest
    may be anything from nothing to twice what is expected. None where nothing can be said: at the start, without history.
    """
    if not math.isfinite(so_far) or not 0 <= elapsed_share <= 1:
        return None
    if elapsed_share == 1:
        return Projection(so_far, so_far, so_far)
    curves = [curve for curve in histories if len(curve) > 1 and np.isfinite(curve).all()]
    if not curves:
        if elapsed_share == 0:
            return None
        return _unsure(so_far, so_far / elapsed_share)
    then = np.array([_at(curve, elapsed_share) for curve in curves])
    totals = np.array([float(curve[-1]) for curve in curves])
    expected = _total(so_far, then, totals)
    if len(curves) == 1:
        return _unsure(so_far, expected)
    half = _half(then, totals) * _relative_size(expected, totals)
    low, high = expected - half, expected + half
    if so_far >= 0 and all((np.diff(curve) >= 0).all() for curve in curves):  # what only ever grows does not fall below what there is
        low, high = max(low, so_far), max(high, so_far)
    return Projection(expected, low, high)


def _unsure(so_far: float, expected: float) -> Projection:
    return Projection(expected, *sorted((so_far, 2 * expected - so_far)))


def _at(curve: NDArray[np.float64], share: float) -> float:
    """The running total at a share of the period."""
    return float(np.interp(share * (len(curve) - 1), np.arange(len(curve)), curve))


def _total(so_far: float, then: NDArray[np.float64], totals: NDArray[np.float64]) -> float:
    """Benktander's total; the usual total is the median one, so that one odd period among them does not count."""
    usual = float(np.median(totals))
    gone, whole = float(then.sum()), float(totals.sum())
    if not (0 < gone <= whole or whole <= gone < 0):  # a season that falls as it grows has no share that is done
        return so_far + usual - float(np.median(then))
    done = gone / whole
    return so_far + (1 - done) * (so_far + (1 - done) * usual)


def _half(then: NDArray[np.float64], totals: NDArray[np.float64]) -> float:
    """Half the band's width for a period of the usual size: each earlier period projected from the others."""
    others = ~np.eye(len(totals), dtype=bool)
    errors = [float(totals[index]) - _total(float(then[index]), then[other], totals[other]) for index, other in enumerate(others)]
    # the spread of few errors is itself unsure: as the variance of a prediction from n errors, at n − 1 degrees of freedom
    count = len(errors)
    return BAND * math.hypot(*errors) * math.sqrt((1 + 1 / count) / (count - 1))


def _relative_size(expected: float, totals: NDArray[np.float64]) -> float:
    """How much larger this period is than the usual, from 1 to 10: errors grow with it."""
    usual = abs(float(np.median(totals)))
    return min(max(1.0, abs(expected) / usual), 10.0) if usual else 1.0
