"""Decoding as a whole: against the oracle, against rubbish, and by example what each kind of bad record becomes."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from livekpi.definition.types import Field
from livekpi.events import DeadLetter
from livekpi.sources.decode import KEPT_BYTES, ORDINAL_POSITIONS, Decoder
from livekpi.sources.json_rows import MAX_DEPTH
from tests.sources import oracle
from tests.sources.made import NOW_US, chunk, source

FIELDS = {
    "ts": "timestamp",
    "user": "string",
    "country": "optional string",
    "n": "integer",
    "level": "optional integer",
    "ms": "number",
    "share": "optional number",
    "amount": "decimal(18, 2)",
    "fee": "optional decimal(38, 10)",
    "ok": "optional boolean",
    "cart": "optional json",
    "seen": "optional timestamp",
    "at_s": "optional timestamp(epoch_s)",
    "at_ms": "optional timestamp(epoch_ms)",
    "at_ns": "optional timestamp(epoch_ns)",
}
SHOP = source(FIELDS)
DECODER = Decoder(SHOP)
GOOD = b'{"ts":"2026-03-01T12:00:00Z","user":"u","n":1,"ms":1.5,"amount":2.50}'


def good(**changes: str) -> bytes:
    """A good record with some values as given, in JSON."""
    values = {name: json.dumps(value) for name, value in json.loads(GOOD).items()} | changes
    return ("{" + ",".join(f'"{name}":{text}' for name, text in values.items()) + "}").encode()


def meant(table: pa.Table, fields: Mapping[str, Field]) -> list[dict[str, Any]]:
    """A table's rows as the oracle says them."""
    rows: list[dict[str, Any]] = table.to_pylist()
    for row in rows:
        for name, field in fields.items():
            value = row[name]
            if isinstance(value, datetime):
                row[name] = (value - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # noqa: DTZ001 - the column has no zone
            elif isinstance(value, Decimal):
                row[name] = Fraction(value)
            elif field.type.kind == "json" and value is not None:
                row[name] = json.loads(value, object_pairs_hook=oracle.Pairs, parse_float=Decimal)
    return rows


EARLY, LATE = datetime(1960, 1, 1), datetime(2210, 1, 1)  # noqa: DTZ001 - they are printed with a Z
texts = st.text(max_size=8).map(json.dumps) | st.sampled_from(['"7"', '"\\u0000"', '"\\ud83d\\ude00"', '"é😀"', '""'])
integers = st.integers(-(2**65), 2**65).map(str) | st.sampled_from(["0", "-0", str(2**63), str(2**63 - 1), str(-(2**63) - 1), "9" * 60])
decimals = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=2).map(lambda d: f"{d:f}")
doubles = st.floats(allow_nan=False, allow_infinity=False).map(repr)
odd_numbers = st.sampled_from(
    [
        *("1e999", "-1e999", "1e-999", "1e2", "1E+2", "12e-3", "0.1e1", "1e-400000000", "0e400000000", "1e16", "1e15"),
        *("1.50", "1.500", "1.505", "0.000", "0e-30", "1." + "0" * 50, "0." + "1" * 50),
        *("9999999999999999.99", "-9999999999999999.99", "10000000000000000"),
    ]
)
odd_times = st.sampled_from(
    [
        *("2026-03-01T12:00:00z", "2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00.1234567Z", "2026-03-01 12:00+02:00"),
        *("2026-03-01T12-0330", "2026-03-01", "2026-03-01T12:00:00", "2026-02-30T12:00:00Z", "1969-12-31T23:59:59.9999999Z", ""),
    ]
)
times = (st.datetimes(EARLY, LATE).map(lambda t: f"{t.isoformat()}Z") | odd_times).map(json.dumps)
epochs = st.integers(-5, 7_258_118_400_001).map(str) | st.integers(0, 4_000_000_000_000_000).map(
    lambda us: f"{us // 1_000_000}.{us % 1_000_000:06}"
)
nested = st.recursive(
    texts | integers | doubles | st.sampled_from(["true", "null"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]")
        | st.dictionaries(texts, inner, max_size=3).map(
            lambda members: "{" + ",".join(f"{name}:{value}" for name, value in members.items()) + "}"
        )
    ),
    max_leaves=6,
)
any_value = (
    texts | integers | decimals | doubles | odd_numbers | times | epochs | nested | st.sampled_from(["true", "false", "null", "NaN", "01"])
)
RIGHT = {
    "string": texts,
    "integer": st.integers(-9, 9).map(str),
    "number": doubles,
    "decimal": decimals,
    "boolean": st.sampled_from(["true", "false"]),
    "json": nested,
}


def right_value(field: Field) -> st.SearchStrategy[str]:
    if field.type.kind != "timestamp":
        return RIGHT[field.type.kind]
    return times if field.time_format is None else epochs


@st.composite
def records(draw: st.DrawFn) -> bytes | None:
    """Mostly an event, some with a few wrong values, an unknown key, a key twice or one absent."""
    if draw(st.integers(0, 30)) == 0:
        return draw(st.none() | st.binary(max_size=20))
    members = [[name, draw(right_value(field))] for name, field in SHOP.fields.items() if not field.optional or draw(st.booleans())]
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        draw(st.sampled_from(members))[1] = draw(any_value)
    change = draw(st.integers(0, 9))
    if change == 0:
        del members[draw(st.integers(0, len(members) - 1))]
    elif change == 1:
        members.insert(draw(st.integers(0, len(members))), ["unknown", draw(nested)])
    elif change == 2:
        name, text = draw(st.sampled_from([("n", "1"), ("user", '"x"'), ("ts", '"1999-01-01T00:00:00Z"'), ("amount", "1"), ("ok", "true")]))
        members.insert(0, [name, text])  # the last one counts
    return ("{" + ", ".join(f'"{name}": {value}' for name, value in members) + "}").encode()


@given(st.lists(records(), max_size=12), st.integers(1, 5))
@settings(max_examples=100, deadline=None)
@example([GOOD, None, GOOD], 2)
def test_agrees_with_the_oracle(given_records: list[bytes | None], piece_records: int) -> None:
    events = Decoder(SHOP, piece_records=piece_records).decode([chunk(given_records)], NOW_US)
    expected = [oracle.event(record, SHOP.fields.values(), "ts", NOW_US + SHOP.ahead_us) for record in given_records]
    rows = meant(events.table, SHOP.fields)
    assert [{name: row[name] for name in FIELDS} for row in rows] == [event for event in expected if event is not None]
    assert [row["_position"] for row in rows] == [index for index, event in enumerate(expected) if event is not None]
    assert [letter.position for letter in events.dead] == [index for index, event in enumerate(expected) if event is None]


@given(
    st.lists(
        st.binary(max_size=60)
        | st.tuples(st.integers(0, len(GOOD)), st.binary(max_size=4)).map(lambda cut: GOOD[: cut[0]] + cut[1] + GOOD[cut[0] :])
    )
)
@settings(max_examples=100, deadline=None)
def test_no_bytes_raise_and_none_cost_their_neighbours(rubbish: list[bytes]) -> None:
    events = DECODER.decode([chunk([GOOD, *rubbish, GOOD])], NOW_US)
    positions = events.table["_position"].to_pylist()
    assert positions[0] == 0
    assert positions[-1] == len(rubbish) + 1
    assert len(positions) + len(events.dead) == len(rubbish) + 2
    assert all(letter.record == rubbish[letter.position - 1] and letter.reason.isprintable() for letter in events.dead)


def only_dead(record: bytes | None, decoder: Decoder = DECODER) -> DeadLetter:
    events = decoder.decode([chunk([GOOD, record, GOOD], partition="p", first=7)], NOW_US)
    assert events.table["_position"].to_pylist() == [7, 9]
    (letter,) = events.dead
    assert (letter.source, letter.partition, letter.position, letter.arrived_us) == ("shop", "p", 8, NOW_US)
    assert letter.record == (record or b"")
    return letter


@pytest.mark.parametrize(
    ("record", "code", "field", "reason"),
    [
        (None, "no_value", None, "tombstone"),
        (b"", "not_json", None, "an empty record"),
        (b" \n", "not_json", None, "an empty record"),
        (b"hello", "not_json", None, "invalid character (byte 0): hello"),
        (b'{"ts":', "not_json", None, 'truncated: {"ts":'),
        (b"\xef\xbb\xbf" + GOOD, "not_json", None, "byte 0"),
        (b"[1]", "not_json", None, "expected a JSON object, got [1]"),
        (b"null", "not_json", None, "expected a JSON object, got null"),
        (GOOD + b"x", "not_json", None, "trailing"),
        (b"\0" + GOOD, "not_json", None, "byte 0"),
        (good(user='"a\0b"'), "not_json", None, "invalid character"),
        (good(user='"\\ud800"'), "not_json", None, "half a surrogate pair, which is no character: "),
        (b'{"ts":"2026-03-01T12:00:00Z","user":"\\ud800"}', "not_json", None, "half a surrogate pair, which is no character: "),
        (b'{"ts":"2026-03-01T12:00:00Z","user":"\\ud83d\\ude00', "not_json", None, "truncated"),
        (good(user='"x"').replace(b"x", b"\xff"), "not_json", "user", "not UTF-8"),
        (good(n="NaN"), "not_json", None, "NaN"),
        (good(n="1.5"), "wrong_type", "n", "expected an integer from -2^63 to 2^63 - 1, got 1.5"),
        (good(n="1.0"), "wrong_type", "n", "got 1.0"),
        (good(n='"7"'), "wrong_type", "n", 'got "7"'),
        (good(n="true"), "wrong_type", "n", "got true"),
        (good(n=str(2**63)), "wrong_type", "n", f"got {2**63}"),
        (good(n="1" * 5000), "wrong_type", "n", "got " + "1" * 80 + "…"),
        (good(n="null"), "wrong_type", "n", "got null (`n: optional …` would allow it)"),
        (good(level='"7"'), "wrong_type", "level", 'got "7"'),
        (good(ms='"7"'), "wrong_type", "ms", 'expected a number (64-bit floating point), got "7"'),
        (good(ms="1e999"), "wrong_type", "ms", "got 1e999"),
        (good(amount='"7"'), "wrong_type", "amount", 'at most 16 digits before the point and 2 after it, got "7"'),
        (good(amount="true"), "wrong_type", "amount", "got true"),
        (good(amount="null"), "wrong_type", "amount", "got null (`amount: optional …`"),
        (good(amount="[1]"), "wrong_type", "amount", "got [1]"),
        (good(amount="1.255"), "wrong_type", "amount", "got 1.255"),
        (good(amount="10000000000000000"), "wrong_type", "amount", "got 10000000000000000"),
        (good(amount="1e-400000000"), "wrong_type", "amount", "got 1e-400000000"),
        (good(amount="1e400000000"), "wrong_type", "amount", "got 1e400000000"),
        (good(ok="1"), "wrong_type", "ok", "expected true or false, got 1"),
        (good(cart='{"a":"x"}').replace(b"x", b"\xff"), "wrong_type", "cart", "expected JSON"),
        (b'{"ts":"2026-03-01T12:00:00Z"}', "missing", "user", "got no such field (`user: optional …` would allow that)"),
        (b'{"user":"u"}', "missing", "ts", "got no such field (it is the source's `time`: every event must have it)"),
        (good(ts="null"), "bad_time", "ts", "got null (it is the source's `time`: every event must have it)"),
        (
            good(ts="1772366400000"),
            "bad_time",
            "ts",
            "expected a time in ISO 8601 with a zone, such as 2026-03-01T12:00:00Z, got 1772366400000",
        ),
        (good(ts='"2026-03-01T12:00:00"'), "bad_time", "ts", "2026-03-01T12:00:00 has no zone; expected one, such as 2026-03-01T12:00:00Z"),
        (good(ts='"yesterday"'), "bad_time", "ts", "got yesterday"),
        (good(ts='"2026-02-30T00:00:00Z"'), "bad_time", "ts", "got 2026-02-30"),
        (good(ts='"1969-12-31T23:59:59Z"'), "bad_time", "ts", "not from 1970 to 2199"),
        (good(ts='"2200-01-01T00:00:00Z"'), "bad_time", "ts", "not from 1970 to 2199"),
        (good(at_ms="1772366400"), "ok", None, ""),
        (good(at_s="1772366400000"), "bad_time", "at_s", "1772366400000.0 is not from 1970 to 2199; it was read as epoch_s"),
        (good(ts='"2026-03-01T12:05:00.000001Z"'), "ahead", "ts", "more than `ahead: 5m` after its arrival at 2026-03-01T12:00:00+00:00"),
        (good(zz="[" * MAX_DEPTH + "]" * MAX_DEPTH), "too_deep", None, f"more than {MAX_DEPTH}"),
        (good(zz="[" * 100_000 + "]" * 100_000), "too_deep", None, f"more than {MAX_DEPTH}"),
        (GOOD[:-1] + b',"n":"x"}', "wrong_type", "n", 'got "x"'),
        (GOOD.replace(b'"n":1', b'"n":"x","n":1'), "invalid", None, "Expected `int`, got `str`"),
    ],
)
def test_a_bad_record_is_a_dead_letter(record: bytes | None, code: str, field: str | None, reason: str) -> None:
    if code == "ok":
        assert DECODER.decode([chunk([record])], NOW_US).dead == []
        return
    letter = only_dead(record)
    assert (letter.code, letter.field) == (code, field)
    assert reason in letter.reason


@pytest.mark.parametrize(
    "record",
    [
        good(zz='{"a":[1,{"b":null}]}', other='"x"'),
        good(zz="[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)),
        good(zz='"' + "[" * 1000 + '"'),  # no nesting inside a string
        good(zz='"x"').replace(b"x", b"\xff"),  # what is not declared is not looked into
        good(n="-0", ms="7", amount="7"),
        good(amount="2.5000"),
        good(amount="25e-1"),
        good(at_ms="1772366400"),
        good(country="null"),
        b" \r\n" + GOOD + b"\r",
        GOOD[:-1] + b',"n":2}',
    ],
)
def test_accepted(record: bytes) -> None:
    assert DECODER.decode([chunk([record])], NOW_US).dead == []


def test_a_record_that_is_too_large_is_cut() -> None:
    record = good(zz='"' + "x" * 100_000 + '"')
    decoder = Decoder(SHOP, max_record_bytes=100_000)
    events = decoder.decode([chunk([record, GOOD])], NOW_US)
    assert [(letter.code, letter.reason, letter.record) for letter in events.dead] == [
        ("too_large", "larger than 100000 bytes", record[:KEPT_BYTES])
    ]
    assert events.table.num_rows == 1
    assert events.bytes == len(record) + len(GOOD)


def test_chunks_keep_their_partitions_positions_and_arrivals() -> None:
    ahead = good(ts='"2026-03-01T12:10:00Z"')
    chunks = [
        chunk([GOOD, ahead], "0", 5),
        chunk([GOOD], "1", 100, ordinal=1),
        chunk([], "2", 9, ordinal=2),
        chunk([b"x", ahead, GOOD], "0", 7, arrived_us=NOW_US + 300_000_000),
        chunk([ahead], "1", 101, ordinal=1, arrived_us=NOW_US - 1),
    ]
    events = Decoder(SHOP, piece_records=2).decode(chunks, NOW_US)
    assert events.partitions == ("0", "1", "2")
    assert events.table["_partition"].to_pylist() == [0, 1, 0, 0]
    assert events.table["_position"].to_pylist() == [5, ORDINAL_POSITIONS + 100, 8, 9]
    assert events.next_positions == {"0": 10, "1": 102, "2": 9}
    assert [(letter.partition, letter.position, letter.code, letter.arrived_us) for letter in events.dead] == [
        ("0", 6, "ahead", NOW_US),
        ("0", 7, "not_json", NOW_US + 300_000_000),
        ("1", 101, "ahead", NOW_US - 1),
    ]
    assert (events.records, events.arrived_us) == (7, NOW_US + 300_000_000)
    assert events.bytes == 3 * len(GOOD) + 3 * len(ahead) + 1


def test_nothing_to_decode() -> None:
    events = DECODER.decode([], NOW_US)
    assert (events.table.num_rows, events.table.schema, events.records, events.partitions) == (0, DECODER.schema, 0, ())


def test_columns_are_made_of_what_is_needed_and_all_is_checked() -> None:
    decoder = Decoder(SHOP, {"amount", "user"})
    table = decoder.decode([chunk([GOOD])], NOW_US).table
    assert table.schema == decoder.schema
    assert table.schema.names == ["user", "amount", "_time", "_partition", "_position"]
    assert only_dead(good(n="1.5"), decoder).field == "n"
    assert only_dead(good(seen='"never"'), decoder).field == "seen"


def test_a_field_may_have_any_name() -> None:
    named = source({"a b": "string", "x.y": "integer", "é`$": "optional decimal(5, 1)", "from": "string", "f0": "integer"})
    record = b'{"ts":"2026-03-01T12:00:00Z","a b":"1","x.y":2,"\xc3\xa9`$":3.5,"from":"x","f0":4}'
    table = Decoder(named).decode([chunk([record])], NOW_US).table
    assert table.select(["a b", "x.y", "é`$", "from", "f0"]).to_pylist() == [
        {"a b": "1", "x.y": 2, "é`$": Decimal("3.5"), "from": "x", "f0": 4}
    ]


def test_bad_records_among_many_cost_nobody_else() -> None:
    records = [GOOD] * 9_000
    bad = {17: good(ts='"x"'), 18: good(n="1.5"), 2_500: good(amount="1.234"), 4_001: good(cart='{"a":"\xff"}'), 8_999: b"{"}
    bad[4_001] = good(cart='{"a":"x"}').replace(b"x", b"\xff")
    for index, record in bad.items():
        records[index] = record
    events = DECODER.decode([chunk(records)], NOW_US)
    assert [letter.position for letter in events.dead] == sorted(bad)
    assert events.table["_position"].to_pylist() == [index for index in range(9_000) if index not in bad]


def test_duckdb_takes_all_that_is_accepted() -> None:
    """NUL in a string, odd numbers in JSON: one event's content must not fail a batch's query."""
    carts = ['{"a":"\\u0000b"}', '{"a":1e999}', '{"a":' + "1" * 400 + "}", '{"a":1,"a":2}', "[" * 400 + "]" * 400, '"x"', '{"a":-0}']
    records = [good(user='"a\\u0000b"', cart=cart) for cart in carts]
    events = DECODER.decode([chunk(records)], NOW_US)
    assert events.dead == []
    table = events.table
    with duckdb.connect() as connection:
        connection.register("events", table)
        rows = connection.execute("SELECT user, md5(user), cart::JSON->>'a', json_type(cart) FROM events").fetchall()
        grouped = connection.execute("SELECT user, count(*) FROM events GROUP BY ALL").fetchall()
    assert [row[2] for row in rows] == ["\0b", "1e999", "1" * 400, "1", None, None, "0"]
    assert grouped == [("a\0b", len(carts))]


def test_an_event_may_be_exactly_as_far_ahead_as_allowed() -> None:
    assert DECODER.decode([chunk([good(ts='"2026-03-01T12:05:00Z"')])], NOW_US).dead == []


@pytest.mark.parametrize(("ahead", "dead"), [("0s", 1), ("59m", 1), ("1h", 0)])
def test_ahead_is_the_source_s(ahead: str, dead: int) -> None:
    record = b'{"ts":"2026-03-01T13:00:00Z"}'
    assert len(Decoder(source({}, ahead=ahead)).decode([chunk([record])], NOW_US).dead) == dead
