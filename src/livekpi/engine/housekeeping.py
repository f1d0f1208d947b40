"""When the store is kept small: rows merged while buckets are young, buckets rolled up and dropped as they age."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import duckdb
import structlog

from livekpi.clock import Clock, due
from livekpi.definition.definition import Definition
from livekpi.definition.tiers import kept_from_us, tiers
from livekpi.engine.plan import Grouping, Plan
from livekpi.engine.progress import BUCKETS
from livekpi.store import dead_letters, ids, maintenance, positions

COMPACT_ROWS = 200_000
"""A grouping's appended rows that make a merge worth its cost."""
AGE_US = 60_000_000
"""How often ages are looked at."""
_logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Due:
    """What is to be done now; it can be done again where the store did not take it."""

    compact: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """By grouping key, the buckets (µs) whose rows are to be merged."""
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
        self._aged_us: int | None = None

    def wrote(self, touched: Mapping[str, frozenset[int]], rows: Mapping[str, int]) -> None:
        """Notes what a commit appended."""
        for key, buckets in touched.items():
            if rows[key]:  # what a cluster replaced needs no merging, and would be noted for ever
                self._touched[key] |= buckets
                self._rows[key] += rows[key]

    def due(self) -> Due:
        """What is worth doing now."""
        return Due(self._appended(COMPACT_ROWS), due(self._clock.now_us(), self._aged_us, AGE_US))

    def everything(self) -> Due:
        """All that can be done, as at the end of --once."""
        return Due(self._appended(1), age=True)

    def _appended(self, least: int) -> dict[str, frozenset[int]]:
        """The buckets of the groupings that as many rows were appended to."""
        return {key: frozenset(self._touched[key]) for key, rows in self._rows.items() if rows >= least}

    def run(self, cursor: duckdb.DuckDBPyConnection, what: Due) -> bool:
        """Does what is due; True where series are gone, which who remembers them must forget. After a commit that failed, do it again."""
        gone = False
        for key, buckets in what.compact.items():  # not what is noted here, which a try before this one has forgotten
            maintenance.compact(cursor, self._groupings[key], buckets)
            self._touched[key] -= buckets
            self._rows[key] = 0
        if what.age:
            positions.prune(cursor)
            self._drop_letters(cursor)
            for grouping in self._groupings.values():
                gone |= self._age(cursor, grouping)
            for name, source in self._definition.sources.items():
                if source.spec.id is not None:
                    ids.forget(cursor, name, self._clock.now_us() - source.remember_us)
            self._aged_us = self._clock.now_us()
        return gone

    def _drop_letters(self, cursor: duckdb.DuckDBPyConnection) -> None:
        most = self._definition.spec.limits.dead_letters
        if dropped := dead_letters.drop_oldest(cursor, most):
            _logger.warning("the oldest dead letters were dropped, beyond `limits: dead_letters`", dropped=dropped, kept=most)

    def _age(self, cursor: duckdb.DuckDBPyConnection, grouping: Grouping) -> bool:
        # what is served of a cluster's numbers says nothing of what is still to be read
        watermark = "SELECT max(watermark_us) FROM positions WHERE source = ? AND partition <> ?"
        row = cursor.execute(watermark, [grouping.source, BUCKETS]).fetchone()
        if row is None or row[0] is None:
            return False
        stages = tiers(grouping.every_us, self._definition.keep_us)
        for (_, kept_us), (grain_us, _) in pairwise(stages):
            maintenance.roll_up(cursor, grouping, grain_us, (row[0] - kept_us) // grain_us * grain_us)
        return maintenance.drop_before(cursor, grouping, kept_from_us(grouping.every_us, self._definition.keep_us, row[0]))
