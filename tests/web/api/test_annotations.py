"""Annotations over HTTP, on the real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from livekpi.client import Client, Message
from livekpi.web.access.tokens import Scope, Token, Tokens
from tests.alerts.http_receiver import HttpReceiver
from tests.web.alerting_world import FILE, Served, served
from tests.web.answers import fits, problem

pytestmark = pytest.mark.timeout(120)

DEPLOY = {"text": "shop 4.2 <b>is out</b>", "kind": "deploy"}


def test_what_is_noted_is_found(shop: Served) -> None:
    full = {"time": "-1h", "end": "2026-03-01T11:30:00Z", "kpis": ["errors", "errors"], "author": " Ann ", "link": "https://example.com/42"}
    deploy, campaign = shop.post("/v1/annotations", **DEPLOY), shop.post("/v1/annotations", **DEPLOY, **full)
    assert deploy == {
        "number": deploy["number"],
        "time": "2026-03-01T12:00:00Z",
        "end": None,
        "text": "shop 4.2 <b>is out</b>",
        "kind": "deploy",
        "kpis": [],
        "author": "",
        "link": None,
    }
    said = {
        "time": "2026-03-01T11:00:00Z",
        "end": "2026-03-01T11:30:00Z",
        "kpis": ["errors"],
        "author": "Ann",
        "link": "https://example.com/42",
    }
    assert campaign == {**deploy, **said, "number": campaign["number"]}
    fits("Annotation", deploy)
    fits("Annotation", campaign)
    assert shop.get("/v1/annotations") == {"annotations": [campaign, deploy]}
    assert shop.get("/v1/annotations?kpi=errors&from=-45m&to=2026-03-01T12:00:00Z") == {"annotations": [campaign]}
    assert shop.get("/v1/annotations?from=2026-03-01T11:30:00Z") == {"annotations": [deploy]}


def test_one_is_deleted_once(shop: Served) -> None:
    made = shop.post("/v1/annotations", **DEPLOY)
    path = f"/v1/annotations/{made['number']}"
    assert shop.ask("DELETE", path).json() == made
    assert shop.get("/v1/annotations") == {"annotations": []}
    for number in (made["number"], 0, "x", "9" * 30):
        assert "is no number of an annotation" in problem(shop.ask("DELETE", f"/v1/annotations/{number}"), 404)


def annotated(messages: Iterator[Message]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(message for message in messages if message.event == "annotation").data)
    return found


def test_who_looks_is_told_at_once(shop: Served) -> None:
    with Client(shop.address).stream("/v1/stream?kpi=errors") as stream:
        messages = iter(stream)
        made = shop.post("/v1/annotations", **DEPLOY)
        assert annotated(messages) == {**made, "removed": False}
        shop.ask("DELETE", f"/v1/annotations/{made['number']}")
        assert annotated(messages) == {**made, "removed": True}


def test_no_more_are_kept_than_may_be(tmp_path: Path, receiver: HttpReceiver) -> None:
    with served(tmp_path, receiver, file=FILE + "limits: {{ annotations: 2 }}\n") as shop:
        first, _ = shop.post("/v1/annotations", **DEPLOY), shop.post("/v1/annotations", **DEPLOY)
        answer = shop.ask("POST", "/v1/annotations", json=DEPLOY)
        assert "2 annotations are kept, and no more may be (`limits: annotations`); delete some" in problem(answer, 409)
        shop.ask("DELETE", f"/v1/annotations/{first['number']}")
        shop.post("/v1/annotations", **DEPLOY)


def test_to_annotate_one_must_be_allowed_to_act(tmp_path: Path, receiver: HttpReceiver) -> None:
    reader, actor = Token("reader", frozenset({Scope.READ})), Token("actor", frozenset({Scope.READ, Scope.ACT}))
    with served(tmp_path, receiver, tokens=Tokens([reader, actor])) as shop:
        read, act = ({"Authorization": f"Bearer {name}"} for name in ("reader", "actor"))
        problem(shop.ask("POST", "/v1/annotations", json=DEPLOY), 401)
        assert "needs act" in problem(shop.ask("POST", "/v1/annotations", json=DEPLOY, headers=read), 403)
        made = shop.ask("POST", "/v1/annotations", json=DEPLOY, headers=act).json()
        assert shop.ask("GET", "/v1/annotations", headers=read).json() == {"annotations": [made]}
        path = f"/v1/annotations/{made['number']}"
        assert "needs act" in problem(shop.ask("DELETE", path, headers=read), 403)
        assert shop.ask("DELETE", path, headers=act).status_code == 200


def test_what_is_asked_wrongly_is_said(shop: Served) -> None:
    assert "did you mean 'errors'" in problem(shop.ask("GET", "/v1/annotations?kpi=error"), 404)
    assert "from: 'x' is no time" in problem(shop.ask("GET", "/v1/annotations?from=x"), 400)
    assert '{"text": …' in problem(shop.ask("POST", "/v1/annotations", json={"txt": "x"}), 400)
    assert "text: expected what happened" in problem(shop.ask("POST", "/v1/annotations", json={"text": " "}), 400)
    said = problem(shop.ask("POST", "/v1/annotations", content=b"x" * 70_000), 413)
    assert "write less" in said
    assert "max_body_mib" not in said
