"""What a series is like at each time of a day or week, learned online."""

from array import array


class Profile:
    """The usual value in each slot of a period, forgotten exponentially by periods."""

    __slots__ = ("_counts", "_least_gain", "_period_us", "_slot_us", "_values")

    def __init__(self, period_us: int, slot_us: int, every_us: int, gain: float) -> None:
        """`gain` is the weight that a new period has against all before it, once there are enough of them."""
        self._period_us = period_us
        self._slot_us = max(slot_us, every_us)
        slots = -(-period_us // self._slot_us)
        self._least_gain = gain * every_us / self._slot_us
        self._values = array("d", bytes(8 * slots))
        self._counts = array("H", bytes(2 * slots))

    def at(self, local_us: int) -> float | None:
        """The usual value at a local time; None where that slot was never seen."""
        slot = local_us % self._period_us // self._slot_us
        return self._values[slot] if self._counts[slot] else None

    def learn(self, local_us: int, value: float) -> None:
        """Moves the slot's value towards this one: the mean of all at first, an exponential one later."""
        slot = local_us % self._period_us // self._slot_us
        count, before = self._counts[slot], self._values[slot]
        self._values[slot] = before + (value - before) * max(1 / (count + 1), self._least_gain)
        if count < 65_535:
            self._counts[slot] = count + 1

    def to_bytes(self) -> bytes:
        """Values and counts; how many there are follows from what the profile was made with."""
        return self._counts.tobytes() + self._values.tobytes()

    def load(self, data: bytes) -> None:
        """Takes what `to_bytes` gave; raises ValueError where it is of another size."""
        split = 2 * len(self._counts)
        if len(data) != split + 8 * len(self._values):
            raise ValueError(f"expected a profile of {len(self._values)} slots, got {len(data)} bytes")
        self._counts = array("H", data[:split])
        self._values = array("d", data[split:])
