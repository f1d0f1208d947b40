"""The stdin source: lines of a stream that comes once.

Its positions can't be gone back to: after a restart only new input is read, and its positions count on from the committed
ones. What was read and not committed when the process ended is lost; whoever must not lose any uses a file, HTTP or Kafka.
"""

import queue
import select
import threading
from codecs import BOM_UTF8
from collections.abc import Mapping
from typing import BinaryIO

from livekpi.definition.shape.model import Stdin
from livekpi.sources.base import Chunk, SourceError
from livekpi.sources.lines import Cut, HeaderError
from livekpi.sources.tail import records_of

PARTITION = "stdin"
_BLOCK_BYTES = 2**16
_BLOCKS_AHEAD = 64


class StdinSource:
    """Reads records from a binary stream to its end."""

    problem = None
    """It reads or fails, and waits for nothing in between."""

    def __init__(self, spec: Stdin, stream: BinaryIO) -> None:
        self._records = records_of(spec)
        self._begun = False
        self._stream = stream
        self._blocks: queue.Queue[bytes | OSError] = queue.Queue(_BLOCKS_AHEAD)
        self._thread: threading.Thread | None = None
        self._waiting: Cut = ([], [])
        self._ended = False
        self._told_end = False
        self._failure: str | None = None

    def start(self, positions: Mapping[str, int]) -> None:
        if self._thread is None:
            self._records.seek(positions.get(PARTITION, 0))
            # A read of a pipe can't be interrupted, so the thread must not keep the process alive.
            self._thread = threading.Thread(target=self._run, name="stdin", daemon=True)
            self._thread.start()

    def read(self, limit: int, timeout_s: float) -> list[Chunk]:
        records, positions = self._waiting
        while len(records) < limit and not (self._ended and (records or not self._told_end)):
            try:  # at the end nothing comes, and that takes its time
                block = self._blocks.get(timeout=0 if records else timeout_s)
            except queue.Empty:
                break
            more = self._cut(block)
            records, positions = records + more[0], positions + more[1]
        if self._failure is not None and not records:
            raise SourceError(self._failure)
        self._waiting = records[limit:], positions[limit:]
        if not records:
            self._told_end = self._ended
            return []
        position = positions[limit] if len(positions) > limit else self._records.position
        return [Chunk(PARTITION, records[:limit], positions[:limit], position, columns=self._records.columns)]

    def at_end(self) -> bool:
        return self._ended and not self._waiting[0]

    def committed(self, positions: Mapping[str, int]) -> None:
        """Nothing to let go of: what was read is gone from the stream."""

    def lag(self) -> Mapping[str, int]:
        return {PARTITION: sum(map(len, self._waiting[0]))}

    def close(self) -> None:
        """Nothing to free: the stream is the caller's, and the thread ends with it."""

    def _run(self) -> None:
        # Unbuffered: it gives what is there, and holds no lock that would keep the interpreter from ending.
        raw = getattr(self._stream, "raw", self._stream)
        while True:
            try:
                block = raw.read(_BLOCK_BYTES)
                if block is None:  # the stream does not block
                    select.select([raw], [], [])
                    continue
            except OSError as error:
                self._blocks.put(error)
                return
            self._blocks.put(block)
            if not block:
                return

    def _cut(self, block: bytes | OSError) -> Cut:
        try:
            if isinstance(block, OSError):
                self._ended, self._failure = True, f"stdin can't be read: {block.strerror}"
            elif block:
                begin, self._begun = not self._begun, True
                return self._records.feed(block.removeprefix(BOM_UTF8) if begin else block)
            self._ended = True
            return self._records.finish()
        except HeaderError as error:
            self._ended, self._failure = True, f"stdin: {error}"
            return [], []
