import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from livekpi.alerts.delivery.delivery import Delivery
from livekpi.alerts.message import Message, Notice
from livekpi.alerts.notifiers.alertmanager import AlertmanagerNotifier, labels_of, postable
from livekpi.alerts.notifiers.base import NeverWillBe, Sent, TryAgain
from livekpi.clock import SystemClock
from livekpi.definition.shape.notifying import Alertmanager, NotifierSpec
from tests.alerts.http_receiver import Answer, HttpReceiver
from tests.alerts.made import DIGESTS, NOW_US, SECOND_US, message, notice, resolved
from tests.alerts.memory_outbox import MemoryOutbox
from tests.servers.alertmanager_server import AlertmanagerServer
from tests.servers.ports import free_ports

Start = Callable[[str], AlertmanagerServer]
LEASE_US = 240 * SECOND_US


@pytest.fixture
def told() -> Iterator[HttpReceiver]:
    """What an Alertmanager tells."""
    with HttpReceiver() as receiver:
        yield receiver


def spec(*urls: str, resend: timedelta = timedelta(minutes=1)) -> Alertmanager:
    return Alertmanager(urls=list(urls), resend=resend)


def now_us() -> int:
    return SystemClock().now_us()


def fresh(**changes: Any) -> Notice:
    """One that fires since a minute ago by the machine's clock, by which Alertmanager goes."""
    return notice(**{"starts_us": now_us() - 60 * SECOND_US, **changes})


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)  # between questions


def notifications(told: HttpReceiver, status: str) -> list[Any]:
    return [request.json for request in list(told.requests) if request.json["status"] == status]


def test_what_an_alert_says() -> None:
    [alert] = postable([message(notice(note="late"))], NOW_US, LEASE_US)
    assert alert == {
        "labels": {"alertname": "errors_high", "severity": "critical", "service": "checkout", "team": "shop"},
        "annotations": {
            "summary": "error_rate is 7.1 % at checkout",
            "runbook": "https://wiki.example.com/runbooks/errors",
            "value": "0.071",
            "threshold": "0.05",
            "unit": "ratio",
            "note": "late",
        },
        "startsAt": "2027-01-15T07:58:30.000Z",
        "endsAt": "2027-01-15T08:04:00.000Z",
        "generatorURL": "https://kpi.example.com/kpis/error_rate",
    }


@pytest.mark.parametrize(
    ("starts_us", "ends_us", "starts", "ends"),
    [
        (NOW_US - 2 * SECOND_US, NOW_US - SECOND_US, "07:59:58", "07:59:59"),
        (NOW_US - 2 * SECOND_US, NOW_US + SECOND_US, "07:59:58", "08:00:00"),  # by a source whose clock is ahead
        (NOW_US + SECOND_US, NOW_US + 2 * SECOND_US, "08:00:00", "08:00:00"),
        (NOW_US - SECOND_US, NOW_US - 2 * SECOND_US, "07:59:58", "07:59:58"),  # it turned out never to have begun
        (NOW_US - SECOND_US, None, "07:59:59", "08:00:00"),
    ],
)
def test_what_is_over_is_never_ahead_of_the_clock(starts_us: int, ends_us: int | None, starts: str, ends: str) -> None:
    [alert] = postable([message(resolved(starts_us=starts_us, ends_us=ends_us))], NOW_US, LEASE_US)
    assert (alert["startsAt"], alert["endsAt"]) == (f"2027-01-15T{starts}.000Z", f"2027-01-15T{ends}.000Z")


def test_labels_have_names_that_alertmanager_knows() -> None:
    found = labels_of(notice(series={"a-b": "1", "a.b": "2", "9": "3", "severity": "4", "": "5", "gone": ""}, labels={"a_b": "6"}))
    assert found == {
        "alertname": "errors_high", "severity": "critical", "a_b": "1", "a_b_": "2", "_9": "3", "severity_": "4", "_": "5", "a_b__": "6",
    }  # fmt: skip


def test_what_is_null_has_a_text_that_no_other_value_has() -> None:
    found = [labels_of(notice(series={"country": value}, labels={})).get("country") for value in (None, "∅", "∅∅", "", "DE")]
    assert found == ["∅", "∅∅", "∅∅∅", None, "DE"]


def test_of_what_is_told_twice_the_last_counts_and_of_one_message_what_fires() -> None:
    twice = [message(number=1), message(resolved(), number=2)]
    assert [alert["endsAt"] for alert in postable(twice, NOW_US, LEASE_US)] == ["2027-01-15T07:59:59.000Z"]
    again = [message(notice(key="second"), resolved(key="first"))]
    assert [alert["endsAt"] for alert in postable(again, NOW_US, LEASE_US)] == ["2027-01-15T08:04:00.000Z"]


def test_all_are_told_and_one_is_enough(told: HttpReceiver) -> None:
    with HttpReceiver() as other:
        notifier = AlertmanagerNotifier(spec(told.url + "/prefix/", other.url))
        told.answers = [Answer(500)]
        assert notifier.send([message()], NOW_US) == Sent()
        assert [request.path for request in told.requests] == ["/prefix/api/v2/alerts"]
        assert [request.path for request in other.requests] == ["/api/v2/alerts"]
        assert notifier.send([message()], NOW_US + 10 * SECOND_US) == Sent()  # the one that failed rests
        assert (len(told.requests), len(other.requests)) == (1, 2)
        assert notifier.send([message()], NOW_US + 30 * SECOND_US) == Sent()
        assert (len(told.requests), len(other.requests)) == (2, 3)
        notifier.close()


def test_none_that_takes_it(told: HttpReceiver) -> None:
    with HttpReceiver() as other:
        notifier = AlertmanagerNotifier(spec(told.url, other.url))
        told.answers, other.answers = [Answer(400, body=b"bad"), Answer(400)], [Answer(503, {"Retry-After": "3"}, b""), Answer(404)]
        outcome = notifier.send([message()], NOW_US)
        assert outcome == TryAgain("127.0.0.1 answered 400: bad; 127.0.0.1 answered 503", 3 * SECOND_US)
        assert isinstance(notifier.send([message()], NOW_US), NeverWillBe)
        notifier.close()


def test_many_alerts_go_in_several_posts(told: HttpReceiver) -> None:
    notifier = AlertmanagerNotifier(spec(told.url))
    many = message(*[notice(series={"service": str(number)}) for number in range(600)])
    assert notifier.send([many], NOW_US) == Sent()
    assert [len(request.json) for request in told.requests] == [256, 256, 88]
    notifier.close()


def test_it_fires_in_a_group_and_resolves_on_two(alertmanager: Start, told: HttpReceiver) -> None:
    servers = [alertmanager(told.url) for _ in range(2)]
    notifier = AlertmanagerNotifier(spec(*[server.url for server in servers]))
    three = [fresh(series={"service": name}) for name in ("cart", "checkout", "search")]
    assert notifier.send([message(*three)], now_us()) == Sent()
    for server in servers:
        assert {alert["labels"]["service"] for alert in server.alerts()} == {"cart", "checkout", "search"}
    # a group of what began long ago may be told before the whole of a post is in it, and again with the rest
    until(lambda: [len(each["alerts"]) for each in notifications(told, "firing")].count(3) == 2)
    assert {each["groupLabels"]["alertname"] for each in notifications(told, "firing")} == {"errors_high"}
    over = [fresh(series=each.series, status="resolved", ends_us=now_us()) for each in three]
    assert notifier.send([message(*over, number=8)], now_us()) == Sent()
    until(lambda: len(notifications(told, "resolved")) >= 2)
    assert [server.alerts() for server in servers] == [[], []]
    notifier.close()


def test_what_is_null_and_what_is_empty_are_two_alerts(alertmanager: Start, told: HttpReceiver) -> None:
    server = alertmanager(told.url)
    notifier = AlertmanagerNotifier(spec(server.url))
    null, empty = fresh(key="null", series={"service": None}), fresh(key="empty", series={"service": ""})
    assert notifier.send([message(null, empty)], now_us()) == Sent()
    assert sorted(alert["labels"].get("service", "-") for alert in server.alerts()) == ["-", "∅"]
    # one of them ends, and the other fires on
    over = replace(null, status="resolved", ends_us=now_us())
    assert notifier.send([message(empty, over, number=8)], now_us()) == Sent()
    assert ["service" in alert["labels"] for alert in server.alerts()] == [False]
    notifier.close()


def test_what_is_not_told_again_expires(alertmanager: Start, told: HttpReceiver) -> None:
    server = alertmanager(told.url)
    notifier = AlertmanagerNotifier(spec(server.url, resend=timedelta(seconds=1)))
    assert notifier.send([message(fresh())], now_us()) == Sent()
    until(lambda: notifications(told, "firing"))
    until(lambda: notifications(told, "resolved"))
    assert server.alerts() == []
    notifier.close()


def test_a_correction_ends_it_at_once(alertmanager: Start, told: HttpReceiver) -> None:
    server = alertmanager(told.url)
    notifier = AlertmanagerNotifier(spec(server.url))
    began = fresh()
    notifier.send([message(began)], now_us())
    until(lambda: notifications(told, "firing"))
    never = fresh(starts_us=began.starts_us, ends_us=began.starts_us, status="resolved", note="corrected")
    assert notifier.send([message(never)], now_us()) == Sent()
    until(lambda: notifications(told, "resolved"))
    assert notifications(told, "resolved")[0]["commonAnnotations"]["note"] == "corrected"
    notifier.close()


def test_a_silence_there_is_kept_to(alertmanager: Start, told: HttpReceiver) -> None:
    server = alertmanager(told.url)
    server.silence("service", "checkout", "2100-01-01T00:00:00Z")
    notifier = AlertmanagerNotifier(spec(server.url))
    notifier.send([message(fresh(), fresh(series={"service": "cart"}))], now_us())
    until(lambda: notifications(told, "firing"))
    [told_of] = notifications(told, "firing")[0]["alerts"]
    assert told_of["labels"]["service"] == "cart"
    assert {alert["labels"]["service"]: alert["status"]["state"] for alert in server.alerts()} == {
        "cart": "active", "checkout": "suppressed",
    }  # fmt: skip
    notifier.close()


def test_one_that_is_killed_and_comes_back_hears_what_fires(alertmanager: Start, told: HttpReceiver) -> None:
    first, second = alertmanager(told.url), alertmanager(told.url)
    given = Alertmanager(urls=[first.url, second.url], resend=timedelta(seconds=1))
    outbox = MemoryOutbox(fires=[fresh()])
    delivery = Delivery(
        outbox,
        {"am": AlertmanagerNotifier(given)},
        {"am": NotifierSpec(alertmanager=given)},
        SystemClock(),
        random.Random(1),
        lambda receiver, reason: pytest.fail(reason),
    )
    first.process.kill()
    outbox.write("am", message(*outbox.fires))
    delivery.start()
    until(lambda: outbox.had == [("am", 7)])
    until(lambda: len(second.alerts()) == 1)
    first.restart()
    until(lambda: len(first.alerts()) == 1)
    delivery.close(10)


def test_nobody_there() -> None:
    [port] = free_ports(1)
    notifier = AlertmanagerNotifier(spec(f"http://127.0.0.1:{port}"))
    assert isinstance(notifier.send([message()], NOW_US), TryAgain)
    notifier.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(digest=DIGESTS)
def test_any_message_is_within_the_form(digest: Sequence[Message]) -> None:
    alerts = postable(digest, NOW_US, LEASE_US)
    json.dumps(alerts, ensure_ascii=False, allow_nan=False).encode()
    labels = [frozenset(alert["labels"].items()) for alert in alerts if not isinstance(alert["labels"], str)]
    assert len(set(labels)) == len(alerts) >= 1
    for alert in alerts:
        assert str(alert["startsAt"]) <= str(alert["endsAt"])


def test_any_message_is_taken(alertmanager: Start, told: HttpReceiver) -> None:
    server = alertmanager(told.url)
    notifier = AlertmanagerNotifier(spec(server.url))

    @given(digest=DIGESTS)
    def taken(digest: Sequence[Message]) -> None:
        assert notifier.send(digest, NOW_US) == Sent()

    taken()
    notifier.close()
