"""Steps one after the other without end: which of them holds a time."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from livekpi.query.steps import floor, make_steps

Span = tuple[int, int]


class Grid:
    """The steps of a size in a time zone, one after the other without end."""

    def __init__(self, size_us: int, where: ZoneInfo) -> None:
        self.size_us = size_us
        self._where = where
        self._last: Span = (0, 0)

    def holding(self, time_us: int) -> Span:
        """[start, end) of the step that holds a time."""
        if not self._last[0] <= time_us < self._last[1]:  # most ask for the step that the last one asked for
            start = floor(time_us, self.size_us, self._where)
            self._last = start, make_steps(start, start + 1, self.size_us, self._where, 1).ends[-1]
        return self._last

    def ended(self, after_us: int, until_us: int) -> Iterator[Span]:
        """The steps that end after one time, and not after another; the newest first."""
        end, _ = self.holding(until_us)
        while end > after_us:
            span = self.holding(end - 1)
            yield span
            end = span[0]
