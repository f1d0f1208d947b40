"""A name for all that decides when a rule fires."""

import hashlib
import json
from collections.abc import Iterable

from livekpi.definition.definition import Kpi
from livekpi.definition.durations import microseconds
from livekpi.definition.kpi_meaning import kpi_meaning
from livekpi.definition.rules.conditions import Condition
from livekpi.definition.shape.alerting import AlertSpec, CalendarSpec

_TIMELESS = {"value", "absent"}
"""The functions to which a KPI's days, holidays and targets are nothing."""


def rule_digest(alert: AlertSpec, conditions: Iterable[Condition], every_us: int, kpis: Iterable[Kpi]) -> str:
    """Twelve hex digits that change with the conditions, what their KPIs mean, and the rule's times, dimensions and calendars.

    They do not change with how somebody is told of it.
    """
    calendars = [
        [each.model_dump_json(exclude_defaults=True) for each in ([given] if isinstance(given, CalendarSpec) else given or [])]
        for given in (alert.only, alert.except_)
    ]
    times = [every_us, microseconds(alert.for_), microseconds(alert.keep), alert.ready]
    asked = list(conditions)
    by_calendar = any(question.function not in _TIMELESS for condition in asked for question in condition.questions)
    meaning = [list(map(_condition, asked)), [_kpi(kpi, by_calendar) for kpi in kpis], alert.by, times, calendars]
    return hashlib.sha256(json.dumps(meaning).encode()).hexdigest()[:12]


def _condition(condition: Condition) -> object:
    asked = [[question.kpi, question.function, microseconds(question.duration), question.percent] for question in condition.questions]
    return [condition.tree.sql(), asked]


def _kpi(kpi: Kpi, by_calendar: bool) -> object:
    times = [kpi.timezone, kpi.holidays, str(kpi.spec.target)] if by_calendar else []
    return [kpi.name, *kpi_meaning(kpi), *times]
