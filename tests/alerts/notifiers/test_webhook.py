import hmac
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given

from livekpi.alerts.message import Message
from livekpi.alerts.notifiers.base import NeverWillBe, Outcome, Sent
from livekpi.alerts.notifiers.webhook import WebhookNotifier
from livekpi.definition.shape.notifying import Webhook
from tests.alerts.http_receiver import HttpReceiver
from tests.alerts.made import DIGESTS, NOW_US, SECOND_US, message, notice, resolved
from tests.house.tree import ROOT

SECRET = "open sesame"
PAGE = (ROOT / "docs" / "notifiers.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def receiver() -> Iterator[HttpReceiver]:
    with HttpReceiver() as started:
        yield started


def sent(receiver: HttpReceiver, messages: Sequence[Message], *, private: bool = True) -> Outcome:
    receiver.requests.clear()
    spec = Webhook(url=f"{receiver.url}/hook", secret=SECRET, headers={"Authorization": "Bearer 1"}, allow_private=private)
    return WebhookNotifier(spec).send(messages, NOW_US)


def test_what_is_posted(receiver: HttpReceiver) -> None:
    assert sent(receiver, [message(notice(), resolved(note="corrected", value=float("nan")), acknowledged_by="ada")]) == Sent()
    [request] = receiver.requests
    assert (request.headers["Content-Type"], request.headers["Authorization"]) == ("application/json", "Bearer 1")
    assert request.headers["Idempotency-Key"] == "7"
    alert = {
        "key": "errors_high/checkout/1",
        "status": "firing",
        "severity": "critical",
        "starts": "2027-01-15T07:58:30.000Z",
        "ends": None,
        "series": {"service": "checkout"},
        "value": 0.071,
        "threshold": 0.05,
        "unit": "ratio",
        "summary": "error_rate is 7.1 % at checkout",
        "note": "",
        "labels": {"team": "shop"},
        "links": {"runbook": "https://wiki.example.com/runbooks/errors", "KPI": "https://kpi.example.com/kpis/error_rate"},
    }
    over = {**alert, "status": "resolved", "ends": "2027-01-15T07:59:59.000Z", "note": "corrected", "value": None}
    told = {"number": 7, "key": "errors_high/1", "rule": "errors_high", "status": "firing", "at": "2027-01-15T08:00:00.000Z"}
    assert request.json == {
        "version": 1,
        "messages": [{**told, "acknowledged_by": "ada", "alerts_in_all": 2, "alerts": [alert, over]}],
    }


def test_the_signature_is_what_the_page_says(receiver: HttpReceiver) -> None:
    sent(receiver, [message()])
    [request] = receiver.requests
    parts = dict(part.split("=", 1) for part in request.headers["Livekpi-Signature"].split(","))
    assert int(parts["t"]) == NOW_US // 1_000_000
    expected = hmac.digest(SECRET.encode(), parts["t"].encode() + b"." + request.body, "sha256")
    assert parts["v1"] == expected.hex()


def test_the_page_shows_what_is_posted_and_how_to_check_it(receiver: HttpReceiver) -> None:
    (body,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    sent(receiver, [message(notice(links={}))])
    [request] = receiver.requests
    assert request.json == json.loads(body)
    names: dict[str, Any] = {}
    exec(code, names)
    header, now_s = request.headers["Livekpi-Signature"], NOW_US / SECOND_US
    assert names["genuine"](header, request.body, SECRET, now_s)
    assert not names["genuine"](header, request.body + b" ", SECRET, now_s)
    assert not names["genuine"](header, request.body, SECRET + "s", now_s)
    assert not names["genuine"](header, request.body, SECRET, now_s + 301)


def test_without_a_secret_nothing_is_signed(receiver: HttpReceiver) -> None:
    receiver.requests.clear()
    WebhookNotifier(Webhook(url=receiver.url, allow_private=True)).send([message()], NOW_US)
    assert "Livekpi-Signature" not in receiver.requests[0].headers


def test_a_repeat_has_the_same_name_and_another_digest_has_not(receiver: HttpReceiver) -> None:
    names = []
    for numbers in ([1], [1], [1, 2], [1, 2], list(range(1, 100))):
        sent(receiver, [message(number=number) for number in numbers])
        names.append(receiver.requests[0].headers["Idempotency-Key"])
    assert names[0] == names[1]
    assert names[2] == names[3]
    assert len(set(names)) == 3
    assert max(map(len, names)) == 32


def test_a_private_address_is_refused_unless_it_is_allowed(receiver: HttpReceiver) -> None:
    assert isinstance(sent(receiver, [message()], private=False), NeverWillBe)
    assert receiver.requests == []


@given(DIGESTS)
def test_any_message_is_json(receiver: HttpReceiver, digest: Sequence[Message]) -> None:
    assert sent(receiver, digest) == Sent()
    content = json.loads(receiver.requests[0].body.decode("utf-8"), parse_constant=pytest.fail)
    assert [each["number"] for each in content["messages"]] == [each.number for each in digest]
    assert "\\u0000" not in receiver.requests[0].body.decode()


def test_series_that_differ_far_behind_stay_apart(receiver: HttpReceiver) -> None:
    sent(receiver, [message(notice(series={"path": "x" * 10_000 + "a"}), notice(series={"path": "x" * 10_000 + "b"}))])
    first, second = receiver.requests[0].json["messages"][0]["alerts"]
    assert first["series"] != second["series"]
    assert len(first["series"]["path"]) <= 4_000


def test_what_is_null_is_told_from_what_is_empty(receiver: HttpReceiver) -> None:
    sent(receiver, [message(notice(series={"country": None}), notice(series={"country": ""}))])
    assert [alert["series"] for alert in receiver.requests[0].json["messages"][0]["alerts"]] == [{"country": None}, {"country": ""}]
