"""Annotations over HTTP, on the real server."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.client import Client, Message
from livekpi.query.steps import QueryError
from livekpi.web.annotating import MOST_CHARACTERS, Asked, checked
from livekpi.web.auth import Scope, Token, Tokens
from tests.alerts.http_receiver import HttpReceiver
from tests.rehearsed import NOON_US, definition
from tests.web.alerting_world import FILE, Served, served
from tests.web.described import fits
from tests.web.test_door import problem

pytestmark = pytest.mark.timeout(120)

DEPLOY = {"text": "shop 4.2 <b>is out</b>", "kind": "deploy"}
SHOP = definition("country: string", {"visits": "value: count(*), by: [country]", "people": "value: count(distinct country)"})


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
    problem(shop.ask("POST", "/v1/annotations", content=b"x" * 70_000), 413)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"text": "\n"}, "text: expected what happened"),
        ({"text": "x" * (MOST_CHARACTERS["text"] + 1)}, "text: expected at most 1000"),
        ({"text": "\ud800"}, "text: expected text, not half a character"),
        ({"author": "x" * 201}, "author: expected at most 200"),
        ({"kind": ""}, "kind: '': expected a word"),
        ({"kind": "two words"}, "kind: 'two words': expected a word"),
        ({"kind": "x" * 41}, "expected a word of at most 40"),
        ({"kpis": ("visit",)}, "kpis: there is no KPI 'visit'; did you mean 'visits'?"),
        ({"link": "javascript:alert(1)"}, "link: 'javascript:alert(1)': expected an address"),
        ({"link": "https://"}, "expected an address"),
        ({"link": "https://a b"}, "expected an address"),
        ({"link": "https://a/" + "x" * 2_000}, "link: expected at most 2000"),
        ({"time": "soon"}, "time: 'soon' is no time"),
        ({"end": "soon"}, "end: 'soon' is no time"),
        ({"end": "now"}, "end: expected a time after `time`"),
        ({"time": "-1h", "end": "-2h"}, "end: expected a time after `time`"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], says: str) -> None:
    with pytest.raises(QueryError) as error:
        checked(SHOP, Asked(**{"text": "x", **given}), NOON_US)
    assert says in str(error.value)


def test_what_is_to_come_can_be_noted() -> None:
    found = checked(SHOP, Asked(text="sale", kind="campaign-2", time="2026-12-24", end="2026-12-27", kpis=("people", "visits")), NOON_US)
    assert (found.at_us, found.end_us, found.kpis) == (1_798_070_400_000_000, 1_798_329_600_000_000, ("people", "visits"))


TIMES = st.none() | st.text(max_size=12) | st.sampled_from(["-1h", "now", "2026-03-01T13:00:00Z", "9999-12-31T23:59:59Z", "99999999999"])


@given(st.builds(Asked, text=st.text(), kind=st.text(max_size=5), time=TIMES, end=TIMES, author=st.text(), link=st.none() | st.text()))
def test_whatever_is_asked_is_refused_or_fits(asked: Asked) -> None:
    try:
        found = checked(SHOP, asked, NOON_US)
    except QueryError:
        return
    assert 0 < len(found.text) <= MOST_CHARACTERS["text"]
    assert found.end_us is None or found.end_us > found.at_us
    assert found.link is None or found.link.startswith(("https://", "http://"))
