import asyncio
import errno
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
import structlog
from prometheus_client import CollectorRegistry

from livekpi.disk import Disk
from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk, SourceError
from livekpi.sources.frames import HEADER_BYTES
from livekpi.sources.http import HttpSource
from livekpi.sources.ingest_log import AppendError, IngestLog
from tests.sources.chunks import raw

Open = Callable[..., IngestLog]


class Ledger:
    """A disk that writes down what is asked of it, and fails where it is told to."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.room: int | None = None
        """How many bytes still fit; None for any."""
        self.at_sync: Callable[[], None] | None = None
        """What happens when a sync is asked for."""

    @property
    def disk(self) -> Disk:
        return Disk(self.write, self.sync, self.sync_directory)

    def write(self, descriptor: int, buffers: Sequence[bytes | memoryview], offset: int) -> int:
        self.calls.append("write")
        data = b"".join(buffers)
        if self.room is not None:
            if not self.room:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            data = data[: self.room]
            self.room -= len(data)
        return os.pwrite(descriptor, data, offset)

    def sync(self, _descriptor: int) -> None:
        self.calls.append("sync")
        if self.at_sync is not None:
            self.at_sync()

    def sync_directory(self, _directory: Path) -> None:
        self.calls.append("sync directory")


def fail() -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(CollectorRegistry())


@pytest.fixture
def open_log(tmp_path: Path, metrics: Metrics) -> Iterator[Open]:
    opened: list[IngestLog] = []

    def open_(**settings: object) -> IngestLog:
        log = IngestLog(tmp_path / "log", source="app", metrics=metrics, **settings)  # type: ignore[arg-type]
        opened.append(log)
        return log

    yield open_
    for log in opened:
        log.close()


def append(log: IngestLog, *requests: Sequence[bytes], arrived_us: int = 7) -> None:
    async def all_at_once() -> None:
        await asyncio.gather(*(log.append(b"\n".join(records), len(records), arrived_us) for records in requests))

    asyncio.run(all_at_once())


def read_all(log: IngestLog, position: int | None = None) -> list[bytes | None]:
    source = HttpSource(log)
    source.start({} if position is None else {"log": position})
    found: list[bytes | None] = []
    while chunks := raw(source.read(1000, 0)):
        for chunk in chunks:
            found.extend(chunk.records)
    source.close()
    return found


def wait_for(log: IngestLog, condition: Callable[[], bool]) -> None:
    for _ in range(2000):
        if condition():
            return
        assert not log.wait(log.end, 0.005)  # nothing that is no record may wake a reader
    pytest.fail("it never came to be")


def files(directory: Path) -> list[Path]:
    return sorted((directory / "log").glob("*.log"))


def test_what_was_appended_is_read_after_a_restart(open_log: Open) -> None:
    log = open_log()
    append(log, [b"a", b"b"])
    append(log, [b"c"])
    log_again = open_log()
    assert read_all(log_again) == [b"a", b"b", b"c"]
    append(log_again, [b"d"])
    assert read_all(log_again) == [b"a", b"b", b"c", b"d"]


def test_an_append_returns_after_its_sync(open_log: Open) -> None:
    ledger = Ledger()
    log = open_log(disk=ledger.disk)
    assert ledger.calls == ["sync directory"] * 2  # the directory's own name, and the first file's
    append(log, [b"a"])
    assert ledger.calls == [*["sync directory"] * 2, "write", "sync"]


def test_requests_share_a_sync(open_log: Open) -> None:
    ledger = Ledger()
    log = open_log(disk=ledger.disk)
    append(log, *[[b"%d" % number] for number in range(500)])
    assert len(read_all(log)) == 500
    assert ledger.calls.count("sync") < 250  # one for the first, one for those that came meanwhile


def test_more_requests_than_one_write_takes(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    records = [b"%d" % number for number in range(3000)]
    append(log, *[[record] for record in records])
    assert read_all(log) == records
    assert files(tmp_path)[0].stat().st_size == log.end


def test_a_full_file_is_followed_by_another_whose_name_is_durable(tmp_path: Path, open_log: Open) -> None:
    ledger = Ledger()
    log = open_log(disk=ledger.disk, segment_bytes=100)
    for number in range(5):
        append(log, [b"%d" % number * 30])
    assert [int(file.stem) for file in files(tmp_path)] == [0, 148, 296]
    assert [call for call in ledger.calls if call != "write"] == [
        "sync directory",
        *["sync directory", "sync", "sync"] * 2,
        "sync directory",
        "sync",
    ]
    assert read_all(log) == [b"%d" % number * 30 for number in range(5)]
    assert read_all(log, 148) == [b"%d" % number * 30 for number in range(2, 5)]


def test_files_are_let_go_once_all_in_them_is_committed(tmp_path: Path, open_log: Open) -> None:
    retired: list[str] = []

    def retire(path: Path) -> None:
        retired.append(path.name)
        path.unlink()

    log = open_log(segment_bytes=100, retire=retire)
    for number in range(5):
        append(log, [b"%d" % number * 30])
    source = HttpSource(log)
    source.start({})
    source.committed({"log": 295})
    assert [int(file.stem) for file in files(tmp_path)] == [148, 296]
    source.committed({"log": log.end})
    assert [int(file.stem) for file in files(tmp_path)] == [296]
    assert retired == [f"{0:020d}.log", f"{148:020d}.log"]
    assert (log.start, log.behind_bytes) == (296, 0)


def test_a_file_that_can_not_be_let_go_stays(tmp_path: Path, open_log: Open) -> None:
    """It only takes room: nobody may be kept from reading by it."""

    def refuse(_path: Path) -> None:
        fail()

    log = open_log(segment_bytes=100, retire=refuse)
    for number in range(3):
        append(log, [b"%d" % number * 30])
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            log.release(log.end)
    assert [(line["log_level"], Path(line["file"]).parent) for line in logs] == [("warning", tmp_path / "log")]
    assert [int(file.stem) for file in files(tmp_path)] == [0, 148]
    assert log.start == 148
    again = open_log(segment_bytes=100, committed=log.end)
    assert [int(file.stem) for file in files(tmp_path)] == [148]
    assert again.end == log.end


def test_positions_go_on_from_the_committed_one_when_the_files_are_gone(open_log: Open) -> None:
    log = open_log(committed=5000)
    append(log, [b"a"])
    assert log.start == 5000
    assert read_all(log, 5000) == [b"a"]


def test_a_store_that_is_ahead_of_the_log_is_an_error(open_log: Open) -> None:
    source = HttpSource(open_log())
    with pytest.raises(SourceError, match="up to position 12 of the ingest log, which ends at 0"):
        source.start({"log": 12})


@pytest.mark.parametrize("cut", [1, 30, HEADER_BYTES, HEADER_BYTES + 3])
def test_a_torn_tail_is_cut_off_and_reported(tmp_path: Path, open_log: Open, metrics: Metrics, cut: int) -> None:
    log = open_log()
    append(log, [b"kept"])
    kept = log.end
    append(log, [b"torn"])
    os.truncate(files(tmp_path)[0], log.end - cut)
    with structlog.testing.capture_logs() as logs:
        log = open_log()
    assert [(entry["log_level"], entry["byte"], entry["bytes"]) for entry in logs] == [("warning", kept, 48 - cut)]
    assert metrics.registry.get_sample_value("livekpi_ingest_log_torn_tails_total", {"source": "app"}) == 1
    assert log.end == kept
    append(log, [b"next"])
    assert read_all(log) == [b"kept", b"next"]


def damage(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"?")


def test_damage_in_the_middle_stops_reading_and_names_the_place(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    for record in (b"first", b"second", b"third"):
        append(log, [record])
    second = 44 + len(b"first")
    damage(files(tmp_path)[0], second + HEADER_BYTES)
    with structlog.testing.capture_logs() as logs:
        log = open_log()
    assert [(entry["log_level"], entry["byte"]) for entry in logs] == [("error", second)]
    append(log, [b"later"])  # still taken, in a file of its own
    assert len(files(tmp_path)) == 2
    source = HttpSource(log)
    source.start({})
    assert [chunk.records for chunk in raw(source.read(1, 0))] == [[b"first"]]
    with pytest.raises(SourceError, match=rf"{files(tmp_path)[0]} is damaged at byte {second}: the payload's checksum does not match"):
        raw(source.read(1, 0))
    source.close()


def test_a_damaged_file_moved_away_is_reported_and_passed(tmp_path: Path, open_log: Open, metrics: Metrics) -> None:
    log = open_log(segment_bytes=1)
    for record in (b"first", b"second", b"third"):
        append(log, [record])
    files(tmp_path)[1].unlink()
    with structlog.testing.capture_logs() as logs:
        assert read_all(open_log()) == [b"first", b"third"]
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert metrics.registry.get_sample_value("livekpi_ingest_log_missing_bytes_total", {"source": "app"}) == 50


def test_a_file_that_vanishes_while_open_is_an_error(tmp_path: Path, open_log: Open) -> None:
    log = open_log()
    append(log, [b"a"])
    files(tmp_path)[0].unlink()
    with pytest.raises(SourceError, match="can't be read: No such file"):
        read_all(log)


def test_a_full_disk_fails_the_append_keeps_nothing_of_it_and_takes_the_next(tmp_path: Path, open_log: Open) -> None:
    ledger = Ledger()
    log = open_log(disk=ledger.disk)
    append(log, [b"kept"])
    kept = log.end
    ledger.room = HEADER_BYTES + 1
    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            with pytest.raises(AppendError, match="No space left on device; the events were not kept"):
                append(log, [b"too much"])
        assert log.failure is not None
        assert files(tmp_path)[0].stat().st_size == log.end == kept
        ledger.room = None
        append(log, [b"next"])
    assert log.failure is None
    assert [(entry["log_level"], entry["event"]) for entry in logs] == [
        ("error", "no events can be taken"),
        ("info", "events are taken again"),
    ]
    assert read_all(log) == [b"kept", b"next"]


def test_every_waiting_request_learns_of_a_full_disk(open_log: Open) -> None:
    ledger = Ledger()
    log = open_log(disk=ledger.disk)
    ledger.room = 0

    async def post() -> list[BaseException | None]:
        return await asyncio.gather(*(log.append(b"a", 1, 7) for _ in range(20)), return_exceptions=True)

    assert [type(answer) for answer in asyncio.run(post())] == [AppendError] * 20


def test_a_sync_that_fails_fails_the_append(open_log: Open) -> None:
    ledger = Ledger()
    log = open_log(disk=ledger.disk)
    ledger.at_sync = fail
    with pytest.raises(AppendError, match="Input/output error"):
        append(log, [b"a"])
    ledger.at_sync = None
    append(log, [b"b"])
    assert read_all(log) == [b"b"]


def test_nothing_is_read_before_its_sync(open_log: Open) -> None:
    ledger = Ledger()
    log = open_log(disk=ledger.disk)
    append(log, [b"first"])
    source = HttpSource(log)
    source.start({})
    seen: list[Chunk] = []

    def read_then_fail() -> None:
        seen.extend(raw(source.read(1000, 0)))  # the second one's bytes stand in the file now
        fail()

    ledger.at_sync = read_then_fail
    with pytest.raises(AppendError):
        append(log, [b"second"])
    ledger.at_sync = None
    append(log, [b"third."])  # of the same length, in the same place
    seen.extend(raw(source.read(1000, 0)))
    source.close()
    assert [chunk.records for chunk in seen] == [[b"first"], [b"third."]]


def test_a_disk_with_room_again_is_noticed_without_a_request(open_log: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livekpi.sources.ingest_log._PROBE_S", 0.01)
    ledger = Ledger()
    log = open_log(disk=ledger.disk)
    ledger.room = 0
    with pytest.raises(AppendError):
        append(log, [b"a"])
    wait_for(log, lambda: ledger.calls.count("write") > 3)
    assert log.failure is not None
    ledger.room = None
    wait_for(log, lambda: log.failure is None)
    append(log, [b"b"])
    assert read_all(log) == [b"b"]


def test_a_closed_log_takes_nothing_more(open_log: Open, tmp_path: Path, metrics: Metrics) -> None:
    log = IngestLog(tmp_path / "other", source="app", metrics=metrics)
    log.close()
    with pytest.raises(AppendError, match="stopping"):
        append(log, [b"a"])


def test_a_request_that_went_away_does_not_hurt_the_others(open_log: Open) -> None:
    log = open_log()

    async def post() -> None:
        gone = asyncio.create_task(log.append(b"gone", 1, 7))
        stays = asyncio.create_task(log.append(b"stays", 1, 7))
        await asyncio.sleep(0)
        gone.cancel()
        await stays

    asyncio.run(post())
    assert set(read_all(log)) == {b"gone", b"stays"}
