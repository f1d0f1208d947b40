"""Turns alert rules into what is judged, and checks them: conditions, dimensions, durations, notifiers."""

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from livekpi.definition.definition import Kpi, SourceDefinition
from livekpi.definition.durations import duration_text, microseconds
from livekpi.definition.file.document import Loc
from livekpi.definition.problems import ExpressionError, nearest
from livekpi.definition.report import Report
from livekpi.definition.resolve.rule_digest import rule_digest
from livekpi.definition.resolve.rule_times import Kept, rule_bucket_us, whole_buckets_us
from livekpi.definition.rules.calendars import calendars, never_open
from livekpi.definition.rules.conditions import Condition, parse_condition
from livekpi.definition.rules.rules import Rule
from livekpi.definition.rules.summaries import RULE_NAMES, Summary, parse_summary
from livekpi.definition.shape.alerting import AlertSpec, CalendarSpec
from livekpi.definition.shape.model import DefinitionSpec
from livekpi.definition.shape.notifying import NotifierSpec

_WORKDAYS = frozenset(range(5))


def resolve_alerts(
    spec: DefinitionSpec, sources: Mapping[str, SourceDefinition], kpis: Mapping[str, Kpi], keep_us: Kept, report: Report
) -> dict[str, Rule]:
    """The alert rules in the file's order, without those that have mistakes, which go to `report`.

    Notifiers that no rule names are reported as well.
    """
    lost = (spec.kpis.keys() | report.names(("kpis",))) - kpis.keys()
    resolver = _Resolver(kpis, sources, keep_us, lost, report)
    found = {name: rule for name, alert in spec.alerts.items() if (rule := resolver.rule(name, alert)) is not None}
    _check_notifiers(spec, report)
    return found


class _Resolver:
    """Resolves one rule after the other."""

    def __init__(
        self, kpis: Mapping[str, Kpi], sources: Mapping[str, SourceDefinition], keep_us: Kept, lost: AbstractSet[str], report: Report
    ) -> None:
        self._kpis, self._keep_us, self._lost, self._report = kpis, keep_us, lost, report
        self._late_us = {name: source.late_us for name, source in sources.items()}
        self._idle_us = {name: source.idle_us for name, source in sources.items()}

    def rule(self, name: str, alert: AlertSpec) -> Rule | None:
        """The rule; None where its conditions could not be read."""
        loc = ("alerts", name)
        when, clear = self._condition((*loc, "when"), alert.when), self._condition((*loc, "clear"), alert.clear)
        _check_calendars((*loc, "only"), alert.only, self._report)
        if when is None or (clear is None and alert.clear is not None):
            return None
        conditions = {"when": when} if clear is None else {"when": when, "clear": clear}
        named = frozenset[str]().union(*(condition.kpis for condition in conditions.values()))
        used = [self._kpis[kpi] for kpi in self._kpis if kpi in named]
        self._check_dimensions(loc, alert, used)
        self._check_clear(loc, conditions)
        every_us = rule_bucket_us(loc, conditions, self._kpis, self._late_us, self._keep_us, self._report)
        for_us, keep_us = (
            whole_buckets_us((*loc, key), microseconds(given), every_us, self._report)
            for key, given in (("for", alert.for_), ("keep", alert.keep))
        )
        for key, condition in conditions.items():
            self._check_idle((*loc, key), condition)
        digest = rule_digest(alert, conditions.values(), every_us, used)
        only, except_ = calendars(alert.only), calendars(alert.except_)
        if never_open(only, except_):
            self._report.key((*loc, "except"), "leaves no time in which the rule may fire", warning=True)
        summary = self._summary(loc, alert, when)
        return Rule(name, alert, when, clear, tuple(alert.by), every_us, for_us, keep_us, only, except_, alert.ready, summary, digest)

    def _condition(self, loc: Loc, text: str | None) -> Condition | None:
        if text is None or self._report.unknown(loc) or self._lost & set(re.findall(r"\w+", text)):
            return None
        try:
            condition = parse_condition(text, self._kpis)
        except ExpressionError as error:
            self._report.expression(loc, error)
            return None
        for oddity in condition.oddities:
            self._report.expression(loc, oddity, warning=True)
        return condition

    def _check_dimensions(self, loc: Loc, alert: AlertSpec, used: Sequence[Kpi]) -> None:
        for index, name in enumerate(alert.by):
            without = next((kpi for kpi in used if name not in kpi.by and kpi.name not in self._report.doubted), None)
            if without is not None:
                self._report.value((*loc, "by", index), _lacking(name, without.name, without.by))
            elif name in alert.by[:index]:
                self._report.value((*loc, "by", index), f"{name!r} stands twice; keep one")

    def _check_idle(self, loc: Loc, condition: Condition) -> None:
        """Says where it takes longer than was asked to tell that a source is silent."""
        for question, place in zip(condition.questions, condition.places, strict=True):
            idle_us = max(self._idle_us[source] for source in self._kpis[question.kpi].sources)
            if question.function == "absent" and microseconds(question.duration) < idle_us:
                idle = duration_text(idle_us)
                message = (
                    f"a source that sends nothing at all counts as silent only after its `idle`, {idle}, so no sooner is this told of it"
                )
                self._report.expression(loc, ExpressionError(message, place), warning=True)

    def _check_clear(self, loc: Loc, conditions: Mapping[str, Condition]) -> None:
        when, clear = (condition.threshold if condition else None for condition in map(conditions.get, ("when", "clear")))
        if when is not None and clear is not None and when.meets(clear):
            message = "holds for numbers for which `when` does, too; expected a threshold on the other side of that of `when`"
            self._report.value((*loc, "clear"), message, warning=True)

    def _summary(self, loc: Loc, alert: AlertSpec, when: Condition) -> Summary | None:
        if alert.summary is None:
            return None
        names = [name for name in RULE_NAMES if name != "threshold" or when.threshold is not None]
        try:
            return parse_summary(alert.summary, [*alert.by, *names])
        except ExpressionError as error:
            self._report.expression((*loc, "summary"), error)
            return None


def _lacking(name: str, kpi: str, by: tuple[str, ...]) -> str:
    has = f"it has {', '.join(by)}" if by else "it has none"
    return f"the KPI {kpi!r} is not kept by {name!r}{nearest(name, by) or f'; {has}'}"


def _check_calendars(loc: Loc, given: CalendarSpec | Sequence[CalendarSpec] | None, report: Report) -> None:
    """Says where `only` adds holidays to working days, for most who write so want them left out."""
    single = isinstance(given, CalendarSpec)
    for index, spec in enumerate([given] if isinstance(given, CalendarSpec) else given or []):
        if spec.holidays and spec.days and spec.days >= _WORKDAYS:
            message = "the rule fires on these holidays as well; to leave them out, name them under `except`"
            report.key((*loc, *(() if single else (index,)), "holidays"), message, warning=True)


def _check_notifiers(spec: DefinitionSpec, report: Report) -> None:
    notifiers = spec.notify.keys() | report.names(("notify",))
    for name, alert in spec.alerts.items():
        loc = ("alerts", name, "notify")
        for index, notifier in enumerate(alert.notify):
            if notifier not in notifiers:
                message = f"there is no notifier {notifier!r}{nearest(notifier, notifiers) or '; add it under notify'}"
                report.value((*loc, index), message)
            elif notifier in spec.notify and spec.notify[notifier].alive is not None:
                report.value((*loc, index), f"{notifier!r} is told that livekpi is alive, and nothing else; name another notifier")
        if not alert.notify and not report.left_out(loc):
            report.key(loc[:-1], f"nobody is told of {name!r}; add `notify:` with a notifier's name", warning=True)
    for name in _unused(spec.notify, spec.alerts):
        if not report.left_out(("alerts",)):
            report.key(("notify", name), f"no alert notifies {name!r}", warning=True)


def _unused(notifiers: Mapping[str, NotifierSpec], alerts: Mapping[str, AlertSpec]) -> Iterator[str]:
    """The notifiers that no alert names, though alerts are what they are for."""
    named = {name for alert in alerts.values() for name in alert.notify}
    return (name for name, spec in notifiers.items() if name not in named and spec.alive is None)
