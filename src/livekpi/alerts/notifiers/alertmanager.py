"""Tells Prometheus's Alertmanager, by its API v2: one, or several that are kept alike."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import structlog

from livekpi.alerts.delivery.post import Poster, Resolve, resolved
from livekpi.alerts.message import Message, Notice
from livekpi.alerts.notifiers.base import NeverWillBe, Outcome, Sent, TryAgain
from livekpi.alerts.notifiers.wording import clean, cut, cut_apart, links, moment, raw
from livekpi.alerts.summary import NULL
from livekpi.clock import due
from livekpi.definition.durations import microseconds
from livekpi.definition.shape.notifying import Alertmanager

LEASE = 4
"""How many times `resend` an alert goes on firing there when nothing more is heard: as Prometheus has it (rules/alerting.go)."""
_TOGETHER = 256
"""How many alerts are posted at once, as Prometheus does."""
_LABEL_CHARACTERS = 1_000
_NOTE_CHARACTERS = 4_000
_JSON = {"Content-Type": "application/json"}

Labels = Mapping[str, str]
Alert = Mapping[str, str | Labels]
"""A `postableAlert` of the API."""
_log = structlog.get_logger(__name__)


class AlertmanagerNotifier:
    """Tells every Alertmanager all; it is told when one of them has it.

    One that did not answer is left out for half of `resend`, so that it holds up none of the others; what fires it hears with the next
    resend, and what ceased meanwhile ends there when its time is over.
    """

    def __init__(self, spec: Alertmanager, *, resolve: Resolve = resolved) -> None:
        self._resend_us = microseconds(spec.resend)
        self._peers = [_Peer(url, self._resend_us // 2, resolve) for url in spec.urls]
        self._hands = ThreadPoolExecutor(len(self._peers), thread_name_prefix="alertmanager")

    @property
    def resend_us(self) -> int | None:
        return self._resend_us

    def send(self, messages: Sequence[Message], now_us: int) -> Outcome:
        alerts = postable(messages, now_us, LEASE * self._resend_us)
        bodies = [json.dumps(alerts[at : at + _TOGETHER], ensure_ascii=False).encode() for at in range(0, len(alerts), _TOGETHER)]
        peers = [peer for peer in self._peers if not peer.rests(now_us)] or self._peers
        outcomes = list(self._hands.map(lambda peer: peer.take(bodies, now_us), peers))
        return _together(outcomes)

    def close(self) -> None:
        self._hands.shutdown(wait=False, cancel_futures=True)


class _Peer:
    """One Alertmanager."""

    def __init__(self, url: str, rest_us: int, resolve: Resolve) -> None:
        self._poster = Poster(f"{url.rstrip('/')}/api/v2/alerts", allow_private=True, resolve=resolve)
        self._rest_us = rest_us
        self._failed_us: int | None = None
        self._reason: str | None = None

    def rests(self, now_us: int) -> bool:
        """Whether it failed a short time ago."""
        return not due(now_us, self._failed_us, self._rest_us)

    def take(self, bodies: Sequence[bytes], now_us: int) -> Outcome:
        found: Outcome = Sent()
        for body in bodies:
            outcome = self._poster.post(body, _JSON, now_us)
            found = outcome if not isinstance(outcome, Sent) else found
            if isinstance(outcome, TryAgain):
                break
        reason = None if isinstance(found, Sent) else found.reason
        self._failed_us = None if reason is None else now_us
        if reason is not None and reason != self._reason:
            _log.warning("an Alertmanager is not told", reason=reason)
        self._reason = reason
        return found


def _together(outcomes: Sequence[Outcome]) -> Outcome:
    if any(isinstance(outcome, Sent) for outcome in outcomes):
        return Sent()
    reasons = "; ".join(dict.fromkeys(outcome.reason for outcome in outcomes if not isinstance(outcome, Sent)))
    again = [outcome for outcome in outcomes if isinstance(outcome, TryAgain)]
    if not again:
        return NeverWillBe(reasons)
    waits_us = [outcome.after_us for outcome in again if outcome.after_us is not None]
    return TryAgain(reasons, min(waits_us) if len(waits_us) == len(again) else None)


def postable(messages: Sequence[Message], now_us: int, lease_us: int) -> list[Alert]:
    """What messages come to, an alert for each set of labels: what was said last, and of one message rather what fires."""
    latest: dict[frozenset[tuple[str, str]], Alert] = {}
    for message in messages:
        for notice in reversed(message.notices):
            labels = labels_of(notice)
            latest[frozenset(labels.items())] = _alert(notice, labels, now_us, lease_us)
    return list(latest.values())


def _alert(notice: Notice, labels: Labels, now_us: int, lease_us: int) -> Alert:
    # Alertmanager goes by its clock: an end ahead of it would have the alert fire on, and one before the start is refused.
    ends_us = now_us + lease_us if notice.status == "firing" else min(now_us, notice.ends_us if notice.ends_us is not None else now_us)
    found: dict[str, str | Labels] = {
        "labels": labels,
        "annotations": _annotations(notice),
        "startsAt": moment(min(notice.starts_us, ends_us)),
        "endsAt": moment(ends_us),
    }
    generator = next((target for name, target in links(notice).items() if name != "runbook"), None)
    if generator is not None:
        found["generatorURL"] = generator
    return found


def _annotations(notice: Notice) -> Labels:
    given = {
        "summary": cut(clean(notice.summary), _NOTE_CHARACTERS),
        "runbook": cut(clean(notice.runbook or ""), _NOTE_CHARACTERS),
        "value": raw(notice.value),
        "threshold": raw(notice.threshold),
        "unit": cut(clean(notice.unit or ""), _NOTE_CHARACTERS),
        "note": notice.note,
    }
    return {name: text for name, text in given.items() if text}


def labels_of(notice: Notice) -> Labels:
    """An alert's labels, by which Alertmanager knows it again; where names meet, `_` is added to the later one.

    One that is empty is left out: to Alertmanager it is one that is not there. So a dimension that is null has a text of its own, which no
    other value has.
    """
    found: dict[str, str] = {}
    for given, text in _given(notice):
        name = re.sub(r"[^a-zA-Z0-9_]", "_", given) or "_"
        name = f"_{name}" if name[0].isdigit() else name
        while name in found:
            name += "_"
        found[name] = cut_apart(clean(text), _LABEL_CHARACTERS)
    return {name: text for name, text in found.items() if text}


def _given(notice: Notice) -> Iterator[tuple[str, str]]:
    yield "alertname", notice.rule
    yield "severity", notice.severity
    for name, value in notice.series.items():
        yield name, NULL if value is None else f"{NULL}{value}" if value.startswith(NULL) else value
    yield from notice.labels.items()
