"""Records out of bytes: the same however the bytes are cut, and each at its place."""

import csv
import io
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.sources.csv_text import CsvText
from livekpi.sources.decode import MAX_RECORD_BYTES
from livekpi.sources.lines import CsvRecords, HeaderError, Lines, Records


def cut(records: Records, blocks: list[bytes]) -> list[tuple[int, bytes]]:
    """All records with their positions; checks that the position of what is next never passes one to come."""
    found: list[tuple[int, bytes]] = []
    for block in blocks:
        given, positions = records.feed(block)
        found += zip(positions, given, strict=True)
        assert records.position >= (found[-1][0] if found else 0)
    given, positions = records.finish()
    found += zip(positions, given, strict=True)
    assert records.position == sum(map(len, blocks))
    assert all(one < other for (one, _), (other, _) in pairwise(found))
    return found


def blocks(data: bytes, ends: list[int]) -> list[bytes]:
    return [data[begin:end] for begin, end in pairwise([0, *sorted(min(end, len(data)) for end in ends), len(data)])]


@given(st.lists(st.sampled_from([b"a", b"bc", b"\n", b"\r\n", b" ", b'"'])).map(b"".join), st.lists(st.integers(0, 40)))
def test_lines_are_those_of_the_whole(data: bytes, ends: list[int]) -> None:
    found = cut(Lines(), blocks(data, ends))
    assert [record for _, record in found] == [line for line in data.split(b"\n") if line.strip()]
    assert all(data[position : position + len(record)] == record for position, record in found)


def test_a_long_line_is_cut_and_the_next_stands_right() -> None:
    long = b"x" * (3 * MAX_RECORD_BYTES)
    found = cut(Lines(), [long[:10], long[10:], b"yy\nnext\n", b"last"])
    assert [(position, len(record)) for position, record in found] == [(0, MAX_RECORD_BYTES + 1), (len(long) + 3, 4), (len(long) + 8, 4)]


def test_a_line_in_many_blocks_is_put_together_once() -> None:
    """10 MB in small blocks: seconds where each block copied what came before."""
    records = Lines()
    for _ in range(100_000):
        assert records.feed(b"x" * 100) == ([], [])
    assert records.feed(b"\n") == ([b"x" * (MAX_RECORD_BYTES + 1)], [0])


def test_seek_begins_anew() -> None:
    records = Lines()
    records.feed(b"half")
    records.seek(100)
    assert records.feed(b"a\nb\n") == ([b"a", b"b"], [100, 102])


cells = st.text(st.sampled_from('ab,;"\n '), max_size=5)


@given(
    st.lists(st.tuples(cells, cells, cells.map(lambda cell: cell + "z")), max_size=8),
    st.lists(st.integers(0, 80)),
    st.booleans(),
    st.sampled_from(",;\t|"),
)
def test_csv_records_are_those_of_the_csv_module(rows: list[tuple[str, ...]], ends: list[int], quote_all: bool, delimiter: str) -> None:
    out = io.StringIO()
    quoting: Literal[0, 1] = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n", quoting=quoting)
    writer.writerows([("x", "y", "z"), *rows])
    data = out.getvalue().encode()
    text = CsvText(delimiter)
    records = CsvRecords(text)
    found = cut(records, blocks(data, ends))
    assert records.columns == ("x", "y", "z")
    assert [tuple(next(csv.reader((record.decode(),), delimiter=delimiter, strict=True))) for _, record in found] == rows
    assert [tuple(text.cells(record.decode())) for _, record in found] == rows
    assert all(data[position : position + len(record)] == record for position, record in found)


@pytest.mark.parametrize(
    ("lines", "records"),
    [
        (b'1,"stray\n2,b\n3,c', [b'1,"stray', b"2,b", b"3,c"]),
        (b'1,"stray\n2,"b"\n3,c', [b'1,"stray', b'2,"b"', b"3,c"]),
        (b'1,"stray\n2,"b\nc"\n3,c', [b'1,"stray', b'2,"b\nc"', b"3,c"]),
        (b'1,"stray\n\n2,b\n3,"c",d', [b'1,"stray', b"2,b", b'3,"c",d']),
        (b'1,5" disk\n2,b', [b'1,5" disk', b"2,b"]),
        (b'1,"a\n\nb"\n2,b', [b'1,"a\n\nb"', b"2,b"]),
        (b'1,"a""\n""b"\n2,b', [b'1,"a""\n""b"', b"2,b"]),
        (b'1,"' + b"x\n" * 3_000 + b"2,b", [b'1,"x', *[b"x"] * 2_999, b"2,b"]),
    ],
)
def test_a_stray_quote_spoils_its_own_line_alone(lines: bytes, records: list[bytes]) -> None:
    assert [record for _, record in cut(CsvRecords(), [b"n,text\n", lines])] == records


@pytest.mark.parametrize("end", [b"", b'"\n'])
def test_hostile_csv_is_cut_in_one_pass(end: bytes) -> None:
    """Each line may open a quote, and none closes it; a scan from each of them would take minutes."""
    found = cut(CsvRecords(), [b"n,text\n", b'a"b,"c\n' * 100_000, end])
    assert len(found) >= 50_000


def test_a_mark_of_the_byte_order_is_no_part_of_the_first_line() -> None:
    assert cut(Lines(), [b"\xef\xbb\xbf{}\n{}\n"]) == [(0, b"{}"), (6, b"{}")]
    later = Lines()
    later.seek(100)
    assert later.feed(b"\xef\xbb\xbf{}\n")[0] == [b"\xef\xbb\xbf{}"]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_lines_that_end_otherwise_are_named(end: bytes) -> None:
    with pytest.raises(HeaderError, match="the lines end in CR alone; save the file with line ends of LF or CRLF"):
        cut(CsvRecords(), [b"a,b\r1,2\r3,4" + end])


def test_header() -> None:
    records = CsvRecords()
    assert cut(records, [b'\xef\xbb\xbfa, b ,"c\nd"\r\n', b"1,2,3\r\n"]) == [(16, b"1,2,3\r")]
    assert records.columns == ("a", "b", "c\nd")


@pytest.mark.parametrize("header", [b"a,\xff\n", b'a,"b\n'])
def test_a_header_that_is_none(header: bytes) -> None:
    with pytest.raises(HeaderError, match="the header is no CSV in UTF-8"):
        cut(CsvRecords(), [header])
