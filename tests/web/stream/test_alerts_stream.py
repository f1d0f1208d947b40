"""Alerts in the stream, on the real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from livekpi.client import Client
from tests.alerts.http_receiver import HttpReceiver
from tests.web.alerting_world import Served, served
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


def test_a_wrong_question(shop: Served) -> None:
    assert problem(shop.ask("GET", "/v1/stream?alerts=yes"), 400) == "alerts: expected true or false, got 'yes'"
