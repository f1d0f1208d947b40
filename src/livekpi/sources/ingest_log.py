"""The ingest log: where events that came over HTTP are made durable before they are answered, and read from afterwards.

Any number of requests append at once; one thread writes what has gathered meanwhile and syncs it once, so that the busier
the server is, the more requests share a sync. The log's bytes are numbered from its beginning for ever; files hold 64 MiB
of them each and are let go once the store has committed all they hold.
"""

import asyncio
import contextlib
import os
import threading
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog

from livekpi.disk import Disk
from livekpi.events import Events
from livekpi.metrics import Metrics
from livekpi.sources import segments
from livekpi.sources.frames import Header
from livekpi.sources.handover import Decoded, Handover
from livekpi.sources.segments import Segment

SEGMENT_BYTES = 64 * 2**20
_PROBE_S = 1.0
_PROBE_BYTES = 64 * 2**10

_logger = structlog.get_logger(__name__)


class AppendError(Exception):
    """The events could not be made durable, and are not in the log; says why and what to do."""


_WRITER_GONE = "the ingest log's writer has stopped; restart the server"


@dataclass(slots=True)
class _Append:
    """One request's records on their way to the disk."""

    payload: bytes
    count: int
    arrived_us: int
    decoded: Decoded | None
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[None]


def _delete(path: Path) -> None:
    path.unlink(missing_ok=True)


class IngestLog:
    """The log of one source. Appended to from event loops, read by one HttpSource, written by a thread of its own."""

    def __init__(
        self,
        directory: Path,
        *,
        source: str,
        metrics: Metrics,
        committed: int = 0,
        disk: Disk = Disk(),  # noqa: B008 - frozen, and holds functions only
        segment_bytes: int = SEGMENT_BYTES,
        retire: Callable[[Path], None] = _delete,
        handover: Handover | None = None,
    ) -> None:
        """Opens the log in `directory`, makes it where there is none, and cuts off a torn tail.

        `committed` is the store's position of this source; the log never gives out a position before it again.
        `retire` is called with each file whose events are all committed; the log needs it no longer.
        `handover` holds what was decoded before it was logged.
        Raises OSError where the directory can't be used.
        """
        self._directory = directory
        self._source = source
        self._metrics = metrics
        self._disk = disk
        self._segment_bytes = segment_bytes
        self._retire = retire
        self._committed = committed
        self._queue: list[_Append] = []
        self._queued = threading.Condition()
        self._synced = threading.Condition()
        self._closing = False
        self._partial = False  # bytes of a failed write may stand after the end
        self._failure: str | None = None
        self._handover = Handover() if handover is None else handover
        for made in [each for each in (directory, *directory.parents) if not each.exists()][::-1]:
            made.mkdir()
            disk.sync_directory(made.parent)
        self._segments = segments.segments(directory)
        self._end, self._descriptor = self._open_last()
        self.release(committed)
        # A log that nobody closed must not keep the process alive; what it has answered for is on the disk.
        self._thread = threading.Thread(target=self._run, name=f"ingest-log {source}", daemon=True)
        self._thread.start()

    @property
    def start(self) -> int:
        """The oldest position that is still in the log."""
        return self._segments[0].first

    @property
    def end(self) -> int:
        """The position after the last record; all before it is synced."""
        return self._end

    @property
    def behind_bytes(self) -> int:
        """How much of the log the store has not committed yet."""
        return self._end - self._committed

    @property
    def failure(self) -> str | None:
        """Why the log takes no events at present; None where it does."""
        return self._failure

    async def append(self, payload: bytes, count: int, arrived_us: int, decoded: Decoded | None = None) -> None:
        """Returns once `payload`, `count` records one a line, is synced; raises AppendError where it is not in the log.

        `decoded` is what the records are, for the reader, where that is known.
        """
        loop = asyncio.get_running_loop()
        append = _Append(payload, count, arrived_us, decoded, loop, loop.create_future())
        with self._queued:
            if self._closing:
                raise AppendError("the server is stopping; send the events again later")
            self._queue.append(append)
            self._queued.notify()
        await append.done

    def wait(self, position: int, timeout_s: float) -> bool:
        """Waits until there are records after `position`; False where none came in time or the log was closed."""
        with self._synced:
            self._synced.wait_for(lambda: self._end > position or self._closing, timeout_s)
            return self._end > position

    def take(self, position: int) -> Events | None:
        """What the door decoded of the frame at `position`; None where it must be read from its file."""
        with self._synced:
            return self._handover.take(position)

    def segment_at(self, position: int) -> Segment:
        """The segment to read on in from `position`: the one that holds it, else the first one after it.

        At the end of the log that is the last one, whose end the position is. Raises OSError where a file is gone.
        """
        with self._synced:
            later = next((index for index, segment in enumerate(self._segments) if segment.first > position), len(self._segments))
            before = self._segments[later - 1] if later else None
            if before is not None and (later == len(self._segments) or position < before.end):
                return before
            found = self._segments[later]
        if found.first > position:
            self._metrics.missing_bytes.labels(self._source).inc(found.first - position)
            _logger.error("a file of the ingest log is gone, its events are lost", before=str(found.path), bytes=found.first - position)
        return found

    def release(self, committed: int) -> None:
        """Lets go of the files that hold nothing from position `committed` on."""
        with self._synced:
            self._committed = max(self._committed, committed)
            while len(self._segments) > 1 and self._segments[1].first <= self._committed:
                self._let_go(self._segments.pop(0).path)
            self._measure()

    def _let_go(self, path: Path) -> None:
        try:
            self._retire(path)
        except OSError as error:  # it only takes room, and the next start lets go of it again
            _logger.warning("a file of the ingest log that is needed no longer could not be removed", file=str(path), reason=str(error))

    def close(self) -> None:
        """Writes and syncs what is queued, then ends the thread. Later appends fail."""
        with self._queued:
            self._closing = True
            self._queued.notify()
        self._thread.join()
        with self._synced:
            self._synced.notify_all()
        os.close(self._descriptor)

    def _open_last(self) -> tuple[int, int]:
        """The position to go on at, and the descriptor of the last segment, made fit for it."""
        if not self._segments:
            return self._committed, self._begin_segment(self._committed)
        last = self._segments[-1]
        tail = segments.verify(last, max(last.first, self._committed))
        end = tail.end
        if tail.damaged:
            _logger.error("the ingest log is damaged", file=str(last.path), byte=tail.end - last.first, reason=tail.reason)
            end = last.end  # what stands in that file stays as it is, for whoever mends it
        elif tail.reason:
            self._cut(last, tail.end, tail.reason)
        if end == tail.end >= self._committed:
            return end, os.open(last.path, os.O_WRONLY)
        end = max(end, self._committed)
        return end, self._begin_segment(end)

    def _cut(self, last: Segment, end: int, reason: str) -> None:
        self._metrics.torn_tails.labels(self._source).inc()
        _logger.warning(
            "the ingest log ended in a write that was never finished nor answered; it was cut off",
            file=str(last.path),
            byte=end - last.first,
            bytes=last.end - end,
            reason=reason,
        )
        with last.path.open("r+b") as file:
            file.truncate(end - last.first)
            self._disk.sync(file.fileno())

    def _begin_segment(self, first: int) -> int:
        """Makes the file for the bytes from `first` on, durably, and answers its descriptor."""
        new = segments.segment(self._directory, first)
        descriptor = os.open(new.path, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            self._disk.sync_directory(self._directory)
        except OSError:
            os.close(descriptor)
            raise
        with self._synced:
            self._segments.append(new)
        return descriptor

    def _run(self) -> None:
        group: list[_Append] = []
        try:
            while group := self._next_group():
                self._attempt(partial(self._write, group))
                _answer(group, self._failure)
                group = []
        finally:  # nobody may wait for a writer that is gone, whatever ended it
            with self._queued:
                if not self._closing:  # else it was asked to end
                    self._failure = _WRITER_GONE
                self._closing = True
            _answer(group + self._queue, _WRITER_GONE)

    def _next_group(self) -> list[_Append]:
        """Waits for appends and answers all that are queued; none once the log is closed."""
        with self._queued:
            while not self._queue and not self._closing:
                if not self._queued.wait(_PROBE_S if self._failure else None):
                    self._attempt(self._probe)
            group, self._queue = self._queue, []
        return group

    def _attempt(self, write: Callable[[], None]) -> None:
        try:
            self._cut_partial()
            write()
        except OSError as error:
            if self._failure is None:
                _logger.error("no events can be taken", source=self._source, directory=str(self._directory), reason=str(error))
            self._failure = f"{error.strerror or error}; the events were not kept, send them again later"
            with contextlib.suppress(OSError):  # tried again before the next write
                self._cut_partial()
        else:
            if self._failure is not None:
                _logger.info("events are taken again", source=self._source)
            self._failure = None

    def _cut_partial(self) -> None:
        """Takes away what a failed write left, so that it neither holds room nor is taken for records."""
        if self._partial:
            os.ftruncate(self._descriptor, self._end - self._segments[-1].first)
            self._partial = False

    def _probe(self) -> None:
        """Finds out whether the disk takes writes again, where no request comes that would."""
        self._write_synced([bytes(_PROBE_BYTES)])
        self._cut_partial()

    def _write(self, group: list[_Append]) -> None:
        """Writes and syncs a group of appends, all or none of them."""
        if self._end - self._segments[-1].first >= self._segment_bytes:
            full, self._descriptor = self._descriptor, self._begin_segment(self._end)
            os.close(full)
        end = self._end
        buffers: list[bytes] = []
        decoded: list[tuple[Header, Decoded]] = []
        for append in group:
            header = Header(len(append.payload), zlib.crc32(append.payload), append.count, append.arrived_us, end, self._end)
            buffers += (header.encode(), append.payload)
            end = header.next_position
            if append.decoded is not None:
                decoded.append((header, append.decoded))
        self._write_synced(buffers)
        self._partial = False
        with self._synced:
            self._end = end
            for header, each in decoded:
                self._handover.put(header.position, header.begin, header.next_position, each)
            self._measure()
            self._synced.notify_all()

    def _write_synced(self, buffers: list[bytes]) -> None:
        self._partial = True
        self._disk.write_all(self._descriptor, buffers, self._end - self._segments[-1].first)
        self._disk.sync(self._descriptor)

    def _measure(self) -> None:
        self._metrics.ingest_log_bytes.labels(self._source).set(self._end - self._segments[0].first)


def _answer(appends: Iterable[_Append], failure: str | None) -> None:
    """Wakes the requests that wait, each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = defaultdict(list)
    for append in appends:
        by_loop[append.loop].append(append.done)
    for loop, futures in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed: its requests are gone, and nobody waits
            loop.call_soon_threadsafe(_resolve, futures, failure)


def _resolve(futures: list[asyncio.Future[None]], failure: str | None) -> None:
    for future in futures:
        if future.done():  # cancelled with its request
            continue
        if failure is None:
            future.set_result(None)
        else:
            future.set_exception(AppendError(failure))
