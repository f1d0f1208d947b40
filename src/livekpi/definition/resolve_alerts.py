"""Checks alert rules: their conditions, dimensions and notifiers."""

import re
from collections.abc import Mapping

from livekpi.definition.conditions import parse_condition
from livekpi.definition.definition import Kpi
from livekpi.definition.document import Loc
from livekpi.definition.model import AlertSpec, DefinitionSpec
from livekpi.definition.problems import ExpressionError, nearest
from livekpi.definition.report import Report


def check_alerts(spec: DefinitionSpec, kpis: Mapping[str, Kpi], report: Report) -> None:
    """Reports what is wrong with the alert rules, and notifiers that none of them names."""
    lost = (spec.kpis.keys() | report.names(("kpis",))) - kpis.keys()
    notifiers = spec.notify.keys() | report.names(("notify",))
    for name, alert in spec.alerts.items():
        loc = ("alerts", name)
        for key, text in (("when", alert.when), ("clear", alert.clear)):
            if text is not None and not lost & set(re.findall(r"\w+", text)):
                _check_condition((*loc, key), text, alert, kpis, report)
        for index, notifier in enumerate(alert.notify):
            if notifier not in notifiers:
                message = f"there is no notifier {notifier!r}{nearest(notifier, notifiers) or '; add it under notify'}"
                report.value((*loc, "notify", index), message)
    used = {notifier for alert in spec.alerts.values() for notifier in alert.notify}
    for name in spec.notify:
        if name not in used and not report.left_out(("alerts",)):
            report.key(("notify", name), f"no alert notifies {name!r}", warning=True)


def _check_condition(loc: Loc, text: str, alert: AlertSpec, kpis: Mapping[str, Kpi], report: Report) -> None:
    try:
        condition = parse_condition(text, kpis)
    except ExpressionError as error:
        report.expression(loc, error)
        return
    for index, name in enumerate(alert.by):
        without = sorted(kpi for kpi in condition.kpis if name not in kpis[kpi].by)
        if without:
            report.value((*loc[:-1], "by", index), _lacking(name, without[0], kpis[without[0]].by))


def _lacking(name: str, kpi: str, by: tuple[str, ...]) -> str:
    has = f"it has {', '.join(by)}" if by else "it has none"
    return f"the KPI {kpi!r} is not kept by {name!r}{nearest(name, by) or f'; {has}'}"
