"""The one alert that no rule makes: a receiver refuses what it is told, and the others are told so."""

import hashlib
from dataclasses import replace

import duckdb

from livekpi.alerts import ledger
from livekpi.alerts.ledger import Alert
from livekpi.alerts.message import Message, Notice
from livekpi.alerts.series import series_text, series_values
from livekpi.alerts.telling import incident_of
from livekpi.definition.definition import Definition

RULE = "livekpi_notifier_refuses"
_LONGEST = 500
_DIMENSION = "notifier"


def series(receiver: str) -> str:
    """The alert's series."""
    return series_text([receiver])


def changed(definition: Definition, known: Alert | None, receiver: str, reason: str | None, now_us: int) -> Alert | None:
    """The alert as it is to be, where that differs from the one that fires; `reason` is None where the receiver takes something again."""
    if known is not None:
        return None if reason is not None else replace(known, ends_us=now_us, ended_at_us=now_us, told="resolved")
    if reason is None:
        return None
    key = hashlib.sha256(f"{RULE}\n{receiver}\n{now_us}".encode()).hexdigest()[:32]
    incident = f"{incident_of(definition, RULE)}/{receiver}"
    return Alert(key, RULE, RULE, series(receiver), now_us, None, "firing", "", None, now_us, None, incident=incident)


def message(definition: Definition, alert: Alert, receiver: str, reason: str | None, number: int, now_us: int) -> Message:
    """What the others are told."""
    over = "takes messages again" if receiver in definition.spec.notify else "is told of alerts no more"
    said = f"{receiver} {over}" if reason is None else f"{_untold(receiver)}: {reason[:_LONGEST]}"
    return Message(alert.incident or alert.key, number, RULE, now_us, (_notice(alert, receiver, said),))


def firing(cursor: duckdb.DuckDBPyConnection, receiver: str) -> list[Notice]:
    """What a receiver should hold as firing of the others' refusals, as it was told, or without the reason where that is kept no more."""
    found = []
    for alert in ledger.alerts(cursor, "rule = ? AND series <> ? AND ends_us IS NULL", [RULE, series(receiver)]):
        told = (notice for each in ledger.messages_at(cursor, RULE, alert.judged_at_us) for notice in each.firing)
        (refused,) = series_values(alert.series)
        name = refused or ""
        found.append(next((notice for notice in told if notice.key == alert.key), _notice(alert, name, _untold(name))))
    return found


def others(definition: Definition, receiver: str) -> list[str]:
    """Who is told: all but the one, and but those that only hear that livekpi lives."""
    return [name for name, spec in definition.spec.notify.items() if name != receiver and spec.alive is None]


def _notice(alert: Alert, receiver: str, said: str) -> Notice:
    return Notice(
        key=alert.key,
        rule=RULE,
        severity="error",
        status="firing" if alert.ends_us is None else "resolved",
        starts_us=alert.started_us,
        ends_us=alert.ends_us,
        series={_DIMENSION: receiver},
        value=None,
        summary=said,
    )


def _untold(receiver: str) -> str:
    return f"{receiver} can't be told of alerts"
