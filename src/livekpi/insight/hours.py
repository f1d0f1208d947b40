"""At which hours of the day a series is restless."""

import struct

_DAY_US, _HOUR_US = 86_400_000_000, 3_600_000_000
MEMORY_DAYS = 14
UNSURE = 12
"""Observations by which an hour is held to be like all others; with many buckets an hour, the first hour's."""
_FORMAT = struct.Struct("<25d24q")


class Hours:
    """The mean absolute error of each hour, forgotten exponentially by days."""

    __slots__ = ("_counts", "_errors", "_least_gain", "_seen", "_total", "_unsure")

    def __init__(self, every_us: int) -> None:
        per_hour = max(1.0, _HOUR_US / every_us)
        self._unsure = max(UNSURE, per_hour)
        self._least_gain = 1 / (MEMORY_DAYS * per_hour)
        self._errors = [0.0] * 24
        self._counts = [0] * 24
        self._seen, self._total = 0, 0.0

    def ratio(self, local_us: int) -> float:
        """How much larger errors are at this hour than they are on average."""
        hour = local_us % _DAY_US // _HOUR_US
        count, unsure = self._counts[hour], self._unsure
        if not count or self._total <= 0:
            return 1.0
        return (count * self._errors[hour] * self._seen / self._total + unsure) / (count + unsure)

    def learn(self, local_us: int, error: float) -> None:
        """Takes in an absolute error."""
        hour = local_us % _DAY_US // _HOUR_US
        count = self._counts[hour] = self._counts[hour] + 1
        self._seen += count == 1
        change = (error - self._errors[hour]) * max(1 / count, self._least_gain)
        self._errors[hour] += change
        self._total += change

    def to_bytes(self) -> bytes:
        """All that is learned."""
        return _FORMAT.pack(self._total, *self._errors, *self._counts)

    def load(self, data: bytes) -> None:
        """Takes what `to_bytes` gave; raises struct.error where it is anything else."""
        self._total, *numbers = _FORMAT.unpack(data)
        self._errors, self._counts = numbers[:24], numbers[24:]
        self._seen = sum(map(bool, self._counts))
