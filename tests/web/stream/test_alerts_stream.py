"""Alerts in the stream, on the real server."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from livekpi.client import Client, Message
from livekpi.web.access.tokens import Scope, Token, Tokens
from tests.alerts.http_receiver import HttpReceiver
from tests.web.alerting_world import FILE, Served, send, served
from tests.web.answers import problem

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Served]:
    with HttpReceiver() as receiver, served(tmp_path, receiver) as shop:
        yield shop


def test_who_asks_for_alerts_gets_them_and_nobody_else(shop: Served) -> None:
    client = Client(shop.address)
    with client.stream("/v1/stream?alerts=true") as both, client.stream("/v1/stream?alerts=false") as points:
        shop.send("checkout", ago_s=3700)
        told = next(message for message in both if message.event == "alert")
        row = json.loads(told.data)
        assert (row["rule"], row["status"], row["series"]) == ("errors_high", "firing", {"service": "checkout"})
        assert row == next(iter(shop.get("/v1/alerts?rule=errors_high")["alerts"]))
        shop.send("cart", ago_s=0)
        events: list[str] = []
        over = next(json.loads(m.data) for m in both if m.event == "alert" and json.loads(m.data)["status"] == "resolved")
        assert over["key"] == row["key"]
        for message in points:
            events.append(message.event)
            if any(point["time"] > "2026-03-01T12:00" for point in json.loads(message.data).get("points", ())):
                break
        assert (events[0], set(events[1:])) == ("hello", {"points"})


def test_a_frame_is_told_what_fires_and_nothing_that_people_said(tmp_path: Path) -> None:
    tokens = Tokens([Token("framer", frozenset({Scope.EMBED})), Token("all")])
    said = {"rule": "errors_high", "author": "Ann", "reason": "a release", "for": "1h"}
    with HttpReceiver() as receiver, served(tmp_path, receiver, tokens=tokens) as shop:
        whole, frame = Client(shop.address, "all"), Client(shop.address, "framer")
        own = {"Authorization": "Bearer all"}
        shop.ask("POST", "/v1/silences", json=said, headers=own).raise_for_status()
        with whole.stream("/v1/stream?alerts=true") as seeing, frame.stream("/v1/stream?alerts=true") as framed:
            shop.ask("POST", "/v1/annotations", json={"text": "4.2 is out"}, headers=own).raise_for_status()
            send(shop.address, shop.clock.now_us(), ["checkout"], 60, 2, headers=own)
            seen, shown = (list(until_alert(each)) for each in (seeing, framed))
        assert "annotation" in [name for name, _ in seen]
        assert "annotation" not in [name for name, _ in shown]
        (_, alert), (_, bare) = seen[-1], shown[-1]
        assert alert["silenced_by"]["author"] == "Ann"
        assert bare == {**alert, "silenced_by": None}
        (listed,) = shop.ask("GET", "/v1/alerts?rule=errors_high", headers={"Authorization": "Bearer framer"}).json()["alerts"]
        assert (listed["status"], listed["silenced_by"]) == ("firing", None)


CALLS = FILE.replace(
    "alerts:", "  calls: {{ value: count(*), every: 1s }}\nalerts:\n  calls_high: {{ when: calls > 1, keep: 1h, notify: [hook] }}"
)


def test_a_frame_of_one_kpi_is_told_of_its_alerts_alone(tmp_path: Path) -> None:
    tokens = Tokens([*(Token(name, frozenset({Scope.EMBED}), frozenset({name})) for name in ("errors", "calls")), Token("all")])
    with HttpReceiver() as receiver, served(tmp_path, receiver, tokens=tokens, file=CALLS) as shop:
        errors, calls = Client(shop.address, "errors"), Client(shop.address, "calls")
        with errors.stream("/v1/stream?alerts=true") as of_errors, calls.stream("/v1/stream?alerts=true") as of_calls:
            send(shop.address, shop.clock.now_us(), ["checkout"], 60, 2, headers=bearer("all"))
            told = [list(until_alert(each)) for each in (of_errors, of_calls)]
        assert [alert["rule"] for *_, (_, alert) in told] == ["errors_high", "calls_high"]
        assert {point["kpi"] for name, content in told[1] if name == "points" for point in content["points"]} <= {"calls"}

        def rules(name: str) -> set[str]:
            return {row["rule"] for row in shop.ask("GET", "/v1/alerts", headers=bearer(name)).json()["alerts"]}

        assert (rules("errors"), rules("calls")) == ({"errors_high", "errors_there"}, {"calls_high"})
        wrong = shop.ask("GET", "/v1/alerts?rule=errors_high", headers=bearer("calls"))
        assert problem(wrong, 400) == "there is no rule 'errors_high'; there are calls_high"


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def until_alert(messages: Iterable[Message]) -> Iterator[tuple[str, Any]]:
    """The messages up to the first of an alert."""
    for message in messages:
        yield message.event, json.loads(message.data)
        if message.event == "alert":
            return


def test_a_wrong_question(shop: Served) -> None:
    assert problem(shop.ask("GET", "/v1/stream?alerts=yes"), 400) == "alerts: expected true or false, got 'yes'"
