"""`livekpi dead-letters` without a server: what it takes, and how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from livekpi.cli import main
from livekpi.clock import ManualClock
from livekpi.definition.load import parse_definition
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import NOON_US, definition, send

GOOD = '{"ts": "2026-03-01T12:00:00Z", "n": 1}'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two dead letters, 1 and 2."""
    server = Rehearsal(tmp_path, ManualClock(NOON_US), definition("n: integer", {"events": "value: count(*)"}))
    send(server, {"n": "x"}, {"n": 7}, {"n": "y"})
    server.close()
    return tmp_path / "0"


def feed_back(data: Path, *letters: Any) -> Result:
    lines = "".join(json.dumps(letter) + "\n" for letter in letters)
    return CliRunner().invoke(main, ["dead-letters", "--data", str(data), "--mended", "-"], input=lines)


@pytest.mark.parametrize(
    ("letters", "code", "answer"),
    [
        ([], 0, {"replayed": 0, "dead": 0, "unknown": []}),
        ([{"number": 1, "record": GOOD}], 0, {"replayed": 1, "dead": 0, "unknown": []}),
        ([{"number": 1, "record": GOOD}, {"number": 2}, {"number": 9}], 0, {"replayed": 1, "dead": 1, "unknown": [9]}),
        ([{"number": 1}], 1, {"replayed": 0, "dead": 1, "unknown": []}),
        ([{"number": 9, "record": GOOD}], 1, {"replayed": 0, "dead": 0, "unknown": [9]}),
    ],
)
def test_what_became_of_them(data: Path, letters: list[Any], code: int, answer: dict[str, Any]) -> None:
    done = feed_back(data, *letters)
    found = json.loads(done.stdout)
    assert (done.exit_code, {name: found[name] for name in answer}) == (code, answer)


@pytest.mark.parametrize(
    ("letter", "says"),
    [
        ({"number": 2**63}, "row 1: expected `number` as the dead letter is listed, a whole number from 1 to 2^63 - 1"),
        ({"number": True}, "row 1: expected `number`"),
        ({"number": 1, "record": "\ud800"}, "row 1: its record can't be read"),
        ([1], "1: expected a dead letter as listed, one JSON object"),
    ],
)
def test_what_is_no_letter_is_said(data: Path, letter: Any, says: str) -> None:
    done = feed_back(data, letter)
    assert (done.exit_code, says in done.stderr) == (1, True), done.stderr


def test_what_a_cluster_counted_is_not_fed_back_here(tmp_path: Path) -> None:
    """A row of our own beside one that the job replaces would be counted with it for ever."""
    by_job = definition("n: integer", {"events": "value: count(*)"}).text.replace("http: {}", "kafka: { brokers: 'b:1', topic: t }")
    server = Rehearsal(tmp_path, ManualClock(NOON_US), parse_definition((by_job + "engine: flink\n").encode(), tmp_path / "kpis.yaml", {}))
    send(server, {"n": "x"})
    server.close()
    done = feed_back(tmp_path / "0", {"number": 1, "record": GOOD})
    assert (done.exit_code, "engine flink counts what the source's topic holds; send the mended record there" in done.stderr) == (1, True)


def test_a_directory_that_can_not_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text(
        "sources: { s: { http: {}, time: ts, fields: { ts: timestamp } } }\nkpis: { e: { value: count(*), every: 1m } }\n"
    )
    for more in ([], ["--once"]):
        done = CliRunner().invoke(main, ["run", str(tmp_path / "kpis.yaml"), "--data", str(tmp_path / "kpis.yaml" / "data"), *more])
        assert (done.exit_code, "can't be used as a data directory: Not a directory" in done.stderr) == (1, True), done.output
