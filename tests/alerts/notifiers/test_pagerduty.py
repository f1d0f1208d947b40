from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from livekpi.alerts.message import Message
from livekpi.alerts.notifiers.base import NeverWillBe, Sent, TryAgain
from livekpi.alerts.notifiers.pagerduty import PagerDutyNotifier, encoded, event
from livekpi.definition.shape.notifying import PagerDuty
from tests.alerts.http_receiver import Answer, HttpReceiver
from tests.alerts.made import MESSAGES, NOW_US, SECOND_US, message, notice, resolved
from tests.alerts.notifiers import events_v2
from tests.alerts.notifiers.events_v2 import ROUTING_KEY


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with HttpReceiver(usual=events_v2.answer) as started:
        yield started


@pytest.fixture
def notifier(receiver: HttpReceiver) -> PagerDutyNotifier:
    return PagerDutyNotifier(PagerDuty(routing_key=ROUTING_KEY, url=f"{receiver.url}/v2/enqueue"))


def made(given: Message) -> Any:
    body = encoded(event(given, ROUTING_KEY))
    assert events_v2.mistakes(body) == []
    return event(given, ROUTING_KEY)


def test_an_incident_from_its_beginning_to_its_end(receiver: HttpReceiver, notifier: PagerDutyNotifier) -> None:
    for told in (message(number=1), message(number=2, acknowledged_by="ada"), message(resolved(), number=3)):
        assert notifier.send([told], NOW_US) == Sent()
    events = [request.json for request in receiver.requests]
    assert [each["event_action"] for each in events] == ["trigger", "acknowledge", "resolve"]
    assert {each["dedup_key"] for each in events} == {"errors_high/1"}


def test_what_begins_beside_what_somebody_looks_after_is_seen() -> None:
    assert made(message(acknowledged_by="ada", begins=True))["event_action"] == "trigger"


def test_what_a_page_says() -> None:
    found = made(message(notice(), notice(series={"service": "cart"}, summary="cart is bad"), notice(severity="info")))
    assert found["payload"]["summary"] == "critical: error_rate is 7.1 % at checkout (and 2 more)"
    assert (found["payload"]["severity"], found["payload"]["component"]) == ("critical", "errors_high")
    assert found["payload"]["timestamp"] == "2027-01-15T07:58:30.000Z"
    assert found["links"] == [
        {"href": "https://wiki.example.com/runbooks/errors", "text": "runbook"},
        {"href": "https://kpi.example.com/kpis/error_rate", "text": "KPI"},
    ]
    assert found["client_url"] == "https://kpi.example.com/kpis/error_rate"
    details = found["payload"]["custom_details"]
    assert [alert["series"] for alert in details["alerts"]] == [{"service": "checkout"}, {"service": "cart"}, {"service": "checkout"}]
    assert (details["labels"], details["alerts"][0]["value"]) == ({"team": "shop"}, 0.071)


@pytest.mark.parametrize("severity", ["critical", "error", "warning", "info"])
def test_severities_are_pagerdutys_own(severity: Any) -> None:
    assert made(message(notice(severity=severity)))["payload"]["severity"] == severity


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_is_no_number_is_left_out(value: float | None) -> None:
    assert "value" not in made(message(notice(value=value)))["payload"]["custom_details"]["alerts"][0]


def test_a_correction_is_said() -> None:
    assert made(message(resolved(note="corrected")))["payload"]["summary"].startswith("corrected: ")
    assert made(message(notice(note="late")))["payload"]["summary"].startswith("critical (late): ")


def test_long_keys_stay_apart_and_the_same() -> None:
    first, second = (made(message(key="k" * 300 + end))["dedup_key"] for end in "ab")
    assert first != second
    assert made(message(resolved(), key="k" * 300 + "a"))["dedup_key"] == first


def test_an_event_that_would_be_too_large_lists_fewer_alerts() -> None:
    wide = {f"dimension_{number}": "💥" * 900 for number in range(40)}
    body = encoded(event(message(*[notice(series=wide)] * 200), ROUTING_KEY))
    assert events_v2.mistakes(body) == []
    assert len(body) > 100_000


@given(MESSAGES)
def test_any_message_is_an_event_within_the_limits(given: Message) -> None:
    made(given)


def test_what_is_answered(receiver: HttpReceiver, notifier: PagerDutyNotifier) -> None:
    receiver.answers = [Answer(429, {"Retry-After": "30"}), Answer(500), Answer(400, body=f"key {ROUTING_KEY} is unknown".encode())]
    assert notifier.send([message()], NOW_US) == TryAgain("127.0.0.1 answered 429: ok", 30 * SECOND_US)
    assert notifier.send([message()], NOW_US) == TryAgain("127.0.0.1 answered 500: ok")
    assert notifier.send([message()], NOW_US) == NeverWillBe("127.0.0.1 answered 400: key … is unknown")
    assert notifier.send([message()], NOW_US) == Sent()
    wrong = PagerDutyNotifier(PagerDuty(routing_key="short", url=f"{receiver.url}/v2/enqueue"))
    assert isinstance(wrong.send([message()], NOW_US), NeverWillBe)


def test_a_receiver_that_says_nothing(receiver: HttpReceiver, notifier: PagerDutyNotifier) -> None:
    notifier._poster._timeout_s = 0.2
    receiver.answers = [Answer(silent=True)]
    assert isinstance(notifier.send([message()], NOW_US), TryAgain)


def test_of_a_digest_each_key_is_told_once_and_what_was_had_is_not_sent_again(receiver: HttpReceiver, notifier: PagerDutyNotifier) -> None:
    digest = [message(key="a", number=1), message(key="b", number=2), message(resolved(), key="a", number=3), message(key="c", number=4)]
    fine = Answer(202)
    receiver.answers = [fine, Answer(429), fine, fine]
    assert isinstance(notifier.send(digest, NOW_US), TryAgain)
    assert notifier.send(digest, NOW_US) == Sent()
    assert [(request.json["dedup_key"], request.json["event_action"]) for request in receiver.requests] == [
        ("a", "resolve"), ("b", "trigger"), ("b", "trigger"), ("c", "trigger"),
    ]  # fmt: skip
    assert notifier.send(digest[1:2], NOW_US) == Sent()  # a repeat, after a crash, is sent as it is
    assert len(receiver.requests) == 5
