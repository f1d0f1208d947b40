"""Alerts and what was told of them as JSON objects, for the API and the commands alike."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from livekpi.alerts.ledger import Delivered
from livekpi.alerts.listing import History, Shown, Told
from livekpi.alerts.words import Word
from livekpi.definition.definition import Definition
from livekpi.moments import time_text
from livekpi.web.times import maybe_time_text


def alert_object(alert: Shown) -> dict[str, Any]:
    """An alert that fires, is pending, or is over."""
    return {
        "key": alert.key,
        "rule": alert.rule,
        "title": alert.title,
        "severity": alert.severity,
        "series": alert.series,
        "status": alert.status,
        "started": time_text(alert.started_us),
        "ended": maybe_time_text(alert.ended_us),
        "value": alert.value,
        "kpi": alert.kpi,
        "unit": alert.unit,
        "summary": alert.summary,
        "note": alert.note,
        "silenced_by": _who(alert.silence),
        "acknowledged_by": _who(alert.acknowledgement),
        "labels": alert.labels,
        "runbook": alert.runbook,
    }


def rules_about(definition: Definition, kpis: frozenset[str]) -> list[str]:
    """The rules that ask for these KPIs alone."""
    return [name for name, rule in definition.rules.items() if rule.kpis <= kpis]


def about(definition: Definition, kpis: frozenset[str] | None, alerts: Iterable[Shown]) -> list[Shown]:
    """The alerts of rules that ask for these KPIs alone; None: of all rules."""
    rules = None if kpis is None else frozenset(rules_about(definition, kpis))
    return [alert for alert in alerts if rules is None or alert.rule in rules]


def without_people(alert: Shown) -> Shown:
    """An alert without what people said of it."""
    return replace(alert, silence=None, acknowledgement=None)


def history_object(history: History) -> dict[str, Any]:
    """Firings, and the messages about them."""
    return {
        "alerts": [{**alert_object(alert), "messages": list(numbers)} for alert, numbers in history.alerts],
        "messages": [_message(told) for told in history.messages],
    }


def _message(told: Told) -> dict[str, Any]:
    message = told.message
    return {
        "number": message.number,
        "rule": message.rule,
        "at": time_text(message.at_us),
        "status": message.status,
        "firing": len(message.firing),
        "resolved": len(message.notices) - len(message.firing),
        "acknowledged_by": message.acknowledged_by,
        "receivers": [_delivered(each) for each in told.receivers],
    }


def _delivered(each: Delivered) -> dict[str, Any]:
    return {
        "receiver": each.receiver,
        "state": each.state,
        "attempts": each.attempts,
        "at": time_text(each.at_us),
        "reason": each.reason,
    }


def _who(word: Word | None) -> dict[str, Any] | None:
    if word is None:
        return None
    return {"number": word.number, "author": word.author, "reason": word.reason, "until": time_text(word.until_us)}
