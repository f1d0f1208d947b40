"""The frames an ingest log is made of.

A frame is a header of 44 bytes and a payload: the records of one request, one a line, without a line end after the last.
Little-endian: magic, payload length, CRC-32 of the payload, number of records (u32 each); arrival in µs, the frame's own
position, the position up to which the log was synced when the frame was written (i64 each); CRC-32 of the header before it.

The synced position tells a torn write from damage. A frame that can't be read, but that a later frame says was synced,
was whole once and has been damaged; any other unreadable frame was never answered for and may be cut off.
"""

import mmap
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from livekpi.sources.lined import Lined

_FIELDS = struct.Struct("<4sIIIqqq")
_CRC = struct.Struct("<I")
_MAGIC = b"lkF1"
HEADER_BYTES = _FIELDS.size + _CRC.size
MAX_PAYLOAD_BYTES = 2**31
"""More than any body that is taken, so that a damaged length is seen as such."""


class UnreadableFrameError(Exception):
    """These bytes are no whole frame; says why."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a frame says of itself, in the order of its fields."""

    payload_bytes: int
    payload_crc: int
    count: int
    """How many records the payload holds, at least one."""
    arrived_us: int
    position: int
    """Where the frame begins, in bytes from the beginning of its log."""
    synced: int

    @property
    def begin(self) -> int:
        """Where the payload begins."""
        return self.position + HEADER_BYTES

    @property
    def next_position(self) -> int:
        return self.begin + self.payload_bytes

    def encode(self) -> bytes:
        fields = _FIELDS.pack(_MAGIC, self.payload_bytes, self.payload_crc, self.count, self.arrived_us, self.position, self.synced)
        return fields + _CRC.pack(zlib.crc32(fields))


def decode_header(data: bytes, position: int) -> Header:
    """Reads the header of the frame at `position` from its HEADER_BYTES bytes; raises UnreadableFrameError."""
    if len(data) < HEADER_BYTES:
        raise UnreadableFrameError(f"the header is cut short at {len(data)} of {HEADER_BYTES} bytes")
    fields = data[: _FIELDS.size]
    (crc,) = _CRC.unpack_from(data, _FIELDS.size)
    magic, *numbers = _FIELDS.unpack(fields)
    if magic != _MAGIC:
        raise UnreadableFrameError("no frame begins here")
    if crc != zlib.crc32(fields):
        raise UnreadableFrameError("the header's checksum does not match")
    header = Header(*numbers)
    if header.position != position:
        raise UnreadableFrameError(f"the frame says that it belongs at position {header.position}")
    # records may be empty, and there is a line end between two
    if not 0 < header.count <= header.payload_bytes + 1 or header.payload_bytes > MAX_PAYLOAD_BYTES:
        raise UnreadableFrameError("the header's numbers are out of range")
    return header


def check_payload(header: Header, payload: bytes | memoryview) -> None:
    """Raises UnreadableFrameError where `payload` is not the whole payload of its frame."""
    if len(payload) < header.payload_bytes:
        raise UnreadableFrameError(f"the payload is cut short at {len(payload)} of {header.payload_bytes} bytes")
    if zlib.crc32(payload) != header.payload_crc:
        raise UnreadableFrameError("the payload's checksum does not match")


def split_records(header: Header, payload: bytes) -> tuple[Sequence[bytes], list[int]]:
    """The records of a frame and their positions: where each one's first byte stands in its log.

    A payload of one record is that record, line ends and all.
    """
    if header.count == 1:
        return [payload], [header.begin]
    records = Lined(payload)
    if len(records) != header.count:
        raise UnreadableFrameError(f"the payload holds {len(records)} records where the header says {header.count}")
    return records, (records.starts + header.begin).tolist()


@dataclass(frozen=True, slots=True)
class Tail:
    """What a segment's end looks like."""

    end: int
    """The position after the last whole frame."""
    reason: str = ""
    """Why what follows could not be read; empty where nothing follows."""
    damaged: bool = False
    """True where what follows was synced once, so that it may not be cut off."""


def verify(segment: mmap.mmap | bytes, first: int, begin: int) -> Tail:
    """Reads a segment whose first byte has position `first` from the frame at `begin` to its end."""
    view = memoryview(segment)
    try:
        position = begin
        while position - first < len(view):
            offset = position - first
            try:
                header = decode_header(bytes(view[offset : offset + HEADER_BYTES]), position)
                check_payload(header, view[offset + HEADER_BYTES :][: header.payload_bytes])
            except UnreadableFrameError as error:
                return Tail(position, str(error), _synced_later(segment, first, position))
            position = header.next_position
        return Tail(position)
    finally:
        view.release()


def _synced_later(segment: mmap.mmap | bytes, first: int, position: int) -> bool:
    """Whether a frame after `position` says that the log was synced beyond it."""
    offset = segment.find(_MAGIC, position - first + 1)
    while offset >= 0:
        if _synced(segment[offset : offset + HEADER_BYTES], first + offset) > position:
            return True
        offset = segment.find(_MAGIC, offset + 1)
    return False


def _synced(data: bytes, position: int) -> int:
    try:
        return decode_header(data, position).synced
    except UnreadableFrameError:  # the magic stood there by chance
        return -1
