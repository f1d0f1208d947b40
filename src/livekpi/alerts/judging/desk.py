"""Where rules are judged: what has become ready, and what was corrected, becomes states, alerts and messages in one transaction."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace

import duckdb
import structlog

from livekpi.alerts import ledger, refusals, words
from livekpi.alerts.acknowledging import end_idle
from livekpi.alerts.judging.anomalies import Anomalies
from livekpi.alerts.judging.book import Book
from livekpi.alerts.judging.held import Held
from livekpi.alerts.judging.judge import Judge
from livekpi.alerts.judging.readiness import Arrivals, Ready, ready
from livekpi.alerts.judging.round import Round
from livekpi.alerts.judging.silence import Silence
from livekpi.alerts.judging.turn import Standing, Turn, Turns, earliest_us, new, unheard
from livekpi.alerts.ledger import Alert
from livekpi.alerts.message import Message, Notice
from livekpi.alerts.series import series_values
from livekpi.alerts.telling import Said, Tell, is_known, message, receivers_of, to_tell
from livekpi.clock import ATTENTIVE_US, Clock, due
from livekpi.commit import Commit
from livekpi.definition.definition import Definition
from livekpi.definition.rules.rules import Rule
from livekpi.engine.plan import Plan
from livekpi.query.query import Query
from livekpi.store.positions import Quiet

_log = structlog.get_logger(__name__)
Transaction = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]
LEARNED_US = 60_000_000
"""How often it is kept how late events come."""
KEPT_US = 90 * 86_400_000_000
"""How long it is kept what was told."""


@dataclass
class Outcome:
    """What a step did."""

    changed: list[Alert] = field(default_factory=list)
    """Alerts that began, ended or were corrected, as they are now."""
    messages: list[Message] = field(default_factory=list)
    receivers: set[str] = field(default_factory=set)
    """Who has something waiting."""
    judged: int = 0
    """How many rules were judged."""
    more: bool = False
    """Whether there is more to be learned of what is usual, so that the next step should come at once."""


class Desk:
    """Judges a definition's rules. `step` belongs to one thread at a time; `on_commit` may come from any."""

    def __init__(self, definition: Definition, plan: Plan, transaction: Transaction, clock: Clock) -> None:
        """`transaction` opens one in which what is read is of one moment."""
        self.arrivals, self._silence = Arrivals(definition), Silence(definition, clock.now_us())
        self._anomalies, self._judge, self._held, self._book = Anomalies(definition), Judge(definition), Held(), Book()
        self._definition, self._plan, self._transaction, self._clock = definition, plan, transaction, clock
        self._rules = list(definition.rules.values())
        self._guard = threading.Lock()
        self._touched: dict[str, int] = {}
        self._refusals: dict[str, str | None] = {}
        self._standing: dict[str, Standing] | None = None
        self.problems: Mapping[str, str] = {}
        """Why rules could not be judged in the last step, by their names."""
        self._learned_us: int | None = None
        self._stepped_us = clock.now_us()

    def on_commit(self, commit: Commit) -> None:
        """Hears of a commit; quick."""
        first = {key: min(buckets) for key, buckets in commit.touched.items() if buckets}
        # after what was the last event so far, buckets without events may be known to be 0 now
        before = {each.key: time for source, time in commit.before_us.items() for each in self._plan.groupings.get(source, ())}
        with self._guard:
            for key, start_us in first.items():
                self._touched[key] = min(start_us, before.get(key, start_us), self._touched.get(key, start_us))

    def on_quiet(self, quiet: Mapping[str, Quiet]) -> None:
        """Hears which sources have nothing unread, all of them in the store; quick."""
        self._silence.heard(quiet)

    def refused(self, receiver: str, reason: str) -> None:
        """Hears that a receiver will never take what it is told."""
        with self._guard:
            self._refusals[receiver] = reason

    def taken(self, receiver: str) -> None:
        """Hears that a receiver took what it was told."""
        with self._guard:
            self._refusals[receiver] = None

    def step(self, busy_us: int | None = None) -> Outcome:
        """Judges what is ready, and writes what follows. After an error the next step begins from what is in the store.

        Where time goes on by itself, `busy_us` is how much of it the last step took; None where somebody moves the clock on purpose.
        """
        outcome, now_us = Outcome(), self._clock.now_us()
        if busy_us is not None:
            self._note_gap(now_us, busy_us)
        if not self._rules and self._standing is not None and not due(now_us, self._learned_us, LEARNED_US) and not self._refusals:
            return outcome
        with self._guard:
            touched, self._touched = self._touched, {}
            heard, self._refusals = self._refusals, {}
        try:
            with self._transaction() as cursor:
                standing = self._load(cursor, now_us, outcome) if self._standing is None else self._standing
                found = self._judge_all(cursor, standing, touched, now_us, outcome)
                said = self._tell_all(cursor, now_us, outcome)
                for receiver, reason in heard.items():
                    self._note_refusal(cursor, receiver, reason, now_us, outcome)
                self._book.write(cursor)
                if outcome.changed:  # by which they were judged: who knows less after a crash would judge them otherwise
                    self._keep_lateness(cursor)
                if self._standing is None or (said.acknowledgements and any(alert.ends_us is not None for alert in outcome.changed)):
                    end_idle(cursor, self._definition, now_us)
                self._keep_house(cursor, now_us)
        except BaseException:
            self._standing = None
            self._anomalies.forget()
            self._held.forget()
            self._book.forget()
            with self._guard:
                self._refusals = {**heard, **self._refusals}
            raise
        self._standing = {**standing, **found}
        return outcome

    def _note_gap(self, now_us: int, busy_us: int) -> None:
        """Listens anew where the machine slept, or its clock was set, since the last step: nobody has heard how that time went."""
        if abs(now_us - self._stepped_us - busy_us) > ATTENTIVE_US:
            self._silence.listen_anew(now_us)
        self._stepped_us = now_us

    def _load(self, cursor: duckdb.DuckDBPyConnection, now_us: int, outcome: Outcome) -> dict[str, Standing]:
        """Takes up from the store; rules that are gone, or mean something else now, are brought to an end."""
        self._book.reach(cursor, now_us)
        ledger.give_up_others(cursor, list(self._definition.spec.notify), now_us)
        known = ledger.progress(cursor)
        for name in [name for name, each in known.items() if self._meaning(name) != each.digest]:
            self._end_rule(cursor, name, now_us, outcome)
            del known[name]
        for alert in self._book.firing(refusals.RULE):
            (receiver,) = series_values(alert.series)
            if receiver is not None and receiver not in self._definition.spec.notify:
                self._note_refusal(cursor, receiver, None, now_us, outcome)
        self._silence.load(cursor)
        if self._learned_us is None:
            self.arrivals.load(dict(cursor.execute("SELECT source, state FROM lateness").fetchall()))
        # what was committed while nobody listened may have corrected anything, so all is judged again that could be
        return {name: Standing(each, ledger.states(cursor, name), 0) for name, each in known.items()}

    def _meaning(self, name: str) -> str | None:
        rule = self._definition.rules.get(name)
        return None if rule is None else rule.digest

    def _end_rule(self, cursor: duckdb.DuckDBPyConnection, name: str, now_us: int, outcome: Outcome) -> None:
        """Ends the alerts of a rule that is no more, and says so to those who were told of them."""
        over = [replace(alert, ends_us=now_us, ended_at_us=now_us) for alert in self._book.firing(name)]
        self._book.put(replace(alert, told="resolved") for alert in over)
        ledger.forget_rule(cursor, name)
        told = [alert for alert in over if alert.told == "firing"]
        notices = ledger.last_notices(cursor, name, [alert.key for alert in told])
        ends: dict[tuple[str, tuple[str, ...]], list[Notice]] = {}
        for alert in told:
            if alert.key in notices and alert.incident is not None:
                receivers = tuple(receiver for receiver in alert.told_to if receiver in self._definition.spec.notify)
                notice = replace(notices[alert.key], status="resolved", ends_us=now_us)
                ends.setdefault((alert.incident, receivers), []).append(notice)
        numbers = ledger.next_numbers(cursor, len(ends))
        found = [
            (Message(incident, number, name, now_us, tuple(own)), receivers)
            for number, ((incident, receivers), own) in zip(numbers, ends.items(), strict=True)
        ]
        self._send(cursor, found, outcome)
        outcome.changed += over

    def _judge_all(
        self,
        cursor: duckdb.DuckDBPyConnection,
        standing: Mapping[str, Standing],
        touched: Mapping[str, int],
        now_us: int,
        outcome: Outcome,
    ) -> dict[str, Standing]:
        query = Query(cursor, self._definition, self._plan, now_us, self._silence.until_us)
        touched = self._with_zeros(touched, self._silence.look(cursor, query.known, now_us))
        ripe = {rule.name: ready(rule, self._definition, query.known, self.arrivals, self._silence, now_us) for rule in self._rules}
        outcome.more = self._learn(cursor, query, ripe, now_us)
        self._held.touched(touched)
        found: dict[str, Standing] = {}
        turns: list[Turn] = []
        whose = Turns(query, self._definition, self._plan, now_us)
        for rule in self._rules:
            before, there = standing.get(rule.name), ripe[rule.name]
            if there is not None:
                turn = whose.turn(rule, before or new(rule, there), there, {} if before is None else touched)
                if isinstance(turn, Turn):
                    turns.append(turn)
                elif turn is not None:
                    found[rule.name] = turn
            elif before is None:
                found[rule.name] = unheard(rule)
        result = Round(cursor, query, self._judge, self._held.over(query), self._book, now_us).judge(turns)
        outcome.changed += result.changed
        outcome.judged = len(result.standing)
        found |= result.standing
        for name in result.problems.keys() & standing.keys():  # what commits have changed is forgotten, so all is judged again then
            found[name] = replace(standing[name], again_us=0, settled=None)
        news = {name: each.progress for name, each in found.items() if name not in standing or standing[name].progress != each.progress}
        ledger.save_progress(cursor, news)
        self._note_problems(result.problems)
        return found

    def _with_zeros(self, touched: Mapping[str, int], silent: Mapping[str, int]) -> Mapping[str, int]:
        """What commits changed, and the buckets that count 0 now because their sources were silent."""
        found = dict(touched)
        for source, from_us in silent.items():
            for grouping in self._plan.groupings.get(source, ()):
                found[grouping.key] = min(from_us, found.get(grouping.key, from_us))
        return found

    def _note_problems(self, found: Mapping[str, str]) -> None:
        for name, problem in found.items():
            if self.problems.get(name) != problem:
                _log.error("a rule can't be judged now; the others are", rule=name, error=problem)
        self.problems = dict(found)

    def _learn(self, cursor: duckdb.DuckDBPyConnection, query: Query, ripe: Mapping[str, Ready | None], now_us: int) -> bool:
        """Learns what is usual, from the buckets that are over; returns whether there is more to be learned at once."""
        until: dict[str, int] = {}
        for rule in self._rules:
            there = ripe[rule.name]
            if there is not None:
                until |= {kpi: min(there.over_us, until.get(kpi, there.over_us)) for kpi in rule.kpis}
        return self._anomalies.learn(cursor, query, until, now_us)

    def _tell_all(self, cursor: duckdb.DuckDBPyConnection, now_us: int, outcome: Outcome) -> Said:
        """Tells what is news; returns what people have said of what there is to tell."""
        open_ = self._book.open()
        if not open_:
            return Said()
        said = Said(*words.holding(cursor, now_us))
        hear = {rule.name: set(receivers_of(self._definition, rule)) for rule in self._rules}
        if not said.acknowledgements and all(is_known(alert, hear.get(alert.rule, ())) for alert in open_):
            return said  # there is no news
        tells: list[tuple[Rule, Tell]] = []
        for rule in self._rules:
            own = [alert for alert in open_ if alert.rule == rule.name]
            tells += ((rule, tell) for tell in to_tell(self._definition, rule, own, said, now_us))
        self._book.put(alert for _, tell in tells for alert in tell.told)  # one that began and is over is told as both, the end last
        tells = [(rule, tell) for rule, tell in tells if tell.notices]
        numbers = ledger.next_numbers(cursor, len(tells))
        found = [(message(rule, tell, number, now_us), tell.receivers) for number, (rule, tell) in zip(numbers, tells, strict=True)]
        self._send(cursor, found, outcome)
        return said

    def _note_refusal(self, cursor: duckdb.DuckDBPyConnection, receiver: str, reason: str | None, now_us: int, outcome: Outcome) -> None:
        """That a receiver refuses is an alert of its own, told to the others; it ends when the receiver takes something."""
        known = [alert for alert in self._book.firing(refusals.RULE) if alert.series == refusals.series(receiver)]
        alert = refusals.changed(self._definition, known[0] if known else None, receiver, reason, now_us)
        if alert is not None:
            self._book.put([alert])
            (number,) = ledger.next_numbers(cursor, 1)
            told = refusals.message(self._definition, alert, receiver, reason, number, now_us)
            self._send(cursor, [(told, refusals.others(self._definition, receiver))], outcome)
            outcome.changed.append(alert)

    @staticmethod
    def _send(cursor: duckdb.DuckDBPyConnection, told: Sequence[tuple[Message, Sequence[str]]], outcome: Outcome) -> None:
        ledger.save_messages(cursor, told)
        for each, receivers in told:
            outcome.messages.append(each)
            outcome.receivers |= set(receivers)

    def _keep_house(self, cursor: duckdb.DuckDBPyConnection, now_us: int) -> None:
        if not due(now_us, self._learned_us, LEARNED_US):
            return
        self._learned_us = now_us
        self._keep_lateness(cursor)
        ledger.prune_told(cursor, now_us - KEPT_US)
        standing = self._standing or {}
        known = [(rule, standing[rule.name].progress.over_us) for rule in self._rules if rule.name in standing]
        ledger.prune_states(cursor, {rule.name: earliest_us(rule, self._definition, over_us) for rule, over_us in known})

    def _keep_lateness(self, cursor: duckdb.DuckDBPyConnection) -> None:
        for source, state in self.arrivals.dump().items():
            cursor.execute("INSERT OR REPLACE INTO lateness VALUES (?, ?)", [source, state])
