"""From alerts to messages: what is to be told, to whom, unless somebody has silenced it or looks after it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from livekpi.alerts.ledger import Alert
from livekpi.alerts.links import links
from livekpi.alerts.message import Message, Notice, Status
from livekpi.alerts.series import series_values
from livekpi.alerts.summary import summary
from livekpi.alerts.words import Word, covering
from livekpi.definition.definition import Definition
from livekpi.definition.rules import Rule


@dataclass(frozen=True)
class Said:
    """What people have said, as far as it holds."""

    silences: Sequence[Word] = ()
    acknowledgements: Sequence[Word] = ()


@dataclass(frozen=True)
class Tell:
    """One message's notices, and the alerts with what will then have been told of them."""

    notices: tuple[Notice, ...]
    told: tuple[Alert, ...]
    acknowledged_by: str | None = None


def notice_of(definition: Definition, alert: Alert, status: Status) -> Notice:
    """What is told of an alert."""
    rule = definition.rules[alert.rule]
    series = series_of(rule, alert)
    return Notice(
        key=alert.key,
        rule=alert.rule,
        severity=rule.spec.severity,
        status=status,
        starts_us=alert.started_us,
        ends_us=alert.ends_us if status == "resolved" else None,
        series=series,
        value=alert.value,
        summary=summary(rule, definition.kpis, series, alert.value),
        note=alert.note,
        labels=rule.spec.labels,
        runbook=rule.spec.runbook,
        links=links(definition, rule, alert, series),
    )


def series_of(rule: Rule, alert: Alert) -> dict[str, str]:
    """The alert's dimensions by name; one that is null is empty."""
    return {name: value or "" for name, value in zip(rule.by, series_values(alert.series), strict=True)}


def to_tell(definition: Definition, rule: Rule, alerts: Sequence[Alert], said: Said, now_us: int) -> list[Tell]:
    """The messages that a rule's alerts need now; `alerts` are those that fire, and those whose end has not been told.

    What began late and is over by now is told as both.
    """
    begun: list[Alert] = []
    over: list[Alert] = []
    quiet: list[Alert] = []
    firing: list[Alert] = []
    keeper: str | None = None
    for alert in alerts:
        series = series_of(rule, alert)
        silent = covering(said.silences, rule.name, series, now_us)
        acknowledged = covering(said.acknowledgements, rule.name, series, now_us)
        keeper = acknowledged.author if acknowledged is not None else keeper
        if alert.ends_us is not None:
            (over if alert.told == "firing" or (silent is None and acknowledged is None) else quiet).append(alert)
        elif alert.told == "firing":
            firing.append(alert)
        if (alert.told is None and silent is None and acknowledged is None) or (
            alert.told == "resolved" and alert.ends_us is None and silent is None
        ):
            begun.append(alert)
    found: list[Tell] = []
    if begun:
        found.append(_tell(definition, rule, [*firing, *begun], [], begun, keeper))
    if over:
        still = [*firing, *(alert for alert in begun if alert.ends_us is None)]
        found.append(_tell(definition, rule, still, over, over, keeper))
    if quiet:
        found.append(Tell((), tuple(replace(alert, told="resolved") for alert in quiet)))
    return found


def _tell(
    definition: Definition, rule: Rule, firing: Sequence[Alert], over: Sequence[Alert], news: Sequence[Alert], keeper: str | None
) -> Tell:
    status: Status = "resolved" if over else "firing"
    notices = [notice_of(definition, alert, "firing") for alert in worst_first(definition, rule, firing)]
    notices += [notice_of(definition, alert, "resolved") for alert in worst_first(definition, rule, over)]
    return Tell(tuple(notices), tuple(replace(alert, told=status) for alert in news), keeper)


def worst_first(definition: Definition, rule: Rule, alerts: Sequence[Alert]) -> list[Alert]:
    """Those furthest beyond the threshold first; without one, the greatest, or the least where more is good news."""
    threshold = rule.when.threshold
    low = threshold.sign[0] == "<" if threshold is not None else definition.kpis[rule.when.first.kpi].spec.good == "up"
    sign = 1 if low else -1
    return sorted(alerts, key=lambda alert: (alert.value is None, sign * (alert.value or 0.0), alert.series))


def message(rule: Rule, tell: Tell, number: int, now_us: int, stem: str) -> Message:
    """The message; its key is the rule's, by which a receiver keeps one incident for all of the rule's series."""
    return Message(f"livekpi/{stem}/{rule.name}", number, rule.name, now_us, tell.notices, tell.acknowledged_by)


def receivers_of(definition: Definition, rule: Rule) -> list[str]:
    """Those that the rule tells, in the file's order."""
    return [name for name in rule.spec.notify if name in definition.spec.notify]


def rules_by_receiver(definition: Definition) -> Mapping[str, list[str]]:
    """Which rules tell each receiver."""
    found: dict[str, list[str]] = {name: [] for name in definition.spec.notify}
    for rule in definition.rules.values():
        for name in receivers_of(definition, rule):
            found[name].append(rule.name)
    return found
