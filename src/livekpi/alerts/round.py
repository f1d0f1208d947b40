"""Judging one rule: from where its buckets are to be judged, what follows for its states, and for its alerts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb

from livekpi.alerts import ledger
from livekpi.alerts.firings import Change, Heard, Judged, firings, reconcile
from livekpi.alerts.judge import Judge
from livekpi.alerts.ledger import Alert, Progress
from livekpi.alerts.machine import Run, State, Timing, advance, inactive, silent
from livekpi.alerts.readiness import Ready
from livekpi.alerts.series import Series
from livekpi.definition.definition import Definition
from livekpi.definition.rules import Rule
from livekpi.engine.plan import Plan, grouping_of
from livekpi.query.points import Query


@dataclass
class Standing:
    """What is remembered of a rule between steps."""

    progress: Progress
    states: dict[Series, State]
    """Of the series that are not `inactive`."""
    again_us: int
    """From which bucket on it is to be judged again: not all had arrived."""


@dataclass(frozen=True)
class Result:
    """What judging a rule led to."""

    standing: Standing
    changed: list[Alert]


def unheard(rule: Rule) -> Standing:
    """A rule before the first event of its sources: all that comes will be judged."""
    return Standing(Progress(rule.digest, 0, 0, 0), {}, 0)


def new(rule: Rule, ripe: Ready) -> Standing:
    """A rule that is new where there are numbers: it looks back as far as it waits, so that what has held for long enough is told now."""
    judged_us = ripe.until_us - max(Timing.of(rule.every_us, rule.for_us, rule.keep_us).for_us, rule.every_us)
    return Standing(_until(rule, judged_us), {}, judged_us)


def _until(rule: Rule, time_us: int) -> Progress:
    return Progress(rule.digest, time_us, time_us, time_us)


def earliest_us(rule: Rule, definition: Definition, time_us: int) -> int:
    """Buckets that begin before this are final at a time; a correction of them changes no alert."""
    late_us = max(definition.sources[name].late_us for kpi in rule.when.kpis for name in definition.kpis[kpi].sources)
    return (time_us - late_us) // rule.every_us * rule.every_us


class Round:
    """Judges rules by the numbers of one moment, in the caller's transaction."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, query: Query, definition: Definition, plan: Plan, now_us: int) -> None:
        self._cursor, self._definition, self._plan, self._now_us = cursor, definition, plan, now_us
        self._judge = Judge(cursor, query, definition)

    def judge(self, rule: Rule, before: Standing, ripe: Ready, touched: Mapping[str, int]) -> Result | None:
        """Judges what is new, was not complete or has been corrected, and writes what follows; None where there is nothing to judge.

        `touched` is by grouping the first bucket that commits have changed since.
        """
        start_us = self._start(rule, before, touched)
        until_us = max(ripe.until_us, before.progress.judged_us)
        if start_us >= until_us:
            return None if before.progress.judged_us else Result(replace(before, progress=_until(rule, until_us)), [])
        again = start_us < before.progress.judged_us
        states = ledger.states(self._cursor, rule.name, start_us) if again else before.states
        if again:
            # what was known then is known: only from here on it can have been silent
            states = {series: replace(state, known_us=max(start_us, state.known_us)) for series, state in states.items()}
        shares = ripe.shares(until_us, rule.every_us)
        open_at = rule.open if rule.only or rule.except_ else None
        runs = self._judge.runs(rule, start_us, until_us, open_at=open_at, shares=shares)
        judged = Judged(rule.name, rule.digest, before.progress.whole_us, before.progress.over_us, ripe.present_us, self._now_us)
        after, written, change = self._follow(rule, judged, states, runs, start_us, until_us)
        if again:
            ledger.forget_states(self._cursor, rule.name, start_us)
        ledger.save_states(self._cursor, rule.name, written)
        ledger.save_alerts(self._cursor, change.changed, change.gone)
        # what was over stays over, though the source may have proved since to be later than was thought
        over_us = max(ripe.over_us, before.progress.over_us)
        whole_us = min([over_us, *shares])
        progress = Progress(rule.digest, until_us, whole_us, over_us)
        kept = {series: state for series, state in after.items() if state.phase != "inactive"}
        return Result(Standing(progress, kept, whole_us), list(change.changed))

    def _start(self, rule: Rule, before: Standing, touched: Mapping[str, int]) -> int:
        """The first bucket to be judged."""
        judged_us = before.progress.judged_us
        if not judged_us:  # of what was before the first start only what could still be corrected
            return earliest_us(rule, self._definition, self._now_us)
        aggregates = (aggregate for kpi in rule.when.kpis for aggregate in self._definition.kpis[kpi].value.aggregates)
        corrected = [touched[key] for key in {grouping_of(self._plan, aggregate).key for aggregate in aggregates} if key in touched]
        first_us = min([judged_us, before.again_us, *corrected]) // rule.every_us * rule.every_us
        return max(first_us, earliest_us(rule, self._definition, judged_us))

    def _follow(
        self,
        rule: Rule,
        judged: Judged,
        states: Mapping[Series, State],
        runs: Mapping[Series, Sequence[Run]],
        start_us: int,
        until_us: int,
    ) -> tuple[dict[Series, State], list[tuple[Series, State]], Change]:
        """The last states, those to be written, and what becomes of the alerts."""
        timing = Timing.of(rule.every_us, rule.for_us, rule.keep_us)
        known: dict[Series, list[Alert]] = {}
        condition = "rule = ? AND meaning = ? AND (ends_us IS NULL OR ends_us > ?)"
        for alert in ledger.alerts(self._cursor, condition, [rule.name, rule.digest, start_us]):
            known.setdefault(alert.series, []).append(alert)
        after: dict[Series, State] = {}
        written: list[tuple[Series, State]] = []
        changed: list[Alert] = []
        gone: list[str] = []
        for series in {**states, **runs, **known}:
            before = states.get(series) or inactive(start_us)
            heard = list(_heard(before, runs.get(series, ()), timing, until_us))
            after[series] = heard[-1][0] if heard else before
            written += _material(series, before, heard)
            held = known.get(series, ())
            if not held and not before.fires and not any(state.fires for state, _ in heard):
                continue
            value = next((alert.value for alert in held if alert.ends_us is None), None)
            change = reconcile(judged, series, held, list(firings(before, heard, value)))
            changed += change.changed
            gone += change.gone
        return after, written, Change(tuple(changed), tuple(gone))


def _heard(state: State, runs: Sequence[Run], timing: Timing, until_us: int) -> Iterator[Heard]:
    """Each state that the runs lead to, with the number at that time."""
    value: float | None = None
    for run in runs:
        for each in advance(state, run, timing):
            yield each, run.value
            state, value = each, run.value
    for each in silent(state, until_us, timing):
        yield each, value


def _material(series: Series, before: State, heard: Sequence[Heard]) -> Iterator[tuple[Series, State]]:
    """The states that say more than that time goes on."""
    for state, _ in heard:
        if state.phase != before.phase:
            yield series, state
        before = state
