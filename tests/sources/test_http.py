import asyncio
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk, Source
from livekpi.sources.http import HttpSource
from livekpi.sources.ingest_log import IngestLog
from tests.sources.chunks import raw


@pytest.fixture
def log(tmp_path: Path) -> Iterator[IngestLog]:
    log = IngestLog(tmp_path / "log", source="app", metrics=Metrics(CollectorRegistry()))
    yield log
    log.close()


def append(log: IngestLog, records: list[bytes], arrived_us: int = 7) -> None:
    asyncio.run(log.append(b"\n".join(records), len(records), arrived_us))


def started(log: IngestLog, position: int | None = None) -> HttpSource:
    source = HttpSource(log)
    source.start({} if position is None else {"log": position})
    return source


def test_it_is_a_source(log: IngestLog) -> None:
    source: Source = HttpSource(log)
    assert source.lag() == {"log": 0}


def test_reading_goes_on_where_it_stopped(log: IngestLog) -> None:
    append(log, [b"a", b"b"])
    append(log, [b"c"])
    source = started(log)
    (first,) = raw(source.read(2, 0))
    assert list(first.records) == [b"a", b"b"]
    assert source.lag() == {"log": log.end - first.next_position}
    (again,) = raw(started(log, first.next_position).read(10, 0))
    assert again.records == [b"c"]
    assert again.next_position == log.end


def test_arrival_travels_with_the_records(log: IngestLog) -> None:
    for arrived_us in (5, 5, 6):
        append(log, [b"a", b"b"], arrived_us)
    chunks = raw(started(log).read(100, 0))
    assert [(chunk.arrived_us, len(chunk.records)) for chunk in chunks] == [(5, 4), (6, 2)]
    assert chunks[0].next_position < chunks[1].positions[0]


def test_it_knows_when_what_was_there_is_read(log: IngestLog) -> None:
    append(log, [b"a"])
    source = started(log)
    append(log, [b"b"])
    assert not source.at_end()
    raw(source.read(1, 0))
    assert source.at_end()


def test_an_append_wakes_a_waiting_read(log: IngestLog) -> None:
    source = started(log)
    found: list[Chunk] = []
    reader = threading.Thread(target=lambda: found.extend(raw(source.read(1, 60))))
    reader.start()
    append(log, [b"a"])
    reader.join(30)
    assert not reader.is_alive()
    assert [chunk.records for chunk in found] == [[b"a"]]


def test_closing_the_log_wakes_a_waiting_read(tmp_path: Path) -> None:
    log = IngestLog(tmp_path / "log", source="app", metrics=Metrics(CollectorRegistry()))
    source = started(log)
    reader = threading.Thread(target=source.read, args=(1, 60))
    reader.start()
    log.close()
    reader.join(30)
    assert not reader.is_alive()


def test_nothing_came(log: IngestLog) -> None:
    assert raw(started(log).read(10, 0.001)) == []


REQUESTS = st.lists(st.lists(st.binary(min_size=1, max_size=400_000).filter(lambda r: b"\n" not in r), min_size=1, max_size=4), max_size=6)


@given(REQUESTS, st.integers(1, 200), st.integers(1, 5))
def test_any_requests_files_and_limits_give_each_record_once_in_order(
    tmp_path_factory: pytest.TempPathFactory, requests: list[list[bytes]], segment_bytes: int, limit: int
) -> None:
    directory = tmp_path_factory.mktemp("log")
    log = IngestLog(directory, source="app", metrics=Metrics(CollectorRegistry()), segment_bytes=segment_bytes)
    try:
        for records in requests:
            append(log, records)
        position = log.start
        found: list[bytes | None] = []
        while chunks := raw((source := started(log, position)).read(limit, 0)):  # a restart at each step
            source.close()
            for chunk in chunks:
                found.extend(chunk.records)
                assert all(before < after for before, after in pairwise([*chunk.positions, chunk.next_position]))
                assert chunk.positions[0] >= position
                position = chunk.next_position
        assert found == [record for records in requests for record in records]
        assert position == log.end
    finally:
        log.close()
