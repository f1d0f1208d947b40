"""Judging one rule: from where its buckets are to be judged, what follows for its states, and for its alerts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import gcd
from zoneinfo import ZoneInfo

import duckdb

from livekpi.alerts import ledger
from livekpi.alerts.judging.course import course
from livekpi.alerts.judging.firings import Change, Heard, Judged, firings, key_of, reconcile
from livekpi.alerts.judging.judge import Judge
from livekpi.alerts.judging.machine import Run, State, Timing, inactive
from livekpi.alerts.judging.readiness import Ready
from livekpi.alerts.ledger import Alert, Progress
from livekpi.alerts.series import Series
from livekpi.definition.conditions import Question
from livekpi.definition.definition import Definition, microseconds
from livekpi.definition.rules import Rule
from livekpi.engine.plan import Plan, grouping_of
from livekpi.query.points import Query
from livekpi.query.steps import shift


@dataclass
class Standing:
    """What is remembered of a rule between steps."""

    progress: Progress
    states: dict[Series, State]
    """Of the series that are not `inactive`."""
    again_us: int
    """From which bucket on it is to be judged again: not all had arrived. 0 where it was taken up from the store."""


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
    judged_us = ripe.until_us - max(_timing(rule).for_us, rule.every_us)
    return Standing(_until(rule, judged_us), {}, judged_us)


def _until(rule: Rule, time_us: int) -> Progress:
    return Progress(rule.digest, time_us, time_us, time_us)


def earliest_us(rule: Rule, definition: Definition, time_us: int) -> int:
    """Buckets that begin before this are final at a time; a correction of them changes no alert."""
    late_us = max(definition.sources[name].late_us for kpi in rule.kpis for name in definition.kpis[kpi].sources)
    return (time_us - late_us) // rule.every_us * rule.every_us


class Round:
    """Judges rules by the numbers of one moment, in the caller's transaction."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, query: Query, definition: Definition, plan: Plan, now_us: int) -> None:
        self._cursor, self._query, self._definition, self._plan, self._now_us = cursor, query, definition, plan, now_us
        self._judge = Judge(cursor, query, definition)

    def judge(self, rule: Rule, before: Standing, ripe: Ready, touched: Mapping[str, int]) -> Result | None:
        """Judges what is new, was not complete or has been corrected, and writes what follows; None where there is nothing to judge.

        `touched` is by grouping the first bucket that commits have changed since.
        """
        askable_us = self._askable_us(rule)
        start_us = max(askable_us, self._start(rule, before, touched))
        until_us = max(ripe.until_us, before.progress.judged_us)
        if start_us >= until_us:
            return None if before.progress.judged_us else Result(replace(before, progress=_until(rule, until_us)), [])
        again = min(start_us, before.again_us) < before.progress.judged_us
        states = ledger.states(self._cursor, rule.name, start_us) if again else before.states
        from_us = start_us
        if again and any(state.phase != "inactive" for state in states.values()):
            # states are kept as they change: until when they were heard of, is asked again
            from_us = max(askable_us, start_us - _timing(rule).stale_us)
        shares = ripe.shares(until_us, rule.every_us)
        open_at = rule.open if rule.only or rule.except_ else None
        runs = self._judge.runs(rule, from_us, until_us, open_at=open_at, shares=shares)
        if from_us < start_us:
            states = {
                series: replace(state, known_us=_known_us(state, runs.get(series, ()), from_us, start_us))
                for series, state in states.items()
            }
            runs = {series: list(_from(own, start_us)) for series, own in runs.items()}
        # a source that was waited for no longer may be heard of again: what was over is past all the same
        present_us = max(ripe.present_us, before.progress.over_us)
        judged = Judged(rule.name, rule.digest, before.progress.whole_us, before.progress.over_us, present_us, self._now_us, rule.every_us)
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
        aggregates = (aggregate for kpi in rule.kpis for aggregate in self._definition.kpis[kpi].value.aggregates)
        corrected = [touched[key] for key in {grouping_of(self._plan, aggregate).key for aggregate in aggregates} if key in touched]
        first_us = min([judged_us, before.again_us, *corrected]) // rule.every_us * rule.every_us
        return max(first_us, earliest_us(rule, self._definition, before.progress.over_us))

    def _askable_us(self, rule: Rule) -> int:
        """From which bucket on all that a rule asks is kept in buckets that are fine enough."""
        return -(-max(self._kept_from_us(rule, question) for question in rule.questions) // rule.every_us) * rule.every_us

    def _kept_from_us(self, rule: Rule, question: Question) -> int:
        kpi = self._definition.kpis[question.kpi]
        windows = [part.over_us for part in kpi.value.aggregates if part.over_us > rule.every_us]
        kept_us = self._query.kept_from_us(kpi, gcd(rule.every_us, *windows))
        if not kept_us:
            return 0
        kept_us += max([0, *windows])
        back_us = -(-microseconds(question.duration) // rule.every_us) * rule.every_us
        # so long before by the wall clock
        return kept_us + back_us + max(0, kept_us - shift(kept_us + back_us, question.duration, ZoneInfo(kpi.timezone)))

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
        timing = _timing(rule)
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
            heard = list(course(before, runs.get(series, ()), timing, until_us))
            after[series] = heard[-1][0] if heard else before
            written += _material(series, before, heard)
            held = known.get(series, ())
            if not held and not before.fires and not any(state.fires for state, _ in heard):
                continue
            value = next((alert.value for alert in held if alert.ends_us is None), None)
            change = reconcile(judged, series, held, list(firings(before, heard, value)))
            changed += change.changed
            gone += change.gone
        keys = {alert.key for own in known.values() for alert in own}
        return after, written, Change(tuple(self._with_own_keys(changed, keys)), tuple(gone))

    def _with_own_keys(self, changed: Sequence[Alert], known: Collection[str]) -> Iterator[Alert]:
        """An alert whose beginning was corrected keeps its key, so that a new one that begins where it did needs another."""
        taken = ledger.taken(self._cursor, [alert.key for alert in changed if alert.key not in known])
        for alert in changed:
            own = alert
            while own.key in taken:
                own = replace(own, key=key_of(own.key))
                taken |= ledger.taken(self._cursor, [own.key])
            yield own


def _timing(rule: Rule) -> Timing:
    return Timing.of(rule.every_us, rule.for_us, rule.keep_us)


def _known_us(state: State, runs: Sequence[Run], from_us: int, until_us: int) -> int:
    """Up to when a series was heard of, as runs tell of buckets in [from, until); had it been silent since before, it had ended."""
    ends = (min(run.to_us, until_us) for run in runs if run.from_us < until_us and (run.when is not None or run.clear is not None))
    return max([state.known_us, from_us, *ends])


def _from(runs: Sequence[Run], from_us: int) -> Iterator[Run]:
    """What runs say from a time on."""
    return (replace(run, from_us=max(run.from_us, from_us)) for run in runs if run.to_us > from_us)


def _material(series: Series, before: State, heard: Sequence[Heard]) -> Iterator[tuple[Series, State]]:
    """The states that say more than that time goes on."""
    for state, _ in heard:
        if state.phase != before.phase:
            yield series, state
        before = state
