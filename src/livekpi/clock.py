"""Time as an argument: everything that asks for it takes a Clock, so that a test can drive it."""

import time
from typing import Protocol

ATTENTIVE_US = 10_000_000
"""Who has not looked for so long, as its machine slept or its clock was set, does not know that nothing was there."""


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


def due(now_us: int, since_us: int | None, every_us: int) -> bool:
    """Whether a time is over that began at `since_us`, so that what is done once in it is to be done; None where it never was.

    It is over, too, where it began ahead of the clock: a clock set back must not stop what is periodic.
    """
    return since_us is None or not 0 <= now_us - since_us < every_us
