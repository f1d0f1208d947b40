import pytest

from livekpi.definition.types import parse_field
from tests.definition.places import assert_problems, parsed


def source(given: str) -> str:
    return f"sources:\n  log: {given}\nkpis: {{ lines: {{ value: count(*), every: 1m, source: log }} }}\n"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("{ http: {}, time: §tim, fields: { time: timestamp } }", "there is no field 'tim'; did you mean 'time'?"),
        ("{ http: {}, time: §when, fields: { time: timestamp } }", "there is no field 'when'; expected a field of type timestamp"),
        ("{ http: {}, time: §at, fields: { at: integer } }", "'at' is integer; expected a field of type timestamp"),
        ("{ http: {}, time: §ts, fields: { ts: optional timestamp } }", "'ts' is optional; an event without a time can't be counted"),
        (
            "{ http: {}, time: ts, id: §n, fields: { ts: timestamp, n: number } }",
            "'n' is number; expected a field of type string or integer",
        ),
        ("{ http: {}, time: ts, trace: §n, fields: { ts: timestamp, n: integer } }", "'n' is integer; expected a field of type string"),
        ("{ http: {}, time: ts, fields: { ts: timestamp, §_Time: string } }", "'_Time' is a name livekpi keeps for itself"),
        (
            "{ http: {}, time: ts, fields: { ts: timestamp, §'a\\b': string } }",
            "'a\\\\b' has a character that no field's name may have; rename",
        ),
        ("{ http: {}, time: ts, fields: { ts: timestamp, §'': string } }", "a field without a name; rename"),
        (f"{{ http: {{}}, time: ts, fields: {{ ts: timestamp, §{'x' * 129}: string }} }}", "'xxxxxxxxxxxxxxxxxxxx'… is longer than 128"),
        ("{ http: {}, time: ts, fields: { ts: timestamp, a: string, §A: string } }", "'A' differs from 'a' only in capitals"),
        (
            "{ file: { path: x, format: common }, time: time, §fields: { time: timestamp } }",
            "format common brings its own fields (client, user, time,",
        ),
        (
            "{ file: { path: x, format: regex, regex: §'(?P<ts>.*) (?P<usr>.*)' }, time: ts, fields: { ts: timestamp, §user: string } }",
            "the group 'usr' is not declared in `fields`; did you mean 'user'?",
        ),
    ],
)
def test_a_wrong_source(given: str, message: str) -> None:
    more = ["the regular expression has no group 'user'; did you mean 'usr'?"] if "regex:" in given else []
    assert_problems(source(given), message, *more)


def test_fields_are_needed() -> None:
    assert_problems(
        source("{ http: {}, time: §ts }").replace("log:", "§log:"),
        "'fields' is missing: each field's name and type",
        "there is no field 'ts'; expected a field of type timestamp",
    )


@pytest.mark.parametrize("kind", ["file: { path: x.log, format: %s }", "stdin: { format: %s }"])
def test_access_logs_bring_their_fields(kind: str) -> None:
    common = parsed(source(f"{{ {kind % 'common'}, time: time }}")).sources["log"].fields
    combined = parsed(source(f"{{ {kind % 'combined'}, time: time, id: agent }}")).sources["log"].fields
    assert list(common) == ["client", "user", "time", "method", "path", "protocol", "status", "bytes"]
    assert list(combined) == [*common, "referrer", "agent"]
    assert combined["time"] == parse_field("time", "timestamp(%d/%b/%Y:%H:%M:%S %z)")


def test_declared_fields_are_in_the_files_order() -> None:
    fields = (
        parsed(source("{ http: {}, time: ts, id: n, trace: t, fields: { ts: timestamp(epoch_ms), t: string, n: integer } }"))
        .sources["log"]
        .fields
    )
    assert list(fields.values()) == [parse_field("ts", "timestamp(epoch_ms)"), parse_field("t", "string"), parse_field("n", "integer")]


def test_fields_that_are_wrong_altogether_are_reported_once() -> None:
    assert_problems(source("{ http: {}, time: ts, fields: §many }"), "got `many`, expected `key: value` pairs")
