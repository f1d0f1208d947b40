"""Alerts in the stream: on the real server, and a viewer's bounds."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from livekpi.alerts.listing import Shown
from livekpi.client import Client
from livekpi.web import alert_viewer
from livekpi.web.alert_viewer import AlertMessage, AlertViewer
from livekpi.web.viewer import QUEUED_MESSAGES, STILL_HERE, Message
from tests.alerts.http_receiver import HttpReceiver
from tests.web.alerting_world import Served, served
from tests.web.test_door import problem

pytestmark = pytest.mark.timeout(120)

SHOWN = Shown("a", "errors", "Errors", "error", {"service": "x"}, "firing", 0, None, 1.5, "errors = 1.5", "", None, None, {}, None)


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
            if any(point["time"] > "2026-03-01T12:00" for point in json.loads(message.data)["points"]):
                break
        assert set(events) == {"points"}


def test_a_wrong_question(shop: Served) -> None:
    assert problem(shop.ask("GET", "/v1/stream?alerts=yes"), 400) == "alerts: expected true or false, got 'yes'"


def test_a_viewer_gets_the_newest_of_each_alert_before_the_points_that_wait() -> None:
    viewer = AlertViewer()
    points = [Message(number, 0, {("orders", number): {"value": number}}) for number in range(QUEUED_MESSAGES + 3)]

    async def see() -> list[bytes | None]:
        for message in points:
            viewer.put(message)
        viewer.tell([AlertMessage(SHOWN), AlertMessage(replace(SHOWN, key="b"))])
        viewer.tell([AlertMessage(replace(SHOWN, status="resolved", ended_us=1))])
        found = [await viewer.next(10) for _ in range(3)]
        assert await viewer.next(0.001) == STILL_HERE
        viewer.tell([AlertMessage(SHOWN)])
        found.append(await viewer.next(10))
        viewer.close()
        return [*found, await viewer.next(10)]

    first, second, merged, third, end = asyncio.run(see())
    assert [data(each)["key"] for each in (first, second, third)] == ["b", "a", "a"]
    assert [data(each)["status"] for each in (second, third)] == ["resolved", "firing"]
    assert [row["value"] for row in data(merged)["points"]] == list(range(QUEUED_MESSAGES + 3))
    assert end is None


def test_a_viewer_that_waits_is_woken_by_an_alert() -> None:
    async def see() -> bytes | None:
        viewer = AlertViewer()
        waiting = asyncio.create_task(viewer.next(10))
        await asyncio.sleep(0)
        viewer.tell([AlertMessage(SHOWN)])
        return await waiting

    assert data(asyncio.run(see()))["rule"] == "errors"


def test_a_viewer_that_is_too_far_behind_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_viewer, "QUEUED_ALERTS", 2)

    async def see() -> bytes | None:
        viewer = AlertViewer()
        viewer.tell([AlertMessage(replace(SHOWN, key=str(number))) for number in range(3)])
        assert viewer.overrun
        return await viewer.next(10)

    assert asyncio.run(see()) is None


def data(piece: bytes | None) -> Any:
    assert piece is not None
    (line,) = [line for line in piece.decode().splitlines() if line.startswith("data: ")]
    return json.loads(line.removeprefix("data: "))
