from decimal import Decimal

import duckdb
import pytest

from livekpi.engine.batch import Outcome
from livekpi.engine.replay import Replay, Replayed
from livekpi.query.points import Point, Request
from livekpi.query.steps import QueryError
from livekpi.store.dead_letters import StoredDeadLetter
from livekpi.store.positions import Position
from livekpi.web import api
from livekpi.web.backend import DeadLetterRequest, SourceState
from tests.web.test_door import problem
from tests.web.world import MINUTE_US, NOW_US, Client, World

HOUR_US = 60 * MINUTE_US


def test_the_kpis(client: Client) -> None:
    kpis = {kpi["kpi"]: kpi for kpi in client.get("/v1/kpis").json()["kpis"]}
    assert list(kpis) == ["users", "visits", "revenue", "stock"]
    assert kpis["users"] == {
        "kpi": "users",
        "title": "Users",
        "value": "count(distinct user)",
        "unit": None,
        "good": "up",
        "every": "1m",
        "over": "5m",
        "by": ["country"],
        "description": None,
        "owner": "Ann",
        "timezone": "UTC",
        "target": {"1d": 500.0, "timezone": "UTC"},
        "sources": ["app"],
        "watched": [],
    }
    assert (kpis["revenue"]["title"], kpis["revenue"]["unit"], kpis["revenue"]["over"]) == ("revenue", "EUR", "10s")


def test_points_are_exact_and_carry_their_dimensions(client: Client, world: World) -> None:
    world.backend.found = [
        Point(NOW_US, Decimal("12345678901234567890.10"), True, ("DE",)),
        Point(NOW_US + 1_500_000, float("inf"), False, (None,)),
    ]
    answer = client.get("/v1/kpis/revenue?by=country&step=1h")
    assert answer.headers["content-type"] == "application/json"
    assert b'"value":12345678901234567890.10,' in answer.content
    assert answer.json() == {
        "kpi": "revenue",
        "unit": "EUR",
        "step": "1h",
        "commit": 0,
        "points": [
            {"time": "2026-03-01T12:00:00Z", "country": "DE", "value": 12345678901234567890.10, "final": True},
            {"time": "2026-03-01T12:00:01.500000Z", "country": None, "value": None, "final": False},
        ],
    }


def test_a_question_is_passed_on(client: Client, world: World) -> None:
    client.get(
        "/v1/kpis/users",
        params={
            "from": "2026-03-01",
            "to": "-1h",
            "step": "1d",
            "by": "country, ,x",
            "where": "country = 'DE'",
            "timezone": "Europe/Berlin",
            "compare": "1w",
        },
    )
    midnight_us = NOW_US - 13 * HOUR_US
    assert world.backend.points_asked == [
        Request("users", midnight_us, NOW_US - HOUR_US, "1d", ("country", "x"), "country = 'DE'", "Europe/Berlin", "1w")
    ]
    client.get("/v1/kpis/users?from=")
    assert world.backend.points_asked[1] == Request("users")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("from=yesterday", "from: 'yesterday' is no time"),
        ("timezone=Berlin", "there is no time zone 'Berlin'"),
        ("form=now", "unknown parameter 'form'; this address takes from, to, step"),
        ("from=now&from=now", "parameter 'from' is given twice"),
    ],
)
def test_a_wrong_question(client: Client, query: str, says: str) -> None:
    assert says in problem(client.get(f"/v1/kpis/users?{query}"), 400)


def test_what_the_query_finds_wrong_is_a_bad_request(client: Client, world: World) -> None:
    world.backend.error = QueryError("step '7s' is no multiple")
    assert problem(client.get("/v1/kpis/users?step=7s"), 400) == "step '7s' is no multiple"


def test_a_store_that_can_not_be_read(client: Client, world: World) -> None:
    world.backend.error = duckdb.IOException("disk")
    answer = client.get("/v1/kpis/users")
    assert "ask again later" in problem(answer, 503)
    assert "retry-after" in answer.headers


def test_an_unknown_kpi_and_the_nearest(client: Client) -> None:
    assert problem(client.get("/v1/kpis/user"), 404) == "there is no KPI 'user'; did you mean 'users'?"


@pytest.mark.parametrize("path", ["/nothing", "/v1/kpis/", "/v1"])
def test_nothing_there(client: Client, path: str) -> None:
    assert "/openapi.json says what there is" in problem(client.get(path), 404)


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
    assert world.backend.letters_asked == [DeadLetterRequest(), DeadLetterRequest("app", "wrong_type", NOW_US - HOUR_US, NOW_US, 5)]


@pytest.mark.parametrize("limit", ["0", "-1", "10001", "many", "9" * 5000])
def test_a_wrong_limit(client: Client, limit: str) -> None:
    assert "limit: expected a whole number from 1 to 10000" in problem(client.get(f"/v1/dead-letters?limit={limit}"), 400)


def test_mended_dead_letters_are_fed_back(client: Client, world: World) -> None:
    world.backend.replayed.set_result(Replayed(Outcome(1, NOW_US), (7,), ((8, "expected a string, got 7"),)))
    answer = client.post("/v1/dead-letters/replay", json={"letters": [{"number": 7, "record": "{}"}, {"number": 8}]})
    assert answer.status_code == 200
    assert answer.json() == {"replayed": 1, "dead": 1, "errors": [{"number": 8, "reason": "expected a string, got 7"}]}
    assert world.backend.replays_asked == [Replay((7, 8), {7: b"{}"})]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"letters": 1}', b'{"letters": [{"number": "7"}]}', b'{"letters": [{"number": 7, "record_base64": "A"}]}']
)
def test_what_is_no_list_of_dead_letters(client: Client, body: bytes) -> None:
    assert 'expected {"letters": [' in problem(client.post("/v1/dead-letters/replay", content=body), 400)


def test_more_dead_letters_than_one_request_may_have(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "MAX_REPLAY_BYTES", 100)
    problem(client.post("/v1/dead-letters/replay", content=bytes(101)), 413)


def test_an_engine_that_stops_before_it_has_fed_them_back(client: Client, world: World) -> None:
    world.backend.replayed.cancel()
    assert "list the dead letters again" in problem(client.post("/v1/dead-letters/replay", json={"letters": []}), 503)


def test_sources(client: Client, world: World) -> None:
    rows = (Position("0", 12, NOW_US - MINUTE_US, NOW_US), Position("1", 7, None, NOW_US))
    world.backend.states = [
        SourceState("shop", "kafka", rows, {"0": 3}, NOW_US - MINUTE_US, None),
        SourceState("app", "http", (), {}, None, "the disk is full"),
    ]
    shop, app = client.get("/v1/sources").json()["sources"]
    assert shop == {
        "source": "shop",
        "kind": "kafka",
        "time": "ts",
        "fields": [{"name": "ts", "type": "timestamp"}, {"name": "sku", "type": "string"}],
        "partitions": [
            {"partition": "0", "position": 12, "last_event": "2026-03-01T11:59:00Z", "lag": 3},
            {"partition": "1", "position": 7, "last_event": None, "lag": None},
        ],
        "lag": 3,
        "watermark": "2026-03-01T11:59:00Z",
        "last_event": "2026-03-01T11:59:00Z",
        "behind_seconds": 60.0,
        "problem": None,
    }
    assert (app["problem"], app["watermark"], app["behind_seconds"], app["lag"]) == ("the disk is full", None, None, 0)
    assert {"name": "amount", "type": "optional number"} in app["fields"]
