import pytest

from livekpi.engine.batch import Outcome
from livekpi.engine.replay import Replay, Replayed, ReplayError
from livekpi.store.dead_letters import StoredDeadLetter
from livekpi.web.api import dead_letters
from livekpi.web.backend import DeadLetterRequest
from tests.web.answers import problem
from tests.web.world import MINUTE_US, NOW_US, Client, World

HOUR_US = 60 * MINUTE_US


def letter(record: bytes) -> StoredDeadLetter:
    return StoredDeadLetter(7, "app", "log", 44, "user", "wrong_type", "expected a string, got 7", record, NOW_US)


def test_dead_letters(client: Client, world: World) -> None:
    world.backend.letters = [letter(b'{"user": 7}\x00\n'), letter(b"\xff")]
    found = client.get("/v1/dead-letters").json()["dead_letters"]
    assert found[0] == {
        "number": 7,
        "source": "app",
        "partition": "log",
        "position": 44,
        "field": "user",
        "code": "wrong_type",
        "reason": "expected a string, got 7",
        "arrived": "2026-03-01T12:00:00Z",
        "record": '{"user": 7}\x00\n',
    }
    assert (found[1]["record_base64"], "record" in found[1]) == ("/w==", False)
    client.get("/v1/dead-letters?source=app&reason=wrong_type&from=-1h&to=now&limit=5")
    client.get("/v1/dead-letters?order=newest")
    assert world.backend.letters_asked == [
        DeadLetterRequest(),
        DeadLetterRequest("app", "wrong_type", NOW_US - HOUR_US, NOW_US, 5),
        DeadLetterRequest(newest=True),
    ]


def test_a_wrong_order(client: Client) -> None:
    assert "order: expected oldest or newest, got 'DESC'" in problem(client.get("/v1/dead-letters?order=DESC"), 400)


@pytest.mark.parametrize("limit", ["0", "-1", "10001", "0" * 20 + "199999999", "many", "9" * 5000])
def test_a_wrong_limit(client: Client, limit: str) -> None:
    assert "limit: expected a whole number from 1 to 10000" in problem(client.get(f"/v1/dead-letters?limit={limit}"), 400)


def test_mended_dead_letters_are_fed_back(client: Client, world: World) -> None:
    world.backend.replayed.set_result(Replayed(Outcome(1, NOW_US), (7,), ((8, "expected a string, got 7"),), (9,)))
    answer = client.post("/v1/dead-letters/replay", json={"letters": [{"number": 7, "record": "{}"}, {"number": 8}, {"number": 9}]})
    assert answer.status_code == 200
    assert answer.json() == {"replayed": 1, "dead": 1, "unknown": [9], "errors": [{"number": 8, "reason": "expected a string, got 7"}]}
    assert world.backend.replays_asked == [Replay((7, 8, 9), {7: b"{}"})]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"letters": 1}',
        b'{"letters": [{"number": "7"}]}',
        b'{"letters": [{"number": 9223372036854775808}]}',
        b'{"letters": [{"number": 7, "record_base64": "A"}]}',
    ],
)
def test_what_is_no_list_of_dead_letters(client: Client, body: bytes) -> None:
    assert 'expected {"letters": [' in problem(client.post("/v1/dead-letters/replay", content=body), 400)


def test_more_dead_letters_than_one_request_may_have(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "MAX_REPLAY_BYTES", 100)
    assert "send fewer letters" in problem(client.post("/v1/dead-letters/replay", content=bytes(101)), 413)


def test_an_engine_that_stops_before_it_has_fed_them_back(client: Client, world: World) -> None:
    world.backend.replayed.cancel()
    assert "list the dead letters again" in problem(client.post("/v1/dead-letters/replay", json={"letters": []}), 503)


def test_a_fault_of_ours_is_said(client: Client, world: World) -> None:
    world.backend.replayed.set_exception(ReplayError("none was fed back"))
    assert "none was fed back" in problem(client.post("/v1/dead-letters/replay", json={"letters": []}), 500)
