"""Text formats: access logs as servers write them, CSV, regex; the same strictness about what a cell says."""

import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livekpi.events import Events
from livekpi.sources.decode import Decoder
from tests.sources.made import NOW_US, chunk, text_source

COMBINED = Decoder(text_source({}, format="combined"))
COMMON = Decoder(text_source({}, format="common"))
TIME = "[01/Mar/2026:13:00:00 +0200]"
AT = datetime(2026, 3, 1, 11)  # noqa: DTZ001 - the column has no zone
NULLS = dict.fromkeys(("user", "method", "path", "protocol", "bytes", "referrer", "agent"))


def only_event(decoder: Decoder, record: str, **rest: Any) -> dict[str, Any]:
    """The values of the one event in a record."""
    events = decoder.decode([chunk([record.encode()], **rest)], NOW_US)
    assert events.dead == []
    (row,) = events.table.to_pylist()
    return {name: value for name, value in row.items() if not name.startswith("_")}


def reasons(events: Events) -> list[tuple[int, str, str | None]]:
    return [(letter.position, letter.code, letter.field) for letter in events.dead]


REQUEST = {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "bytes": 1}


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (f'1.2.3.4 - - {TIME} "GET / HTTP/1.1" 200 1 "http://x/" "A/5.0 (X)"', REQUEST | {"referrer": "http://x/", "agent": "A/5.0 (X)"}),
        (f'1.2.3.4 - - {TIME} "GET /a?b=c HTTP/1.1" 200 0 "-" "-"', REQUEST | {"path": "/a?b=c", "bytes": 0}),
        (f'1.2.3.4 - - {TIME} "GET /a b HTTP/1.1" 200 1 "-" "-"', REQUEST | {"path": "/a b"}),
        (f'1.2.3.4 - - {TIME} "GET /" 200 1 "-" "-"', REQUEST | {"protocol": None}),
        (f'1.2.3.4 - - {TIME} "GET /\\"q\\" HTTP/1.1" 200 1 "-" "a\\"b\\\\"', REQUEST | {"path": '/\\"q\\"', "agent": 'a\\"b\\\\'}),
        (f'1.2.3.4 - - {TIME} "\\x16\\x03\\x01" 200 1 "-" "-"', {"path": "\\x16\\x03\\x01", "bytes": 1}),
        (f'1.2.3.4 - - {TIME} "-" 200 - "-" "-"', {}),
        (f'1.2.3.4 - - {TIME} "" 200 - "" ""', {}),
        (f'1.2.3.4 - ann b {TIME} "-" 200 - "-" "-" "10.0.0.1" 0.003', {"user": "ann b"}),
        (f'1.2.3.4 - - {TIME} "-" 200 -', {}),
        (f'1.2.3.4 - - {TIME} "-" 200 - "-" "é"\r', {"agent": "é"}),
    ],
)
def test_combined(line: str, values: dict[str, Any]) -> None:
    assert only_event(COMBINED, line) == {"client": "1.2.3.4", "time": AT, "status": 200} | NULLS | values


def test_common_ignores_what_follows_and_knows_ipv6() -> None:
    event = only_event(COMMON, f'2001:db8::1 - - {TIME} "GET / HTTP/1.1" 304 1 "http://x/" "agent"')
    assert event == {"client": "2001:db8::1", "user": None, "time": AT, "status": 304} | REQUEST


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        (b"", "invalid", None),
        (b"hello", "invalid", None),
        (f'1.2.3.4 - - {TIME} "GET / HTTP/1.1 200 17'.encode(), "invalid", None),
        (f'1.2.3.4 - - {TIME} "-" - 17'.encode(), "wrong_type", "status"),
        (f'1.2.3.4 - - {TIME} "-" 2OO 17'.encode(), "wrong_type", "status"),
        (f'1.2.3.4 - - {TIME} "-" 200 1.5'.encode(), "wrong_type", "bytes"),
        (b'1.2.3.4 - - [01/Mrz/2026:13:00:00 +0200] "-" 200 17', "bad_time", "time"),
        (b'1.2.3.4 - - [-] "-" 200 17', "bad_time", "time"),
        (f'1.2.3.4 - - {TIME} "\xff" 200 17'.encode("latin-1"), "invalid", None),
        (None, "no_value", None),
    ],
)
def test_a_bad_line_is_a_dead_letter(line: bytes | None, code: str, field: str | None) -> None:
    good = f'1.2.3.4 - - {TIME} "-" 200 -'.encode()
    events = COMBINED.decode([chunk([good, line, good])], NOW_US)
    assert reasons(events) == [(1, code, field)]
    assert events.table["_position"].to_pylist() == [0, 2]


@pytest.mark.parametrize(
    "line", ["[" * 200_000, "1 - " + " [" * 100_000, f'1 - - {TIME} "' + "\\" * 200_001, "a " * 100_000, '"' * 200_000]
)
def test_a_hostile_line_is_refused_in_one_pass(line: str) -> None:
    """Takes milliseconds; a pattern that tries again from every place would take minutes."""
    assert reasons(COMBINED.decode([chunk([line.encode()])], NOW_US)) == [(0, "invalid", None)]


FIELDS = {
    "ts": "timestamp",
    "name": "string",
    "n": "optional integer",
    "x": "optional number",
    "d": "optional decimal(6, 2)",
    "b": "optional boolean",
    "j": "optional json",
    "ms": "optional timestamp(epoch_ms)",
    "s": "optional timestamp(epoch_s)",
}
CSV = Decoder(text_source(FIELDS, format="csv"))
HEADER = ("b", "d", "extra", "j", "ms", "n", "name", "s", "ts", "x")


def row(**cells: str) -> str:
    """A CSV record of a good event with some cells as given."""
    out = io.StringIO()
    cells = {"ts": "2026-03-01T12:00:00Z", "name": "a"} | cells
    csv.writer(out, lineterminator="").writerow([cells.get(name, "") for name in HEADER])
    return out.getvalue()


EMPTY: dict[str, Any] = {"ts": datetime(2026, 3, 1, 12), "name": "a"} | dict.fromkeys(("n", "x", "d", "b", "j", "ms", "s"))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ({}, {}),
        ({"extra": "ignored"}, {}),
        ({"name": 'with "quotes", a comma\nand a line'}, {"name": 'with "quotes", a comma\nand a line'}),
        ({"name": " 7 "}, {"name": " 7 "}),
        ({"n": "7", "x": "7", "d": "7"}, {"n": 7, "x": 7.0, "d": Decimal(7)}),
        ({"n": "-007", "x": "1e3", "d": "1234.50"}, {"n": -7, "x": 1000.0, "d": Decimal("1234.50")}),
        ({"b": "true", "j": '{"a": [1, "x"]}'}, {"b": True, "j": '{"a": [1, "x"]}'}),
        ({"b": "false", "j": "null"}, {"b": False}),
        ({"ms": "1772366400000", "s": "1772366400.5"}, {"ms": datetime(2026, 3, 1, 12), "s": datetime(2026, 3, 1, 12, 0, 0, 500_000)}),  # noqa: DTZ001
    ],
)
def test_csv(cells: dict[str, str], values: dict[str, Any]) -> None:
    assert only_event(CSV, row(**cells), columns=HEADER) == EMPTY | values


@pytest.mark.parametrize(
    ("record", "code", "field"),
    [
        (row(ts=""), "bad_time", "ts"),
        (row(ts="2026-03-01"), "bad_time", "ts"),
        (row(name=""), "wrong_type", "name"),
        (row(n="1.5"), "wrong_type", "n"),
        (row(n=" 7"), "wrong_type", "n"),
        (row(n="٧"), "wrong_type", "n"),
        (row(n=str(2**63)), "wrong_type", "n"),
        (row(n="9" * 5000), "wrong_type", "n"),
        (row(x="nan"), "wrong_type", "x"),
        (row(x="1e999"), "wrong_type", "x"),
        (row(x="1_0"), "wrong_type", "x"),
        (row(d="1.505"), "wrong_type", "d"),
        (row(d="NaN"), "wrong_type", "d"),
        (row(b="1"), "wrong_type", "b"),
        (row(j="{"), "wrong_type", "j"),
        (row(ms="1.5"), "bad_time", "ms"),
        (row(s="-1"), "bad_time", "s"),
        ("a,b", "invalid", None),
        (row() + ",more", "invalid", None),
        (row() + chr(34) + "1", "invalid", None),  # a quote that is not closed
        (row().replace(",a,", ',"a,'), "invalid", None),
    ],
)
def test_bad_csv_is_a_dead_letter(record: str, code: str, field: str | None) -> None:
    good = row().encode()
    events = CSV.decode([chunk([good, record.encode(), good], columns=HEADER)], NOW_US)
    assert reasons(events) == [(1, code, field)]
    assert events.table.num_rows == 2


@pytest.mark.parametrize(("record", "columns"), [(row(ts=""), HEADER), ("a,7", ("name", "n"))])
def test_of_the_time_it_is_not_said_that_it_may_be_optional(record: str, columns: tuple[str, ...]) -> None:
    (letter,) = CSV.decode([chunk([record.encode()], columns=columns)], NOW_US).dead
    assert letter.field == "ts"
    assert letter.reason.endswith("(it is the source's `time`: every event must have it)")


def test_csv_without_a_column() -> None:
    events = CSV.decode([chunk([b"2026-03-01T12:00:00Z,1"], columns=("ts", "n"))], NOW_US)
    assert reasons(events) == [(0, "missing", "name")]
    assert only_event(CSV, "2026-03-01T12:00:00Z,x", columns=("ts", "name")) == EMPTY | {"name": "x"}


def test_csv_without_a_header() -> None:
    (letter,) = CSV.decode([chunk([row().encode()])], NOW_US).dead
    assert "without its file's header" in letter.reason


def test_csv_of_two_headers() -> None:
    chunks = [
        chunk([b"2026-03-01T12:00:00Z,x"], "a", columns=("ts", "name")),
        chunk([b"y,2026-03-01T12:00:00Z", b"bad"], "b", columns=("name", "ts")),
    ]
    events = CSV.decode(chunks, NOW_US)
    assert events.table["name"].to_pylist() == ["x", "y"]
    assert events.table["_partition"].to_pylist() == [0, 1]
    assert [(letter.partition, letter.position) for letter in events.dead] == [("b", 1)]


@given(names=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), min_size=1), min_size=2, max_size=5))
@settings(deadline=None)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_reads_what_csv_writes(delimiter: str, names: list[str]) -> None:
    columns = [f"c{index}" for index in range(len(names))]
    decoder = Decoder(text_source({"ts": "timestamp"} | dict.fromkeys(columns, "string"), format="csv", delimiter=delimiter))
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator="", quoting=csv.QUOTE_ALL).writerow([*names, "2026-03-01T12:00:00Z"])
    event = only_event(decoder, out.getvalue(), columns=(*columns, "ts"))
    assert [event[column] for column in columns] == names


REGEX = r"(?P<ts>\S+) (?P<level>[A-Z]+)(?: took (?P<ms>\S*) ms)?"
LOG = Decoder(text_source({"ts": "timestamp", "level": "string", "ms": "optional number"}, format="regex", regex=REGEX))


@pytest.mark.parametrize(("tail", "ms"), [(" took 1.5 ms", 1.5), (" took  ms", None), ("", None)])
def test_regex(tail: str, ms: float | None) -> None:
    event = only_event(LOG, f"2026-03-01T12:00:00Z INFO{tail}")
    assert event == {"ts": datetime(2026, 3, 1, 12), "level": "INFO", "ms": ms}  # noqa: DTZ001


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ("x 2026-03-01T12:00:00Z INFO", "invalid", None),
        ("2026-03-01T12:00:00Z INFO and more", "invalid", None),
        ("now INFO", "bad_time", "ts"),
        ("2026-03-01T12:00:00Z INFO took x ms", "wrong_type", "ms"),
    ],
)
def test_what_the_regex_does_not_match_whole_is_a_dead_letter(line: str, code: str, field: str | None) -> None:
    assert reasons(LOG.decode([chunk([line.encode()])], NOW_US)) == [(0, code, field)]


@given(st.lists(st.binary(max_size=60), max_size=5))
@settings(deadline=None)
def test_no_bytes_raise(records: list[bytes]) -> None:
    for decoder, columns in ((COMBINED, None), (COMMON, None), (CSV, HEADER), (LOG, None)):
        events = decoder.decode([chunk(records, columns=columns)], NOW_US)
        assert len(events.dead) + events.table.num_rows == len(records)
