"""What there is to know of alerts for those who ask: what is pending or fires, what ended, what was told whom, what people said of it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from livekpi.alerts import ledger, refusals
from livekpi.alerts.ledger import Alert, Delivered
from livekpi.alerts.message import SEVERITIES, Message, Note, Notice, Severity
from livekpi.alerts.series import series_values, texts_of
from livekpi.alerts.summary import dimension_text, summary, unit_of
from livekpi.alerts.telling import Said, series_of
from livekpi.alerts.words import Word, covering, words
from livekpi.definition.definition import Definition
from livekpi.definition.rules.rules import Rule

STATUSES = ("firing", "pending", "resolved")
"""In the order in which they are listed."""
CURRENT = ("firing", "pending")
ENDED_US = 86_400_000_000
"""How long what ended is listed beside what fires."""
_STEP_US = 60_000_000
"""More than lies between the moment at which a step begins, which its messages have, and the one at which it finds an alert."""
_MESSAGES = 10_000
"""How many messages are looked through for those about the alerts of a history, the newest first."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts are asked for; an empty tuple of rules or severities is all of them."""

    rules: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    statuses: tuple[str, ...] = CURRENT


@dataclass(frozen=True, slots=True)
class Shown:
    """An alert, or one that may become one, as people see it."""

    key: str | None
    """By which receivers know it; None while it is pending."""
    rule: str
    title: str
    severity: Severity | None
    """None where the rule is gone from the file, and nobody was told."""
    series: Mapping[str, str]
    """The dimensions as text; one that is null is empty. Numbered from 1 where the rule is gone from the file, and nobody was told."""
    status: str
    started_us: int
    """When it began to fire, in event time; pending: where the first bucket begins in which the condition held."""
    ended_us: int | None
    value: float | None
    """The number looked at first; None where there is none, and while it is pending."""
    kpi: str | None
    """The KPI looked at first; None where the rule is gone from the file."""
    unit: str | None
    """The number's; None where it has none."""
    summary: str
    note: Note
    silence: Word | None
    acknowledgement: Word | None
    labels: Mapping[str, str]
    runbook: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """A message, and what became of it at each receiver."""

    message: Message
    receivers: tuple[Delivered, ...]


@dataclass(frozen=True, slots=True)
class History:
    """Firings, the last to begin first, and the messages about them."""

    alerts: tuple[tuple[Shown, tuple[int, ...]], ...]
    """Each with the numbers of its messages."""
    messages: tuple[Told, ...]


def said(cursor: duckdb.DuckDBPyConnection, now_us: int) -> Said:
    """What people have said, as far as it holds now or later."""
    return Said(words(cursor, "silences", now_us), words(cursor, "acknowledgements", now_us))


def known_rules(cursor: duckdb.DuckDBPyConnection, definition: Definition) -> list[str]:
    """The rules that there are, and those of which alerts are kept."""
    rows = cursor.execute("SELECT DISTINCT rule FROM alerts ORDER BY rule").fetchall()
    return list(dict.fromkeys([*definition.rules, refusals.RULE, *(rule for (rule,) in rows)]))


def current(cursor: duckdb.DuckDBPyConnection, definition: Definition, wanted: Wanted, now_us: int) -> list[Shown]:
    """What fires, is pending, or ended within the last day by the clock: what fires first, the worst of it first."""
    alerts: list[Alert] = []
    if "firing" in wanted.statuses:
        alerts += ledger.alerts(cursor, "ends_us IS NULL")
    if "resolved" in wanted.statuses:
        alerts += ledger.alerts(cursor, "ends_us IS NOT NULL AND ended_at_us > ?", [now_us - ENDED_US])
    found = show(cursor, definition, [alert for alert in alerts if _in(alert.rule, wanted.rules)], now_us)
    if "pending" in wanted.statuses:
        people = said(cursor, now_us)
        for rule in definition.rules.values():
            found += _pending(cursor, definition, rule, people, now_us) if _in(rule.name, wanted.rules) else []
    return sorted((each for each in found if _in(each.severity, wanted.severities)), key=_order)


def history(
    cursor: duckdb.DuckDBPyConnection,
    definition: Definition,
    now_us: int,
    *,
    rules: Sequence[str] = (),
    from_us: int | None = None,
    to_us: int | None = None,
    limit: int = 100,
) -> History:
    """The last firings to begin of those that fired at any time in [from, to), in event time."""
    alerts = ledger.firings_between(cursor, rules=rules, from_us=from_us, to_us=to_us, limit=limit)
    messages = _messages(cursor, alerts)
    about: dict[str, list[int]] = {alert.key: [] for alert in alerts}
    for message in messages:
        for notice in message.notices:
            if notice.key in about:
                about[notice.key].append(message.number)
    receivers = ledger.delivered(cursor, [message.number for message in messages])
    shown = show(cursor, definition, alerts, now_us, messages)
    return History(
        tuple((each, tuple(about[alert.key])) for each, alert in zip(shown, alerts, strict=True)),
        tuple(Told(message, tuple(receivers.get(message.number, ()))) for message in messages),
    )


def show(
    cursor: duckdb.DuckDBPyConnection,
    definition: Definition,
    alerts: Sequence[Alert],
    now_us: int,
    messages: Sequence[Message] | None = None,
) -> list[Shown]:
    """Firings as people see them; `messages` are those about them, where they are known already."""
    people = said(cursor, now_us)
    odd = [alert for alert in alerts if _rule_of(definition, alert) is None]
    told = {notice.key: notice for message in (_messages(cursor, odd) if messages is None else messages) for notice in message.notices}
    return [_shown(definition, alert, told.get(alert.key), people, now_us) for alert in alerts]


def _messages(cursor: duckdb.DuckDBPyConnection, alerts: Sequence[Alert]) -> list[Message]:
    """The messages about some alerts, oldest first."""
    keys = {alert.key for alert in alerts}
    since_us = min((alert.judged_at_us for alert in alerts), default=0) - _STEP_US
    found = ledger.messages_of(cursor, {alert.rule for alert in alerts}, since_us, _MESSAGES)
    return [message for message in found if any(notice.key in keys for notice in message.notices)]


def _rule_of(definition: Definition, alert: Alert) -> Rule | None:
    """The rule that made an alert; None where there is none in the file, or one of its name that means something else."""
    rule = definition.rules.get(alert.rule)
    return rule if rule is not None and rule.digest == alert.meaning else None


def _shown(definition: Definition, alert: Alert, told: Notice | None, people: Said, now_us: int) -> Shown:
    rule, status = _rule_of(definition, alert), "firing" if alert.ends_us is None else "resolved"
    if rule is None:
        return _of_no_rule(alert, told, status)
    series = series_of(rule, alert)
    silence, acknowledgement = _said_of(rule.name, series, people, now_us) if status == "firing" else (None, None)
    return Shown(
        key=alert.key,
        rule=rule.name,
        title=rule.title,
        severity=rule.spec.severity,
        series=texts_of(series),
        status=status,
        started_us=alert.started_us,
        ended_us=alert.ends_us,
        value=alert.value,
        kpi=rule.when.first.kpi,
        unit=unit_of(rule, definition.kpis),
        summary=summary(rule, definition.kpis, series, alert.value),
        note=alert.note,
        silence=silence,
        acknowledgement=acknowledgement,
        labels=rule.spec.labels,
        runbook=rule.spec.runbook,
    )


def _of_no_rule(alert: Alert, told: Notice | None, status: str) -> Shown:
    """An alert that no rule of the file makes (any more), as it was told."""
    series = {str(number): value for number, value in enumerate(series_values(alert.series), 1)}
    return Shown(
        key=alert.key,
        rule=alert.rule,
        title=alert.rule,
        severity=told.severity if told else None,
        series=texts_of(told.series if told else series),
        status=status,
        started_us=alert.started_us,
        ended_us=alert.ends_us,
        value=alert.value,
        kpi=None,
        unit=None,
        summary=told.summary if told else ", ".join([alert.rule, *map(dimension_text, series.values())]),
        note=alert.note,
        silence=None,
        acknowledgement=None,
        labels=told.labels if told else {},
        runbook=told.runbook if told else None,
    )


def _pending(cursor: duckdb.DuckDBPyConnection, definition: Definition, rule: Rule, people: Said, now_us: int) -> list[Shown]:
    found = []
    for text, state in ledger.states(cursor, rule.name).items():
        if state.phase != "pending":
            continue
        series = dict(zip(rule.by, series_values(text), strict=True))
        silence, acknowledgement = _said_of(rule.name, series, people, now_us)
        found.append(
            Shown(
                key=None,
                rule=rule.name,
                title=rule.title,
                severity=rule.spec.severity,
                series=texts_of(series),
                status="pending",
                started_us=state.since_us,
                ended_us=None,
                value=None,
                kpi=rule.when.first.kpi,
                unit=unit_of(rule, definition.kpis),
                summary=summary(rule, definition.kpis, series, None),
                note="",
                silence=silence,
                acknowledgement=acknowledgement,
                labels=rule.spec.labels,
                runbook=rule.spec.runbook,
            )
        )
    return found


def _said_of(rule: str, series: Mapping[str, str | None], people: Said, now_us: int) -> tuple[Word | None, Word | None]:
    return covering(people.silences, rule, series, now_us), covering(people.acknowledgements, rule, series, now_us)


def _in(value: str | None, names: Collection[str]) -> bool:
    return not names or value in names


def _order(each: Shown) -> tuple[int, int, int]:
    bad = SEVERITIES.index(each.severity) if each.severity is not None else len(SEVERITIES)
    when = -(each.ended_us or each.started_us)  # the last first
    return STATUSES.index(each.status), bad, when
