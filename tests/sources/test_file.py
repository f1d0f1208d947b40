"""The file source: once through, followed, rotated, copied, compressed, restarted."""

import gzip
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from structlog.testing import capture_logs

from livekpi.definition.shape.model import File
from livekpi.sources import file as file_module
from livekpi.sources.base import Chunk, SourceError
from livekpi.sources.file import GONE_S, POLL_S, FileSource
from livekpi.sources.listing import Listing


class Ticking:
    """A clock on which so much passes between any two looks at it that each read looks at the directory."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.step_s = POLL_S

    def __call__(self) -> float:
        self.now_s += self.step_s
        return self.now_s


def source(directory: Path, path: str = "*.log", *, once: bool = False, monotonic: Ticking | None = None, **rest: Any) -> FileSource:
    return FileSource(File(path=path, **rest), directory, once=once, monotonic=monotonic or Ticking())


def read_all(found: FileSource, limit: int = 3) -> list[Chunk]:
    chunks: list[Chunk] = []
    while more := found.read(limit, 0):
        assert sum(len(chunk.records) for chunk in more) <= limit
        chunks += more
    return chunks


def records(chunks: list[Chunk]) -> list[bytes]:
    return [record or b"" for chunk in chunks for record in chunk.records]


def next_positions(chunks: list[Chunk]) -> dict[str, int]:
    return {chunk.partition: chunk.next_position for chunk in chunks}


def once(
    directory: Path, path: str = "*.log", positions: Mapping[str, int] | None = None, **rest: Any
) -> tuple[list[bytes], dict[str, int]]:
    """What one run reads, and the positions after it."""
    found = source(directory, path, once=True, **rest)
    found.start(positions or {})
    chunks = read_all(found)
    assert found.at_end()
    assert set(found.lag().values()) <= {0}
    found.close()
    return records(chunks), {**(positions or {}), **next_positions(chunks)}


@pytest.fixture
def following(tmp_path: Path) -> Iterator[FileSource]:
    found = source(tmp_path, "app.log*", follow=True)
    found.start({})
    yield found
    found.close()


def append(file: Path, text: str) -> None:
    with file.open("a") as log:
        log.write(text)


# Once through


def test_reads_each_file_to_its_end_and_only_once(tmp_path: Path) -> None:
    (tmp_path / "b.log").write_bytes(b"b1\n\n  \r\nb2")
    (tmp_path / "a.log").write_bytes(b"a1\na2\n")
    (tmp_path / "empty.log").touch()
    (tmp_path / "folder.log").mkdir()
    found = source(tmp_path)
    found.start({})
    assert not found.at_end()
    assert sum(found.lag().values()) == 16
    chunks = read_all(found, limit=100)
    assert [(chunk.partition.split("#")[0], chunk.records, chunk.positions, chunk.next_position, chunk.ordinal) for chunk in chunks] == [
        ("a.log", [b"a1", b"a2"], [0, 3], 6, 0),
        ("b.log", [b"b1"], [0], 8, 1),
        ("b.log", [b"b2"], [8], 10, 1),
    ]
    assert found.at_end()
    assert sum(found.lag().values()) == 0
    found.close()
    assert once(tmp_path, positions=next_positions(chunks)) == ([], next_positions(chunks))


def test_a_limit_holds_and_the_position_is_behind_what_was_given(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"{n}\n" for n in range(10)))
    found = source(tmp_path)
    found.start({})
    (chunk,) = found.read(4, 0)
    assert (chunk.records, chunk.next_position) == ([b"0", b"1", b"2", b"3"], 8)
    assert once(tmp_path, positions=next_positions([chunk]))[0] == [b"%d" % n for n in range(4, 10)]
    found.close()


def test_goes_on_where_the_last_run_ended(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n2\n")
    _, positions = once(tmp_path)
    append(tmp_path / "a.log", "3\n")
    (tmp_path / "b.log").write_text("4\n")
    assert once(tmp_path, positions=positions)[0] == [b"3", b"4"]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_compressed_files_are_read_through(tmp_path: Path, pack: Any) -> None:
    lines = [b"%d" % n for n in range(1_000)]
    (tmp_path / "a.log.packed").write_bytes(pack(b"\n".join(lines)))
    found, positions = once(tmp_path, "a.*")
    assert found == lines
    assert set(positions.values()) == {len(b"\n".join(lines))}
    middle = dict.fromkeys(positions, len(b"\n".join(lines[:500])) + 1)
    assert once(tmp_path, "a.*", middle)[0] == lines[500:]


def test_rotation_while_nothing_ran(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("1\n2\n")
    _, positions = once(tmp_path, "app.log*")
    append(log, "3\n")
    log.rename(tmp_path / "app.log.1")
    log.write_text("4\n")
    assert once(tmp_path, "app.log*", positions)[0] == [b"3", b"4"]


def test_copy_and_truncation_while_nothing_ran(tmp_path: Path) -> None:
    log = tmp_path / "app.log"
    log.write_text("1\n2\n")
    _, positions = once(tmp_path, "app.log*")
    append(log, "3\n")
    (tmp_path / "app.log.1.gz").write_bytes(gzip.compress(log.read_bytes()))
    log.write_text("4, and more than there was before\n")
    assert once(tmp_path, "app.log*", positions)[0] == [b"3", b"4, and more than there was before"]


def test_a_file_that_shrank_is_read_from_its_start(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n2\n3\n")
    _, positions = once(tmp_path)
    (tmp_path / "a.log").write_text("1\n")
    assert once(tmp_path, positions=positions)[0] == [b"1"]


def test_a_file_that_shrank_and_begins_as_before_is_read_from_its_start(tmp_path: Path) -> None:
    lines = [b"%099d" % n for n in range(30)]
    (tmp_path / "a.log").write_bytes(b"\n".join(lines))
    _, positions = once(tmp_path)
    (tmp_path / "a.log").write_bytes(b"\n".join(lines[:20]))
    assert once(tmp_path, positions=positions) == (lines[:20], dict.fromkeys(positions, 1_999))


def test_files_that_are_alike_are_two_files(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("same\n")
    (tmp_path / "b.log").write_text("same\n")
    found, positions = once(tmp_path)
    assert found == [b"same", b"same"]
    append(tmp_path / "b.log", "more\n")
    assert once(tmp_path, positions=positions)[0] == [b"more"]


def test_a_file_linked_twice_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n")
    (tmp_path / "b.log").symlink_to("a.log")
    (tmp_path / "c.log").hardlink_to(tmp_path / "a.log")
    (tmp_path / "d.log").symlink_to("nothing")
    assert once(tmp_path)[0] == [b"1"]


def test_a_link_to_itself_is_skipped_and_said_once(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("1\n")
    (tmp_path / "loop.log").symlink_to("loop.log")
    listing = Listing("*.log", tmp_path)
    with capture_logs() as logs:
        assert [[seen.path for seen in listing.look()] for _ in range(2)] == [["a.log"]] * 2
    assert [log["file"] for log in logs] == [str(tmp_path / "loop.log")]
    assert once(tmp_path)[0] == [b"1"]
    with pytest.raises(SourceError, match="can't be looked at: Too many levels"):
        Listing("loop.log", tmp_path).look()


def test_rotated_files_are_read_oldest_first(tmp_path: Path) -> None:
    for name in ("app.log", "app.log.1", "app.log.2", "app.log.10", "app.log-20260301", "app.log-20260302"):
        (tmp_path / name).write_text(f"{name}\n")
    assert once(tmp_path, "app.log*")[0] == [
        *(b"app.log.10", b"app.log.2", b"app.log.1", b"app.log"),
        *(b"app.log-20260301", b"app.log-20260302"),
    ]


def test_paths(tmp_path: Path) -> None:
    folder = tmp_path / "x" / "y"
    folder.mkdir(parents=True)
    (folder / "a[1].log").write_text("1\n")
    assert once(tmp_path, "**/*.log")[0] == [b"1"]
    assert once(folder, "a[1].log")[0] == [b"1"]
    assert once(Path("elsewhere"), str(folder / "*.log"))[0] == [b"1"]
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.log")).write_text("2\n")
    found, positions = once(folder)
    assert found == [b"1", b"2"]
    assert all(partition.encode() for partition in positions)


def test_csv(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('n,text\n1,"a\nb"\n2,c\n')
    (tmp_path / "b.csv").write_text("text,n\nd,3\n")
    (tmp_path / "c.csv").write_text("text,n")
    found = source(tmp_path, "*.csv", format="csv")
    found.start({})
    chunks = found.read(1, 0)
    assert [(chunk.records, chunk.columns, chunk.positions, chunk.next_position) for chunk in chunks] == [
        ([b'1,"a\nb"'], ("n", "text"), [7], 15)
    ]
    found.close()
    found.start(next_positions(chunks))
    assert [(chunk.records, chunk.columns) for chunk in read_all(found)] == [([b"2,c"], ("n", "text")), ([b"d,3"], ("text", "n"))]
    found.close()


def test_csv_with_another_delimiter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('n;text\n1;"a;\nb"\n2;c, d\n')
    found = source(tmp_path, "*.csv", format="csv", delimiter=";")
    found.start({})
    assert [(chunk.records, chunk.columns) for chunk in read_all(found)] == [([b'1;"a;\nb"', b"2;c, d"], ("n", "text"))]
    found.close()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("none.log", "there is no file .*none.log; put it there or mend `path`"),
        ("*.none", "there is no file"),
        ("folder", "is a directory; to read the files in it, end `path` with /*"),
        ("/dev/null", "is no regular file"),
    ],
)
def test_what_can_t_be_opened_is_said(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SourceError, match=reason):
        source(tmp_path, path, follow=True, once=path != "folder").start({})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(b"1\n2\n", mtime=0)[:-4], "bad.log is cut off after its first 4 bytes"),
        (gzip.compress(b"1\n2\n", mtime=0)[:5], "bad.log is cut off"),
        (gzip.compress(b"1\n2\n", mtime=0)[:-8] + b"12345678", "bad.log can't be decompressed"),
    ],
)
def test_a_damaged_file_costs_no_other_and_is_said_at_the_end(tmp_path: Path, data: bytes, reason: str) -> None:
    (tmp_path / "a.log").write_text("a\n")
    (tmp_path / "bad.log").write_bytes(data)
    (tmp_path / "c.log").write_text("c\n")
    found = source(tmp_path)
    found.start({})
    read = records(found.read(100, 0))
    assert {b"a", b"c"} <= set(read) <= {b"a", b"1", b"2", b"c"}
    with pytest.raises(SourceError, match=reason):
        read_all(found)
    found.close()


def test_a_file_that_must_not_be_read_costs_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.log").write_text("a\n")
    (tmp_path / "b.log").write_text("b\n")
    opened = Path.open

    def forbid(file: Path, *arguments: Any) -> Any:
        if file.name == "a.log":
            raise PermissionError(13, "Permission denied")
        return opened(file, *arguments)

    monkeypatch.setattr(Path, "open", forbid)
    found = source(tmp_path)
    found.start({})
    assert records(found.read(100, 0)) == [b"b"]
    with pytest.raises(SourceError, match=r"a\.log can't be read: Permission denied"):
        read_all(found)
    found.close()


def test_a_header_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"n,\xff\n1,2\n")
    found = source(tmp_path, "*.csv", format="csv")
    found.start({})
    with pytest.raises(SourceError, match=r"a\.csv the header is no CSV in UTF-8"):
        read_all(found)
    found.close()


# Followed


def test_follows_a_file_that_comes_later_and_grows(tmp_path: Path, following: FileSource) -> None:
    assert following.at_end()
    assert read_all(following) == []
    append(tmp_path / "app.log", '{"n": 1')
    assert read_all(following) == []
    append(tmp_path / "app.log", '}\n{"n": 2}\n{"n"')
    chunks = read_all(following)
    assert records(chunks) == [b'{"n": 1}', b'{"n": 2}']
    assert chunks[0].partition.startswith("app.log#22-")  # known by whole records, not by a beginning that others share
    assert set(following.lag().values()) == {4}
    append(tmp_path / "app.log", ": 3}\n")
    assert records(read_all(following)) == [b'{"n": 3}']
    assert set(following.lag().values()) == {0}


def test_waiting_takes_its_time_and_no_longer(tmp_path: Path) -> None:
    found = FileSource(File(path="a.log", follow=True), tmp_path)
    found.start({})
    assert found.read(10, 0.01) == []
    (tmp_path / "a.log").write_text("1\n")
    assert records(found.read(10, 60)) == [b"1"]
    found.close()


def test_a_renamed_file_is_read_to_its_end(tmp_path: Path) -> None:
    """Renamed out of the pattern's sight, while its writer still has it open."""
    clock = Ticking()
    found = source(tmp_path, "app.log", follow=True, monotonic=clock)
    found.start({})
    log = tmp_path / "app.log"
    append(log, "1\n")
    assert records(read_all(found)) == [b"1"]
    log.rename(tmp_path / "old")
    append(log, "3\n")
    append(tmp_path / "old", "2\n")
    assert sorted(records(read_all(found))) == [b"2", b"3"]
    append(tmp_path / "old", "the last, without its newline")
    assert read_all(found) == []
    clock.now_s += GONE_S
    assert records(read_all(found)) == [b"the last, without its newline"]
    assert list(found.lag().values()) == [0]
    found.close()


def test_a_deleted_file_is_read_to_its_end(tmp_path: Path, following: FileSource) -> None:
    append(tmp_path / "app.log", "1\n")
    assert records(read_all(following)) == [b"1"]
    append(tmp_path / "app.log", "2\n3")
    (tmp_path / "app.log").unlink()
    assert records(read_all(following)) == [b"2", b"3"]
    assert read_all(following) == []
    assert following.lag() == {}


def test_rotation_by_renaming_within_sight(tmp_path: Path, following: FileSource) -> None:
    log = tmp_path / "app.log"
    for number in range(4):
        append(log, f"{number} a\n{number} b\n")
        assert records(read_all(following)) == [b"%d a" % number, b"%d b" % number]
        for age in (2, 1):
            if (tmp_path / f"app.log.{age}").exists():
                (tmp_path / f"app.log.{age}").rename(tmp_path / f"app.log.{age + 1}")
        append(log, f"{number} c\n")
        log.rename(tmp_path / "app.log.1")
        assert records(read_all(following)) == [b"%d c" % number]


def test_new_files_that_begin_like_the_one_renamed_are_new(tmp_path: Path, following: FileSource) -> None:
    for _ in range(3):
        append(tmp_path / "app.log", "same\n")
        assert records(read_all(following)) == [b"same"]
        (tmp_path / "app.log").rename(tmp_path / f"app.log.{len(list(tmp_path.iterdir()))}")


def test_truncation_in_place(tmp_path: Path, following: FileSource) -> None:
    append(tmp_path / "app.log", "1\n2\n")
    assert records(read_all(following)) == [b"1", b"2"]
    (tmp_path / "app.log").write_text("3\n")
    assert records(read_all(following)) == [b"3"]
    (tmp_path / "app.log").write_text("4, which is longer than what was there\n")
    assert records(read_all(following)) == [b"4, which is longer than what was there"]


def test_what_was_read_before_a_truncation_is_given(tmp_path: Path, following: FileSource) -> None:
    append(tmp_path / "app.log", "1\n2\n3\n")
    assert records(following.read(1, 0)) == [b"1"]
    (tmp_path / "app.log").write_text("4\n")
    assert records(read_all(following, limit=9)) == [b"2", b"3", b"4"]


def test_truncation_between_a_look_and_a_read(tmp_path: Path) -> None:
    clock = Ticking()
    found = source(tmp_path, "app.log", follow=True, monotonic=clock)
    append(tmp_path / "app.log", "1\n2\n")
    found.start({})
    assert records(found.read(9, 0)) == [b"1", b"2"]
    append(tmp_path / "app.log", "3\n")
    clock.step_s = 0
    assert found.read(0, 0) == []  # one more look, and none until time goes on
    (tmp_path / "app.log").write_text("something longer than what was there\n")
    assert found.read(9, 0) == []
    clock.step_s = POLL_S
    assert records(found.read(9, 0)) == [b"something longer than what was there"]
    found.close()


def test_a_log_and_its_copy_that_are_new_at_once(tmp_path: Path, following: FileSource) -> None:
    append(tmp_path / "app.log", "1\n")
    shutil.copy(tmp_path / "app.log", tmp_path / "app.log.1")
    assert records(read_all(following)) == [b"1"]
    append(tmp_path / "app.log", "2\n")
    assert records(read_all(following)) == [b"2"]


def test_a_copy_is_not_counted_twice(tmp_path: Path, following: FileSource) -> None:
    log, copy = tmp_path / "app.log", tmp_path / "app.log.1"
    append(log, "1\n2\n")
    assert records(read_all(following)) == [b"1", b"2"]
    append(log, "3\n")
    shutil.copy(log, copy)
    with capture_logs() as logs:
        assert records(read_all(following)) == [b"3"]
        assert read_all(following) == []
    assert [(entry["event"], entry["file"], entry["original"]) for entry in logs] == [
        ("taken for a copy; read only once its original is gone", "app.log.1", "app.log")
    ]
    append(log, "4\n")
    append(copy, "4\n")  # as if it had been copied then
    log.write_text("5\n")
    assert sorted(records(read_all(following))) == [b"4", b"5"]


def test_a_packed_copy_is_not_counted_twice(tmp_path: Path, following: FileSource) -> None:
    rotated = tmp_path / "app.log.1"
    append(rotated, "1\n2\n")
    assert records(read_all(following)) == [b"1", b"2"]
    packed = gzip.compress(rotated.read_bytes())
    (tmp_path / "app.log.1.gz").write_bytes(packed[:-6])
    assert read_all(following) == []
    (tmp_path / "app.log.1.gz").write_bytes(packed)
    assert read_all(following) == []
    rotated.unlink()
    assert read_all(following) == []
    (tmp_path / "app.log.1.gz").rename(tmp_path / "app.log.2.gz")
    assert read_all(following) == []
    assert set(following.lag().values()) == {0}


def test_a_packed_file_that_grows_is_read_on(tmp_path: Path, following: FileSource) -> None:
    packed = gzip.compress(b"1\n2\n") + gzip.compress(b"3\n")
    (tmp_path / "app.log.gz").write_bytes(packed[:-12])
    assert records(read_all(following))[:2] == [b"1", b"2"]
    (tmp_path / "app.log.gz").write_bytes(packed)
    assert b"3" in records(read_all(following)) or packed[:-12].endswith(b"\n")


def test_files_beyond_those_kept_open_are_opened_again(tmp_path: Path, following: FileSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_module, "OPEN_FILES", 2)
    for number in range(5):
        append(tmp_path / f"app.log.{number}", f"{number}\nhalf")
    assert sorted(records(read_all(following))) == [b"%d" % number for number in range(5)]
    for number in range(5):
        append(tmp_path / f"app.log.{number}", f" {number}\n")
    assert sorted(records(read_all(following))) == [b"half %d" % number for number in range(5)]
    (tmp_path / "app.log.0").write_text("new\n")
    (tmp_path / "app.log.1").unlink()
    assert records(read_all(following)) == [b"new"]


def test_once_leaves_what_is_being_written_of_a_followed_file_to_the_next_run(tmp_path: Path) -> None:
    positions: dict[str, int] = {}
    for written, read in (("1\n2", [b"1"]), ("", []), ("2\n3", [b"22"]), ("3\n", [b"33"])):
        append(tmp_path / "a.log", written)
        found = source(tmp_path, "*.log", follow=True, once=True)
        found.start(positions)
        chunks = read_all(found)
        assert (records(chunks), found.at_end()) == (read, True)
        positions |= {chunk.partition: chunk.next_position for chunk in chunks}
        found.close()


def test_a_source_can_be_started_again(tmp_path: Path, following: FileSource) -> None:
    append(tmp_path / "app.log", "1\n2\n")
    positions = next_positions(following.read(1, 0))
    following.start(positions)
    assert records(read_all(following)) == [b"2"]


def test_damage_in_a_followed_file_is_logged_once_and_costs_no_other(tmp_path: Path, following: FileSource) -> None:
    (tmp_path / "app.log.gz").write_bytes(gzip.compress(b"1\n")[:-8] + b"12345678")
    append(tmp_path / "app.log", "2\n")
    with capture_logs() as logs:
        assert records(read_all(following)) == [b"2"]
        assert read_all(following) == []
    assert [entry["event"] for entry in logs] == ["the file can't be read any further"]


class Rotation(RuleBasedStateMachine):
    """Writers, logrotate in all its ways, and a reader that is killed at any time: each line is counted once."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="livekpi-rotation-"))
        self.log = self.directory / "app.log"
        self.written: list[bytes] = []
        self.counted: list[bytes] = []
        self.positions: dict[str, int] = {}
        self.source: FileSource | None = None
        self.copied: Path | None = None
        self.rotations = 0

    @initialize()
    def first(self) -> None:
        self.write(1, "\n")
        self.read_and_commit(1)

    @rule(count=st.integers(1, 3), end=st.sampled_from(["\n", ""]))
    def write(self, count: int, end: str) -> None:
        lines = [f"line {len(self.written) + index}" for index in range(count)]
        self.finish_line()
        append(self.log, "\n".join(lines) + end)
        self.written += [line.encode() for line in lines]

    def finish_line(self) -> None:
        """Writes the end of a line that was written in part."""
        if self.log.exists() and self.log.stat().st_size and not self.log.read_bytes().endswith(b"\n"):
            append(self.log, "\n")

    @rule(limit=st.integers(1, 4))
    def read_and_commit(self, limit: int) -> None:
        self.take(self.running().read(limit, 0))

    @rule(limit=st.integers(1, 4))
    def read_and_die(self, limit: int) -> None:
        self.running().read(limit, 0)
        self.stop()

    @rule()
    def stop(self) -> None:
        if self.source is not None:
            self.source.close()
        self.source = None

    @precondition(lambda self: self.copied is None and self.log.exists() and self.log.stat().st_size > 0)
    @rule()
    def rename(self) -> None:
        self.finish_line()
        self.log.rename(self.rotated())

    @precondition(lambda self: self.copied is None and self.log.exists() and self.log.stat().st_size > 0)
    @rule()
    def copy(self) -> None:
        self.finish_line()
        self.copied = self.rotated()
        shutil.copy(self.log, self.copied)

    @precondition(lambda self: self.copied is not None)
    @rule()
    def truncate(self) -> None:
        assert self.copied is not None
        self.finish_line()
        shutil.copy(self.log, self.copied)  # what came meanwhile; logrotate would lose it
        os.truncate(self.log, 0)
        self.copied = None

    @precondition(lambda self: self.copied is None and any(self.directory.glob("app.log.[0-9]*[0-9]")))
    @rule(remove=st.booleans())
    def pack(self, remove: bool) -> None:
        rotated = min(self.directory.glob("app.log.[0-9]*[0-9]"))
        rotated.with_name(rotated.name + ".gz").write_bytes(gzip.compress(rotated.read_bytes()))
        if not remove:
            self.read_and_commit(100)  # a look at both
        rotated.unlink()

    def teardown(self) -> None:
        if self.copied is not None:
            self.truncate()
        self.finish_line()
        self.stop()
        for chunk in read_all(self.running(), 100):
            self.take([chunk])
        self.stop()
        shutil.rmtree(self.directory)
        assert Counter(self.counted) == Counter(self.written)

    def rotated(self) -> Path:
        self.rotations += 1
        return self.directory / f"app.log.{self.rotations:03}"

    def running(self) -> FileSource:
        if self.source is None:
            self.source = source(self.directory, "app.log*", follow=True)
            self.source.start(self.positions)
        return self.source

    def take(self, chunks: list[Chunk]) -> None:
        self.counted += records(chunks)
        self.positions |= next_positions(chunks)


TestRotation = Rotation.TestCase
TestRotation.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
