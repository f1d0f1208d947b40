"""What of a rule is to be judged in a step: from which bucket on, and from which states."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import gcd
from zoneinfo import ZoneInfo

from livekpi.alerts.judging.machine import State, Timing
from livekpi.alerts.judging.readiness import Ready
from livekpi.alerts.ledger import Progress
from livekpi.alerts.series import Series
from livekpi.definition.definition import Definition
from livekpi.definition.durations import microseconds
from livekpi.definition.rules.conditions import Question
from livekpi.definition.rules.rules import Rule
from livekpi.engine.plan import Plan, grouping_of
from livekpi.query.query import Query
from livekpi.query.steps import shift

States = Mapping[Series, State]
"""Of series that are not `inactive`."""


@dataclass(frozen=True)
class Standing:
    """What is remembered of a rule between steps."""

    progress: Progress
    states: States
    again_us: int
    """From which bucket on it is to be judged again: not all had arrived. 0 where it was taken up from the store."""
    settled: States | None = None
    """The states at that time; None where only the store knows them."""
    shares: Mapping[int, float] = field(default_factory=dict)
    """What was thought to be there, when it was judged, of the buckets that were not complete."""
    written: bool = True
    """Whether the store may have states of a time after that one."""


@dataclass(frozen=True)
class Turn:
    """A rule to be judged over the buckets in [start, until)."""

    rule: Rule
    before: Standing
    ripe: Ready
    askable_us: int
    """From here on all that it asks can be answered."""
    start_us: int
    until_us: int
    shares: Mapping[int, float]

    @property
    def states(self) -> States | None:
        """How it stands at the start; None where only the store knows."""
        if not self.again:
            return self.before.states
        return self.before.settled if self.start_us == self.before.again_us else None

    @property
    def again(self) -> bool:
        """Whether some of it was judged before."""
        return min(self.start_us, self.before.again_us) < self.before.progress.judged_us

    @property
    def stored_after(self) -> bool:
        """Whether the store may have states, and alerts, of what is judged now."""
        return self.again and (self.before.written or self.start_us < self.before.again_us)

    @property
    def over_us(self) -> int:
        """What was over stays over, though the source may have proved since to be later than was thought."""
        return max(self.ripe.over_us, self.before.progress.over_us)

    @property
    def present_us(self) -> int:
        """A source that was waited for no longer may be heard of again: what was over is past all the same."""
        return max(self.ripe.present_us, self.before.progress.over_us)

    @property
    def whole_us(self) -> int:
        """Up to where it will be settled."""
        return min([self.over_us, *self.shares])

    @property
    def progress(self) -> Progress:
        """How far it will be judged."""
        return Progress(self.rule.digest, self.until_us, self.whole_us, self.over_us)


def unheard(rule: Rule) -> Standing:
    """A rule before the first event of its sources: all that comes will be judged."""
    return Standing(Progress(rule.digest, 0, 0, 0), {}, 0)


def new(rule: Rule, ripe: Ready) -> Standing:
    """A rule that is new where there are numbers: it looks back as far as it waits, so that what has held for long enough is told now."""
    judged_us = ripe.until_us - max(timing(rule).for_us, rule.every_us)
    return Standing(_until(rule, judged_us), {}, judged_us)


def timing(rule: Rule) -> Timing:
    return Timing.of(rule.every_us, rule.for_us, rule.keep_us)


def earliest_us(rule: Rule, definition: Definition, time_us: int) -> int:
    """Buckets that begin before this are final at a time; a correction of them changes no alert."""
    late_us = max(definition.sources[name].late_us for kpi in rule.kpis for name in definition.kpis[kpi].sources)
    return (time_us - late_us) // rule.every_us * rule.every_us


class Turns:
    """Says whose turn it is, by the numbers of one moment."""

    def __init__(self, query: Query, definition: Definition, plan: Plan, now_us: int) -> None:
        self._query, self._definition, self._plan, self._now_us = query, definition, plan, now_us

    def turn(self, rule: Rule, before: Standing, ripe: Ready, touched: Mapping[str, int]) -> Turn | Standing | None:
        """What is new, was not complete or has been corrected; a standing where there is nothing before what can be judged yet.

        `touched` is by grouping the first bucket that commits have changed since.
        """
        aggregates = (aggregate for kpi in rule.kpis for aggregate in self._definition.kpis[kpi].value.aggregates)
        corrected = [touched[key] for key in {grouping_of(self._plan, aggregate).key for aggregate in aggregates} if key in touched]
        askable_us = self._askable_us(rule)
        start_us = max(askable_us, self._start_us(rule, before, corrected))
        until_us = max(ripe.until_us, before.progress.judged_us)
        if start_us >= until_us:
            return None if before.progress.judged_us else replace(before, progress=_until(rule, until_us))
        # what was whole stays so, also where less is known of how late events come: after a crash, or once late ones were heard
        shares = {at_us: share for at_us, share in ripe.shares(until_us, rule.every_us).items() if at_us >= before.progress.whole_us}
        turn = Turn(rule, before, ripe, askable_us, start_us, until_us, shares)
        same = (turn.progress, turn.shares, turn.start_us) == (before.progress, before.shares, before.again_us)
        return None if same and before.settled is not None and not corrected else turn

    def _start_us(self, rule: Rule, before: Standing, corrected: list[int]) -> int:
        """The first bucket to be judged."""
        judged_us = before.progress.judged_us
        if not judged_us:  # of what was before the first start only what could still be corrected
            return earliest_us(rule, self._definition, self._now_us)
        first_us = min([judged_us, before.again_us, *corrected]) // rule.every_us * rule.every_us
        return max(first_us, earliest_us(rule, self._definition, before.progress.over_us))

    def _askable_us(self, rule: Rule) -> int:
        """From which bucket on all that a rule asks is complete, and kept in buckets that are fine enough."""
        whole = (self._query.kept.whole_us(self._definition.kpis[name], rule.every_us) for name in rule.kpis)
        first_us = max(*whole, *(self._kept_from_us(rule, question) for question in rule.questions))
        return -(-first_us // rule.every_us) * rule.every_us

    def _kept_from_us(self, rule: Rule, question: Question) -> int:
        kpi = self._definition.kpis[question.kpi]
        windows = [part.over_us for part in kpi.value.aggregates if part.over_us > rule.every_us]
        kept_us = self._query.kept.from_us(kpi, gcd(rule.every_us, *windows))
        if not kept_us:
            return 0
        kept_us += max([0, *windows])
        back_us = -(-microseconds(question.duration) // rule.every_us) * rule.every_us
        # so long before by the wall clock
        return kept_us + back_us + max(0, kept_us - shift(kept_us + back_us, question.duration, ZoneInfo(kpi.timezone)))


def _until(rule: Rule, time_us: int) -> Progress:
    return Progress(rule.digest, time_us, time_us, time_us)
