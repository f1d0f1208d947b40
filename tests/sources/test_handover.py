"""What the door hands over is what the log would give, record by record, and nothing of it is needed."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from livekpi.events import Events, joined
from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.sources.handover import Decoded, Handover
from livekpi.sources.http import HttpSource
from livekpi.sources.ingest_log import IngestLog
from tests.rehearsed import NOON_US, definition

SOURCE = definition("n: integer", {"sum": "value: sum(n)"}).sources["s"]
DECODER = Decoder(SOURCE)
RECORDS = st.one_of(
    st.integers(0, 10**6).map(lambda n: b'{"ts":"2026-03-01T12:00:00Z","n":%d}' % n),
    st.sampled_from([b"", b"{", b'{"ts":"2026-03-01T12:00:00Z","n":"7"}', b'{"ts":"2026-03-01T12:09:00Z","n":1}']),
)
FRAMES = st.lists(st.tuples(st.lists(RECORDS, min_size=1, max_size=5), st.integers(0, 1)), max_size=8)
READS = st.lists(st.integers(1, 8), max_size=8)


def log_in(directory: str | Path, handover: Handover) -> IngestLog:
    return IngestLog(Path(directory), source="s", metrics=Metrics(CollectorRegistry()), handover=handover)


async def fill(log: IngestLog, frames: Sequence[tuple[list[bytes], int]], decoded: Callable[[int], bool]) -> None:
    """Appends frames, each arriving so many µs after noon; those for whose number `decoded` says so are handed over too."""
    for number, (records, after_us) in enumerate(frames):
        ready = Decoded.of(DECODER, records, NOON_US + after_us) if decoded(number) else None
        await log.append(b"\n".join(records), len(records), NOON_US + after_us, ready)


def read_all(log: IngestLog, limits: Sequence[int], position: int = 0) -> Events:
    """All that can be read from a position on, decoded where it is not yet."""
    source = HttpSource(log)
    with closing(source):
        source.start({"log": position})
        found = [DECODER.decode([], NOON_US)]
        for limit in [*limits, 10**6]:
            found += [DECODER.decode([each], NOON_US) if isinstance(each, Chunk) else each for each in source.read(limit, 0)]
    return joined(found)


@given(FRAMES, st.sets(st.integers(0, 7)), READS, st.sampled_from([0, 150, 10**6]))
def test_it_is_the_same_from_memory_and_from_the_file(
    frames: list[tuple[list[bytes], int]], handed_over: set[int], limits: list[int], kept_bytes: int
) -> None:
    with TemporaryDirectory() as first, TemporaryDirectory() as second, ExitStack() as stack:
        both = [log_in(first, Handover(kept_bytes)), log_in(second, Handover(0))]
        for log in both:
            stack.callback(log.close)
            asyncio.run(fill(log, frames, handed_over.__contains__))
        ours, theirs = (read_all(log, limits) for log in both)
    assert ours.table.to_pylist() == theirs.table.to_pylist()
    assert ours.dead == theirs.dead
    assert (ours.next_positions, ours.records, ours.bytes) == (theirs.next_positions, theirs.records, theirs.bytes)


def test_what_was_handed_over_is_not_read_again(tmp_path: Path) -> None:
    with closing(log_in(tmp_path, Handover())) as log:
        asyncio.run(fill(log, [([b'{"ts":"2026-03-01T12:00:00Z","n":1}'], 0)], lambda _: True))
        for segment in tmp_path.iterdir():
            segment.write_bytes(b"\0" * segment.stat().st_size)
        assert read_all(log, []).table["n"].to_pylist() == [1]


@pytest.mark.parametrize("begin", [0, 1, 2, 3])
def test_a_reader_that_begins_later_leaves_what_was_before(tmp_path: Path, begin: int) -> None:
    frames = [([b'{"ts":"2026-03-01T12:00:00Z","n":%d}' % n], 0) for n in range(3)]
    with closing(log_in(tmp_path, Handover())) as log:
        asyncio.run(fill(log, frames, lambda _: True))
        assert read_all(log, [], begin * log.end // 3).table["n"].to_pylist() == list(range(begin, 3))
        handover = Handover(2 * len(frames[0][0][0]))
    decoded = Decoded.of(DECODER, frames[0][0], NOON_US)
    for position in range(3):  # the third has no room
        handover.put(position, position, position + 1, decoded)
    assert [handover.take(position) is not None for position in (1, 0, 2)] == [True, False, False]
    handover.put(3, 3, 4, decoded)
    assert handover.take(3) is not None
