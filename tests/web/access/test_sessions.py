"""Sessions: a cookie in place of a token, that no script reads, no other origin uses, and nobody guesses."""

import time
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest

from livekpi.clock import ManualClock
from livekpi.web.access.access import SLOW_S
from livekpi.web.access.attempts import PAUSE_S, TRIES, Attempts
from livekpi.web.access.sessions import LIFE_S, MOST_SESSIONS, Sessions
from livekpi.web.access.tokens import ALL, EVERYTHING, Scope, Token, Tokens
from tests.web.answers import problem
from tests.web.world import GOOD, NOW_US, Client, World, client_of, make_world

COOKIE = "livekpi_session"
OWN = {"Origin": "http://127.0.0.1:8321"}
TOKENS = Tokens([Token("reader", frozenset({Scope.READ})), Token("sender", frozenset({Scope.INGEST})), Token("all", ALL)])


@pytest.fixture
def tokened(tmp_path: Path) -> Iterator[tuple[World, Client]]:
    with make_world(tmp_path, tokens=TOKENS) as world, client_of(world) as client:
        yield world, client


@pytest.fixture
def asked(tokened: tuple[World, Client]) -> Client:
    return tokened[1]


def set_cookie(answer: httpx.Response) -> Morsel[str]:
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE]


def begin(client: Client, token: str, **headers: str) -> dict[str, str]:
    """Begins a session; the headers that a browser then sends."""
    answer = client.post("/v1/session", json={"token": token}, headers=OWN | headers)
    assert answer.status_code == 200, answer.text
    client.forget_cookies()
    return {"Cookie": f"other=1; {COOKIE}={set_cookie(answer).value}"}


def test_a_token_is_given_once_and_the_cookie_counts_like_it(asked: Client) -> None:
    answer = asked.post("/v1/session", json={"token": " reader "}, headers=OWN)
    assert answer.json() == {"needed": True, "scopes": ["embed", "read"]}
    assert answer.headers["cache-control"] == "no-store"
    cookie = set_cookie(answer)
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["max-age"]) == (True, "strict", "/", str(LIFE_S))
    assert not cookie["secure"]
    assert not cookie["domain"]
    assert "reader" not in answer.headers["set-cookie"]
    asked.forget_cookies()
    held = {"Cookie": f"{COOKIE}={cookie.value}"}
    assert asked.get("/v1/kpis", headers=held).status_code == 200
    assert asked.get("/v1/session", headers=held).json() == {"needed": True, "scopes": ["embed", "read"]}
    assert asked.get("/v1/session").json() == {"needed": True, "scopes": []}
    problem(asked.get("/v1/kpis"), 401)


def test_over_https_the_cookie_is_sent_over_https_only(asked: Client) -> None:
    answer = asked.post("/v1/session", json={"token": "reader"}, headers={"Host": "kpi.example.com", "Origin": "https://kpi.example.com"})
    assert set_cookie(answer)["secure"] is True


def test_each_session_has_its_tokens_scopes_and_no_more(asked: Client) -> None:
    reader, sender = begin(asked, "reader"), begin(asked, "sender")
    assert "for embed, read; the request needs ingest" in problem(asked.post("/v1/events/app", content=GOOD, headers=reader | OWN), 403)
    assert asked.post("/v1/events/app", content=GOOD, headers=sender | OWN).status_code == 202
    problem(asked.get("/v1/kpis", headers=sender), 403)
    problem(asked.post("/v1/annotations", json={"text": "x"}, headers=reader | OWN), 403)
    assert asked.post("/v1/annotations", json={"text": "x"}, headers=begin(asked, "all") | OWN).status_code == 201


def test_a_token_that_is_sent_counts_alone(asked: Client) -> None:
    held = begin(asked, "all")
    problem(asked.get("/v1/kpis", headers=held | {"Authorization": "Bearer wrong"}), 401)
    problem(asked.get("/v1/kpis", headers=held | {"Authorization": "Bearer sender"}), 403)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_no_other_origin_changes_something_by_the_cookie(asked: Client, headers: dict[str, str]) -> None:
    held = begin(asked, "all")
    for method, path, content in (
        ("POST", "/v1/events/app", GOOD),
        ("POST", "/v1/annotations", b'{"text": "x"}'),
        ("DELETE", "/v1/annotations/1", b""),
        ("POST", "/v1/session", b'{"token": "all"}'),
        ("DELETE", "/v1/session", b""),
    ):
        assert "another origin" in problem(asked.request(method, path, content=content, headers=held | headers), 403)
    assert asked.get("/v1/session", headers=held).json()["scopes"] == ["ingest", "embed", "read", "act"]


def test_its_own_pages_do(asked: Client) -> None:
    held = begin(asked, "all")
    for headers in (OWN, {"Sec-Fetch-Site": "same-origin"}):
        assert asked.post("/v1/annotations", json={"text": "x"}, headers=held | headers).status_code == 201


def test_a_session_is_over_when_it_is_ended(asked: Client) -> None:
    held = begin(asked, "reader")
    answer = asked.request("DELETE", "/v1/session", headers=held | OWN)
    assert answer.json() == {"needed": True, "scopes": []}
    assert (set_cookie(answer).value, set_cookie(answer)["max-age"]) == ("", "0")
    problem(asked.get("/v1/kpis", headers=held), 401)
    assert asked.request("DELETE", "/v1/session", headers=held | OWN).status_code == 200


def test_another_token_ends_the_session_before(asked: Client) -> None:
    first = begin(asked, "all")
    begin(asked, "reader", **first)
    problem(asked.get("/v1/kpis", headers=first), 401)


def test_a_session_is_over_after_its_time(tokened: tuple[World, Client]) -> None:
    world, client = tokened
    held = begin(client, "reader")
    world.clock.set_us(NOW_US + LIFE_S * 1_000_000 - 1)
    assert client.get("/v1/kpis", headers=held).status_code == 200
    world.clock.set_us(NOW_US + LIFE_S * 1_000_000)
    problem(client.get("/v1/kpis", headers=held), 401)


@pytest.mark.parametrize(
    "cookie", ["livekpi_session=", "livekpi_session=x", "livekpi_session", "=;;=", "a\xffb=\xfe", 'livekpi_session="x']
)
def test_a_cookie_that_is_none_opens_nothing(asked: Client, cookie: str) -> None:
    problem(asked.get("/v1/kpis", headers={"Cookie": cookie.encode("latin-1")}), 401)


WRONG: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/v1/session", {"json": {"token": "wrong"}, "headers": OWN}),
    ("GET", "/v1/session", {"headers": {"Authorization": "Bearer wrong"}}),
    ("GET", "/v1/kpis", {"headers": {"Authorization": "Bearer wrong"}}),
    ("POST", "/v1/events/app", {"headers": {"Authorization": "Bearer wrong"}}),
    ("GET", "/badge/revenue.svg?token=wrong", {}),
)
"""All the ways in which a token may come."""


@pytest.mark.parametrize("first", range(len(WRONG)))
def test_wrong_tokens_are_refused_however_they_come_and_past_some_slowly(tokened: tuple[World, Client], first: int) -> None:
    world, client = tokened
    for number in range(TRIES):
        method, path, given = WRONG[(first + number) % len(WRONG)]
        answer = client.request(method, path, **given)
        assert "does not know that token" in problem(answer, 401)
        assert answer.headers["www-authenticate"] == 'Bearer realm="livekpi", error="invalid_token"'
        assert "set-cookie" not in answer.headers
    method, path, given = WRONG[first]
    begun_s = time.monotonic()
    answer = client.request(method, path, **given)
    assert time.monotonic() - begun_s >= SLOW_S
    assert "does not know that token" in (detail := problem(answer, 429))
    assert "came from 127.0.0.1" in detail
    assert answer.headers["retry-after"] == str(PAUSE_S)
    world.clock.set_us(NOW_US + PAUSE_S * 1_000_000)
    problem(client.request(method, path, **given), 401)


def test_a_right_token_is_let_in_however_many_wrong_ones_came_before(tokened: tuple[World, Client]) -> None:
    """Behind a proxy all come from one address: nobody may lock the others out."""
    _, client = tokened
    for _ in range(TRIES):
        problem(client.post("/v1/session", json={"token": "wrong"}, headers=OWN), 401)
    begun_s = time.monotonic()
    held = begin(client, "reader")
    for headers in (held, {"Authorization": "Bearer reader"}):
        assert client.get("/v1/kpis", headers=headers).status_code == 200
    problem(client.get("/v1/kpis", headers={"Authorization": "Bearer sender"}), 403)
    problem(client.get("/v1/kpis"), 401)  # who brings none has tried none
    assert time.monotonic() - begun_s < SLOW_S


@pytest.mark.parametrize("body", [b"", b"{}", b'{"token": 5}', b'{"token": "a", "more": 1}', b'["a"]'])
def test_what_is_no_token_is_refused(asked: Client, body: bytes) -> None:
    assert 'expected {"token": …}' in problem(asked.post("/v1/session", content=body, headers=OWN), 400)


def test_a_body_that_is_too_large_is_refused(asked: Client) -> None:
    assert "a token is shorter" in problem(asked.post("/v1/session", json={"token": "x" * 5_000}, headers=OWN), 413)


def test_without_tokens_none_is_needed(client: Client) -> None:
    everything: dict[str, Any] = {"needed": False, "scopes": ["ingest", "embed", "read", "act"]}
    assert client.get("/v1/session").json() == everything
    answer = client.post("/v1/session", json={"token": "x"})
    assert answer.json() == everything
    assert "set-cookie" not in answer.headers
    assert client.request("DELETE", "/v1/session").json() == everything


def test_past_so_many_sessions_the_oldest_is_forgotten() -> None:
    numbers = iter(range(MOST_SESSIONS + 1))
    sessions = Sessions(ManualClock(NOW_US), lambda: str(next(numbers)))
    for _ in range(MOST_SESSIONS + 1):
        sessions.open(EVERYTHING)
    assert [sessions.rights(name) == EVERYTHING for name in ("0", "1", str(MOST_SESSIONS))] == [False, True, True]


def test_session_names_can_not_be_guessed() -> None:
    sessions = Sessions(ManualClock(NOW_US))
    names = {sessions.open(EVERYTHING) for _ in range(100)}
    assert len(names) == 100
    assert min(map(len, names)) >= 40


def test_attempts_are_counted_by_address_and_forgotten_with_time() -> None:
    clock = ManualClock(NOW_US)
    attempts = Attempts(clock)
    for second in range(TRIES):
        clock.set_us(NOW_US + second * 1_000_000)
        assert attempts.wait_s("a") == 0
        attempts.failed("a")
    assert attempts.wait_s("a") == PAUSE_S - TRIES + 1
    assert attempts.wait_s("b") == 0
    clock.set_us(NOW_US + PAUSE_S * 1_000_000 - 1)
    assert attempts.wait_s("a") == 1
    clock.set_us(NOW_US + PAUSE_S * 1_000_000)
    assert attempts.wait_s("a") == 0
    for number in range(10_001):
        attempts.failed(str(number))
    attempts.failed("a")
    assert len(attempts._failures) == 10_000
