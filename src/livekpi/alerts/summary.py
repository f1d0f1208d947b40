"""What a notification says first."""

from collections.abc import Mapping

from livekpi.alerts.numbers import constant_text, number_text, text_beside
from livekpi.definition.definition import Kpi
from livekpi.definition.rules.rules import Rule

NULL = "∅"
"""A dimension that is null, as the page and `livekpi query` have it."""


def summary(rule: Rule, kpis: Mapping[str, Kpi], series: Mapping[str, str | None], value: float | None) -> str:
    """The rule's summary with its names filled in; without one, the number, what it is compared with and the series, such as
    ``errors_high: error_rate = 7.14 % (> 5 %), service = checkout-api``.

    `value` is the answer to the condition's first question, None where there is no number.
    """
    first, threshold = rule.when.first, rule.when.threshold
    limit, unit = threshold_of(rule), unit_of(rule, kpis)
    said = measured(value, limit, unit)
    if rule.summary is None:
        asked = f"{first.function}({first.kpi})" if first.function == "pace" else first.kpi
        compared = " (anomalous)" if first.function == "anomalous" else ""
        compared = compared if threshold is None else f" ({threshold.sign} {constant_text(threshold.number, unit)})"
        number = " ".join(rule.spec.when.split()) if value is None else f"{asked} = {said}{compared}"
        return ", ".join([f"{rule.title}: {number}", *(f"{name} = {dimension_text(series[name])}" for name in rule.by)])
    names = {
        "value": said,
        "kpi": kpis[first.kpi].spec.title or first.kpi,
        "rule": rule.name,
        "title": rule.title,
        "threshold": NULL if limit is None else constant_text(limit, unit),
    }
    # a dimension goes before what else has its name
    return rule.summary.filled(names | {name: dimension_text(series[name]) for name in rule.by})


def measured(value: float | None, threshold: float | None, unit: str | None) -> str:
    """A number with its unit, told apart from what it is compared with."""
    if value is None:
        return NULL
    return number_text(value, unit) if threshold is None else text_beside(value, threshold, unit)


def dimension_text(value: str | None) -> str:
    """A dimension for people: what is null, and what is empty, can be seen and told apart."""
    return NULL if value is None else value or '""'


def unit_of(rule: Rule, kpis: Mapping[str, Kpi]) -> str | None:
    """Of the number that a rule looks at first."""
    return "ratio" if rule.when.first.function == "pace" else kpis[rule.when.first.kpi].spec.unit


def threshold_of(rule: Rule) -> float | None:
    """What that number is compared with, where the condition is no more than that."""
    return None if rule.when.threshold is None else rule.when.threshold.number
