"""A file's bytes from a position on, decompressed; positions count decompressed bytes."""

import os
import zlib
from typing import NamedTuple, Protocol

import zstandard

BLOCK_BYTES = 2**18
_RAW_BYTES = 2**15  # little, because compressed bytes may become a thousand times as many
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ERRORS = (zlib.error, zstandard.ZstdError)


class DamagedError(Exception):
    """The bytes can't be decompressed; says from where on."""


class ByteStream(Protocol):
    """What a file holds, read in blocks. The descriptor stays the caller's."""

    position: int
    """Of the next byte."""

    def read(self) -> bytes:
        """The next block; empty where there is no more at present. Raises DamagedError."""

    def skip(self, position: int) -> None:
        """Goes on at a later position, at the most at the end. Raises DamagedError."""

    @property
    def cut_short(self) -> bool:
        """Whether the end is not one: the rest of a compressed file is missing."""

    @property
    def file_position(self) -> int:
        """How many of the file's own bytes are read."""


def open_stream(descriptor: int) -> ByteStream:
    """The stream of an open file; gzip and zstd are known by their first bytes, whatever the file is called."""
    magic = os.pread(descriptor, 4, 0)
    if magic.startswith((_GZIP, _ZSTD)):
        return CompressedStream(descriptor, gzip=magic.startswith(_GZIP))
    return PlainStream(descriptor)


class Head(NamedTuple):
    """How a file begins."""

    data: bytes
    """The first bytes, decompressed."""
    compressed: bool
    whole: bool
    """Whether this is all that the file will ever hold: a compressed file that is complete."""


def read_head(descriptor: int, size: int) -> Head:
    """At most the first `size` bytes that an open file holds. Raises DamagedError."""
    stream = open_stream(descriptor)
    data = b""
    while len(data) < size and (block := stream.read()):
        data += block
    compressed = isinstance(stream, CompressedStream)
    return Head(data[:size], compressed, whole=compressed and len(data) <= size and not stream.cut_short)


class PlainStream:
    """A file as it is."""

    cut_short = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.position = 0

    def read(self) -> bytes:
        block = os.pread(self._descriptor, BLOCK_BYTES, self.position)
        self.position += len(block)
        return block

    def skip(self, position: int) -> None:
        self.position = max(self.position, min(position, os.fstat(self._descriptor).st_size))

    @property
    def file_position(self) -> int:
        return self.position


class CompressedStream:
    """A gzip or zstd file, all of its members or frames one after the other."""

    def __init__(self, descriptor: int, *, gzip: bool) -> None:
        self._descriptor = descriptor
        self._gzip = gzip
        self._member = self._begin()
        self._offset = 0
        self._raw = b""
        self._block = b""
        self.position = 0

    def read(self) -> bytes:
        block, self._block = self._block or self._next(), b""
        self.position += len(block)
        return block

    def skip(self, position: int) -> None:
        while self.position < position and (block := self.read()):
            self._block = block[len(block) - max(0, self.position - position) :]
            self.position -= len(self._block)

    @property
    def cut_short(self) -> bool:
        return not self._member.eof

    @property
    def file_position(self) -> int:
        return self._offset

    def _begin(self) -> "zlib._Decompress | zstandard.ZstdDecompressionObj":
        return zlib.decompressobj(wbits=31) if self._gzip else zstandard.ZstdDecompressor().decompressobj()

    def _next(self) -> bytes:
        while True:
            raw = self._raw or os.pread(self._descriptor, _RAW_BYTES, self._offset)
            if not raw:
                return b""
            if not self._raw:
                self._offset += len(raw)
            self._raw = b""
            if self._member.eof:
                raw = raw.lstrip(b"\0")  # padding between members
                if not raw:
                    continue
                self._member = self._begin()
            try:
                block = self._member.decompress(raw)
            except _ERRORS as error:
                raise DamagedError(f"can't be decompressed after its first {self.position} bytes ({error})") from error
            if self._member.eof:
                self._raw = self._member.unused_data
            if block:
                return block
