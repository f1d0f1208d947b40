"""When the store is kept small: rows merged while buckets are young, buckets rolled up and dropped as they age."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import duckdb

from livekpi.clock import Clock
from livekpi.definition.definition import Definition
from livekpi.definition.tiers import tiers
from livekpi.engine.plan import Grouping, Plan
from livekpi.engine.progress import BUCKETS
from livekpi.store import ids, maintenance, positions

COMPACT_ROWS = 200_000
"""A grouping's appended rows that make a merge worth its cost."""
AGE_US = 60_000_000
"""How often ages are looked at."""


@dataclass(frozen=True)
class Due:
    """What is to be done now."""

    compact: tuple[Grouping, ...] = ()
    age: bool = False

    def __bool__(self) -> bool:
        return bool(self.compact) or self.age


class Housekeeping:
    """Decides what is due, and does it in the caller's transaction. Ages are measured by event time, so old data read late is kept."""

    def __init__(self, definition: Definition, plan: Plan, clock: Clock) -> None:
        self._definition, self._plan, self._clock = definition, plan, clock
        self._groupings = {grouping.key: grouping for grouping in plan.all()}
        self._touched: dict[str, set[int]] = {key: set() for key in self._groupings}
        self._rows = dict.fromkeys(self._groupings, 0)
        self._next_age_us = clock.now_us()

    def wrote(self, touched: Mapping[str, frozenset[int]], rows: Mapping[str, int]) -> None:
        """Notes what a commit appended."""
        for key, buckets in touched.items():
            if rows[key]:  # what a cluster replaced needs no merging, and would be noted for ever
                self._touched[key] |= buckets
                self._rows[key] += rows[key]

    def due(self) -> Due:
        """What is worth doing now."""
        compact = tuple(self._groupings[key] for key, rows in self._rows.items() if rows >= COMPACT_ROWS)
        return Due(compact, self._clock.now_us() >= self._next_age_us)

    def everything(self) -> Due:
        """All that can be done, as at the end of --once."""
        return Due(tuple(self._groupings[key] for key, rows in self._rows.items() if rows), age=True)

    def run(self, cursor: duckdb.DuckDBPyConnection, due: Due) -> bool:
        """Does what is due; True where series are gone, which who remembers them must forget."""
        gone = False
        for grouping in due.compact:
            maintenance.compact(cursor, grouping, self._touched[grouping.key])
            self._touched[grouping.key], self._rows[grouping.key] = set(), 0
        if due.age:
            positions.prune(cursor)
            for grouping in self._groupings.values():
                gone |= self._age(cursor, grouping)
            for name, source in self._definition.sources.items():
                if source.spec.id is not None:
                    ids.forget(cursor, name, self._clock.now_us() - source.remember_us)
            self._next_age_us = self._clock.now_us() + AGE_US
        return gone

    def _age(self, cursor: duckdb.DuckDBPyConnection, grouping: Grouping) -> bool:
        # what is served of a cluster's numbers says nothing of what is still to be read
        watermark = "SELECT max(watermark_us) FROM positions WHERE source = ? AND partition <> ?"
        row = cursor.execute(watermark, [grouping.source, BUCKETS]).fetchone()
        if row is None or row[0] is None:
            return False
        stages = tiers(grouping.every_us, self._definition.keep_us)
        for (_, kept_us), (grain_us, _) in pairwise(stages):
            maintenance.roll_up(cursor, grouping, grain_us, (row[0] - kept_us) // grain_us * grain_us)
        grain_us, kept_us = stages[-1]
        return maintenance.drop_before(cursor, grouping, (row[0] - kept_us) // grain_us * grain_us)
