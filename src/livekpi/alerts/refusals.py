"""The one alert that no rule makes: a receiver refuses what it is told, and the others are told so."""

import hashlib
from dataclasses import replace

from livekpi.alerts.ledger import Alert
from livekpi.alerts.message import Message, Notice
from livekpi.alerts.series import series_text
from livekpi.definition.definition import Definition

RULE = "livekpi_notifier_refuses"
_LONGEST = 500
_DIMENSION = "notifier"


def series(receiver: str) -> str:
    """The alert's series."""
    return series_text([receiver])


def changed(known: Alert | None, receiver: str, reason: str | None, now_us: int) -> Alert | None:
    """The alert as it is to be, where that differs from the one that fires; `reason` is None where the receiver takes something again."""
    if known is not None:
        return None if reason is not None else replace(known, ends_us=now_us, ended_at_us=now_us, told="resolved")
    if reason is None:
        return None
    key = hashlib.sha256(f"{RULE}\n{receiver}\n{now_us}".encode()).hexdigest()[:32]
    return Alert(key, RULE, RULE, series(receiver), now_us, None, "firing", "", None, now_us, None)


def message(definition: Definition, alert: Alert, receiver: str, reason: str | None, number: int, now_us: int) -> Message:
    """What the others are told."""
    over = "takes messages again" if receiver in definition.spec.notify else "is told of alerts no more"
    said = f"{receiver} {over}" if reason is None else f"{receiver} can't be told of alerts: {reason[:_LONGEST]}"
    notice = Notice(
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
    return Message(f"livekpi/{definition.path.stem}/{RULE}/{receiver}", number, RULE, now_us, (notice,))


def others(definition: Definition, receiver: str) -> list[str]:
    """Who is told: all but the one, and but those that only hear that livekpi lives."""
    return [name for name, spec in definition.spec.notify.items() if name != receiver and spec.alive is None]
