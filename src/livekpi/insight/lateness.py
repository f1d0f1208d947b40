"""How late a source's events come, and so how much of a bucket is there yet.

An event is behind by how far the source's watermark was beyond the event's own time when it arrived. What is learned is how that is
distributed; a bucket need then wait no longer than until the usual share of its events has come.
"""

import math
import struct
from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

_FIRST_OCTAVE, _LAST_OCTAVE = 10, 40  # 2^10 µs is a millisecond, 2^40 µs are 12 days
_BEFORE = (1_023 + _FIRST_OCTAVE) * 2
_BINS = (_LAST_OCTAVE - _FIRST_OCTAVE) * 2
BOUNDS_US = [0.0] + [2.0 ** (_FIRST_OCTAVE + half // 2) * (1.5 if half % 2 else 1.0) for half in range(_BINS + 1)]
"""Two bounds an octave. The first class is of events in order, the next up to the second bound, the last of all beyond."""
_BEYOND_US = 2**_LAST_OCTAVE

_VERSION = 1
_HEAD = struct.Struct("<Bqd")
WEEK_US = 7 * 86_400_000_000


def running_behind(times_us: NDArray[np.int64], newest_before_us: int | None) -> NDArray[np.int64]:
    """How far each event is behind the newest before it, in µs, in order of arrival; 0 where it is in order itself.

    `newest_before_us` is the newest of all that came before these; None where none did.
    """
    newest = np.maximum.accumulate(times_us)
    if newest_before_us is not None:
        newest = np.maximum(newest, newest_before_us)
    behind: NDArray[np.int64] = newest - times_us
    return behind


class Lateness:
    """One source's. Beside what it sees it imagines one event that comes after the cautious wait: so the wait is that long at first,
    and shortens only with as many events as the wished share needs.
    """

    def __init__(self, cautious_us: int, memory_events: int = 300_000) -> None:
        """`cautious_us` is how long a bucket waits before anything is known; a source's older events are forgotten exponentially,
        by `memory_events`.
        """
        self._cautious_us = cautious_us
        self._memory_events = memory_events
        self._counts = np.zeros(len(BOUNDS_US) + 1)
        self._shares: tuple[list[float], list[float]] | None = None

    @property
    def events(self) -> float:
        """How many events are remembered."""
        return float(self._counts.sum())

    def observe(self, behind_us: NDArray[np.int64]) -> None:
        """Learns from events that have arrived, by how far the watermark was beyond each; 0 for one in order."""
        if not len(behind_us):
            return
        found = np.zeros(len(self._counts))
        late = int(np.count_nonzero(behind_us > 0))
        found[0] = len(behind_us) - late
        if late:
            few = late * 4 < len(behind_us)  # to pick them out is dearer than to count them all, unless they are few
            taken = behind_us[behind_us > 0] if few else behind_us
            # a double's bits, shifted until a half octave is 1: as a logarithm, for a tenth of its price
            halves = np.clip(taken, 2**_FIRST_OCTAVE - 1, _BEYOND_US).astype(np.float64).view(np.int64) >> 51
            halves -= _BEFORE - 1
            found[1:] = np.bincount(halves, minlength=_BINS + 2)
            found[1] -= len(taken) - late
        self._counts *= math.exp(-len(behind_us) / self._memory_events)
        self._counts += found
        self._shares = None

    def share(self, age_us: int) -> float:
        """The share of events that have arrived when the watermark is this far beyond their own time."""
        if age_us < 0:
            return 0.0
        shares, _ = self._curve()
        at = bisect_right(BOUNDS_US, age_us) - 1
        inside = shares[at]
        if at + 1 < len(BOUNDS_US):
            inside += (shares[at + 1] - shares[at]) * (age_us - BOUNDS_US[at]) / (BOUNDS_US[at + 1] - BOUNDS_US[at])
        events = self.events
        return (inside * events + (age_us >= self._cautious_us)) / (events + 1)

    def complete(self, every_us: int, past_end_us: float) -> float:
        """The share of a bucket's events that are expected to be there when the watermark is so far past its end (before it: negative).

        Events are taken to be spread evenly over the bucket.
        """
        return (self._area(past_end_us + every_us) - self._area(past_end_us)) / every_us

    def wait_us(self, every_us: int, share: float = 0.99) -> int:
        """How far past a bucket's end the watermark must be for so much of it to be there: 0 for a source in order.

        Never more than a week, and the cautious wait where nothing was observed or that share is never reached.
        """
        if not self.events:
            return self._cautious_us
        if self.complete(every_us, 0) >= share:
            return 0
        low, high = 0, WEEK_US
        if self.complete(every_us, high) < share:
            return max(self._cautious_us, 0)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self.complete(every_us, middle) >= share else (middle, high)
        return high

    def _curve(self) -> tuple[list[float], list[float]]:
        """The share of what was observed that is behind by at most each bound, and its integral up to there."""
        if self._shares is None:
            events = self.events
            shares = np.cumsum(self._counts[:-1]) / events if events else np.zeros(len(BOUNDS_US))
            areas = np.concatenate([[0.0], np.cumsum(np.diff(BOUNDS_US) * (shares[1:] + shares[:-1]) / 2)])
            self._shares = shares.tolist(), areas.tolist()
        return self._shares

    def _area(self, age_us: float) -> float:
        """The integral of `share` up to an age."""
        if age_us <= 0:
            return 0.0
        shares, areas = self._curve()
        at = bisect_right(BOUNDS_US, age_us) - 1
        over = age_us - BOUNDS_US[at]
        area = areas[at] + over * shares[at]
        if at + 1 < len(BOUNDS_US):
            area += over * over * (shares[at + 1] - shares[at]) / (BOUNDS_US[at + 1] - BOUNDS_US[at]) / 2
        events = self.events
        return (area * events + max(0.0, age_us - self._cautious_us)) / (events + 1)

    def to_bytes(self) -> bytes:
        """All that is learned, to be kept in a store."""
        return _HEAD.pack(_VERSION, self._cautious_us, self._memory_events) + self._counts.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Lateness":
        """What `to_bytes` gave; raises ValueError where it is anything else, or of another version."""
        size = _HEAD.size + 8 * (len(BOUNDS_US) + 1)
        if len(data) != size or data[0] != _VERSION:
            raise ValueError(f"expected a lateness of version {_VERSION}, {size} bytes, got version {data[:1].hex()}, {len(data)} bytes")
        _, cautious_us, memory_events = _HEAD.unpack_from(data)
        found = cls(cautious_us, memory_events)
        found._counts = np.frombuffer(data, dtype=np.float64, offset=_HEAD.size).copy()
        return found
