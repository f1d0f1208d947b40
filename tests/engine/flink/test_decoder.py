"""Our format for Flink judges records as the embedded engine does, and reads the same values. No cluster is needed for this."""

import base64
import random
import subprocess
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from livekpi.engine.flink.jar import build_jar
from livekpi.engine.flink.rendering import declaration
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from tests.engine.flink.shop import definition
from tests.engine.large_records import LARGE, told
from tests.servers.cache import UnavailableError, program
from tests.servers.flink_server import flink_jars

FIELDS = {
    "ts": "timestamp",
    "s": "optional string",
    "must": "string",
    "n": "optional integer",
    "x": "optional number",
    "d": "optional decimal(18, 2)",
    "wide": "optional decimal(38, 10)",
    "b": "optional boolean",
    "j": "optional json",
    "seconds": "optional timestamp(epoch_s)",
    "millis": "optional timestamp(epoch_ms)",
    "nanos": "optional timestamp(epoch_ns)",
    "line": "optional timestamp(%d/%b/%Y:%H:%M:%S %z)",
    "day": "optional timestamp(%Y-%m-%d)",
    "clock": "optional timestamp(%y%m%d %I:%M:%S.%f %p)",
    "feast": "optional timestamp(%A %d\u00a0🎄 %y)",
}
COLUMNS = [*FIELDS, "_code", "_field"]
Judged = list[str | None]


STRINGS = [
    *('""', '"a"', '"\\u00e9\\n\\/"', '"\\ud83d\\ude00"', '"\\ud800"', '"\\udc00\\ud800"', '"\\ud800x"', '"\\x"', '"\\u12"'),
    *('"\x01"', '"tab\t"', '"é"', '"\\u0000"', "null", "1", "true", "{}"),
    *('"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"', '"\x7f"'),
]
NUMBERS = [
    *("0", "-0", "1", "-1", "01", "1.0", "1e2", "9223372036854775807", "-9223372036854775808", "9223372036854775808"),
    *("-9223372036854775809", "123456789012345678901234567890", '"7"', "null", "true", "+1", "-", "1.", ".5", "0x1", "1E400"),
    *("-1e-400", "1e5", "NaN", "Infinity", "0.1", "12345678901234567.123", "2.2250738585072014e-308", "5e-324"),
    *("4.9406564584124654e-324", "9007199254740993", "9007199254740993.0", "0.30000000000000004"),
    *("179769313486231580793728971405301e276", "123456789012345.678", "1e22", "1e23", "8.5e-9", "00", "-00", "1e+", "1e", "1e-"),
    *("- 1", "0e0", "1.5E+3", "1_0"),
]
DECIMALS = [
    *("1.5", "1.50", "1.500", "1.005", "1e2", "1e-2", "1e-3", "12345678901234567.8", "1234567890123456.78", "9999999999999999.99"),
    *("99999999999999999", "-9999999999999999.99", "0.00", "0e999999999", "1e999999999", "1e-999999999", "100e-4", "1.0e1", "15e-1"),
    *("0.0000000000", "-0", "-0.0", "1e1000000000", "1e0000000000000005", "12345678901234567890123456789012345678"),
    *("1234567890123456789012345678.1234567890", "1e27", "1e28", "1e37", "1e38", "123456789012345678901234567890e-10"),
]
BOOLEANS = [
    *("true", "false", "null", "1", '"true"', "True", "tru", "nul", "truee"),
]
TIMES = [
    *('"2026-03-01T11:00:00Z"', '"2026-03-01 11:00:00+01:00"', '"2026-03-01t11:00z"', '"2026-03-01T11+01"'),
    *('"2026-03-01T11:00:00.5Z"', '"2026-03-01T11:00:00,123456789Z"', '"2026-03-01T11:00:00.123456789012Z"'),
    *('"2026-03-01T24:00:00Z"', '"2026-03-01T11:60:00Z"', '"2026-03-01T11:00:60Z"', '"2026-02-29T11:00:00Z"'),
    *('"2024-02-29T11:00:00Z"', '"2026-03-01"', '"2026-03-01T11:00:00"', '"20260301T110000Z"', '"1969-12-31T23:59:59Z"'),
    *('"1970-01-01T00:00:00Z"', '"2026-03-01T11:00:00+24:00"', '"2026-03-01T11:00:00+23:59"', '"2026-03-01T11:00:00+0100"'),
    *('"2026-03-01T11:00:00+1"', '"2026-03-01T11:00:00-00:00"', '" 2026-03-01T11:00:00Z"', '"2026-03-01T11:00:00Z "'),
    *('"2026-03-01T11:00:00 Z"', '"2026-3-1T11:00:00Z"', '"2199-12-31T23:59:59Z"', '"2200-01-01T00:00:00Z"'),
    *('"0000-01-01T00:00:00Z"', '"2026-W10-1T11:00:00Z"', "7", "null", '"2026-03-01T11:00:00.Z"', '"2026-03-01T11Z"'),
    *('"2026-03-01T11:0Z"', '"2026\\u002d03-01T11:00:00Z"', '"2026-03-01T11:00:00+01:00:00"', '"2026-03-01T11:00:00.1+01"'),
    *('"２026-03-01T11:00:00Z"', '"2026-03-01T1100Z"', '"2026-03-01T110000Z"', '"2026-03-01T11:00:00+01:60"'),
    *('"2026-03-01T11:00:00+99"',),
]
EPOCHS = [
    *("0", "-1", "1772323201", "1772323201.5", "1772323201999", "1.5", "7258118400", "7258118399.9999999", "7258118399999"),
    *("7258118400000", "7258118399999999999", "7258118400000000000", "9223372036854775807", "-0", "-0.0", "0.0000005", "0.0000015"),
    *("1e300", '"1772323201"', "null", "1e3", "1772323201.0"),
]
LINES = [
    *('"01/Mar/2026:12:00:00 +0100"', '"1/mar/2026:12:00:00 +01:00"', '"01/Mar/2026:12:00:00 Z"', '"01/Mar/2026:12:00:00"'),
    *('"32/Mar/2026:12:00:00 +0100"', '"31/Apr/2026:12:00:00 +0100"', '"01/Mar/2026:12:00:60 +0100"'),
    *('"01/Mar/2026:12:00:61 +0000"', '"01/Mar/2026:12:00:00   +0100"', '"01/Mar/2026:12:00:00 +010000"'),
    *('"01/Mar/2026:12:00:00 +0160"', '"٠١/Mar/2026:12:00:00 +0100"', '" 1/Mar/2026:12:00:00 +0100"'),
    *('"01/Mar/2026:12:00:00 +0100 "', '"01/March/2026:12:00:00 +0100"', '"01/Mar/2026:12:00:00 -0030"', '"01/Mar/2026:12:00:00 z"'),
    *('"01/Mar/2026:12:00:00 +2400"', '"2026-03-01"', '"2026-3-1"', '"2026-03-01 "', '"260301 11:00:00.5 PM"'),
    *('"260301 12:00:00.5 am"', '"260301 13:00:00.5 am"', '"690301 12:00:00.123456 Am"', '"680301 12:00:00.1234567 Am"'),
    *('"260301 00:00:00.1 Am"',),
    *(
        f'"01/Mar/2026:12:00:00{blank}+0100"'
        for blank in ("\u00a0", "\u3000", "\\u001c", "\\u0085", "\u2028", "\\t", " \u202f ", "\u180e", "\u200b")
    ),
    *(
        f'"01/Mar/2026:12:00:00 {zone}"'
        for zone in (
            *("+01:0000", "+0100:00", "+01:00:30", "+010030", "+010030.25", "-01:00:30.5", "+01:00:30.1234567", "+01:00:3", "+1:00"),
            *("+23:59:59.999999", "+235960", "-2359:59", "+٠١00", "+01٠٠", "+0100.5"),
        )
    ),
    *('"２０２６-03-01"', '"2026-03-1٢"', '"2026-0٣-01"', '"2026-03-𝟎1"', '"01/ſep/2026:12:00:00 Z"', '"𝟎1/Mar/202𝟔:12:00:0𝟗 Z"'),
    *('"Sunday 1 🎄 26"', '"sUNDAY 1 🎄 26"', '"frıday 1 🎄 26"', '"Sunday\u00a01\u3000🎄 26"'),
]
VALUES = [
    *("{}", "[]", '[1,2,{"a":[]}]', '"x"', "1", "null", '{"a":"\\ud800"}', '{"a":1,}', "[1,]", "[,1]", '{"a"}', '{"a":}', "{1:2}"),
    *("[1 2]", '{"a":01}', '"\\u00e9"', " [ 1 ] ", "1e999", "[tru]", '{"a":1}}', "[[[[", "NaN", '{"a":"\t"}', "[1e400]", '"\\q"'),
    *("[12345678901234567890123]", "[-]", '{"a":1 "b":2}', '{"a":{}}', "[{}]", "[[]]", '[{"a":[{"b":{}}]},[]]'),
]


class Judge:
    """Runs our Java over records."""

    def __init__(self, java: str, classpath: Sequence[Path]) -> None:
        self._command = [java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-cp", ":".join(map(str, classpath)), "livekpi.flink.Judge"]

    def judge(self, records: Sequence[bytes], columns: Sequence[str] = COLUMNS) -> list[Judged]:
        fields = definition(FIELDS, {"k": {"value": "count(*)", "every": "1m"}}).sources["shop"].fields
        declared = "\n".join(f"{name}: {declaration(field)}" for name, field in fields.items())
        lines = b"".join(base64.b64encode(record) + b"\n" for record in records)
        arguments = ["ts", "300000000", declared, ",".join(columns)]
        done = subprocess.run([*self._command, *arguments], input=lines, capture_output=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        rows = [line.split(" ")[:-1] for line in done.stdout.decode().split("\n")[:-1]]
        return [[base64.b64decode(cell[1:]).decode() if cell else None for cell in row] for row in rows]


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    directory = tmp_path_factory.mktemp("judge")
    try:
        java, javac, jars = program("java", "Flink"), program("javac", "Flink"), flink_jars()
    except UnavailableError as error:
        pytest.skip(f"no Flink: {error}")
    jar = build_jar(directory / "functions.jar", jars)
    source = Path(__file__).parent / "java/livekpi/flink/Judge.java"
    classpath = ":".join(map(str, [jar, *jars]))
    subprocess.run([javac, "--release", "11", "-proc:none", "-cp", classpath, "-d", str(directory), str(source)], check=True, timeout=120)
    return Judge(java, [directory, jar, *jars])


def embedded(records: Sequence[bytes]) -> list[Judged]:
    """What the embedded engine says of the same."""
    source = definition(FIELDS, {"k": {"value": "count(*)", "every": "1m"}}).sources["shop"]
    chunk = Chunk("0", list(records), list(range(len(records))), len(records))
    events = Decoder(source).decode([chunk], time.time_ns() // 1_000)
    found: list[Judged] = [[] for _ in records]
    for letter in events.dead:
        found[letter.position] = [*([None] * len(FIELDS)), letter.code, letter.field]
    for row in events.table.to_pylist():
        found[row["_position"]] = [*(_text(row[name]) for name in FIELDS), None, None]
    return found


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return str((value - datetime(1970, 1, 1)) // timedelta(microseconds=1))  # noqa: DTZ001 - Arrow gives it so
    return str(value)


def texts(name: str, values: Sequence[str]) -> list[bytes]:
    """Records in which one field has each of these JSON texts."""
    base = {"ts": '"2026-03-01T11:00:00Z"', "must": '"here"'}
    return [("{" + ", ".join(f'"{key}": {text}' for key, text in (base | {name: value}).items()) + "}").encode() for value in values]


OK = b'{"ts":"2026-03-01T11:00:00Z","must":"x"'
WHOLE = [
    *(b"", b" ", b"{", b"{}", b"[]", b"7", b"null", b'"x"', OK, OK + b"}", OK + b"} ", OK + b"}x", OK + b"}{}", OK + b",}"),
    *(OK + b',"n":1,"n":2}', OK + b',"n":1,"n":null}', OK + b',"n":null,"n":3}', OK + b',"\\u006e":5}', OK + b',"s":"\xff"}'),
    *(OK + b',"u":"\xff"}', OK + b',"\xff":1}', OK + b',"j":"\xff"}', OK + b',"j":{"a":"\xed\xa0\x80"}}'),
    *(OK + b',"s":"\xed\xa0\x80"}', OK + b',"s":"\xc0\x80"}', OK + b',"s":"\xf4\x90\x80\x80"}', OK + b',"s":"\xf4\x8f\xbf\xbf"}'),
    *(OK + b',"s":"\xe2\x82"}', b'\xef\xbb\xbf{"ts":"2026-03-01T11:00:00Z","must":"x"}', b"\x00", OK + b',"u":tru}'),
    *(OK + b',"u":nul}', OK + b',"u":"\\ud800"}', OK + b',"\\ud800":1}', OK + b',"n":"7","ts":5}', OK + b',"d":"7","n":"5"}'),
    *(b'{"must":"x","ts":null}', b'{"must":"x"}', b'{"ts":"x"}', b'{"ts":"x","must":1}'),
    *(b'{"ts":"2199-01-01T00:00:00Z","must":"x"}', b'{"ts":"2199-01-01T00:00:00Z","must":"x","d":"x"}', OK + b',"j":}'),
    *(OK + b',"s":"\x00"}',),
    *(OK + b',"%s":%s}' % (name, b"[" * depth + b"]" * depth) for name in (b"j", b"u") for depth in (499, 500)),
    *(OK + b',"u":' + b'[{"a":' * 300 + b"1" + b"}]" * 300 + b"}", OK + b',"u":"' + b"x" * 2**20 + b'"}', b"x" * (2**20 + 1)),
]
BY_FIELD = (
    *(("s", STRINGS + NUMBERS[:6]), ("must", STRINGS), ("n", NUMBERS), ("x", NUMBERS), ("d", DECIMALS + NUMBERS)),
    *(("wide", DECIMALS + NUMBERS), ("b", BOOLEANS), ("ts", TIMES), ("seconds", EPOCHS), ("millis", EPOCHS), ("nanos", EPOCHS)),
    *(("line", LINES), ("day", LINES), ("clock", LINES), ("feast", LINES), ("j", VALUES + STRINGS + NUMBERS)),
    ("unknown", VALUES + STRINGS + NUMBERS + BOOLEANS),
)
PIECES = b'" \\ { } [ ] , : null 1 e . - \xff \xc3\xa9 0 \\u d800 true "n" "d":'.split(b" ")


def made() -> list[bytes]:
    return WHOLE + [record for name, values in BY_FIELD for record in texts(name, values)]


def mutilated(records: Sequence[bytes], count: int, seed: int) -> list[bytes]:
    """Records with some bytes put in, taken out or put in the place of others."""
    rng = random.Random(seed)
    found = []
    for _ in range(count):
        record = bytearray(rng.choice(records)[:2_000])
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            at = rng.randrange(len(record) + 1)
            taken = rng.choice((0, 0, 1, 1, 2, 5))
            record[at : at + taken] = rng.choice((b"", rng.choice(PIECES), rng.choice(PIECES), rng.randbytes(1)))
        found.append(bytes(record))
    return found


def differences(records: Sequence[bytes], judge: Judge) -> list[tuple[bytes, Judged, Judged]]:
    compared = zip(records, judge.judge(records), embedded(records), strict=True)
    return [(record[:200], ours, theirs) for record, ours, theirs in compared if not _same(ours, theirs)]


def _same(ours: Judged, theirs: Judged) -> bool:
    if theirs[-2] == "too_deep" and ours[-2] == "not_json":
        return True  # and it is no JSON either; who looks at which first is no matter
    return all(map(_same_value, FIELDS.values(), ours, theirs)) and ours[-2:] == theirs[-2:]


def _same_value(declared: str, ours: str | None, theirs: str | None) -> bool:
    if ours is None or theirs is None or not declared.endswith("number"):
        return ours == theirs
    return float(ours).hex() == float(theirs).hex()


def test_records_are_judged_and_read_alike(judge: Judge) -> None:
    assert differences(made(), judge) == []


def test_mutilated_records_are_judged_alike(judge: Judge) -> None:
    assert differences(mutilated(made(), 10_000, seed=4), judge) == []


def test_a_large_broken_record_is_cut_to_what_a_producer_sends(judge: Judge) -> None:
    judged = judge.judge([record for record, _ in LARGE], ["_reason", "_record", "_record_base64"])
    for (record, kept), (reason, text, coded) in zip(LARGE, judged, strict=True):
        assert (text is None, coded is None) == (b"\xff" in record, b"\xff" not in record)
        assert (base64.b64decode(coded) if coded is not None else (text or "").encode()) == record[:kept]
        assert (reason or "").endswith(told(record, kept))
        assert ("bytes only" in (reason or "")) == (kept < len(record))


def test_the_records_are_of_many_kinds() -> None:
    judged = embedded(made())
    assert {row[-2] for row in judged} == {None, "not_json", "too_large", "too_deep", "missing", "wrong_type", "bad_time", "ahead"}
    for name in FIELDS:
        assert any(row[-1] == name for row in judged), name
        assert any(row[COLUMNS.index(name)] is not None for row in judged), name
