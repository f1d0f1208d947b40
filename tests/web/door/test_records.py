import gzip
import tracemalloc

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from livekpi.web.door.records import decompress, split
from livekpi.web.problems import ProblemError

MIB = 2**20


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


@given(st.lists(st.binary(), min_size=1, max_size=4), st.sampled_from(["gzip", "zstd"]))
def test_members_one_after_another_are_one_body(parts: list[bytes], encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zstd
    assert decompress(b"".join(map(pack, parts)), encoding, MIB) == b"".join(parts)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_members_may_end_anywhere_in_a_body_of_many(encoding: str) -> None:
    """As many as this would take minutes if each cost as much as what is left of the body."""
    pack = gzip.compress if encoding == "gzip" else zstd
    event = b'{"n": 1}\n'
    body = pack(b"") * 400_000 + pack(event)
    assert decompress(body, encoding, MIB) == event
    with pytest.raises(ProblemError, match="cut short"):
        decompress(body[:-1], encoding, MIB)


@pytest.mark.parametrize("pack", [gzip.compress, zstd], ids=["gzip", "zstd"])
def test_the_limit_is_exact(pack: object) -> None:
    assert callable(pack)
    encoding = "gzip" if pack is gzip.compress else "zstd"
    assert len(decompress(pack(bytes(1000)), encoding, 1000)) == 1000
    with pytest.raises(ProblemError, match="larger than 999 bytes"):
        decompress(pack(bytes(1000)), encoding, 999)
    with pytest.raises(ProblemError, match="larger than 1999 bytes"):
        decompress(pack(bytes(1000)) * 2, encoding, 1999)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_stopped_early(encoding: str) -> None:
    size = 256 * MIB
    if encoding == "gzip":
        bomb = gzip.compress(bytes(16 * MIB)) * 16
    else:
        compressor = zstandard.ZstdCompressor().compressobj(size=size)
        bomb = b"".join(compressor.compress(bytes(MIB)) for _ in range(256)) + compressor.flush()
    tracemalloc.start()
    with pytest.raises(ProblemError, match="larger"):
        decompress(bomb, encoding, 4 * MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * MIB


def test_a_window_that_would_take_too_much_memory() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=29)
    frame = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = frame.compress(b"x" * 100) + frame.flush()
    with pytest.raises(ProblemError, match="too much memory"):
        decompress(body, "zstd", MIB)


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_no_encoding(encoding: str) -> None:
    assert decompress(b"x", encoding, 1) == b"x"


@given(st.binary())
def test_splitting_keeps_every_line_or_says_why_not(body: bytes) -> None:
    try:
        records = split(body)
    except ProblemError:
        return
    assert len(records) == 1 or not any(b"\n" in record for record in records)
