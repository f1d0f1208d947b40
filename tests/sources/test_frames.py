import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.sources.frames import HEADER_BYTES, Header, UnreadableFrameError, check_payload, decode_header, split_records, verify

RECORDS = st.lists(st.binary(min_size=1, max_size=20).filter(lambda record: b"\n" not in record), min_size=1, max_size=5)


def frame(records: list[bytes], position: int = 0, synced: int = 0) -> bytes:
    payload = b"\n".join(records)
    return Header(len(payload), zlib.crc32(payload), len(records), 7, position, synced).encode() + payload


def log(requests: list[list[bytes]], first: int = 0, synced: int | None = None) -> bytes:
    """Frames one after another, each synced before the next unless `synced` says otherwise."""
    data = b""
    for records in requests:
        position = first + len(data)
        data += frame(records, position, position if synced is None else synced)
    return data


@given(RECORDS, st.integers(0, 2**47))
def test_a_frame_gives_back_its_records_and_where_each_stands(records: list[bytes], position: int) -> None:
    data = frame(records, position)
    header = decode_header(data[:HEADER_BYTES], position)
    payload = data[HEADER_BYTES:]
    check_payload(header, payload)
    found, positions = split_records(header, payload)
    assert list(found) == records
    assert header.next_position == position + len(data)
    assert [data[at - position :][: len(record)] for at, record in zip(positions, records, strict=True)] == records
    assert positions == sorted(set(positions))


def test_one_record_keeps_its_line_ends() -> None:
    payload = b'{\n "a": 1\n}'
    header = Header(len(payload), zlib.crc32(payload), 1, 7, 0, 0)
    assert split_records(header, payload) == ([payload], [HEADER_BYTES])


def test_records_may_be_empty() -> None:
    data = frame([b"", b"", b""])
    header = decode_header(data, 0)
    records, positions = split_records(header, data[HEADER_BYTES:])
    assert (list(records), positions) == ([b"", b"", b""], [HEADER_BYTES, HEADER_BYTES + 1, HEADER_BYTES + 2])


def test_a_count_that_does_not_fit_its_payload_is_unreadable() -> None:
    with pytest.raises(UnreadableFrameError, match="holds 2 records where the header says 3"):
        split_records(Header(3, 0, 3, 7, 0, 0), b"a\nb")


@given(st.lists(RECORDS, min_size=1, max_size=4), st.integers(0, 2**40))
def test_a_whole_segment_verifies_to_its_end(requests: list[list[bytes]], first: int) -> None:
    data = log(requests, first)
    tail = verify(data, first, first)
    assert (tail.end, tail.reason, tail.damaged) == (first + len(data), "", False)


@given(st.lists(RECORDS, min_size=1, max_size=3), RECORDS, st.data())
def test_a_write_cut_short_anywhere_is_torn_and_all_before_it_kept(
    requests: list[list[bytes]], last: list[bytes], data: st.DataObject
) -> None:
    whole = log(requests, 1000)
    torn = whole + frame(last, 1000 + len(whole))[:-1]
    cut = data.draw(st.integers(len(whole) + 1, len(torn)))
    tail = verify(torn[:cut], 1000, 1000)
    assert tail.end == 1000 + len(whole)
    assert tail.reason
    assert not tail.damaged


@given(st.lists(RECORDS, min_size=2, max_size=4), st.data())
def test_any_changed_byte_ends_the_readable_part_before_its_frame(requests: list[list[bytes]], data: st.DataObject) -> None:
    whole = bytearray(log(requests))
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    starts = [len(log(requests[:index])) for index in range(len(requests))]
    hit = max(start for start in starts if start <= at)
    tail = verify(bytes(whole), 0, 0)
    assert tail.end == hit
    assert tail.damaged == (hit != starts[-1])  # the frames after it say that it was synced


def test_an_unreadable_frame_of_a_group_that_was_never_synced_is_torn() -> None:
    before = log([[b"a"]])
    group = before + frame([b"b"], len(before), len(before))
    whole = group + frame([b"c"], len(group), len(before))  # same sync as b
    broken = whole[: len(before) + HEADER_BYTES] + b"?" + whole[len(before) + HEADER_BYTES + 1 :]
    tail = verify(broken, 0, 0)
    assert (tail.end, tail.damaged) == (len(before), False)


def test_a_frame_elsewhere_than_it_says_is_unreadable() -> None:
    with pytest.raises(UnreadableFrameError, match="belongs at position 5"):
        decode_header(frame([b"a"], 5)[:HEADER_BYTES], 0)
