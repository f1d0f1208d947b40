"""Calls people by PagerDuty's Events API v2.

Limits and statuses as its documentation has them: a summary of 1,024 characters, a dedup_key of 255, an event of 512 KB.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from livekpi.alerts.delivery.post import Poster, Resolve, resolved
from livekpi.alerts.message import Message, Notice
from livekpi.alerts.notifiers.base import NeverWillBe, Outcome, Sent, TryAgain
from livekpi.alerts.notifiers.wording import clean, cut, cut_apart, finite, headline, line, links, moment
from livekpi.definition.shape.notifying import PagerDuty

_SUMMARY_CHARACTERS = 1_024
_KEY_CHARACTERS = 255
_EVENT_BYTES = 512_000
_TEXT_CHARACTERS = 1_000
_NAME_CHARACTERS = 100
_LINKS = 20
_NAMES = 50
_ALERTS = 100
"""How many alerts of a message are listed."""
_JSON = {"Content-Type": "application/json"}

Event = Mapping[str, Any]


class PagerDutyNotifier:
    """One incident a rule, from its first alert that fires to its last that stops; an acknowledgement is passed on."""

    resend_us: int | None = None

    def __init__(self, spec: PagerDuty, *, resolve: Resolve = resolved) -> None:
        self._routing_key = spec.routing_key
        self._poster = Poster(spec.url, allow_private=True, resolve=resolve)
        self._had: set[int] = set()
        """Numbers of a digest that failed half-way which PagerDuty has: what it takes in a minute is limited, so none is sent again."""

    def send(self, messages: Sequence[Message], now_us: int) -> Outcome:
        """A digest is an event for each key: what was said last of it."""
        latest = {message.key: message for message in messages}
        for message in latest.values():
            if message.number in self._had:
                continue
            outcome = self._poster.post(encoded(event(message, self._routing_key)), _JSON, now_us)
            if isinstance(outcome, TryAgain):
                return TryAgain(self._without_key(outcome.reason), outcome.after_us)
            if isinstance(outcome, NeverWillBe):
                return NeverWillBe(self._without_key(outcome.reason))
            self._had.add(message.number)
        self._had.clear()
        return Sent()

    def close(self) -> None: ...

    def _without_key(self, reason: str) -> str:
        return reason.replace(self._routing_key, "…")


def event(message: Message, routing_key: str) -> Event:
    """An event of the API, with every text within its limit."""
    # what begins has to be seen: of an acknowledgement PagerDuty keeps neither summary nor details
    looked_after = message.acknowledged_by is not None and not message.begins
    action = "resolve" if message.status == "resolved" else "acknowledge" if looked_after else "trigger"
    worst = message.worst
    found: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": cut_apart(clean(message.key), _KEY_CHARACTERS),
        "payload": {
            "summary": cut(headline(message), _SUMMARY_CHARACTERS),
            "severity": worst.severity,
            "source": "livekpi",
            "component": cut(line(message.rule), _TEXT_CHARACTERS),
            "class": "KPI",
            "timestamp": moment(worst.starts_us),
            "custom_details": {
                "labels": _texts(worst.labels),
                "alerts": [_detail(notice) for notice in message.notices[:_ALERTS]],
                "alerts_in_all": len(message.notices),
            },
        },
        "client": "livekpi",
    }
    where = list(links(worst).items())[:_LINKS]
    if where:
        found["links"] = [{"href": target, "text": cut(name, _NAME_CHARACTERS)} for name, target in where]
        found["client_url"] = where[-1][1] if where[-1][0] != "runbook" else where[0][1]
    return found


def encoded(given: Event) -> bytes:
    """An event in JSON; of one that would be too large, fewer alerts are listed."""
    body = json.dumps(given, ensure_ascii=False, allow_nan=False).encode()
    details = given["payload"]["custom_details"]
    while len(body) > _EVENT_BYTES and details["alerts"]:
        details = {**details, "alerts": details["alerts"][: len(details["alerts"]) // 2]}
        body = json.dumps({**given, "payload": {**given["payload"], "custom_details": details}}, ensure_ascii=False).encode()
    return body


def _detail(notice: Notice) -> Mapping[str, Any]:
    found = {
        "status": notice.status,
        "severity": notice.severity,
        "summary": cut(line(notice.summary), _TEXT_CHARACTERS),
        "value": finite(notice.value),
        "threshold": finite(notice.threshold),
        "unit": cut(clean(notice.unit or ""), _NAME_CHARACTERS),
        "series": _texts(notice.series),
        "starts": moment(notice.starts_us),
        "ends": None if notice.ends_us is None else moment(notice.ends_us),
        "note": notice.note,
    }
    return {name: value for name, value in found.items() if value not in (None, "", {})}


def _texts(given: Mapping[str, str | None]) -> Mapping[str, str | None]:
    some = list(given.items())[:_NAMES]
    return {cut(line(name), _NAME_CHARACTERS): None if text is None else cut(clean(text), _TEXT_CHARACTERS) for name, text in some}
