"""Simulated arrival: when, by the clock, a bucket of the past would have been judged.

What is stored does not say when each event came. So events are taken to have come at their own times, but for the lateness that was
learned of their source, and where a bucket has no events none came.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray

from livekpi.definition.definition import Definition
from livekpi.definition.rules.rules import Rule
from livekpi.engine.plan import Plan
from livekpi.store.layout import cells, quote


@dataclass(frozen=True)
class Activity:
    """When events of a source came."""

    starts_us: NDArray[np.int64]
    """The buckets that have events, ascending."""
    every_us: int
    idle_us: int

    def reached_us(self, time_us: int, wait_us: int) -> int:
        """When the source's watermark was `wait_us` beyond a time, or it was waited for no longer."""
        times = (self.event_us(time_us + wait_us), self.silent_us(time_us + wait_us))
        return max(time_us, min((time for time in times if time is not None), default=time_us))

    def silent_us(self, time_us: int) -> int | None:
        """When nothing had come for so long before a time that the source is called silent; None before its first event."""
        before = int(np.searchsorted(self.starts_us, time_us))
        return None if before == 0 else int(self.starts_us[before - 1]) + self.every_us + self.idle_us

    def event_us(self, time_us: int) -> int | None:
        """When the first event at a time or later came; None where there is none yet."""
        at = int(np.searchsorted(self.starts_us, time_us - self.every_us, side="right"))
        return None if at == len(self.starts_us) else max(time_us, int(self.starts_us[at]))


@dataclass(frozen=True)
class Wait:
    """A source of a rule."""

    activity: Activity
    wait_us: int
    """How long is waited for its late events."""
    zeros: bool
    """Whether the rule is judged in its silence: it asks what is 0 there."""

    def judged_us(self, start_us: int, end_us: int, *, absence: bool) -> int:
        """When a bucket was judged, as far as it is this source's; with `absence` also where no event came any more."""
        reached_us = self.activity.reached_us(end_us, self.wait_us)
        if absence:
            return reached_us
        times = (self.activity.event_us(start_us), self.activity.silent_us(end_us) if self.zeros else None)
        return max(reached_us, min((time for time in times if time is not None), default=end_us))


def activity(cursor: duckdb.DuckDBPyConnection, plan: Plan, definition: Definition, source: str, kept: Iterable[str]) -> Activity:
    """Of a source, from its grouping with the finest buckets among those that are kept, by their keys."""
    keys = set(kept)
    grouping = min((each for each in plan.groupings[source] if each.key in keys), key=lambda each: each.every_us)
    found = cursor.execute(f"SELECT DISTINCT epoch_us(bucket) AS start FROM {quote(cells(grouping).name)} ORDER BY start").fetchnumpy()
    return Activity(np.asarray(found["start"], dtype=np.int64), grouping.every_us, definition.sources[source].idle_us)


def judged_at_us(rule: Rule, waits: Sequence[Wait], end_us: int) -> int:
    """When the bucket that ends at a time was judged; `waits` are of the rule's sources."""
    if rule.when.level:  # an open bucket is judged at once; when in it the event came is not known any more
        return end_us
    start_us, absence = end_us - rule.every_us, rule.asks_absence
    return max([end_us, *(wait.judged_us(start_us, end_us, absence=absence) for wait in waits)])
