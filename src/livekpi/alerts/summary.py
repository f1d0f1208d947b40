"""What a notification says first."""

from collections.abc import Mapping

from livekpi.alerts.numbers import constant_text, number_text, text_beside
from livekpi.definition.definition import Kpi
from livekpi.definition.rules.rules import Rule

_NULL = "∅"


def summary(rule: Rule, kpis: Mapping[str, Kpi], series: Mapping[str, str], value: float | None) -> str:
    """The rule's summary with its names filled in; without one, the number and the series, such as
    ``errors_high: error_rate = 0.071, service = checkout-api``.

    `series` has the text of each of the rule's dimensions, empty for null; `value` is the answer to the condition's first
    question, None where there is no number.
    """
    first, threshold = rule.when.first, rule.when.threshold
    limit = threshold.number if threshold is not None else None
    said = _NULL if value is None else number_text(value) if limit is None else text_beside(value, limit)
    unit = kpis[first.kpi].spec.unit
    if rule.summary is None:
        asked = f"{first.function}({first.kpi})" if first.function == "pace" else first.kpi
        shown = f" {unit}" if unit and unit != "ratio" and first.function != "pace" else ""
        number = " ".join(rule.spec.when.split()) if value is None else f"{asked} = {said}{shown}"
        return ", ".join([f"{rule.title}: {number}", *(f"{name} = {series[name] or _NULL}" for name in rule.by)])
    names = {
        "value": said,
        "kpi": kpis[first.kpi].spec.title or first.kpi,
        "unit": unit or "",
        "rule": rule.name,
        "title": rule.title,
        "threshold": _NULL if limit is None else constant_text(limit),
    }
    # a dimension goes before what else has its name
    return rule.summary.filled(names | {name: series[name] or _NULL for name in rule.by})
