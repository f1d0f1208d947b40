"""From alerts to messages: what is to be told, to whom, unless somebody has silenced it or looks after it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from livekpi.alerts.ledger import Alert
from livekpi.alerts.links import links
from livekpi.alerts.message import Message, Notice, Status
from livekpi.alerts.series import series_values
from livekpi.alerts.summary import summary, threshold_of, unit_of
from livekpi.alerts.words import Word, covering
from livekpi.definition.definition import Definition
from livekpi.definition.rules.rules import Rule


@dataclass(frozen=True)
class Said:
    """What people have said, as far as it holds."""

    silences: Sequence[Word] = ()
    acknowledgements: Sequence[Word] = ()


@dataclass(frozen=True)
class Tell:
    """One message's notices and receivers, and the alerts with what will then have been told of them."""

    notices: tuple[Notice, ...]
    """None where an alert ends of which nothing is told."""
    told: tuple[Alert, ...]
    receivers: tuple[str, ...] = ()
    incident: str = ""
    acknowledged_by: str | None = None
    begins: bool = False
    """As of the message."""


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
        unit=unit_of(rule, definition.kpis),
        threshold=threshold_of(rule),
        note=alert.note,
        labels=rule.spec.labels,
        runbook=rule.spec.runbook,
        links=links(definition, rule, alert, series),
    )


def series_of(rule: Rule, alert: Alert) -> dict[str, str | None]:
    """The alert's dimensions by name."""
    return dict(zip(rule.by, series_values(alert.series), strict=True))


def to_tell(definition: Definition, rule: Rule, alerts: Sequence[Alert], said: Said, now_us: int) -> list[Tell]:
    """The messages that a rule's alerts need now; `alerts` are those that fire, and those whose end has not been told.

    A message names all of the rule that fires, but for what is silenced and was never told. News are what begins, that somebody looks
    after it, and, for a receiver that the rule did not tell before, all of it. What began late and is over by now is told as both.
    """
    found = _sorted(rule, alerts, said, now_us)
    incident = next((alert.incident for alert in alerts if alert.told == "firing" and alert.incident), incident_of(definition, rule.name))
    keeper = next((word.author for alert in reversed(alerts) if (word := found.keepers.get(alert.key)) is not None), None)
    like = Tell((), (), (), incident, keeper)
    tells: list[Tell] = []
    receivers = _to_hear(receivers_of(definition, rule), found)
    if receivers or found.begun:
        before = [*found.firing, *found.begun]
        notices = [notice_of(definition, alert, "firing") for alert in worst_first(definition, rule, before)]
        heard = {alert.key: _heard(alert, receivers, incident, found.keepers.get(alert.key)) for alert in before}
        news = tuple(heard[alert.key] for alert in before if heard[alert.key] != alert)
        begins = any(alert.key not in found.keepers for alert in found.begun)
        tells.append(replace(like, notices=tuple(notices), told=news, receivers=receivers, begins=begins))
        found.firing = [alert for alert in heard.values() if alert.ends_us is None]
        found.over = [heard.get(alert.key, alert) for alert in found.over]
    tells += _endings(definition, rule, found, like)
    if found.quiet:
        tells.append(Tell((), tuple(replace(alert, told="resolved") for alert in found.quiet)))
    return tells


@dataclass
class _Sorted:
    """A rule's alerts by what is to be told of them."""

    begun: list[Alert]
    """News, also of what is over by now."""
    firing: list[Alert]
    """What fires on and is no news: told before, or looked after by somebody."""
    silent: set[str]
    """The keys of those of `firing` that are silenced."""
    over: list[Alert]
    quiet: list[Alert]
    """Over, and nobody is to hear of it."""
    keepers: dict[str, Word]
    """The acknowledgements that hold, by the alerts' keys."""


def _sorted(rule: Rule, alerts: Sequence[Alert], said: Said, now_us: int) -> _Sorted:
    found = _Sorted([], [], set(), [], [], {})
    for alert in alerts:
        series = series_of(rule, alert)
        silent = covering(said.silences, rule.name, series, now_us) is not None
        keeper = covering(said.acknowledgements, rule.name, series, now_us)
        if keeper is not None:
            found.keepers[alert.key] = keeper
        quiet = silent or keeper is not None
        again = alert.told == "resolved" and alert.ends_us is None
        if (alert.told is None and not quiet) or (again and not silent):
            found.begun.append(alert)
        elif alert.ends_us is None and (alert.told == "firing" or not silent):
            found.firing.append(alert)
            found.silent |= {alert.key} if silent else set()
        if alert.ends_us is not None:
            (found.quiet if quiet and alert.told != "firing" else found.over).append(alert)
    return found


def _to_hear(receivers: Sequence[str], found: _Sorted) -> tuple[str, ...]:
    """Which of the rule's receivers there is news for, of what fires."""
    open_ = [alert for alert in found.firing if alert.told == "firing" and alert.key not in found.silent]
    kept = any(alert.key in found.keepers and found.keepers[alert.key].number != alert.acknowledgement for alert in open_)
    if found.begun or kept:
        return tuple(receivers)
    return tuple(name for name in receivers if any(name not in alert.told_to for alert in open_))


def _heard(alert: Alert, receivers: Sequence[str], incident: str, keeper: Word | None) -> Alert:
    """An alert of which receivers were told that it fires, and who looks after it."""
    told_to = tuple(dict.fromkeys([*alert.told_to, *receivers]))
    number = alert.acknowledgement if keeper is None else keeper.number
    return replace(alert, told="firing", told_to=told_to, incident=incident, acknowledgement=number)


def _endings(definition: Definition, rule: Rule, found: _Sorted, like: Tell) -> list[Tell]:
    """What is told of alerts that are over: to each receiver those of which it heard, beside what it is to know as firing."""
    own = receivers_of(definition, rule)
    alike: dict[tuple[tuple[Alert, ...], tuple[Alert, ...]], list[str]] = {}
    for name in dict.fromkeys([*own, *(name for alert in found.over for name in alert.told_to if name in definition.spec.notify)]):
        over = tuple(alert for alert in found.over if name in alert.told_to)
        if over:
            beside = tuple(alert for alert in found.firing if name in alert.told_to or (alert.told is None and name in own))
            alike.setdefault((beside, over), []).append(name)
    if found.over and not alike:  # nobody is there to hear it, and it is history all the same
        alike[tuple(found.firing), tuple(found.over)] = []
    heard: dict[str, Alert] = {alert.key: replace(alert, told="resolved") for alert in found.over}
    tells = []
    for (firing, over), names in alike.items():
        for alert in firing:
            heard[alert.key] = _heard(heard.get(alert.key, alert), names, like.incident, found.keepers.get(alert.key))
        notices = [notice_of(definition, alert, "firing") for alert in worst_first(definition, rule, firing)]
        notices += [notice_of(definition, alert, "resolved") for alert in worst_first(definition, rule, over)]
        news = tuple(alert for alert in heard.values() if alert not in found.firing)
        tells.append(replace(like, notices=tuple(notices), told=news, receivers=tuple(names)))
    return tells


def is_known(alert: Alert, receivers: Collection[str]) -> bool:
    """Whether an alert fires and all of these have been told so."""
    return alert.ends_us is None and alert.told == "firing" and set(receivers) <= set(alert.told_to)


def worst_first(definition: Definition, rule: Rule, alerts: Sequence[Alert]) -> list[Alert]:
    """The greatest first, or the least where the condition asks for less, or, where it asks for neither, where more is good news."""
    asks_more = rule.when.asks_more
    low = definition.kpis[rule.when.first.kpi].spec.good == "up" if asks_more is None else not asks_more
    sign = 1 if low else -1
    return sorted(alerts, key=lambda alert: (alert.value is None, sign * (alert.value or 0.0), alert.series))


def message(rule: Rule, tell: Tell, number: int, now_us: int) -> Message:
    """The message; its key is the incident's, by which a receiver keeps all of the rule's series as one."""
    return Message(tell.incident, number, rule.name, now_us, tell.notices, tell.acknowledged_by, tell.begins)


def incident_of(definition: Definition, rule: str) -> str:
    """The key of a rule's next incident."""
    return f"livekpi/{definition.path.stem}/{rule}"


def receivers_of(definition: Definition, rule: Rule) -> list[str]:
    """Those that the rule tells, in the file's order."""
    return [name for name in rule.spec.notify if name in definition.spec.notify]
