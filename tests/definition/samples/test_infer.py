import csv
import gzip
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.definition.problems import DefinitionError
from livekpi.definition.samples.infer import infer
from livekpi.definition.samples.read import read_sample
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder

EXAMPLES = Path(__file__).parents[3] / "examples"
SHOP: list[dict[str, Any]] = [
    {
        "ts": "2026-03-01T12:00:00Z",
        "event": "purchase",
        "event_id": "a1",
        "user_id": "u1",
        "country": "DE",
        "status": 200,
        "duration_ms": 12.5,
        "amount": 19.90,
        "cart": {"items": [1]},
        "trace_id": "t1",
        "ok": True,
        "sent": 1772366400000,
    },
    {
        "ts": "2026-03-01T12:00:01.5+01:00",
        "event": "page_view",
        "event_id": "a2",
        "user_id": "u2",
        "country": None,
        "status": 503,
        "duration_ms": 7,
        "trace_id": None,
        "ok": False,
        "sent": 1772366400001,
    },
]


def defined(path: Path) -> Definition:
    return parse_definition(infer(path).encode(), Path("kpis.yaml"), {})


def write(path: Path, events: Sequence[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(event) + "\n" for event in events))
    return path


def declared(definition: Definition) -> dict[str, str]:
    (source,) = definition.spec.sources.values()
    return source.fields


def test_a_shop(tmp_path: Path) -> None:
    text = infer(write(tmp_path / "shop.ndjson", SHOP))
    shop = parse_definition(text.encode(), Path("kpis.yaml"), {})
    source = shop.spec.sources["shop"]
    assert source.file is not None
    assert (source.file.path, source.file.format) == (str(tmp_path / "shop.ndjson"), "ndjson")
    assert (source.time, source.id, source.trace) == ("ts", "event_id", "trace_id")
    assert source.fields == {
        "ts": "timestamp",
        "event": "string",
        "event_id": "string",
        "user_id": "string",
        "country": "optional string",
        "status": "integer",
        "duration_ms": "number",
        "amount": "optional decimal(18, 2)",
        "cart": "optional json",
        "trace_id": "optional string",
        "ok": "boolean",
        "sent": "integer",
    }
    assert {name: kpi.spec.value for name, kpi in shop.kpis.items()} == {
        "events": "count(*)",
        "users": "count(distinct user_id)",
        "duration_ms_p95": "quantile(duration_ms, 0.95)",
        "revenue": "sum(amount)",
        "error_rate": "count(*) filter (where status >= 500) / count(*)",
    }
    assert shop.kpis["events"].by == ("event", "country")
    assert (shop.spec.kpis["duration_ms_p95"].unit, shop.spec.kpis["duration_ms_p95"].good) == ("ms", "down")
    assert "a repeat of an id already seen is dropped" in text


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress], ids=["gzip", "zstd"])
def test_a_packed_sample(tmp_path: Path, pack: Any) -> None:
    plain = write(tmp_path / "shop.ndjson", SHOP)
    packed = tmp_path / "packed.ndjson.x"
    packed.write_bytes(pack(plain.read_bytes()))
    assert declared(defined(packed)) == declared(defined(plain))


def test_an_array_is_for_posting(tmp_path: Path) -> None:
    path = tmp_path / "shop.json"
    path.write_text(json.dumps(SHOP, indent=2))
    assert defined(path).spec.sources["shop"].http is not None
    assert declared(defined(path)) == declared(defined(write(tmp_path / "shop.ndjson", SHOP)))
    path.write_text(json.dumps(SHOP[0], indent=2))
    assert defined(path).spec.sources["shop"].http is not None


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "sales.csv"
    path.write_text("date,zip,price,number,n,paid\n2026-01-31 10:00:00,01234,5.5,1.25,7,true\n2026-01-31 11:00:00,99999,6,-3e2,,false\n")
    sales = defined(path)
    assert declared(sales) == {
        "date": "timestamp(%Y-%m-%d %H:%M:%S)",
        "zip": "string",
        "price": "decimal(18, 2)",
        "number": "number",
        "n": "optional integer",
        "paid": "boolean",
    }
    assert sales.kpis["price_total"].spec.value == "sum(price)"


@pytest.mark.parametrize(
    ("delimiter", "text"),
    [
        (",", "ts,a|b,c\n2026-01-31T10:00:00Z,1|2,3\n"),
        (";", 'ts;price, EUR;text\n2026-01-31T10:00:00Z;1,5;a, b\n2026-01-31T11:00:00Z;2;"c; d"\n'),
        ("\t", "ts\ttext\n2026-01-31T10:00:00Z\ta;b\n"),
        ("|", "ts|n\n2026-01-31T10:00:00Z|1\n"),
    ],
)
def test_how_csv_is_delimited(tmp_path: Path, delimiter: str, text: str) -> None:
    (tmp_path / "s.csv").write_text(text)
    assert read_sample(tmp_path / "s.csv").delimiter == delimiter
    (source,) = defined(tmp_path / "s.csv").spec.sources.values()
    assert source.file is not None
    assert source.file.delimiter == delimiter


@pytest.mark.parametrize("form", ["combined", "common"])
def test_an_access_log(tmp_path: Path, form: str) -> None:
    lines = (EXAMPLES / "website/access.log").read_text().splitlines()[:50]
    path = tmp_path / "access.log"
    path.write_text(
        "\n".join(
            line if form == "combined" else line.split(' "')[0] + ' "' + line.split('"')[1] + '"' + line.split('"')[2] for line in lines
        )
    )
    website = defined(path)
    assert website.spec.sources["access"].file is not None
    assert website.spec.sources["access"].file.format == form
    assert list(website.kpis) == ["requests", "visitors", "traffic", "errors", "size_p95"]


@pytest.mark.parametrize(
    ("field", "values", "expected"),
    [
        ("at", [1772366400, 1772366401.5], "timestamp(epoch_s)"),
        ("at", [1772366400000], "timestamp(epoch_ms)"),
        ("at", [1772366400000000], "timestamp(epoch_us)"),
        ("at", [1772366400000000000], "timestamp(epoch_ns)"),
        ("response_time", [12, 40], "integer"),
        ("count", [1772366400], "integer"),
        ("seen", ["2026-01-31T10:00:00"], "timestamp(%Y-%m-%dT%H:%M:%S)"),
        ("seen", ["31/Jan/2026:10:00:00 +0100"], "timestamp(%d/%b/%Y:%H:%M:%S %z)"),
        ("seen", ["Sat, 31 Jan 2026 10:00:00 GMT"], "timestamp(%a, %d %b %Y %H:%M:%S GMT)"),
        ("seen", ["31.01.2026 10:00"], "timestamp(%d.%m.%Y %H:%M)"),
        ("seen", ["13/01/2026 10:00:00", "01/13/2026 10:00:00"], "string"),
        ("birthday", ["1931-01-31"], "string"),
        ("order_date", ["2026-01-31"], "timestamp(%Y-%m-%d)"),
        ("version", ["2026-01-31"], "string"),
        ("seen", ["2026-02-31T10:00:00Z"], "string"),
        ("total", [5, 6], "decimal(18, 2)"),
        ("total", [5.125], "decimal(18, 3)"),
        ("total_cents", [500], "integer"),
        ("total", [10**17], "integer"),
        ("n", [2**63], "number"),
        ("n", [1, 0.5], "number"),
        ("n", [1, "1"], "json"),
        ("n", [True, 1], "json"),
        ("n", [[1], {}], "json"),
        ("n", [None], "optional json"),
        ("n", [1, None], "optional integer"),
        ("n", ["true"], "string"),
    ],
)
def test_the_type_of_a_field(tmp_path: Path, field: str, values: list[Any], expected: str) -> None:
    events = [{"ts": "2026-01-31T10:00:00Z", field: value} for value in values]
    assert declared(defined(write(tmp_path / "e.ndjson", events)))[field] == expected


@pytest.mark.parametrize(
    ("event", "kpi", "value"),
    [
        ({"level": "error"}, "error_rate", "count(*) filter (where level in ('error')) / count(*)"),
        ({"result": "it's a failure"}, "error_rate", "count(*) filter (where result in ('it''s a failure')) / count(*)"),
        ({"success": True}, "error_rate", "count(*) filter (where not success) / count(*)"),
        ({"is_error": False}, "error_rate", "count(*) filter (where is_error) / count(*)"),
        ({"order": 5.5}, "order_avg", "avg(order)"),
        ({"case": 5.5}, "case_avg", 'avg("case")'),
        ({"x y": 5.5}, "x_y_avg", 'avg("x y")'),
        ({"%": 5.5}, "__avg", 'avg("%")'),
        ({"a.b": 5.5}, "a_b_avg", 'avg("a.b")'),
        ({"$n": 1.5}, "n_avg", 'avg("$n")'),
        ({"latencySeconds": 1.5}, "latencySeconds_p95", "quantile(latencySeconds, 0.95)"),
        ({"customer": 7}, "users", "count(distinct customer)"),
    ],
)
def test_a_kpi_to_begin_with(tmp_path: Path, event: dict[str, Any], kpi: str, value: str) -> None:
    kpis = defined(write(tmp_path / "e.ndjson", [{"ts": "2026-01-31T10:00:00Z"} | event])).kpis
    assert kpis[kpi].spec.value == value


def test_the_most_telling_time_is_taken(tmp_path: Path) -> None:
    event = {"shipped": "2026-01-31T10:00:00Z", "Timestamp": "2026-01-31T10:00:00Z", "created_at": "2026-01-31T10:00:00Z"}
    (source,) = defined(write(tmp_path / "e.ndjson", [event])).spec.sources.values()
    assert source.time == "Timestamp"


def test_a_time_must_always_be_there(tmp_path: Path) -> None:
    events = [{"ts": "2026-01-31T10:00:00Z", "seen": "2026-01-31T10:00:00Z"}, {"seen": "2026-01-31T10:00:00Z"}]
    (source,) = defined(write(tmp_path / "e.ndjson", events)).spec.sources.values()
    assert source.time == "seen"
    with pytest.raises(DefinitionError, match=r"no field holds a time in every event.*; found ts \(optional timestamp, such as '2026"):
        defined(write(tmp_path / "e.ndjson", [events[0] | {"seen": "x"}, {"seen": "x"}]))


def test_what_repeats_is_no_id(tmp_path: Path) -> None:
    events = [{"ts": "2026-01-31T10:00:00Z", "event_id": "a", "id": number} for number in range(2)]
    (source,) = defined(write(tmp_path / "e.ndjson", events)).spec.sources.values()
    assert source.id == "id"


def test_a_field_of_many_values_is_no_dimension(tmp_path: Path) -> None:
    events = [{"ts": "2026-01-31T10:00:00Z", "note": f"n{number}", "colour": "red"} for number in range(3)]
    assert defined(write(tmp_path / "e.ndjson", events)).kpis["events"].by == ("colour",)


def test_names_that_a_definition_can_not_have_are_left_out(tmp_path: Path) -> None:
    event = {
        "ts": "2026-01-31T10:00:00Z",
        "TS": 1,
        "_time": 2,
        "a\nb": 3,
        "": 4,
        "x" * 200: 5,
        "\\": 5,
        '"': 5,
        "null": 6,
        "a: b": 7,
        "${A}": 8,
        "#": 9,
    }
    path = write(tmp_path / "1 [b] ${c}.ndjson", [event, {"ts": "2026-01-31T10:00:00Z"}])
    (source,) = defined(path).spec.sources.values()
    assert list(source.fields) == ["ts", "null", "a: b", "${A}", "#"]
    assert "left out for its name: 'a\\nb'" in infer(path)
    assert source.file is not None
    assert source.file.path == str(tmp_path / "1 [[]b] ${c}.ndjson")
    assert list(defined(path).sources) == ["events_1_b_c"]


def test_records_that_are_no_events_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "e.ndjson", SHOP)
    path.write_text(path.read_text() + "\nnot json\n")
    assert "no events of this form, and become dead letters: 1\n" in infer(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "s.log: is empty; expected some events"),
        (b"hello\nworld\n", "s.log:1:1: expected JSON, CSV with a header, or an access log in common or combined format"),
        (b"a,a\n1,2\n", "s.log:1:1: expected a header with different names, got 'a', 'a'"),
        (b"a,b\n1,2,3\n", "s.log:2:1: expected rows of 2 cells, as many as the header has"),
        (b'{"a": 1\n{"b"\n', "s.log:1:1: expected JSON objects, one a line or in an array"),
        (b"[1, 2]", "s.log: expected JSON objects, one a line or in an array"),
        (b"[1, 2", "s.log: expected an array of events, whole and of at most 16 MiB; else put one event on a line"),
        (b'{"a": 1}\n{"a": "\xff"}\n', "s.log:2:1: expected UTF-8, found the byte 0xff"),
        (b"\x1f\x8bxxxx", "s.log: can't be read: "),
        (b"\x28\xb5\x2f\xfdxxxx", "s.log: can't be read: "),
        (
            b'{"a": 1, "b": "x"}',
            "s.log: no field holds a time in every event; expected one such as 2026-01-31T18:00:00Z, or a number of milliseconds",
        ),
        (b'{"ts": null}', "s.log: no field holds a time in every event"),
    ],
)
def test_a_sample_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("s.log").write_bytes(content)
    with pytest.raises(DefinitionError) as caught:
        infer(Path("s.log"))
    assert str(caught.value).startswith(message)


def test_a_sample_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError, match="can't be read: No such file or directory"):
        infer(tmp_path / "none")


NUMBERS = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.decimals(-1000, 1000, places=3).map(float)
VALUES = st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.datetimes().map(str) | st.lists(st.integers(), max_size=2)
NAMES = st.sampled_from(["amount", "user_id", "status", "level", "ok", "at", "id", "trace_id", "duration_s", "value", "final"]) | st.text(
    max_size=8
)
TIMES = st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds have no zone
EVENTS = st.lists(NAMES, max_size=6, unique=True).flatmap(
    lambda names: st.lists(
        st.fixed_dictionaries({"ts": TIMES.map(datetime.isoformat)}, optional=dict.fromkeys(names, VALUES)), min_size=1, max_size=6
    )
)


FAR_FUTURE_US = 7_258_118_400_000_000


def decoded(definition: Definition, records: list[bytes], columns: tuple[str, ...] | None) -> list[str]:
    """Why records of a sample became dead letters by what was inferred from it."""
    (source,) = definition.sources.values()
    chunk = Chunk("0", records, range(len(records)), len(records), columns=columns)
    return [dead.reason for dead in Decoder(source).decode([chunk], FAR_FUTURE_US).dead]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(events=EVENTS)
def test_what_is_inferred_from_json_has_no_mistakes_and_takes_the_sample(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    path = write(tmp_path / "e.ndjson", events)
    assert decoded(defined(path), path.read_bytes().splitlines(), None) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(events=EVENTS, delimiter=st.sampled_from(",;\t|"))
def test_what_is_inferred_from_csv_has_no_mistakes_and_takes_the_sample(
    tmp_path: Path, events: list[dict[str, Any]], delimiter: str
) -> None:
    others = set(",;\t|") - {delimiter}  # of text that could be cut by two of them either may be meant
    names = list(dict.fromkeys(name for event in events for name in event if name.isprintable() and name not in ("", "one")))
    names = [name for name in names if not others & set(name)]
    lines = io.StringIO()
    writer = csv.writer(lines, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["one", *names])
    for event in events:
        writer.writerow([1, *(cell(event.get(name), others) for name in names)])
    path = tmp_path / "e.csv"
    path.write_text(lines.getvalue(), newline="")
    rows = lines.getvalue().removesuffix("\n").split("\n")[1:]
    assert decoded(defined(path), [row.encode() for row in rows], ("one", *names)) == []


def cell(value: object, without: set[str]) -> str:
    """A value as CSV has it, without breaks of lines and some characters."""
    text = json.dumps(value) if isinstance(value, bool) else "" if value is None else str(value)
    return "".join(character for character in text if character.isprintable() and character not in without)
