"""`livekpi dead-letters` beside a server, and what its help says."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from livekpi.cli import main
from livekpi.clock import ManualClock
from livekpi.scripts.rehearsal import Rehearsal
from livekpi.store import dead_letters
from livekpi.web.api import dead_letters as api
from tests.rehearsed import NOON_US, definition, send
from tests.serving import running

GOOD = '{"ts": "2026-03-01T12:00:00Z", "n": 1}'
MADE = definition("n: integer", {"events": "value: count(*)"})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three dead letters, 1 to 3."""
    server = Rehearsal(tmp_path, ManualClock(NOON_US), MADE)
    send(server, {"n": "x"}, {"n": "y"}, {"n": "z"})
    server.close()
    return tmp_path / "0"


def test_more_than_a_request_may_have_are_fed_back_by_several(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dead_letters, api):
        monkeypatch.setattr(module, "MOST", 2)
    mended = [{"number": 1, "record": GOOD}, {"number": 9}, {"number": 2, "record": GOOD}, {"number": 8}, {"number": 3}]
    with running(MADE, data, ManualClock(NOON_US)):
        lines = "".join(json.dumps(letter) + "\n" for letter in mended)
        done = CliRunner().invoke(main, ["dead-letters", "--data", str(data), "--mended", "-"], input=lines)
        none = CliRunner().invoke(main, ["dead-letters", "--data", str(data), "--mended", "-"], input="")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["replayed"], found["dead"], found["unknown"]) == (0, 2, 1, [9, 8])
    assert [error["number"] for error in found["errors"]] == [3]
    assert json.loads(none.stdout) == {"replayed": 0, "dead": 0, "unknown": [], "errors": []}


def test_a_row_that_is_wrong_is_named_by_its_place_in_the_file_and_none_is_fed_back(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dead_letters, api):
        monkeypatch.setattr(module, "MOST", 1)
    lines = json.dumps({"number": 1, "record": GOOD}) + "\n" + json.dumps({"number": "2"}) + "\n"
    with running(MADE, data, ManualClock(NOON_US)):
        done = CliRunner().invoke(main, ["dead-letters", "--data", str(data), "--mended", "-"], input=lines)
        listed = CliRunner().invoke(main, ["dead-letters", "--data", str(data)]).stdout.splitlines()
    assert (done.exit_code, "row 2: expected `number`" in done.stderr, len(listed)) == (1, True, 3), done.stderr


def test_so_many_are_listed_as_the_help_says() -> None:
    said = CliRunner().invoke(main, ["dead-letters", "--help"], terminal_width=200).output
    assert f"[default: {dead_letters.DEFAULT}]" in said
