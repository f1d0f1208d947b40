"""Bad input through the whole server: each bad event is a dead letter that says why, and costs its neighbours nothing."""

import base64
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from livekpi.sources.decode import KEPT_BYTES
from tests.faults.livekpi_server import LivekpiServer
from tests.faults.posting import Client
from tests.servers.nursery import Nursery

DEFINITION = """
sources:
  door:
    http: {}
    time: ts
    fields: { ts: timestamp, case: string, n: integer, x: number, note: optional string }
kpis:
  events: { value: count(*), every: 1m, by: [case] }
  total:  { value: sum(n), every: 1m, by: [case] }
"""
MENDED = DEFINITION.replace("n: integer", "n: optional integer")
MIB = 2**20


def event(case: str, **fields: object) -> bytes:
    """An event; what is given as bytes stands in it as it is, and what is ... does not."""
    whole = {"ts": datetime.now(UTC).isoformat(), "case": case, "n": 1, "x": 1.5} | fields
    texts = {name: value if isinstance(value, bytes) else json.dumps(value).encode() for name, value in whole.items() if value is not ...}
    return b"{" + b", ".join(b'"%s": %s' % (name.encode(), text) for name, text in texts.items()) + b"}"


@dataclass(frozen=True)
class Bad:
    record: bytes
    code: str
    field: str | None
    reason: str
    """A part of it."""


BAD = {
    "not JSON": Bad(b"not json", "not_json", None, "not json"),
    "cut short": Bad(event("bad")[:-5], "not_json", None, "truncated"),
    "two in a line": Bad(event("bad") + event("bad"), "not_json", None, "trailing"),
    "an array": Bad(b"[1, 2]", "not_json", None, "expected a JSON object"),
    "a string": Bad(b'"event"', "not_json", None, "expected a JSON object"),
    "null": Bad(b"null", "not_json", None, "expected a JSON object"),
    "1.5 for an integer": Bad(event("bad", n=1.5), "wrong_type", "n", "expected an integer"),
    '"7" for an integer': Bad(event("bad", n="7"), "wrong_type", "n", "expected an integer"),
    '"7" for a number': Bad(event("bad", x="7"), "wrong_type", "x", "expected a number"),
    "true for a number": Bad(event("bad", x=True), "wrong_type", "x", "expected a number"),
    "7 for a string": Bad(event("bad", note=7), "wrong_type", "note", "expected a string"),
    "missing field": Bad(event("bad", n=...), "missing", "n", "no such field"),
    "null for a field": Bad(event("bad", n=None), "wrong_type", "n", "`n: optional …` would allow it"),
    "bad time": Bad(event("bad", ts="yesterday"), "bad_time", "ts", "yesterday"),
    "impossible time": Bad(event("bad", ts="2026-02-30T12:00:00Z"), "bad_time", "ts", "2026-02-30"),
    "absent time": Bad(event("bad", ts=...), "missing", "ts", "expected a time"),
    "null time": Bad(event("bad", ts=None), "bad_time", "ts", "got null"),
    "time without zone": Bad(event("bad", ts="2026-03-01T12:00:00"), "bad_time", "ts", "has no zone"),
    "time before 1970": Bad(event("bad", ts="1969-12-31T23:59:59Z"), "bad_time", "ts", "from 1970"),
    "far future": Bad(event("bad", ts="2150-01-01T00:00:00Z"), "ahead", "ts", "ahead"),
    "10 MB line": Bad(event("bad", note="x" * 10 * MIB), "too_large", None, str(MIB)),
    "raw NUL": Bad(event("bad", note=b'"a\0b"'), "not_json", None, ""),
    "only NUL": Bad(b"\0", "not_json", None, ""),
    "invalid UTF-8": Bad(event("bad", note=b'"\xff\xfe"'), "not_json", "note", "UTF-8"),
    "half a surrogate pair": Bad(event("bad", note=b'"\\ud800"'), "not_json", None, "half a surrogate pair"),
    "deep nesting": Bad(event("bad", deep=b"[" * 100_000 + b"]" * 100_000), "too_deep", None, "nests more than"),
    "deep nesting not closed": Bad(b'{"deep": ' + b'{"a": ' * 100_000, "too_deep", None, "nests more than"),
    "2^63": Bad(event("bad", n=2**63), "wrong_type", "n", "2^63 - 1"),
    "integer of 5,000 digits": Bad(event("bad", n=b"9" * 5_000), "wrong_type", "n", "2^63 - 1"),
    "number beyond doubles": Bad(event("bad", x=b"1e999"), "wrong_type", "x", "1e999"),
    "NaN": Bad(event("bad", x=math.nan), "not_json", None, ""),
    "Infinity": Bad(event("bad", x=-math.inf), "not_json", None, ""),
    "one key twice, first of another type": Bad(event("bad", n=b'"7", "n": 1'), "invalid", None, ""),
}
GOOD = {
    "unknown fields": event("unknown fields", extra={"deep": [1, None, "é"]}, ts2="yesterday"),
    "one key twice, the last counts": event("one key twice, the last counts", n=b'5, "n": 1'),
    "escaped NUL": event("escaped NUL", note="a\0b"),
    "optional field is null": event("optional field is null", note=None),
    "greatest integer": event("greatest integer", n=b'9223372036854775807, "n": 1'),
    "carriage return": event("carriage return") + b"\r",
}


@pytest.fixture(scope="module")
def server(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivekpiServer]:
    livekpi = LivekpiServer(tmp_path_factory.mktemp("bad"), DEFINITION, nursery)
    livekpi.start()
    livekpi.wait_until_it_answers()
    yield livekpi
    livekpi.close()


def send(server: LivekpiServer, body: bytes) -> tuple[int, Any]:
    """The status of the door's answer, and what it says."""
    client = Client(server.address)
    answer = client.post("door", body)
    client.close()
    assert answer is not None
    return answer[0], json.loads(answer[1])


def post(server: LivekpiServer, *records: bytes) -> Any:
    """What the door answers to a body of these lines."""
    status, answer = send(server, b"\n".join(records))
    assert status == 202, answer
    return answer


def value(server: LivekpiServer, kpi: str, case: str) -> int:
    """A KPI over all time, for one case."""
    points = server.get(f"/v1/kpis/{kpi}?step=all&by=case")["points"]
    return sum(point["value"] for point in points if point["case"] == case)


def letters(server: LivekpiServer) -> list[Any]:
    found: list[Any] = server.get("/v1/dead-letters?source=door&limit=10000")["dead_letters"]
    return found


def record_of(letter: Any) -> bytes:
    return letter["record"].encode() if "record" in letter else base64.b64decode(letter["record_base64"])


def in_the_log(server: LivekpiServer, position: int, size: int) -> bytes:
    """The bytes at a position of the ingest log, which is short enough here to be one file."""
    [segment] = (server.data / "ingest" / "door").glob("*.log")
    return segment.read_bytes()[position : position + size]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_event_among_good_ones(name: str, server: LivekpiServer) -> None:
    bad, good, known = BAD[name], event(name), len(letters(server))
    answer = post(server, good, bad.record, b"", good)
    [error] = answer.pop("errors")
    assert answer == {"accepted": 2, "dead": 1}
    assert (error["line"], error["field"]) == (2, bad.field)
    assert bad.reason in error["reason"]
    server.until(lambda: len(letters(server)) > known)
    [letter] = letters(server)[known:]
    assert (letter["source"], letter["code"], letter["field"], letter["reason"]) == ("door", bad.code, bad.field, error["reason"])
    assert record_of(letter) == (bad.record if bad.code != "too_large" else bad.record[:KEPT_BYTES])
    assert in_the_log(server, letter["position"], len(bad.record)) == bad.record
    assert (value(server, "events", name), value(server, "total", name)) == (2, 2)


@pytest.mark.parametrize("name", GOOD)
def test_accepted(name: str, server: LivekpiServer) -> None:
    known = len(letters(server))
    assert post(server, event(name), GOOD[name], event(name)) == {"accepted": 3, "dead": 0, "errors": []}
    server.until(lambda: value(server, "events", name) >= 3)
    assert (value(server, "events", name), value(server, "total", name)) == (3, 3)
    assert len(letters(server)) == known


@pytest.mark.parametrize("body", [b"", b"\n \n", b"not json", b"[1, 2", b"\xff\xfe\0"])
def test_nothing_that_can_be_read_is_refused(body: bytes, server: LivekpiServer) -> None:
    known = len(letters(server))
    status, problem = send(server, body)
    assert (status, problem["status"]) == (400, 400)
    case = f"after {body!r}"
    post(server, event(case))
    server.until(lambda: value(server, "events", case) == 1)
    assert len(letters(server)) == known, "what was refused is no dead letter: the sender has it"


def test_all_at_once(server: LivekpiServer) -> None:
    """Every kind in one body, each between two good ones; the first errors are told, and all are kept."""
    known = len(letters(server))
    records = [record for bad in BAD.values() for record in (event("all"), bad.record)] + [event("all")]
    answer = post(server, *records)
    assert (answer["accepted"], answer["dead"]) == (len(BAD) + 1, len(BAD))
    assert [error["line"] for error in answer["errors"]] == list(range(2, 42, 2))
    server.until(lambda: len(letters(server)) >= known + len(BAD))
    assert [letter["code"] for letter in letters(server)[known:]] == [bad.code for bad in BAD.values()]
    assert value(server, "events", "all") == len(BAD) + 1


def replay(server: LivekpiServer, *arguments: str | Path, code: int = 0) -> Any:
    [line] = server.query("dead-letters", "--replay", *map(str, arguments), code=code)
    return json.loads(line)


@pytest.mark.parametrize("running", [True, False])
def test_mended_and_replayed_once(running: bool, nursery: Nursery, tmp_path: Path) -> None:
    server = LivekpiServer(tmp_path, DEFINITION, nursery)
    server.start()
    server.wait_until_it_answers()
    try:
        post(server, event("mended"), event("mended", n="7"), event("mended", x="7"), event("mended"))
        server.until(lambda: len(letters(server)) == 2)
        if not running:
            server.process.terminate()
            assert server.process.wait(5) == 0
        listed = [json.loads(line) for line in server.query("dead-letters")]
        mended = tmp_path / "mended.ndjson"
        mended.write_text(json.dumps(listed[0] | {"record": listed[0]["record"].replace('"7"', "7")}) + "\n")
        first, errors = listed[0]["number"], [{"number": listed[1]["number"], "reason": listed[1]["reason"]}]
        assert replay(server, "--mended", mended) == {"replayed": 1, "dead": 0, "unknown": [], "errors": []}
        assert replay(server, "--mended", mended, code=1) == {"replayed": 0, "dead": 0, "unknown": [first], "errors": []}
        assert replay(server, code=1) == {"replayed": 0, "dead": 1, "unknown": [], "errors": errors}
        assert [json.loads(line) for line in server.query("dead-letters")] == listed[1:]
        [total] = server.query("query", "total", "--step", "all", "--format", "json")
        [count] = server.query("query", "events", "--step", "all", "--format", "json")
        assert (json.loads(total)["value"], json.loads(count)["value"]) == (1 + 7 + 1, 3)
    finally:
        server.close()


def test_replayed_once_the_definition_was_mended(nursery: Nursery, tmp_path: Path) -> None:
    server = LivekpiServer(tmp_path, DEFINITION, nursery)
    server.start()
    server.wait_until_it_answers()
    post(server, event("mended"), event("mended", n=None), event("mended", n=...), b"not json")
    server.until(lambda: len(letters(server)) == 3)
    server.close()
    again = LivekpiServer(tmp_path, MENDED, nursery)
    again.start()
    again.wait_until_it_answers()
    try:
        found = replay(again)
        assert (found["replayed"], found["dead"]) == (2, 1)
        assert replay(again, code=1)["replayed"] == 0
        assert (value(again, "events", "mended"), value(again, "total", "mended")) == (3, 1)
        [left] = letters(again)
        assert record_of(left) == b"not json"
    finally:
        again.close()
