"""The http source: reads back what the door appended to the ingest log."""

import os
from collections.abc import Mapping, Sequence
from itertools import chain, groupby
from typing import NamedTuple

from livekpi.events import Events, joined
from livekpi.sources.base import Chunk, SourceError
from livekpi.sources.frames import HEADER_BYTES, UnreadableFrameError, check_payload, decode_header, split_records
from livekpi.sources.handover import PARTITION
from livekpi.sources.ingest_log import IngestLog
from livekpi.sources.segments import Segment

_WINDOW_BYTES = 2**20


class _Request(NamedTuple):
    """A frame, taken apart."""

    arrived_us: int
    records: Sequence[bytes]
    positions: list[int]
    next_position: int


class HttpSource:
    """The ingest log as a source of one partition.

    A record's position is that of its first byte in the log. Reading begins and goes on at whole frames, so a request's
    records come in one piece, and `limit` is passed by less than one request.
    """

    problem = None
    """It reads or fails, and waits for nothing in between."""

    def __init__(self, log: IngestLog) -> None:
        self._log = log
        self._position = 0
        self._end_at_start = 0
        self._segment: Segment | None = None
        self._descriptor = -1
        self._window = b""  # bytes of the log from `_window_first` on, all of them synced
        self._window_first = 0

    def start(self, positions: Mapping[str, int]) -> None:
        self.close()  # what was open of an earlier start: the file may be another by now
        self._position = positions.get(PARTITION, self._log.start)
        self._end_at_start = self._log.end
        if self._position > self._log.end:
            raise SourceError(
                f"the store has events up to position {self._position} of the ingest log, which ends at {self._log.end}: "
                "they are not of one data directory; put back the part that is missing"
            )

    def read(self, limit: int, timeout_s: float) -> list[Chunk | Events]:
        if not self._log.wait(self._position, timeout_s):
            return []
        end = self._log.end
        found: list[_Request | Events] = []
        count = 0
        while count < limit and self._position < end:
            events = self._log.take(self._position)
            if events is not None:
                count += events.records
                self._position = events.next_positions[PARTITION]
                found.append(events)
            else:
                request = self._next_request(end)
                count += len(request.records)
                self._position = request.next_position
                found.append(request)
        return [_together(list(run)) for _, run in groupby(found, lambda each: each.arrived_us if isinstance(each, _Request) else None)]

    def at_end(self) -> bool:
        return self._position >= self._end_at_start

    def committed(self, positions: Mapping[str, int]) -> None:
        if PARTITION in positions:
            self._log.release(positions[PARTITION])

    def lag(self) -> Mapping[str, int]:
        return {PARTITION: self._log.end - self._position}

    def close(self) -> None:
        if self._segment is not None:
            os.close(self._descriptor)
            self._segment = None

    def _next_request(self, end: int) -> _Request:
        segment = self._segment
        if segment is None or self._position - segment.first >= os.fstat(self._descriptor).st_size:
            segment = self._open_next()
        try:
            header = decode_header(self._bytes(segment, HEADER_BYTES, end), self._position)
            payload = self._bytes(segment, HEADER_BYTES + header.payload_bytes, end)[HEADER_BYTES:]
            check_payload(header, payload)
            return _Request(header.arrived_us, *split_records(header, payload), header.next_position)
        except UnreadableFrameError as error:
            raise SourceError(
                f"{segment.path} is damaged at byte {self._position - segment.first}: {error}. All events before it are read. "
                "Put back a whole copy of the file and start again, or move it away to go on without the rest of it"
            ) from error

    def _open_next(self) -> Segment:
        self.close()
        try:
            segment = self._log.segment_at(self._position)
            self._descriptor = os.open(segment.path, os.O_RDONLY)
        except OSError as error:
            raise SourceError(f"{error.filename} can't be read: {error.strerror}; put it back and start again") from error
        self._segment = segment
        self._position = max(self._position, segment.first)
        return segment

    def _bytes(self, segment: Segment, size: int, end: int) -> bytes:
        """The next `size` bytes, fewer where the segment or the synced log ends before."""
        offset = self._position - self._window_first
        if offset + size > len(self._window):
            self._window = os.pread(self._descriptor, min(max(size, _WINDOW_BYTES), end - self._position), self._position - segment.first)
            self._window_first, offset = self._position, 0
        return self._window[offset : offset + size]


def _together(run: list[_Request | Events]) -> Chunk | Events:
    """Requests that arrived at the same time as one chunk, or events that are decoded already as one."""
    requests = [each for each in run if isinstance(each, _Request)]
    return _chunk(requests) if requests else joined([each for each in run if isinstance(each, Events)])


def _chunk(requests: list[_Request]) -> Chunk:
    """Requests that arrived at the same time, as one chunk."""
    first = requests[0]
    if len(requests) == 1:
        return Chunk(PARTITION, first.records, first.positions, first.next_position, arrived_us=first.arrived_us)
    return Chunk(
        PARTITION,
        list(chain.from_iterable(request.records for request in requests)),
        list(chain.from_iterable(request.positions for request in requests)),
        requests[-1].next_position,
        arrived_us=first.arrived_us,
    )
