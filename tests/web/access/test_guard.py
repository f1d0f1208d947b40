from collections.abc import Iterator
from pathlib import Path

import pytest

from livekpi.web.access.guard import LOOPBACK_NAMES
from livekpi.web.access.tokens import Scope, Token, Tokens
from tests.web.answers import problem
from tests.web.world import GOOD, Client, client_of, make_world

READ = {"Authorization": "Bearer reader"}
INGEST = {"Authorization": "bearer  sender"}
EMBED = {"Authorization": "Bearer framer"}
FRAME = ("/v1/kpis", "/v1/kpis/users", "/v1/kpis/users/pace?at=now", "/v1/stream", "/badge/users.svg")
"""What a frame or a badge on another page asks for."""


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Client]:
    some = {"reader": Scope.READ, "sender": Scope.INGEST, "framer": Scope.EMBED}
    tokens = Tokens([*(Token(secret, frozenset({scope})) for secret, scope in some.items()), Token("both")])
    with make_world(tmp_path, tokens=tokens) as world, client_of(world) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/kpis", "/v1/kpis/users", "/v1/stream", "/v1/sources", "/v1/dead-letters", "/metrics", "/elsewhere"])
@pytest.mark.parametrize("header", [None, "Bearer wrong", "Bearer", "Basic reader", "reader"])
def test_without_a_token_that_is_known_nothing_is_told(guarded: Client, path: str, header: str | None) -> None:
    answer = guarded.get(path, headers={"Authorization": header} if header else {})
    assert "Authorization: Bearer TOKEN" in problem(answer, 401)
    why = 'error="invalid_token"' if header == "Bearer wrong" else f'scope="{"embed" if path in FRAME else "read"}"'
    assert answer.headers["www-authenticate"] == f'Bearer realm="livekpi", {why}'


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/openapi.json"])
def test_what_says_nothing_of_the_numbers_is_open(guarded: Client, path: str) -> None:
    assert guarded.get(path).status_code == 200


def test_each_scope_opens_its_own(guarded: Client) -> None:
    assert guarded.get("/v1/kpis", headers=READ).status_code == 200
    assert guarded.post("/v1/events/app", content=GOOD, headers=INGEST).status_code == 202
    assert "for embed, read; the request needs ingest" in problem(guarded.post("/v1/events/app", content=GOOD, headers=READ), 403)
    assert "for ingest; the request needs embed" in problem(guarded.get("/v1/kpis", headers=INGEST), 403)
    assert "needs ingest" in problem(guarded.post("/v1/dead-letters/replay", json={"letters": []}, headers=READ), 403)
    both = {"Authorization": "Bearer both"}
    assert guarded.get("/v1/kpis", headers=both).status_code == 200
    assert guarded.post("/v1/events/app", content=GOOD, headers=both).status_code == 202


NOT_FOR_FRAMES = (
    *(("GET", path) for path in ("/v1/dead-letters", "/v1/sources", "/v1/status", "/v1/silences", "/v1/acknowledgements")),
    *(("GET", path) for path in ("/v1/alerts/history", "/v1/annotations", "/v1/dashboards", "/metrics", "/elsewhere")),
)


@pytest.mark.parametrize(
    "path", ["/v1/kpis/users", "/v1/kpis/users/pace", "/badge/users.svg", "/v1/stream?kpi=users", "/v1/stream?want=kpi%3Dusers"]
)
def test_a_frames_token_may_be_for_some_kpis_only(tmp_path: Path, path: str) -> None:
    tokens = Tokens([Token(name, frozenset({Scope.EMBED}), frozenset({name})) for name in ("users", "visits")])
    theirs, others = ({"Authorization": f"Bearer {name}"} for name in ("users", "visits"))
    with make_world(tmp_path, tokens=tokens) as world, client_of(world) as client:
        assert client.request("HEAD" if "stream" in path else "GET", path, headers=theirs).status_code == 200
        assert problem(client.get(path, headers=others), 403) == "this token does not open 'users'; it is for visits"
        assert problem(client.get("/v1/kpis/elsewhere", headers=others), 403)
        assert [kpi["kpi"] for kpi in client.get("/v1/kpis", headers=others).json()["kpis"]] == ["visits"]


@pytest.mark.parametrize("path", FRAME)
def test_a_frames_token_opens_what_frames_need(guarded: Client, path: str) -> None:
    # of a stream HEAD is enough: GET does not end
    assert guarded.request("HEAD" if path == "/v1/stream" else "GET", path, headers=EMBED).status_code == 200
    assert guarded.request("HEAD" if path == "/v1/stream" else "GET", path, headers=READ).status_code == 200


@pytest.mark.parametrize(("method", "path"), NOT_FOR_FRAMES)
def test_a_frames_token_opens_nothing_else(guarded: Client, method: str, path: str) -> None:
    assert problem(guarded.request(method, path, headers=EMBED), 403) == "this token is for embed; the request needs read"
    assert guarded.request(method, path, headers=READ).status_code != 403


@pytest.mark.parametrize("path", ["/v1/backtest", "/v1/silences", "/v1/acknowledgements", "/v1/annotations", "/v1/kpis"])
@pytest.mark.parametrize("headers", [EMBED, READ])
def test_who_may_look_may_change_nothing_nor_take_a_core(guarded: Client, path: str, headers: dict[str, str]) -> None:
    assert "the request needs act" in problem(guarded.post(path, json={}, headers=headers), 403)
    assert guarded.post(path, json={}, headers={"Authorization": "Bearer both"}).status_code not in {401, 403}


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Client]:
    with make_world(tmp_path, hosts=LOOPBACK_NAMES) as world, client_of(world) as client:
        yield client


@pytest.mark.parametrize("host", ["127.0.0.1:8321", "localhost:8321", "[::1]:8321", "LOCALHOST"])
def test_it_answers_to_the_names_of_loopback(local: Client, host: str) -> None:
    assert local.get("/v1/kpis", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "[::1", "", "localhost@evil.example"])
def test_a_page_can_not_reach_it_under_a_name_of_its_own(local: Client, host: str) -> None:
    problem(local.get("/v1/kpis", headers={"Host": host}), 421)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_origin_can_not_send_events(local: Client, headers: dict[str, str]) -> None:
    assert "another origin" in problem(local.post("/v1/events/app", content=GOOD, headers=headers), 403)


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "http://127.0.0.1:8321"}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
def test_its_own_page_and_no_page_can(local: Client, headers: dict[str, str]) -> None:
    assert local.post("/v1/events/app", content=GOOD, headers=headers).status_code == 202


def test_other_origins_are_not_invited(local: Client) -> None:
    answer = local.get("/v1/kpis", headers={"Origin": "http://evil.example"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert local.request("OPTIONS", "/v1/events/app", headers={"Origin": "http://evil.example"}).status_code == 405
