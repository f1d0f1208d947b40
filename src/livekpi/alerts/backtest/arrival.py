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

Waits = Sequence[tuple["Activity", int]]


@dataclass(frozen=True)
class Activity:
    """When events of a source came."""

    starts_us: NDArray[np.int64]
    """The buckets that have events, ascending."""
    every_us: int
    idle_us: int

    def reached_us(self, time_us: int, wait_us: int) -> int:
        """When the source's watermark was `wait_us` beyond a time, or it was waited for no longer."""
        passed_us = self.event_us(time_us + wait_us)
        before = int(np.searchsorted(self.starts_us, time_us + wait_us))
        if before == 0:
            return passed_us if passed_us is not None else time_us
        idle_us = max(time_us, int(self.starts_us[before - 1]) + self.every_us + self.idle_us)
        return idle_us if passed_us is None else min(passed_us, idle_us)

    def event_us(self, time_us: int) -> int | None:
        """When the first event at a time or later came; None where there is none yet."""
        at = int(np.searchsorted(self.starts_us, time_us - self.every_us, side="right"))
        return None if at == len(self.starts_us) else max(time_us, int(self.starts_us[at]))


def activity(cursor: duckdb.DuckDBPyConnection, plan: Plan, definition: Definition, source: str, kept: Iterable[str]) -> Activity:
    """Of a source, from its grouping with the finest buckets among those that are kept, by their keys."""
    keys = set(kept)
    grouping = min((each for each in plan.groupings[source] if each.key in keys), key=lambda each: each.every_us)
    found = cursor.execute(f"SELECT DISTINCT epoch_us(bucket) AS start FROM {quote(cells(grouping).name)} ORDER BY start").fetchnumpy()
    return Activity(np.asarray(found["start"], dtype=np.int64), grouping.every_us, definition.sources[source].idle_us)


def judged_at_us(rule: Rule, waits: Waits, end_us: int) -> int:
    """When the bucket that ends at a time was judged; `waits` are the rule's sources, and how long each is waited for."""
    if rule.when.level:  # an open bucket is judged at once; when in it the event came is not known any more
        return end_us
    found = [activity.reached_us(end_us, wait_us) for activity, wait_us in waits]
    if not rule.when.asks_absence:  # where no event came any more there were no numbers to judge
        found += [activity.event_us(end_us - rule.every_us) or end_us for activity, _ in waits]
    return max(end_us, *found)
