"""A viewer's messages on their way out: a few in order, and for one that reads slowly the newest of each point."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from livekpi.query.output import encode, time_text

QUEUED_MESSAGES = 8
"""More than this are merged into one."""
MAX_MERGED_POINTS = 10_000
"""A viewer that is further behind is sent away: it may come back and ask for a range."""
STILL_HERE = b": still here\n\n"

Row = Mapping[str, object]
PointKey = tuple[object, ...]
"""KPI, time and dimensions: what says which point is meant."""


@dataclass(frozen=True)
class Message:
    """The points that a commit changed."""

    commit: int
    at_us: int
    points: Mapping[PointKey, Row]
    encoded: bytes = field(init=False)
    """As a server-sent event; made once for all who get it."""

    def __post_init__(self) -> None:
        data = encode({"commit": self.commit, "at": time_text(self.at_us), "points": list(self.points.values())})
        object.__setattr__(self, "encoded", b"event: points\nid: %d\ndata: %b\n\n" % (self.commit, data))


class Viewer:
    """One open stream; used on the event loop only."""

    def __init__(self) -> None:
        self.merged_messages = 0
        """How many messages were merged into a later one."""
        self.overrun = False
        """Whether it was sent away for reading far too slowly."""
        self._queue: deque[Message] = deque()
        self._merged: dict[PointKey, Row] = {}
        self._newest: Message | None = None  # of those merged
        self._closed = False
        self._wake = asyncio.Event()

    def put(self, message: Message) -> None:
        """Adds a message; never waits."""
        if self._newest is None and len(self._queue) < QUEUED_MESSAGES:
            self._queue.append(message)
        else:
            for waiting in (*self._queue, message):
                self._merged.update(waiting.points)
                self.merged_messages += 1
            self._queue.clear()
            self._newest = message
            if len(self._merged) > MAX_MERGED_POINTS:
                self.overrun = True
                self.close()
        self._wake.set()

    def close(self) -> None:
        """Ends the stream; what waits is not sent any more."""
        self._closed = True
        self._queue.clear()
        self._merged.clear()
        self._wake.set()

    async def next(self, timeout_s: float) -> bytes | None:
        """What to send next: a message, or a sign of life where none came in time; None when the stream is over."""
        if not (self._waiting() or self._closed):
            self._wake.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()
            except TimeoutError:
                return STILL_HERE
        return None if self._closed else self._take()

    def _waiting(self) -> bool:
        """Whether there is a message to send."""
        return bool(self._queue) or self._newest is not None

    def _take(self) -> bytes:
        """The message to send next."""
        if self._queue:
            return self._queue.popleft().encoded
        assert self._newest is not None
        merged = Message(self._newest.commit, self._newest.at_us, self._merged)
        self._newest, self._merged = None, {}
        return merged.encoded
