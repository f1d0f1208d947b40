"""Records one a line are what they are one by one, however they are read."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.sources.lined import Lined, starts, text_of
from tests.rehearsed import NOON_US, definition

TEXTS = st.lists(st.sampled_from([b"a", b"\r", b" ", b"\n", b"bc"])).map(b"".join)
PLACES = st.one_of(st.none(), st.integers(-9, 9))

DECODER = Decoder(definition("n: integer, other: optional json", {"sum": "value: sum(n)"}).sources["s"])
GOOD = b'{"ts":"2026-03-01T12:00:00Z","n":1}'
TWO_LINES_OF_ONE = (b'{"ts":"2026-03-01T12:00:00Z",', b'"n":1}')
LINES = st.sampled_from(
    [
        GOOD,
        b"",
        b" " + GOOD,
        GOOD + b"\r",
        GOOD + b" " + GOOD,
        GOOD + GOOD,
        *TWO_LINES_OF_ONE,
        b"{}",
        b'{"n":"7"}',
        b'{"ts":"2026-03-01T12:00:00Z","n":1,"other":[{}',
        b'{"a":1}]}',
        b'{"ts":"2026-03-01T12:00:00Z","n":1,"other":"}',
        b'{"}',
        b'{"ts":"2026-03-01T12:09:00Z","n":1}',
        b'{"ts":"2026-03-01T12:00:00Z","n":1,"more":"' + 600 * b"x" + b'"}',
        b'{"ts":"2026-03-01T12:00:00Z","n":1,"other":' + 600 * b"[" + 600 * b"]" + b"}",
        b"null",
        b"{",
        b"}",
    ]
)


@given(TEXTS)
def test_it_is_the_list_of_its_lines(text: bytes) -> None:
    lines, found = text.split(b"\n"), Lined(text)
    assert list(found) == [found[index] for index in range(len(found))] == lines
    assert (len(found), found[-1]) == (len(lines), lines[-1])
    assert found.lengths.tolist() == list(map(len, lines))
    assert text_of(found) == text_of(lines) == text
    assert found.starts.tolist() == starts(lines).tolist() == starts(found).tolist()
    assert all(text[start:].startswith(line) for start, line in zip(found.starts.tolist(), lines, strict=True))


@given(TEXTS, PLACES, PLACES, st.sampled_from([None, 1, 2, -1]))
def test_a_part_of_it_is_a_part_of_the_list(text: bytes, begin: int | None, end: int | None, step: int | None) -> None:
    assert list(Lined(text)[begin:end:step]) == text.split(b"\n")[begin:end:step]


def test_there_is_nothing_beyond_its_lines() -> None:
    for index in (2, -3):
        with pytest.raises(IndexError):
            Lined(b"a\nb")[index]


@given(st.lists(LINES, min_size=1, max_size=6), st.integers(1, 7))
def test_records_are_read_alike_from_a_text_and_one_by_one(records: list[bytes], piece_records: int) -> None:
    decoder = Decoder(definition("n: integer, other: optional json", {"sum": "value: sum(n)"}).sources["s"], piece_records=piece_records)
    ours, theirs = (decoded(decoder, given) for given in (Lined(b"\n".join(records)), records))
    assert ours == theirs


@pytest.mark.parametrize(
    "records", [[*TWO_LINES_OF_ONE, GOOD + GOOD], [GOOD + b" " + GOOD, b""], [b"", GOOD + GOOD], [GOOD + GOOD, *TWO_LINES_OF_ONE]]
)
def test_as_many_values_as_lines_need_not_be_one_each(records: list[bytes]) -> None:
    assert decoded(DECODER, Lined(b"\n".join(records))) == ([], list(range(len(records))), len(b"".join(records)))


def decoded(decoder: Decoder, records: Sequence[bytes]) -> tuple[list[object], list[int], int]:
    """The events, which records are none, and how many bytes they have."""
    events = decoder.decode([Chunk("log", records, range(len(records)), len(records), arrived_us=NOON_US)], NOON_US)
    assert [letter.record for letter in events.dead] == [records[letter.position] for letter in events.dead]
    return events.table.to_pylist(), [letter.position for letter in events.dead], events.bytes
