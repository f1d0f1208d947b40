"""One open file on the way to its end."""

import os
from pathlib import Path

from livekpi.definition.shape.model import File, Stdin
from livekpi.sources.base import Chunk
from livekpi.sources.byte_streams import ByteStream, PlainStream, open_stream
from livekpi.sources.csv_text import CsvText
from livekpi.sources.identity import Identity
from livekpi.sources.lines import CsvRecords, Lines, Records

_READ_BYTES = 2**23  # taken at once at most, so that large records don't fill the memory


class RewrittenError(Exception):
    """The file holds something else than when its reading began."""


def records_of(spec: File | Stdin) -> Records:
    """What cuts a source's bytes into records."""
    return CsvRecords(CsvText(spec.delimiter)) if spec.format == "csv" else Lines()


class Tail:
    """Reads the records of one file; what it reads it reads once, however the file is renamed meanwhile."""

    def __init__(self, file: Path, identity: Identity, head: bytes, position: int, ordinal: int, records: Records) -> None:
        """Opens the file at a position; `head` is how it begins. Raises OSError, DamagedError and HeaderError."""
        self._identity, self._head, self._ordinal, self._records = identity, head, ordinal, records
        self._waiting: list[bytes] = []
        self._positions: list[int] = []
        self.descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._stream = self._open(position)
        except BaseException:
            os.close(self.descriptor)
            raise

    @property
    def position(self) -> int:
        """Where the first record that was not given yet begins."""
        return self._positions[0] if self._positions else self._records.position

    @property
    def file_position(self) -> int:
        """How many of the file's own bytes are read."""
        return self._stream.file_position

    @property
    def cut_short(self) -> bool:
        """Whether the rest of a compressed file is missing."""
        return self._stream.cut_short

    def read(self, limit: int) -> Chunk | None:
        """The next records, at most `limit`; None where there are none at present.

        Raises RewrittenError where the file was truncated or overwritten, DamagedError and HeaderError.
        """
        left_bytes = _READ_BYTES
        while len(self._waiting) < limit and left_bytes > 0:
            block = self._stream.read()
            if not self._is_same():
                raise RewrittenError
            if not block:
                break
            left_bytes -= len(block)
            self._add(self._records.feed(block))
        return self._take(limit)

    def read_waiting(self) -> Chunk | None:
        """The records that are read already and were not given yet."""
        return self._take(len(self._waiting))

    def read_last(self) -> Chunk | None:
        """The record that no newline ends, where the file has come to its end."""
        self._add(self._records.finish())
        return self.read_waiting()

    def close(self) -> None:
        os.close(self.descriptor)

    def _open(self, position: int) -> ByteStream:
        stream = open_stream(self.descriptor)
        if isinstance(self._records, CsvRecords):
            position = max(position, self._read_header(stream, self._records))
            stream = open_stream(self.descriptor)
        stream.skip(position)
        self._records.seek(stream.position)
        return stream

    def _read_header(self, stream: ByteStream, records: CsvRecords) -> int:
        """Where the first record after the header begins; 0 where the header is not there yet."""
        while records.columns is None and (block := stream.read()):
            _, positions = records.feed(block)
            if positions:
                return positions[0]
        return records.position if records.columns is not None else 0

    def _is_same(self) -> bool:
        """Looked at after each read, so that nothing is given of what was written since."""
        if os.fstat(self.descriptor).st_size < self._stream.file_position:
            return False
        return not isinstance(self._stream, PlainStream) or os.pread(self.descriptor, len(self._head), 0) == self._head

    def _add(self, cut: tuple[list[bytes], list[int]]) -> None:
        self._waiting += cut[0]
        self._positions += cut[1]

    def _take(self, limit: int) -> Chunk | None:
        records, self._waiting = self._waiting[:limit], self._waiting[limit:]
        positions, self._positions = self._positions[:limit], self._positions[limit:]
        if not records:
            return None
        return Chunk(self._identity.partition, records, positions, self.position, self._ordinal, self._records.columns)
