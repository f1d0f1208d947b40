"""What a backtest found, as JSON objects: the API's answer, from which the command's text is made as well."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import median
from typing import Any

from livekpi.alerts.backtest.comparison import Difference
from livekpi.alerts.backtest.doubts import held_nearly_always, never_held
from livekpi.alerts.backtest.incidents import Incident, Score, find, score, within
from livekpi.alerts.backtest.trial import Tried
from livekpi.alerts.judging.machine import Timing
from livekpi.alerts.ledger import Alert
from livekpi.alerts.series import texts_of
from livekpi.alerts.summary import unit_of
from livekpi.alerts.telling import receivers_of, series_of
from livekpi.definition.definition import Definition
from livekpi.definition.rules.rules import Rule
from livekpi.moments import time_text

Object = dict[str, Any]


def report(
    definition: Definition,
    tried: Sequence[Tried],
    incidents: Sequence[Incident] | None,
    differences: Sequence[Difference] | None,
) -> Object:
    """All of it; what was not asked for is left out."""
    judged = [each for each in tried if each.problem is None]
    found: Object = {
        "rules": [_rule(definition, each, incidents) for each in tried],
        "receivers": _receivers(definition, tried),
    }
    if incidents is not None:
        own = within(incidents, judged)
        found["score"] = _score(score(incidents, judged))
        found["incidents"] = [_incident(each.incident, each.detected_us) for each in find(own, judged)]
        found["incidents_outside"] = len(incidents) - len(own)
    if differences is not None:
        found["changes"] = [_difference(each) for each in differences]
    return found


def _rule(definition: Definition, tried: Tried, incidents: Sequence[Incident] | None) -> Object:
    rule = tried.rule
    if tried.problem is not None:
        return {"rule": rule.name, "severity": rule.spec.severity, "problem": tried.problem}
    lengths = [_length_us(alert, tried.until_us) for alert in tried.alerts]
    found = {
        "rule": rule.name,
        "severity": rule.spec.severity,
        "problem": None,
        "unit": unit_of(rule, definition.kpis),
        "from": time_text(tried.from_us),
        "to": time_text(tried.until_us),
        "pages": len(tried.messages) if receivers_of(definition, rule) else 0,
        "fired_share": _covered_us(tried) / (tried.until_us - tried.from_us),
        "median_seconds": _seconds(median(lengths)) if lengths else None,
        "longest_seconds": _seconds(max(lengths)) if lengths else None,
        "worst": _worst(tried),
        "warnings": list(_warnings(tried)),
        "alerts": [{**_alert(rule, alert), "silenced": alert.key not in tried.told} for alert in tried.alerts],
    }
    return found if incidents is None else {**found, "score": _score(score(incidents, [tried]))}


def _alert(rule: Rule, alert: Alert) -> Object:
    return {
        "series": texts_of(series_of(rule, alert)),
        "started": time_text(alert.started_us),
        "ended": None if alert.ends_us is None else time_text(alert.ends_us),
        "known": time_text(alert.judged_at_us),
        "value": alert.value,
    }


def _length_us(alert: Alert, until_us: int) -> int:
    return (until_us if alert.ends_us is None else alert.ends_us) - alert.started_us


def _covered_us(tried: Tried) -> int:
    """For how long at least one series fired."""
    covered_us, reached_us = 0, tried.from_us
    for alert in tried.alerts:
        ends_us = tried.until_us if alert.ends_us is None else alert.ends_us
        covered_us += max(0, ends_us - max(reached_us, alert.started_us))
        reached_us = max(reached_us, ends_us)
    return covered_us


def _worst(tried: Tried) -> Object | None:
    """The series that fired longest in all."""
    in_order = sorted(tried.alerts, key=lambda alert: alert.series)
    series = [list(alerts) for _, alerts in groupby(in_order, key=lambda alert: alert.series)]
    if not series:
        return None
    totals = [sum(_length_us(alert, tried.until_us) for alert in alerts) for alerts in series]
    worst = totals.index(max(totals))
    return {"series": texts_of(series_of(tried.rule, series[worst][0])), "alerts": len(series[worst]), "seconds": _seconds(totals[worst])}


def _warnings(tried: Tried) -> Iterable[str]:
    always = held_nearly_always(tried)
    if always is not None:
        yield always
    if tried.alerts:
        return
    if tried.held_us:
        for_us = Timing.of(tried.rule.every_us, tried.rule.for_us, 0).for_us
        yield f"its condition held for {_seconds(tried.held_us):g} s at most, which is shorter than its `for`, {_seconds(for_us):g} s"
    else:
        yield never_held(tried) or "nothing is known of what its condition asks"


def _receivers(definition: Definition, tried: Sequence[Tried]) -> list[Object]:
    found = []
    for name in definition.spec.notify:
        own = [each for each in tried if name in receivers_of(definition, each.rule)]
        if own:
            found.append({"receiver": name, "pages": sum(len(each.messages) for each in own), "rules": [each.rule.name for each in own]})
    return found


def _score(found: Score) -> Object:
    return {
        "alerts": found.alerts,
        "right": found.right,
        "precision": found.precision,
        "incidents": found.incidents,
        "found": found.found,
        "recall": found.recall,
        "median_seconds": None if found.median_us is None else _seconds(found.median_us),
        "worst_seconds": None if found.worst_us is None else _seconds(found.worst_us),
    }


def _incident(incident: Incident, detected_us: int | None) -> Object:
    return {
        "name": incident.name,
        "rule": incident.rule,
        "start": time_text(incident.start_us),
        "end": time_text(incident.end_us),
        "detected": None if detected_us is None else time_text(detected_us),
        "seconds": None if detected_us is None else _seconds(detected_us - incident.start_us),
    }


def _difference(found: Difference) -> Object:
    before, after = found.sides
    return {
        "rule": found.rule,
        "problem": found.problem,
        "same": found.same,
        "added": [_side(after, alert) for alert in found.added],
        "removed": [_side(before, alert) for alert in found.removed],
        "moved": [{"before": _side(before, was), "after": _side(after, is_now)} for was, is_now in found.moved],
    }


def _side(tried: Tried | None, alert: Alert) -> Object:
    return {} if tried is None else _alert(tried.rule, alert)


def _seconds(duration_us: float) -> float:
    return duration_us / 1_000_000
