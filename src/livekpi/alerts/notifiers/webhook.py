"""Posts livekpi's own JSON, signed; docs/notifiers.md says what stands in it and how a receiver checks it."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from livekpi.alerts.delivery.post import Poster, Resolve, resolved
from livekpi.alerts.message import Message, Notice
from livekpi.alerts.notifiers.base import Outcome
from livekpi.alerts.notifiers.wording import clean, cut, cut_apart, finite, links, moment
from livekpi.definition.shape.notifying import Webhook

VERSION = 1
"""Of the body: keys may be added, and none is taken away or changed without another number."""
_TEXT_CHARACTERS = 4_000
_ALERTS = 1_000
"""How many alerts of a message are listed."""


class WebhookNotifier:
    """Posts to one address."""

    resend_us: int | None = None

    def __init__(self, spec: Webhook, *, resolve: Resolve = resolved) -> None:
        self._secret, self._given = spec.secret, spec.headers
        self._poster = Poster(spec.url, allow_private=spec.allow_private, resolve=resolve)

    def send(self, messages: Sequence[Message], now_us: int) -> Outcome:
        content = {"version": VERSION, "messages": [_message(message) for message in messages]}
        body = json.dumps(content, ensure_ascii=False, allow_nan=False).encode()
        headers = {"Content-Type": "application/json", **self._given, "Idempotency-Key": idempotency_key(messages)}
        if self._secret is not None:
            headers["Livekpi-Signature"] = signature(self._secret, now_us // 1_000_000, body)
        return self._poster.post(body, headers, now_us)

    def close(self) -> None: ...


def idempotency_key(messages: Sequence[Message]) -> str:
    """A message's number; for a digest, which repeats as it was or with more in it, something made of all of them."""
    numbers = "+".join(str(message.number) for message in messages)
    return numbers if len(messages) == 1 else hashlib.sha256(numbers.encode()).hexdigest()[:32]


def signature(secret: str, at_s: int, body: bytes) -> str:
    """``t=SECONDS,v1=HEX``: HMAC-SHA256 over the seconds since the epoch, a dot, and the body (RFC 2104)."""
    return f"t={at_s},v1={hmac.new(secret.encode(), f'{at_s}.'.encode() + body, hashlib.sha256).hexdigest()}"


def _message(message: Message) -> Mapping[str, Any]:
    return {
        "number": message.number,
        "key": cut_apart(clean(message.key), _TEXT_CHARACTERS),
        "rule": cut(clean(message.rule), _TEXT_CHARACTERS),
        "status": message.status,
        "at": moment(message.at_us),
        "acknowledged_by": None if message.acknowledged_by is None else cut(clean(message.acknowledged_by), _TEXT_CHARACTERS),
        "alerts_in_all": len(message.notices),
        "alerts": [_alert(notice) for notice in message.notices[:_ALERTS]],
    }


def _alert(notice: Notice) -> Mapping[str, Any]:
    return {
        "key": cut_apart(clean(notice.key), _TEXT_CHARACTERS),
        "status": notice.status,
        "severity": notice.severity,
        "starts": moment(notice.starts_us),
        "ends": None if notice.ends_us is None else moment(notice.ends_us),
        "series": _texts(notice.series),
        "value": finite(notice.value),
        "threshold": finite(notice.threshold),
        "unit": None if notice.unit is None else cut(clean(notice.unit), _TEXT_CHARACTERS),
        "summary": cut(clean(notice.summary), _TEXT_CHARACTERS),
        "note": notice.note,
        "labels": _texts(notice.labels),
        "links": links(notice),
    }


def _texts(given: Mapping[str, str | None]) -> Mapping[str, str | None]:
    return {
        cut_apart(clean(name), _TEXT_CHARACTERS): None if text is None else cut_apart(clean(text), _TEXT_CHARACTERS)
        for name, text in given.items()
    }
