"""What the store says of its partials: how far sources are read, since when and at which grain partials are kept.

Asked once a snapshot: many KPIs are answered from the same facts.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType

import duckdb

from livekpi.definition.definition import Definition
from livekpi.engine.plan import Grouping
from livekpi.store import catalog, positions
from livekpi.store.layout import CORRECTED_AT, cells, quote, series, text
from livekpi.store.positions import Position

_AT_ONCE = 32
"""Groupings looked at by one statement."""
NEVER_SILENT: Mapping[str, int] = MappingProxyType({})


class Snapshot:
    """The facts of one moment, read when they are first needed."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, definition: Definition, silent_us: Mapping[str, int] = NEVER_SILENT) -> None:
        """`silent_us` is up to when sources are known to have had nothing more to say."""
        self._cursor, self._definition, self._silent_us = cursor, definition, silent_us
        self._first: dict[str, int | None] = {}
        self._corrected: set[str] = set()

    @property
    def last_commit(self) -> int:
        """The number of the last commit."""
        commit, _ = self._read
        return commit

    def positions(self, source: str) -> list[Position]:
        """Where a source's partitions stand."""
        _, found = self._read
        return list(found.get((source, self._definition.sources[source].origin), {}).values())

    def last_event_us(self, source: str) -> int | None:
        """The greatest event time of a source; None before its first event."""
        return positions.last_event_us(self.positions(source))

    def filled_us(self, source: str) -> int | None:
        """Up to when what is missing of a source never was: its last event, or later where it is known to be silent."""
        last_us = self.last_event_us(source)
        return None if last_us is None else max(last_us, self._silent_us.get(source, last_us))

    def first_us(self, grouping: Grouping) -> int | None:
        """The bucket of a grouping's first event; None before it."""
        self.look([grouping])
        return self._first[grouping.key]

    def corrected(self, grouping: Grouping) -> bool:
        """Whether any bucket of a grouping was corrected after it had been final; most never are."""
        self.look([grouping])
        return grouping.key in self._corrected

    def look(self, groupings: Iterable[Grouping]) -> None:
        """Reads at once what will be asked of each of these, which costs less than one by one."""
        unknown = {grouping.key: grouping for grouping in groupings if grouping.key not in self._first}
        asked = [_facts_sql(grouping) for grouping in unknown.values()]
        for begin in range(0, len(asked), _AT_ONCE):
            statement = " UNION ALL ".join(asked[begin : begin + _AT_ONCE])
            # all of it is fetched, as the cursor takes no table while a result is open
            for key, first_us, corrected in self._cursor.execute(statement).fetchall():
                if corrected:
                    self._corrected.add(key)
                else:
                    self._first[key] = first_us

    def since(self, grouping: Grouping) -> Mapping[str, int | None]:
        """From which bucket on each partial of a grouping is complete, by key."""
        return self._kept.since.get(grouping.key, {})

    def rolled(self, grouping: Grouping) -> Sequence[tuple[int, int]]:
        """(grain, before), µs: buckets before a time are kept at a grain."""
        return self._kept.rolled.get(grouping.key, ())

    def rolled_before_us(self, grouping: Grouping) -> int:
        """Buckets before this may be coarser than they were; -1 where none are."""
        return max((before for _, before in self.rolled(grouping)), default=-1)

    @cached_property
    def _read(self) -> tuple[int, Mapping[tuple[str, str], Mapping[str, Position]]]:
        """The last commit, and how far sources are read."""
        return positions.load_all(self._cursor)

    @cached_property
    def _kept(self) -> catalog.Kept:
        return catalog.kept(self._cursor)


def _facts_sql(grouping: Grouping) -> str:
    """A row with the bucket of the grouping's first event, and one more where any was corrected."""
    key = text(grouping.key)
    first = f"SELECT {key} AS key, epoch_us(min(first)) AS first_us, false AS corrected FROM {quote(series(grouping))}"
    # one at most is looked for, and the column's statistics say where none can be
    marked = f"SELECT {key}, NULL, true FROM {quote(cells(grouping).name)} WHERE {CORRECTED_AT} IS NOT NULL LIMIT 1"
    return f"{first} UNION ALL ({marked})"
