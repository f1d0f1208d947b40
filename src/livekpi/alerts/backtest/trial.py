"""Rules tried on history: judged over what a store holds, by the code that judges live, as if it were coming in now.

Differs from what was live in that every number is complete: what was judged too early, and corrected, is not played again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np

from livekpi.alerts import words
from livekpi.alerts.backtest.arrival import Activity, Wait, activity, judged_at_us
from livekpi.alerts.backtest.nearest import Nearest, is_comparison, nearer, nearest
from livekpi.alerts.backtest.panel import Panels
from livekpi.alerts.backtest.retelling import retell
from livekpi.alerts.judging.answers import Answers
from livekpi.alerts.judging.course import course
from livekpi.alerts.judging.firings import Heard, Judged, firings, reconcile
from livekpi.alerts.judging.judge import Ask, Judge, Verdicts
from livekpi.alerts.judging.machine import Run, State, Timing, inactive
from livekpi.alerts.judging.readiness import Arrivals, ready, sources_of, zero_sources
from livekpi.alerts.judging.silence import Silence, goes_on
from livekpi.alerts.ledger import Alert
from livekpi.alerts.message import Message
from livekpi.alerts.series import Series, steps_of
from livekpi.alerts.telling import Said
from livekpi.definition.definition import Definition
from livekpi.definition.durations import microseconds
from livekpi.definition.rules.rules import Rule
from livekpi.engine.plan import grouping_of, make_plan, partial_of
from livekpi.query.query import Query
from livekpi.query.steps import HOUR_US, QueryError
from livekpi.store import catalog

CELLS = 4_000_000
"""So many buckets, each of each series, are judged at once: a year of ten series at one minute takes two turns."""


@dataclass
class Tally:
    """How much of history a rule could be judged in, while its calendars let it fire."""

    buckets: int = 0
    """In how many it is known of any series whether its condition holds."""
    known: int = 0
    """The same, counted of each series."""
    held: int = 0
    """In how many of these it holds."""

    def add(self, verdicts: Verdicts) -> None:
        known = verdicts.known
        self.buckets += int(np.count_nonzero(known.any(axis=0)))
        self.known += int(np.count_nonzero(known))
        self.held += int(np.count_nonzero(verdicts.holds))


@dataclass(frozen=True)
class Tried:
    """A rule over a range of history."""

    rule: Rule
    from_us: int
    until_us: int
    """Where the judged buckets begin and end; the same where none could be judged."""
    alerts: tuple[Alert, ...] = ()
    """In the order in which they began; `judged_at_us` and `ended_at_us` are when that would have been found."""
    messages: tuple[Message, ...] = ()
    """What each of its receivers would have been told."""
    told: frozenset[str] = frozenset()
    """The keys of the alerts that a message named."""
    held_us: int = 0
    """For how long its condition held at most, at one series and without a break."""
    tally: Tally = field(default_factory=Tally)
    nearest: Nearest | None = None
    """Where its condition, one comparison of numbers, came nearest to holding, if it never held."""
    problem: str | None = None
    """Why it could not be judged."""


@dataclass
class _Courses:
    """What has been heard so far, by series."""

    states: dict[Series, State] = field(default_factory=dict)
    heard: dict[Series, list[Heard]] = field(default_factory=dict)
    holding: dict[Series, tuple[int, int]] = field(default_factory=dict)
    held_us: int = 0

    @property
    def open(self) -> set[Series]:
        """Those to go on with though their condition may hold no more."""
        return {series for series, state in self.states.items() if state.phase != "inactive"}

    def follow(self, runs: dict[Series, list[Run]], timing: Timing, from_us: int, until_us: int) -> None:
        """Goes on with the verdicts of the next buckets."""
        for series in {**self.states, **runs}:
            before = self.states.get(series) or inactive(from_us)
            for state, value in course(before, runs.get(series, ()), timing, until_us):
                if state.fires or before.fires:
                    self.heard.setdefault(series, []).append((state, value))
                before = state
            self.states[series] = before
        for series, own in runs.items():
            self._hold(series, own)

    def _hold(self, series: Series, runs: Sequence[Run]) -> None:
        for run in runs:
            if run.when:
                begun_us, until_us = self.holding.get(series, (run.from_us, run.from_us))
                self.holding[series] = (begun_us if until_us == run.from_us else run.from_us, run.to_us)
                self.held_us = max(self.held_us, run.to_us - self.holding[series][0])


class Backtest:
    """Tries a definition's rules over one snapshot of a store."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, definition: Definition, now_us: int) -> None:
        """`now_us` is the time up to which the store has been fed, as for Query."""
        self._cursor, self._definition, self._now_us = cursor, definition, now_us
        self._plan = make_plan(definition)
        self._silence = Silence(definition)
        self._silence.load(cursor)
        self._query = Query(cursor, definition, self._plan, now_us, self._silence.until_us)
        self._panels, self._judge = Panels(cursor, self._query, self._plan), Judge(definition)
        self._kept = catalog.kept(cursor).since
        self._arrivals = Arrivals(definition)
        self._arrivals.load(dict(cursor.execute("SELECT source, state FROM lateness").fetchall()))
        self._said = Said(words.words(cursor, "silences"), words.words(cursor, "acknowledgements"))
        self._activities: dict[str, Activity] = {}

    def try_rule(self, rule: Rule, from_us: int | None = None, to_us: int | None = None) -> Tried:
        """Judges the buckets in [from, to), or all that there are."""
        missing = self._missing(rule)
        if missing:
            return Tried(rule, 0, 0, problem=f"what the store holds is not what it asks for: {', '.join(missing)}")
        try:
            found = self._range(rule, from_us, to_us)
            return self._try(rule, *found) if found is not None else Tried(rule, 0, 0, problem="there is no history to judge it by")
        except QueryError as error:
            return Tried(rule, 0, 0, problem=str(error))

    def _missing(self, rule: Rule) -> list[str]:
        """The KPIs whose numbers are not there, or are those of another expression."""
        found = []
        for name in dict.fromkeys(question.kpi for question in rule.questions):
            for aggregate in self._definition.kpis[name].value.aggregates:
                if partial_of(aggregate).key not in self._kept.get(grouping_of(self._plan, aggregate).key, {}):
                    found.append(f"{name} is new, or has another meaning than what is stored")
                    break
        return found

    def _range(self, rule: Rule, from_us: int | None, to_us: int | None) -> tuple[int, int, int] | None:
        """Where to begin to judge, from where on it counts, and up to where; None where that is nowhere."""
        ripe = ready(rule, self._definition, self._query.known, self._arrivals, self._silence, self._now_us)
        first = [
            span[0] for question in rule.questions if (span := self._query.kept.span_us(self._definition.kpis[question.kpi])) is not None
        ]
        if ripe is None or not first:
            return None
        every_us = rule.every_us
        begin_us = max([min(first) // every_us * every_us, *(-(-fine // every_us) * every_us for fine in self._fine(rule))])
        counted_us = begin_us if from_us is None else max(begin_us, -(-from_us // every_us) * every_us)
        # as a new rule does: what has held for long enough at the beginning fires there
        warm_us = max(begin_us, counted_us - max(Timing.of(every_us, rule.for_us, rule.keep_us).for_us, every_us))
        whole_us = min([ripe.until_us, *ripe.shares(ripe.until_us, every_us)])  # what is not complete yet is no history
        until_us = whole_us if to_us is None else min(whole_us, to_us // every_us * every_us)
        return (counted_us if from_us is None else warm_us, counted_us, until_us) if counted_us < until_us else None

    def _fine(self, rule: Rule) -> Iterator[int]:
        """From when on each number is kept at a grain at which the rule can be judged."""
        for question in rule.questions:
            for aggregate in self._definition.kpis[question.kpi].value.aggregates:
                back_us = microseconds(question.duration) + aggregate.over_us
                back_us += HOUR_US if question.duration.days else 0  # a day may have an hour more
                for grain_us, before_us in self._query.known.rolled(grouping_of(self._plan, aggregate)):
                    if rule.every_us % grain_us:
                        yield before_us + back_us

    def _try(self, rule: Rule, begin_us: int, from_us: int, until_us: int) -> Tried:
        timing, courses, tally = Timing.of(rule.every_us, rule.for_us, rule.keep_us), _Courses(), Tally()
        size_us = max(1, CELLS // max(1, self._series(rule, until_us))) * rule.every_us
        near: Nearest | None = None
        for chunk_us in range(begin_us, until_us, size_us):
            end_us = min(chunk_us + size_us, until_us)
            (verdicts,) = self._judge.verdicts(self._cursor, self._query, self._panels, [Ask(rule, chunk_us, end_us)])
            courses.follow(verdicts.runs(courses.open), timing, chunk_us, end_us)
            tally.add(verdicts)
            near = None if tally.held else nearer(near, self._nearest(rule, verdicts, chunk_us, end_us))
        waits = self._waits(rule)
        alerts = [alert for series, heard in courses.heard.items() for alert in self._alerts(rule, series, heard, waits, until_us)]
        alerts.sort(key=lambda alert: (alert.started_us, alert.series))
        retold = retell(self._definition, rule, alerts, self._said, max(self._now_us, until_us))
        return Tried(rule, from_us, until_us, tuple(alerts), retold.messages, retold.told, courses.held_us, tally, near)

    def _nearest(self, rule: Rule, verdicts: Verdicts, from_us: int, until_us: int) -> Nearest | None:
        if not is_comparison(rule.when) or verdicts.holds.any():
            return None
        steps = steps_of(from_us, until_us, rule.every_us)
        _, answers = Answers(self._cursor, self._query, self._definition, self._panels).ask(rule.questions, steps, rule.by)
        return nearest(self._cursor, rule.when, verdicts, answers)

    def _series(self, rule: Rule, until_us: int) -> int:
        kpis = [self._definition.kpis[name] for name in rule.kpis]
        return max(self._query.known_series(kpi, rule.by, until_us).num_rows for kpi in kpis) if rule.by else 1

    def _alerts(self, rule: Rule, series: Series, heard: Sequence[Heard], waits: Sequence[Wait], until_us: int) -> Iterator[Alert]:
        before = inactive(0)
        for firing in firings(before, heard, None):
            found_us = self._found_us(rule, waits, firing.started_us)
            judged = Judged(
                rule.name, rule.digest, firing.started_us - 1, until_us, max(until_us, firing.started_us), found_us, rule.every_us
            )
            for alert in reconcile(judged, series, (), [firing]).changed:
                yield alert if firing.ends_us is None else replace(alert, ended_at_us=self._found_us(rule, waits, firing.ends_us))

    def _found_us(self, rule: Rule, waits: Sequence[Wait], end_us: int) -> int:
        return min(judged_at_us(rule, waits, end_us), max(end_us, self._now_us))

    def _waits(self, rule: Rule) -> list[Wait]:
        found, zeros = [], zero_sources(rule, self._definition)
        for name in sources_of(rule, self._definition):
            if name not in self._activities:
                self._activities[name] = activity(self._cursor, self._plan, self._definition, name, self._kept)
            wait_us = self._arrivals.wait_us(name, rule.every_us, rule.ready)
            found.append(Wait(self._activities[name], wait_us, name in zeros and goes_on(self._definition.sources[name])))
        return found
