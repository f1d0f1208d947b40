"""`livekpi dead-letters` beside a server, and what its help says."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from livekpi.cli import main
from livekpi.client import ANSWER_S, Client, ClientError, encoded
from livekpi.clock import ManualClock
from livekpi.scripts.rehearsal import Rehearsal
from livekpi.store import dead_letters
from livekpi.web.api import dead_letters as api
from tests.rehearsed import NOON_US, definition, send
from tests.serving import running

MADE = definition("n: integer", {"events": "value: count(*)"})


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three dead letters, 1 to 3."""
    server = Rehearsal(tmp_path, ManualClock(NOON_US), MADE)
    send(server, {"n": "x"}, {"n": "y"}, {"n": "z"})
    server.close()
    return tmp_path / "0"


@pytest.fixture
def beside(data: Path) -> Iterator[None]:
    with running(MADE, data, ManualClock(NOON_US)):
        yield


def feed_back(data: Path, *letters: Any) -> Result:
    lines = "".join(json.dumps(letter) + "\n" for letter in letters)
    return CliRunner().invoke(main, ["dead-letters", "--data", str(data), "--mended", "-"], input=lines)


def left(data: Path) -> list[int]:
    """The numbers of the letters that are listed."""
    listed = CliRunner().invoke(main, ["dead-letters", "--data", str(data)]).stdout
    return [json.loads(line)["number"] for line in listed.splitlines()]


def good(number: int, **more: str) -> dict[str, Any]:
    return {"number": number, "record": json.dumps({"ts": "2026-03-01T12:00:00Z", "n": 1} | more, ensure_ascii=False)}


def post_watched(monkeypatch: pytest.MonkeyPatch, before: Callable[[int, float], None]) -> list[int]:
    """Calls `before` with each request's place and how long its answer may take; gives the sizes of the requests so far."""
    sizes, post = list[int](), Client.post

    def watched(self: Client, path: str, content: object, *, answer_s: float = ANSWER_S) -> Any:
        sizes.append(len(encoded(content)))
        before(len(sizes), answer_s)
        return post(self, path, content, answer_s=answer_s)

    monkeypatch.setattr(Client, "post", watched)
    return sizes


def test_more_than_a_request_may_have_are_fed_back_by_several(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dead_letters, api):
        monkeypatch.setattr(module, "MOST", 2)
    mended = [good(1), {"number": 9}, good(2), {"number": 8}, {"number": 3}]
    with running(MADE, data, ManualClock(NOON_US)):
        done, none = feed_back(data, *mended), feed_back(data)
    found = json.loads(done.stdout)
    assert (done.exit_code, found["replayed"], found["dead"], found["unknown"]) == (0, 2, 1, [9, 8])
    assert [error["number"] for error in found["errors"]] == [3]
    assert json.loads(none.stdout) == {"replayed": 0, "dead": 0, "unknown": [], "errors": []}


def test_a_row_that_is_wrong_is_named_by_its_place_in_the_file_and_none_is_fed_back(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (dead_letters, api):
        monkeypatch.setattr(module, "MOST", 1)
    with running(MADE, data, ManualClock(NOON_US)):
        done = feed_back(data, good(1), {"number": "2"})
        assert (done.exit_code, "row 2: expected `number`" in done.stderr, left(data)) == (1, True, [1, 2, 3]), done.stderr


@pytest.mark.usefixtures("beside")
def test_letters_larger_than_a_request_may_be_are_fed_back_by_several(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter's size is that of what is sent: other alphabets are written there by escapes, larger than in the file."""
    mended = [good(number, of="ж" * 50) for number in (1, 2, 3)]
    monkeypatch.setattr(api, "MAX_REPLAY_BYTES", len(encoded({"letters": mended[:2]})) + 2)
    sizes = post_watched(monkeypatch, lambda _place, _answer_s: None)
    done = feed_back(data, *mended)
    assert (done.exit_code, json.loads(done.stdout)["replayed"], left(data)) == (0, 3, []), done.stderr
    assert sizes == [len(encoded({"letters": part})) for part in (mended[:2], mended[2:])]


@pytest.mark.usefixtures("beside")
def test_a_letter_that_no_request_can_have_is_named_and_none_is_fed_back(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_REPLAY_BYTES", 200)
    done = feed_back(data, good(1), good(2, of="x" * 200))
    assert (done.exit_code, done.stdout, left(data)) == (1, "", [1, 2, 3])
    assert "row 2: larger than the 200 bytes that a server takes; feed it back while none runs" in done.stderr


@pytest.mark.usefixtures("beside")
def test_where_a_later_request_fails_it_is_said_what_became_of_those_before(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopping(place: int, _answer_s: float) -> None:
        if place == 2:
            raise ClientError("the server is stopping")

    monkeypatch.setattr(dead_letters, "MOST", 2)
    mended = [good(1), {"number": 2}, good(3)]
    with monkeypatch.context() as patched:
        post_watched(patched, stopping)
        done = feed_back(data, *mended)
    found = json.loads(done.stdout)
    assert (done.exit_code, found["replayed"], [error["number"] for error in found["errors"]]) == (1, 1, [2])
    assert "2 of 3 letters were fed back (1 counted, 1 dead still, 0 unknown), then the server is stopping; feed all" in done.stderr
    again = json.loads(feed_back(data, *mended).stdout)
    assert (again["replayed"], again["unknown"], left(data)) == (1, [1], [2])


@pytest.mark.usefixtures("beside")
def test_where_the_first_request_fails_nothing_is_said_of_others(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopping(_place: int, _answer_s: float) -> None:
        raise ClientError("the server is stopping")

    monkeypatch.setattr(dead_letters, "MOST", 2)
    post_watched(monkeypatch, stopping)
    done = feed_back(data, good(1), good(2), good(3))
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "livekpi: the server is stopping\n")


@pytest.mark.usefixtures("beside")
def test_an_answer_may_take_longer_than_the_engine_may(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = list[float]()
    post_watched(monkeypatch, lambda _place, answer_s: waits.append(answer_s))
    assert feed_back(data, good(1)).exit_code == 0
    assert waits == [api.REPLAY_S + ANSWER_S]


@pytest.mark.parametrize("served", [True, False])
def test_the_most_that_can_be_listed_is_the_same_with_and_without_a_server(data: Path, served: bool) -> None:
    server: AbstractContextManager[object] = running(MADE, data, ManualClock(NOON_US)) if served else nullcontext()
    with server:
        asked = ["dead-letters", "--data", str(data), "--limit"]
        most, more = (CliRunner().invoke(main, [*asked, str(limit)]) for limit in (dead_letters.MOST, dead_letters.MOST + 1))
    assert (most.exit_code, len(most.stdout.splitlines())) == (0, 3)
    assert (more.exit_code, f"is not in the range 1<=x<={dead_letters.MOST}" in more.stderr) == (2, True), more.stderr


def test_so_many_are_listed_as_the_help_says() -> None:
    said = CliRunner().invoke(main, ["dead-letters", "--help"], terminal_width=200).output
    assert f"[default: {dead_letters.DEFAULT}]" in said
    assert f"[1<=x<={dead_letters.MOST}]" in said
