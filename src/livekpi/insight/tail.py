"""How far a series strays from what is expected of it, on one side, without being anomalous.

Peaks over a threshold, one a cluster, with an exponential tail: Coles, An Introduction to Statistical Modeling of Extreme Values
(2001), chapters 4 and 5; that a stream's alarms can rest on it: Siffer et al., Anomaly Detection in Streams with Extreme Value Theory
(KDD 2017).
"""

# ruff: noqa: FURB136 - a call takes longer than the arithmetic, and each bucket of each series comes here

import math
import struct

LEAST_WIDTH = 3.5
"""Deviations: of normal noise some 2 in 10,000 are further out on one side."""
THRESHOLD_SHARE = 0.02
"""Of deviations are above the threshold, from which the tail is learned."""
RARE_SHARE = 0.0005
"""Of deviations may be beyond the width."""
THRESHOLD_MEMORY, PEAKS_MEMORY = 1_250, 40
"""Deviations by which the threshold is learned, and clusters by which the mean excess is."""
QUIET = 12
"""Deviations below the threshold that end a cluster."""
LESSON = 1.5
"""Widths: a peak further out teaches no more than one there, so that an anomaly does not make the next one usual."""
USUAL, BEYOND_USUAL = 3, 1.3
"""What was reached by three clusters is usual; so is what is a little beyond it."""
CAUTION = 30
"""Deviations: of so few, the width is half as much again; of many more it is as learned."""

_LEAST_GAIN = 1 / THRESHOLD_MEMORY
_RARITY = math.log(THRESHOLD_SHARE / RARE_SHARE)
_FORMAT = struct.Struct("<3d3q")
_PEAK = struct.Struct("<dq")


class Tail:
    """Learns from deviations in units of their scale, and is asked how wide the usual is, in the same units."""

    __slots__ = ("_count", "_excess", "_memory", "_peak", "_peaks", "_quiet", "_threshold", "width")

    def __init__(self, memory: int) -> None:
        """`memory` is how many deviations long a peak is remembered. What is not learned yet is as of normal noise."""
        self._memory = memory
        self._threshold, self._excess = 2.05, 0.45
        self._count = 0
        self._peak, self._quiet = 0.0, 0
        self._peaks: list[tuple[float, int]] = []
        """The greatest, of clusters: how far out, and when."""
        self.width = LEAST_WIDTH

    def learn(self, deviation: float) -> None:
        """Learns one deviation to this side; one to the other side is 0."""
        self._count = count = self._count + 1
        gain, threshold = 4 / (count + 50), self._threshold
        step = threshold * (gain if gain > _LEAST_GAIN else _LEAST_GAIN)
        if deviation > threshold:
            self._peak, self._quiet = max(self._peak, deviation), 0
            self._threshold = threshold + step * (1 - THRESHOLD_SHARE)
        else:
            threshold -= step * THRESHOLD_SHARE
            self._threshold = threshold if threshold > 1.0 else 1.0
            if self._peak:
                self._quiet += 1
                if self._quiet >= QUIET:
                    self._end_cluster()
        self._widen()

    def _end_cluster(self) -> None:
        excess = max(0.0, min(self._peak, LESSON * self.width) - self._threshold)
        self._excess += (excess - self._excess) * max(1 / (5 + THRESHOLD_SHARE * self._count), 1 / PEAKS_MEMORY)
        kept = [peak for peak in self._peaks if peak[1] > self._count - self._memory]
        self._peaks = sorted([*kept, (self._peak, self._count)], reverse=True)[: 2 * USUAL]
        self._peak, self._quiet = 0.0, 0

    def _widen(self) -> None:
        width, count = self._threshold + self._excess * _RARITY, self._count
        if len(self._peaks) >= USUAL:
            height, when = self._peaks[USUAL - 1]
            if when > count - self._memory:
                width = max(width, BEYOND_USUAL * height)
        self.width = (width if width > LEAST_WIDTH else LEAST_WIDTH) * (1 + CAUTION / (count + CAUTION))

    def to_bytes(self) -> bytes:
        """All that is learned."""
        head = _FORMAT.pack(self._threshold, self._excess, self._peak, self._quiet, self._count, len(self._peaks))
        return head + b"".join(_PEAK.pack(*peak) for peak in self._peaks)

    def load(self, data: bytes) -> None:
        """Takes what `to_bytes` gave; raises struct.error where it is anything else."""
        self._threshold, self._excess, self._peak, self._quiet, self._count, peaks = _FORMAT.unpack_from(data)
        rest = data[_FORMAT.size :]
        if len(rest) != peaks * _PEAK.size:
            raise struct.error(f"expected {peaks} peaks, got {len(rest)} bytes")
        self._peaks = [(height, when) for height, when in _PEAK.iter_unpack(rest)]
        self._widen()
