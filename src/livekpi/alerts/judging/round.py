"""Judging rules together: their verdicts, what follows for their states, and for their alerts."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import duckdb

from livekpi.alerts import ledger
from livekpi.alerts.judging.book import Book
from livekpi.alerts.judging.course import course
from livekpi.alerts.judging.firings import Change, Heard, Judged, firings, key_of, reconcile
from livekpi.alerts.judging.judge import Ask, Judge
from livekpi.alerts.judging.machine import Run, State, inactive
from livekpi.alerts.judging.turn import Standing, States, Turn, timing
from livekpi.alerts.judging.values import Reader
from livekpi.alerts.ledger import Alert
from livekpi.alerts.series import Series
from livekpi.query.query import Query
from livekpi.query.steps import QueryError

TOGETHER = 64
"""Rules are judged together over so many buckets at most, for some may have asked for few of them."""
Runs = Mapping[Series, Sequence[Run]]


@dataclass
class Result:
    """What judging rules led to, by their names."""

    standing: dict[str, Standing] = field(default_factory=dict)
    changed: list[Alert] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    """Why some could not be judged."""


@dataclass(frozen=True)
class _Begun:
    """A rule's turn, and how it stands at its start."""

    turn: Turn
    states: States
    from_us: int
    """From when on it is to be asked; before the start, to learn until when its series were heard of."""

    @property
    def ask(self) -> Ask:
        return Ask(self.turn.rule, self.from_us, self.turn.until_us, self.turn.shares)


@dataclass(frozen=True)
class _Judged:
    """A rule's turn, how it stands at its start, and what it says from there on."""

    turn: Turn
    states: States
    runs: Runs

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to begin, to end or to correct."""
        return not self.states and not self.runs and not self.turn.stored_after


class Round:
    """Judges rules by the numbers of one moment, in the caller's transaction."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, query: Query, judge: Judge, reader: Reader, book: Book, now_us: int) -> None:
        self._cursor, self._query, self._judge, self._reader, self._book, self._now_us = cursor, query, judge, reader, book, now_us

    def judge(self, turns: Sequence[Turn]) -> Result:
        """Judges what is to be judged, and writes what follows; alerts into the book. Of a rule that can't be judged nothing is written."""
        result = Result()
        judged = [each for group in _groups([self._begin(turn) for turn in turns]) for each in self._ask(group, result.problems)]
        known = self._known_alerts([each for each in judged if not each.quiet])
        states: list[tuple[str, Series, State]] = []
        changed: list[Alert] = []
        gone: list[str] = []
        for each in judged:
            name = each.turn.rule.name
            result.standing[name], written, change = self._follow(each, known.get(name, {}))
            states += ((name, series, state) for series, state in written)
            changed += change.changed
            gone += change.gone
        ledger.forget_states(self._cursor, {each.turn.rule.name: each.turn.start_us for each in judged if each.turn.stored_after})
        ledger.save_states(self._cursor, states)
        keys = {alert.key for by_series in known.values() for alerts in by_series.values() for alert in alerts}
        result.changed = list(self._with_own_keys(changed, keys))
        self._book.drop(gone)
        self._book.put(result.changed)
        return result

    def _begin(self, turn: Turn) -> _Begun:
        if turn.states is not None:
            return _Begun(turn, turn.states, turn.start_us)
        states = _live(ledger.states(self._cursor, turn.rule.name, turn.start_us))
        # states are kept as they change: until when they were heard of, is asked again
        from_us = max(turn.askable_us, turn.start_us - timing(turn.rule).stale_us) if states else turn.start_us
        return _Begun(turn, states, from_us)

    def _ask(self, group: Sequence[_Begun], problems: dict[str, str]) -> list[_Judged]:
        """The verdicts of rules of the same dimensions and bucket, of each that can be judged."""
        try:
            verdicts = self._judge.verdicts(self._cursor, self._query, self._reader, [each.ask for each in group])
        except QueryError as error:  # asked before anything is written, so that it is this rule's trouble alone
            if len(group) == 1:
                problems[group[0].turn.rule.name] = str(error)
                return []
            return [judged for each in group for judged in self._ask([each], problems)]
        return [_judged(each, found.runs(each.states)) for each, found in zip(group, verdicts, strict=True)]

    def _known_alerts(self, judged: Sequence[_Judged]) -> dict[str, dict[Series, list[Alert]]]:
        """The alerts at any time from each rule's start on, by rule and series."""
        start_us = {(each.turn.rule.name, each.turn.rule.digest): each.turn.start_us for each in judged}
        self._book.reach(self._cursor, min(start_us.values(), default=self._now_us))
        return self._book.since(start_us)

    def _follow(self, judged: _Judged, known: Mapping[Series, Sequence[Alert]]) -> tuple[Standing, list[tuple[Series, State]], Change]:
        """How the rule stands then, the states to be written, and what becomes of the alerts."""
        turn, done = judged.turn, judged.turn.before.progress
        telling = Judged(turn.rule.name, turn.rule.digest, done.whole_us, done.over_us, turn.present_us, self._now_us, turn.rule.every_us)
        settled: dict[Series, State] = {}
        after: dict[Series, State] = {}
        written: list[tuple[Series, State]] = []
        changed: list[Alert] = []
        gone: list[str] = []
        for series in {**judged.states, **judged.runs, **known}:
            before = judged.states.get(series) or inactive(turn.start_us)
            heard, settled[series] = _heard(turn, before, judged.runs.get(series, ()))
            after[series] = heard[-1][0] if heard else before
            written += ((series, state) for state in _material(before, heard))
            held = known.get(series, ())
            if not held and not before.fires and not any(state.fires for state, _ in heard):
                continue
            value = next((alert.value for alert in held if alert.ends_us is None), None)
            own = reconcile(telling, series, held, list(firings(before, heard, value)))
            changed += own.changed
            gone += own.gone
        standing = Standing(
            turn.progress,
            _live(after),
            turn.whole_us,
            _live(settled) if turn.start_us <= turn.whole_us else None,
            turn.shares,
            written=any(state.at_us > turn.whole_us for _, state in written),
        )
        return standing, written, Change(tuple(changed), tuple(gone))

    def _with_own_keys(self, changed: Sequence[Alert], known: Collection[str]) -> Iterator[Alert]:
        """An alert whose beginning was corrected keeps its key, so that a new one that begins where it did needs another."""
        taken = ledger.taken(self._cursor, [alert.key for alert in changed if alert.key not in known])
        for alert in changed:
            own = alert
            while own.key in taken:
                own = replace(own, key=key_of(own.key))
                taken |= ledger.taken(self._cursor, [own.key])
            yield own


def _groups(begun: Sequence[_Begun]) -> list[list[_Begun]]:
    """What can be judged together: rules of the same dimensions and bucket, unless one of them looks far back."""
    found: dict[tuple[tuple[str, ...], int], list[_Begun]] = {}
    for each in begun:
        found.setdefault((each.turn.rule.by, each.turn.rule.every_us), []).append(each)
    groups: list[list[_Begun]] = []
    for (_, every_us), own in found.items():
        span_us = max(each.turn.until_us for each in own) - min(each.from_us for each in own)
        groups += [own] if span_us <= TOGETHER * every_us else [[each] for each in own]
    return groups


def _judged(begun: _Begun, runs: Runs) -> _Judged:
    """What was heard from the start on; what was heard before it only tells when a series was heard of last."""
    turn, start_us = begun.turn, begun.turn.start_us
    if begun.from_us == start_us:
        return _Judged(turn, begun.states, runs)
    states = {
        series: replace(state, known_us=_known_us(state, runs.get(series, ()), begun.from_us, start_us))
        for series, state in begun.states.items()
    }
    return _Judged(turn, states, {series: _between(own, start_us, turn.until_us) for series, own in runs.items()})


def _known_us(state: State, runs: Sequence[Run], from_us: int, until_us: int) -> int:
    """Up to when a series was heard of, as runs tell of buckets in [from, until); had it been silent since before, it had ended."""
    return max([state.known_us, from_us, *(run.to_us for run in _between(runs, from_us, until_us))])


def _heard(turn: Turn, before: State, runs: Sequence[Run]) -> tuple[list[Heard], State]:
    """The states that a series goes through, and the one at the time up to which it is settled then."""
    own = timing(turn.rule)
    whole_us = max(turn.start_us, turn.whole_us)
    heard = list(course(before, _between(runs, turn.start_us, whole_us), own, whole_us)) if whole_us > turn.start_us else []
    settled = heard[-1][0] if heard else before
    return [*heard, *course(settled, _between(runs, whole_us, turn.until_us), own, turn.until_us)], settled


def _between(runs: Sequence[Run], from_us: int, to_us: int) -> list[Run]:
    """What runs say of a range of time."""
    return [_clipped(run, from_us, to_us) for run in runs if run.to_us > from_us and run.from_us < to_us]


def _clipped(run: Run, from_us: int, to_us: int) -> Run:
    if from_us <= run.from_us and run.to_us <= to_us:
        return run
    return replace(run, from_us=max(run.from_us, from_us), to_us=min(run.to_us, to_us))


def _material(before: State, heard: Sequence[Heard]) -> Iterator[State]:
    """The states that say more than that time goes on."""
    for state, _ in heard:
        if state.phase != before.phase:
            yield state
        before = state


def _live(states: States) -> dict[Series, State]:
    return {series: state for series, state in states.items() if state.phase != "inactive"}
