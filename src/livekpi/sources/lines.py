"""Cuts a stream of bytes into records and says where each stands."""

import csv
from codecs import BOM_UTF8
from collections.abc import Sequence
from itertools import accumulate, count
from operator import add
from typing import Protocol

from livekpi.sources.csv_text import CsvText
from livekpi.sources.decode import MAX_RECORD_BYTES
from livekpi.sources.faults import shown

_KEPT_BYTES = MAX_RECORD_BYTES + 1  # of a longer record no more is kept; it is a dead letter for its size
_JOINED_LINES = 1_000

Cut = tuple[list[bytes], list[int]]
"""Records and their positions."""


class Records(Protocol):
    """Takes blocks of bytes as they come and gives the records that are complete."""

    @property
    def position(self) -> int:
        """Where the first record that is not given yet begins."""

    @property
    def columns(self) -> tuple[str, ...] | None:
        """For CSV the header, once it is read."""

    def feed(self, block: bytes) -> Cut:
        """The records that a block completes."""

    def finish(self) -> Cut:
        """What is left at the end of the stream."""

    def seek(self, position: int) -> None:
        """Goes on with bytes from another position, where a record begins."""


class Lines:
    """A record a line; blank lines are none. A line costs its length, however many blocks it spans."""

    columns: tuple[str, ...] | None = None

    def __init__(self, *, keep_blank: bool = False) -> None:
        self._keep_blank = keep_blank
        self.seek(0)

    def seek(self, position: int) -> None:
        self.position = position
        self._held: list[bytes] = []
        self._held_bytes = 0

    def feed(self, block: bytes) -> Cut:
        end = block.rfind(b"\n")
        if end < 0:
            self._hold(block)
            return [], []
        lines = block[:end].split(b"\n")
        self._hold(lines[0])
        lines[0], first_bytes = b"".join(self._held)[:_KEPT_BYTES], self._held_bytes
        cut = self._cut(lines, first_bytes)
        self._held, self._held_bytes = [], 0
        self._hold(block[end + 1 :])
        return cut

    def finish(self) -> Cut:
        last, last_bytes = b"".join(self._held)[:_KEPT_BYTES], self._held_bytes
        self._held, self._held_bytes = [], 0
        cut = self._cut([last], last_bytes)
        self.position -= 1  # there was no newline
        return cut

    def _hold(self, part: bytes) -> None:
        if self._held_bytes < _KEPT_BYTES:
            self._held.append(part)
        self._held_bytes += len(part)

    def _cut(self, lines: list[bytes], first_bytes: int) -> Cut:
        """The lines with their positions; the first may be longer than what was kept of it."""
        if self.position == 0:
            lines[0] = lines[0].removeprefix(BOM_UTF8)
        second = self.position + first_bytes
        ends = list(map(add, accumulate(map(len, lines[1:]), initial=second), count(1)))
        positions = [self.position, *ends[:-1]]
        self.position = ends[-1]
        if self._keep_blank or all(map(bytes.strip, lines)):
            return lines, positions
        kept = [index for index, line in enumerate(lines) if line.strip()]
        return [lines[index] for index in kept], [positions[index] for index in kept]


class HeaderError(Exception):
    """A CSV header can't be read; says why."""


class CsvRecords:
    """CSV: the first record is the header; a quoted cell may hold newlines.

    Lines are joined only where that gives as many cells as the header has; so a stray quote spoils no line but its own.
    `feed` and `finish` raise HeaderError.
    """

    def __init__(self, text: CsvText | None = None) -> None:
        """`text` says how it is written; None: with commas."""
        self._text = text or CsvText()
        self._lines = Lines(keep_blank=True)
        self.columns: tuple[str, ...] | None = None
        self.seek(0)

    @property
    def position(self) -> int:
        return self._open[0][1] if self._open else self._lines.position

    def seek(self, position: int) -> None:
        self._lines.seek(position)
        self._open: list[tuple[bytes, int]] = []
        self._open_bytes = 0

    def feed(self, block: bytes) -> Cut:
        found: list[tuple[bytes, int]] = []
        for line in zip(*self._lines.feed(block), strict=True):
            self._take(line, found)
        return _cut(found)

    def finish(self) -> Cut:
        found: list[tuple[bytes, int]] = []
        for line in zip(*self._lines.finish(), strict=True):
            self._take(line, found)
        for line in self._release():
            self._give(line, found)
        return _cut(found)

    def _take(self, line: tuple[bytes, int], found: list[tuple[bytes, int]]) -> None:
        """Takes the next line with its position, and adds the records that it completes to `found`."""
        text = line[0]
        if not self._open:
            if self._text.is_whole(text):
                self._give(line, found)
            else:
                self._hold(line)
            return
        self._hold(line)
        closed = self._text.closes(text)
        if not closed and len(self._open) < _JOINED_LINES and self._open_bytes < _KEPT_BYTES:
            return
        lines = self._release()
        record = b"\n".join(text for text, _ in lines)
        if closed and (self.columns is None or self._width(record) == len(self.columns)):
            self._give((record, lines[0][1]), found)
            return
        for earlier in lines[:-1]:
            self._give(earlier, found)
        self._take(line, found)  # by itself it may be whole, or the first of its own record

    def _hold(self, line: tuple[bytes, int]) -> None:
        self._open.append(line)
        self._open_bytes += len(line[0])

    def _release(self) -> list[tuple[bytes, int]]:
        lines, self._open, self._open_bytes = self._open, [], 0
        return lines

    def _give(self, record: tuple[bytes, int], found: list[tuple[bytes, int]]) -> None:
        if not record[0].strip():
            return
        if self.columns is None:
            self.columns = self._header(record[0])
        else:
            found.append(record)

    def _width(self, record: bytes) -> int:
        try:
            return len(self._text.cells(record.decode("utf-8", "replace")))
        except csv.Error:
            return 0

    def _header(self, record: bytes) -> tuple[str, ...]:
        try:
            if b"\r" in record.rstrip() and b'"' not in record:
                raise HeaderError(f"the lines end in CR alone; save the file with line ends of LF or CRLF: {shown(record)}")
            return tuple(name.strip() for name in self._text.cells(record.decode()))
        except (UnicodeDecodeError, csv.Error) as error:
            raise HeaderError(f"the header is no CSV in UTF-8 ({error}): {shown(record)}") from error


def _cut(found: Sequence[tuple[bytes, int]]) -> Cut:
    return [record for record, _ in found], [position for _, position in found]
