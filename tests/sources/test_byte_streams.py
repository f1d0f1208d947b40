"""Bytes of files, compressed or not, from any position."""

import gzip
import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zstandard

from livekpi.sources.byte_streams import ByteStream, DamagedError, open_stream, read_head

TEXT = random.Random(1).randbytes(200_000).hex().encode()  # several blocks, compressed too
PACKED = {
    "plain": TEXT,
    "gzip": gzip.compress(TEXT),
    "zstd": zstandard.compress(TEXT),
    "gzip members": gzip.compress(TEXT[:1_000]) + gzip.compress(b"") + gzip.compress(TEXT[1_000:]),
    "gzip padded": gzip.compress(TEXT) + b"\0" * 100,
    "zstd frames": zstandard.compress(TEXT[:100_000]) + zstandard.compress(TEXT[100_000:]),
}


@contextmanager
def stream(file: Path, data: bytes) -> Iterator[ByteStream]:
    file.write_bytes(data)
    descriptor = os.open(file, os.O_RDONLY)
    try:
        yield open_stream(descriptor)
    finally:
        os.close(descriptor)


def rest(found: ByteStream) -> bytes:
    return b"".join(iter(found.read, b""))


@pytest.mark.parametrize("packed", PACKED.values(), ids=PACKED.keys())
@pytest.mark.parametrize("position", [0, 1, 99_999, 100_000, 399_999, 400_000, 10**9])
def test_reads_on_from_a_position(tmp_path: Path, packed: bytes, position: int) -> None:
    with stream(tmp_path / "file", packed) as found:
        found.skip(position)
        assert found.position == min(position, len(TEXT))
        assert rest(found) == TEXT[position:]
        assert found.position == len(TEXT)
        assert not found.cut_short
        assert found.file_position == len(packed)


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_what_is_cut_short_is_known(tmp_path: Path, kind: str) -> None:
    with stream(tmp_path / "file", PACKED[kind][:-5]) as found:
        assert TEXT.startswith(rest(found))
        assert found.cut_short


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
def test_damage_is_an_error_that_says_where(tmp_path: Path, kind: str) -> None:
    damaged = bytearray(PACKED[kind] if kind == "gzip" else zstandard.ZstdCompressor(write_checksum=True).compress(TEXT))
    damaged[1_000:1_100] = b"x" * 100
    with stream(tmp_path / "file", bytes(damaged)) as found, pytest.raises(DamagedError, match="can't be decompressed after its first"):
        rest(found)


@pytest.mark.parametrize(
    ("data", "head", "compressed", "whole"),
    [
        (b"", b"", False, False),
        (b"ab", b"ab", False, False),
        (b"abcdef", b"abcd", False, False),
        (gzip.compress(b"ab", mtime=0), b"ab", True, True),
        (gzip.compress(b"abcdef", mtime=0), b"abcd", True, False),
        (gzip.compress(b"ab", mtime=0)[:-1], b"ab", True, False),
        (zstandard.compress(b"abcd"), b"abcd", True, True),
    ],
)
def test_head(tmp_path: Path, data: bytes, head: bytes, compressed: bool, whole: bool) -> None:
    file = tmp_path / "file"
    file.write_bytes(data)
    descriptor = os.open(file, os.O_RDONLY)
    assert read_head(descriptor, 4) == (head, compressed, whole)
    os.close(descriptor)
