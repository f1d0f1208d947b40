"""Counts on a scale where their noise is the same at every height, and back."""

import math

LEAST_DEVIATION = 1.0
"""On that scale, of a Poisson count, which is the least that a count can have."""


def to_even(count: float) -> float:
    """Anscombe's transform: The Transformation of Poisson, Binomial and Negative-Binomial Data (Biometrika 1948)."""
    return 2 * math.sqrt(max(count, 0.0) + 0.375)


def mean_of(even: float) -> float:
    """The mean of the counts whose transforms have this mean, at least 0: Mäkitalo, Foi, A Closed-Form Approximation of the Exact
    Unbiased Inverse of the Anscombe Variance-Stabilizing Transformation (IEEE Transactions on Image Processing 2011).
    """
    even = max(even, 2 * math.sqrt(0.375))
    root = math.sqrt(1.5)
    return max(0.0, even**2 / 4 + root / 4 / even - 11 / 8 / even**2 + 5 * root / 8 / even**3 - 1 / 8)


def count_at(even: float) -> float:
    """The count that has this transform, at least 0."""
    return max(0.0, max(even, 0.0) ** 2 / 4 - 0.375)
