"""Who may keep an answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from livekpi.web.access.tokens import Scope, Token, Tokens
from tests.web.world import GOOD, Client, client_of, make_world

OWN = {"Origin": "http://127.0.0.1:8321"}


@pytest.fixture
def tokened(tmp_path: Path) -> Iterator[Client]:
    with make_world(tmp_path, tokens=Tokens([Token("reader", frozenset({Scope.READ})), Token("all")])) as world, client_of(world) as client:
        yield client


@pytest.mark.parametrize("path", ["/v1/kpis", "/v1/kpis/users", "/v1/sources", "/v1/session", "/metrics", "/readyz", "/v1/none"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer reader"}, {"Authorization": "Bearer wrong"}])
def test_nobody_keeps_an_answer_that_does_not_say_so(tokened: Client, path: str, headers: dict[str, str]) -> None:
    assert tokened.get(path, headers=headers).headers.get_list("cache-control") == ["no-store"]


def test_nor_one_to_what_was_sent(tokened: Client) -> None:
    answer = tokened.post("/v1/events/app", content=GOOD, headers={"Authorization": "Bearer all"})
    assert (answer.status_code, answer.headers["cache-control"]) == (202, "no-store")


def test_a_badge_that_a_session_or_a_token_opened_is_kept_by_nobody_for_others(tokened: Client) -> None:
    assert tokened.post("/v1/session", json={"token": "reader"}, headers=OWN).status_code == 200
    held, public = {"cache-control": "private, max-age=30"}, {"cache-control": "max-age=30"}
    by_session = tokened.get("/badge/revenue.svg")
    tokened.forget_cookies()
    by_header = tokened.get("/badge/revenue.svg", headers={"Authorization": "Bearer reader"})
    by_address = tokened.get("/badge/revenue.svg?token=reader")
    for answer, expected in ((by_session, held), (by_header, held), (by_address, public)):
        assert answer.status_code == 200
        assert {"cache-control": answer.headers["cache-control"]} == expected
        assert answer.headers["vary"] == "Authorization, Cookie"


def test_the_page_is_the_same_for_everyone(tokened: Client) -> None:
    answer = tokened.get("/", headers={"Cookie": "livekpi_session=x"})
    assert (answer.headers["cache-control"], answer.headers["vary"]) == ("no-cache", "Accept-Encoding")
