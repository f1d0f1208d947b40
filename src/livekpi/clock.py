"""Time as an argument: everything that asks for it takes a Clock, so that a test can drive it."""

import time
from typing import Protocol


class Clock(Protocol):
    def now_us(self) -> int:
        """The time now, in µs since the Unix epoch."""


class SystemClock:
    """The machine's own clock."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000


class ManualClock:
    """A clock that stands still until it is set."""

    def __init__(self, now_us: int) -> None:
        self._now_us = now_us

    def now_us(self) -> int:
        return self._now_us

    def set_us(self, now_us: int) -> None:
        self._now_us = now_us
