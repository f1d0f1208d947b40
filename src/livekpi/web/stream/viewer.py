"""A viewer's messages on their way out: a few in order, and for one that reads slowly the newest of each point and of each event."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from livekpi.moments import time_text
from livekpi.query.live import Told
from livekpi.query.output import encode, point_object

QUEUED_MESSAGES = 8
"""More than this are merged into one."""
MAX_MERGED_POINTS = 10_000
MAX_NOTICES = 10_000
"""A viewer that is further behind is sent away: it may come back and ask for what it missed."""
STILL_HERE = b": still here\n\n"

PointKey = tuple[object, ...]
"""Time and dimensions: what says which point of a want is meant."""


def event(name: str, content: object, identity: int | None = None) -> bytes:
    """A server-sent event."""
    return _event(name, encode(content), identity)


def _event(name: str, data: bytes, identity: int | None = None) -> bytes:
    line = b"" if identity is None else b"id: %d\n" % identity
    return b"event: %b\n%bdata: %b\n\n" % (name.encode(), line, data)


@dataclass(frozen=True)
class Rows:
    """What a message says of a want: made once, for all who have it."""

    kpi: str
    points: Mapping[PointKey, bytes]
    """Each as JSON, without the brace that opens it, so that a viewer's number for the want may stand before it."""
    complete: bool
    """Whether this is all that changed."""

    @classmethod
    def of(cls, told: Told) -> "Rows":
        answer = told.points
        start = b'"kpi":%b,' % encode(answer.kpi)
        rows: dict[PointKey, bytes] = {
            (point.time_us, point.dimensions): start + encode(point_object(answer, point))[1:] for point in answer.points
        }
        return cls(answer.kpi, rows, told.untold is None)

    def updated(self, later: "Rows") -> "Rows":
        """With the newest of each point."""
        return Rows(self.kpi, {**self.points, **later.points}, self.complete and later.complete)


@dataclass(frozen=True)
class Message:
    """The points that a commit changed; the same object for all who have the same subscription."""

    commit: int
    at_us: int | None
    """When; None where no commit was in this process yet."""
    rows: Mapping[int, Rows]
    """By the place of the want in the subscription."""
    numbered: bool = False
    """Whether each point says the place of its want."""

    @cached_property
    def encoded(self) -> bytes:
        """As a server-sent event."""
        parts = (_joined(b'{"want":%d,' % place if self.numbered else b"{", rows.points.values()) for place, rows in self.rows.items())
        points = b",".join(filter(None, parts))
        cut = [place if self.numbered else rows.kpi for place, rows in self.rows.items() if not rows.complete]
        end = b',"incomplete":%b' % encode(cut) if cut else b""
        head = b'{"commit":%d,"at":%b,"points":[' % (self.commit, encode(None if self.at_us is None else time_text(self.at_us)))
        return _event("points", b"%b%b]%b}" % (head, points, end), self.commit)


def _joined(start: bytes, rows: Iterable[bytes]) -> bytes:
    found = (b"," + start).join(rows)
    return start + found if found else b""


@dataclass(frozen=True)
class Notice:
    """A small event with a name, beside the points; encoded once for all who get it."""

    name: str
    content: object
    key: object = None
    """A later one of this key and name replaces it where it still waits; None: nothing replaces it."""
    encoded: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "encoded", event(self.name, self.content))


class Viewer:
    """One open stream; used on the event loop only."""

    def __init__(self) -> None:
        self.merged_messages = 0
        """How many messages were merged into a later one."""
        self.overrun = False
        """Whether it was sent away for reading far too slowly."""
        self._notices: dict[object, bytes] = {}
        self._queue: deque[Message] = deque()
        self._merged: dict[int, Rows] = {}
        self._newest: Message | None = None  # of those merged
        self._closed = False
        self._wake = asyncio.Event()

    def put(self, message: Message) -> None:
        """Adds a message; never waits."""
        if self._newest is None and len(self._queue) < QUEUED_MESSAGES:
            self._queue.append(message)
        else:
            for waiting in (*self._queue, message):
                self._merge(waiting)
            self._queue.clear()
            self._newest = message
            if sum(len(rows.points) for rows in self._merged.values()) > MAX_MERGED_POINTS:
                self._send_away()
        self._wake.set()

    def tell(self, notices: Iterable[Notice]) -> None:
        """Adds events, which go out before the points that wait; never waits."""
        for notice in notices:
            key = object() if notice.key is None else (notice.name, notice.key)
            self._notices.pop(key, None)
            self._notices[key] = notice.encoded
        if len(self._notices) > MAX_NOTICES:
            self._send_away()
        self._wake.set()

    def close(self) -> None:
        """Ends the stream; what waits is not sent any more."""
        self._closed = True
        self._notices.clear()
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

    def _merge(self, message: Message) -> None:
        for place, rows in message.rows.items():
            known = self._merged.get(place)
            self._merged[place] = rows if known is None else known.updated(rows)
        self.merged_messages += 1

    def _send_away(self) -> None:
        self.overrun = True
        self.close()

    def _waiting(self) -> bool:
        """Whether there is something to send."""
        return bool(self._notices or self._queue) or self._newest is not None

    def _take(self) -> bytes:
        """What to send next."""
        if self._notices:
            return self._notices.pop(next(iter(self._notices)))
        if self._queue:
            return self._queue.popleft().encoded
        assert self._newest is not None
        merged = Message(self._newest.commit, self._newest.at_us, self._merged, self._newest.numbered)
        self._newest, self._merged = None, {}
        return merged.encoded
