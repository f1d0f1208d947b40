"""The stdin source: a stream read once, in whatever pieces it comes."""

import io
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

import pytest

from livekpi.definition.shape.model import Stdin
from livekpi.sources.base import Chunk, SourceError
from livekpi.sources.stdin import StdinSource

LONG_S = 60.0


def started(stream: BinaryIO, positions: dict[str, int] | None = None, **spec: str) -> StdinSource:
    found = StdinSource(Stdin.model_validate(spec), stream)
    found.start(positions or {})
    return found


def read_all(found: StdinSource, limit: int = 3) -> Iterator[Chunk]:
    while not found.at_end():
        yield from found.read(limit, LONG_S)


def test_reads_to_the_end() -> None:
    found = started(io.BytesIO(b"1\n\n2\n3\n4\n5"))
    chunks = list(read_all(found))
    assert [(chunk.partition, chunk.records, chunk.positions, chunk.next_position) for chunk in chunks] == [
        ("stdin", [b"1", b"2", b"3"], [0, 3, 5], 7),
        ("stdin", [b"4", b"5"], [7, 9], 10),
    ]
    assert found.lag() == {"stdin": 0}
    found.close()


def test_positions_count_on_after_a_restart() -> None:
    assert [(chunk.positions, chunk.next_position) for chunk in read_all(started(io.BytesIO(b"1\n2\n"), {"stdin": 100}))] == [
        ([100, 102], 104)
    ]


def test_a_mark_of_the_byte_order_is_no_record() -> None:
    starts: tuple[dict[str, int], ...] = ({}, {"stdin": 100})
    for positions in starts:
        (chunk,) = read_all(started(io.BytesIO(b"\xef\xbb\xbf1\n2\n"), positions))
        assert chunk.records == [b"1", b"2"]


def test_nothing_at_all() -> None:
    found = started(io.BytesIO(b""))
    assert found.read(10, LONG_S) == []  # at once, so that --once need not wait
    assert found.at_end()
    assert found.read(10, 0.01) == []


def test_csv() -> None:
    chunks = list(read_all(started(io.BytesIO(b'a,b\n1,"x\ny"\n'), format="csv")))
    assert [(chunk.records, chunk.columns) for chunk in chunks] == [([b'1,"x\ny"'], ("a", "b"))]


def test_a_header_that_is_none_is_said_again_and_again() -> None:
    found = started(io.BytesIO(b"\xff\n1\n"), format="csv")
    for _ in range(2):
        with pytest.raises(SourceError, match="stdin: the header is no CSV"):
            found.read(10, LONG_S)
        found.start({})


def test_what_is_there_is_given_while_more_is_waited_for() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream:
        found = started(stream)
        assert found.read(10, 0.01) == []
        os.write(writing, b'{"n": 1}\n{"n"')
        (chunk,) = found.read(10, LONG_S)
        assert chunk.records == [b'{"n": 1}']
        timer = threading.Timer(0.05, os.write, (writing, b": 2}\n"))
        timer.start()
        (chunk,) = found.read(10, LONG_S)
        assert chunk.records == [b'{"n": 2}']
        timer.join()
        os.close(writing)
        assert list(read_all(found)) == []


def test_a_stream_that_does_not_block_is_waited_for() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb") as stream:
        found = started(stream)
        assert found.read(10, 0.05) == []
        os.write(writing, b"1\n")
        os.close(writing)
        assert [chunk.records for chunk in read_all(found)] == [[b"1"]]


def test_a_stream_that_fails_is_said() -> None:
    class Broken(io.RawIOBase):
        def read(self, _size: int = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(SourceError, match="stdin can't be read: Input/output error"):
        started(Broken()).read(10, LONG_S)  # type: ignore[arg-type] # all that is read of it is here


def test_a_process_can_end_while_stdin_is_open() -> None:
    script = (
        "import sys; from livekpi.definition.shape.model import Stdin; from livekpi.sources.stdin import StdinSource\n"
        "found = StdinSource(Stdin(), sys.stdin.buffer); found.start({}); print(found.read(1, 60)[0].records, found.read(1, 0.01))"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"1\n")
        process.stdin.flush()
        assert process.stdout.read() == b"[b'1'] []\n"
        assert process.wait(LONG_S) == 0
        assert process.stderr.read() == b""
