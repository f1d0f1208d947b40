"""Bodies of POST /v1/dead-letters/replay that are large, or strange."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from livekpi.engine.batch import Outcome
from livekpi.engine.replay import Replay, Replayed, read_request
from livekpi.store.dead_letters import MOST
from livekpi.web.api import dead_letters
from livekpi.web.openapi.document import DOCUMENT
from tests.web.answers import problem
from tests.web.world import NOW_US, Client, World

REPLAY = "/v1/dead-letters/replay"


def test_more_dead_letters_than_a_request_may_have(client: Client, world: World) -> None:
    letters = [{"number": number} for number in range(1, MOST + 2)]
    refused = problem(client.post(REPLAY, json={"letters": letters}), 413)
    assert refused == "the body has 10001 dead letters, and a request may have 10000; send fewer letters at a time"
    world.backend.replayed.set_result(Replayed(Outcome(1, NOW_US), (), ()))
    assert client.post(REPLAY, json={"letters": letters[1:]}).status_code == 200
    assert [len(asked.numbers) for asked in world.backend.replays_asked] == [MOST]


def test_a_program_can_know_how_many_it_may_send() -> None:
    operation = DOCUMENT["paths"][REPLAY]["post"]
    asked = operation["requestBody"]["content"]["application/json"]["schema"]
    assert asked["properties"]["letters"]["maxItems"] == MOST
    assert f"larger than {dead_letters.MAX_REPLAY_BYTES // 2**20} MiB" in operation["responses"]["413"]["description"]


def test_a_body_is_read_beside_the_event_loop(client: Client, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else nobody would be answered while a large one is."""

    def read(rows: Sequence[Mapping[str, Any]]) -> Replay:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return read_request(rows)

    monkeypatch.setattr(dead_letters, "read_request", read)
    world.backend.replayed.set_result(Replayed(Outcome(1, NOW_US), (7,), ()))
    assert client.post(REPLAY, json={"letters": [{"number": 7}]}).status_code == 200


def test_a_letter_may_be_sent_as_it_was_listed(client: Client, world: World) -> None:
    world.backend.replayed.set_result(Replayed(Outcome(1, NOW_US), (7,), ()))
    listed = {"number": 7, "source": "app", "position": 4, "field": None, "columns": ["a"], "record": None, "record_base64": "/w=="}
    assert client.post(REPLAY, json={"letters": [listed]}).status_code == 200
    assert world.backend.replays_asked == [Replay((7,), {7: b"\xff"})]


@pytest.mark.parametrize(
    "letter",
    [b"7", b"{}", b'{"number": 7.5}', b'{"number": 7, "record": 7}', b'{"number": 7, "columns": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"],
    ids=["a number", "nothing", "half", "no text", "deep"],
)
def test_what_is_no_dead_letter(client: Client, letter: bytes) -> None:
    assert 'expected {"letters": [' in problem(client.post(REPLAY, content=b'{"letters": [' + letter + b"]}"), 400)
