"""Distinct values into their table, each at most about once a bucket.

What was written lately is remembered, so that a value that comes again is neither hashed nor written again. Forgetting
costs a row that merges away, never a number.
"""

from collections.abc import Mapping

import duckdb

from livekpi.engine.plan import Grouping, Partial
from livekpi.engine.rendering import keys, values_sql
from livekpi.store.layout import dimensions, quote, spread

REMEMBERED = 500_000
"""Values remembered, a partial; then all are forgotten and it begins anew."""


class DistinctWriter:
    """Appends one partial's distinct values."""

    def __init__(self, grouping: Grouping, partial: Partial) -> None:
        self._name = spread(grouping, partial).name
        self._seen = quote(f"seen_{self._name}")
        self._remembered = 0
        names = keys(grouping)
        same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM v.{name}" for name in ["bucket", *dimensions(grouping), "h"])
        # DuckDB's own hash is quick and may change with its version: good for what a process remembers, not for what is stored
        values = f"SELECT DISTINCT {names}, v, hash(v) AS h FROM ({values_sql(partial)}) WHERE v IS NOT NULL"
        self._fresh = f"CREATE OR REPLACE TEMP TABLE fresh AS SELECT {names}, v, h FROM ({values}) v ANTI JOIN {self._seen} s ON {same}"
        self._append = f"INSERT INTO {quote(self._name)} BY NAME SELECT {names}, md5_number_lower(v::VARCHAR) AS key FROM fresh"
        self._remember = f"INSERT INTO {self._seen} SELECT {names}, h FROM fresh"
        columns = "".join(f"{name} VARCHAR, " for name in dimensions(grouping))
        self._forget = f"CREATE OR REPLACE TEMP TABLE {self._seen} (bucket TIMESTAMP, {columns}h UBIGINT)"

    def load(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Begins with nothing remembered."""
        cursor.execute(self._forget)
        self._remembered = 0

    def append(self, cursor: duckdb.DuckDBPyConnection, events: Mapping[str, str]) -> int:
        """Appends the events' values that are not remembered; returns how many. `events` is what stands in a statement's braces."""
        if self._remembered > REMEMBERED:
            self.load(cursor)
        cursor.execute(self._fresh.format(**events))
        cursor.execute(self._append)
        row = cursor.execute(self._remember).fetchone()
        count = int(row[0]) if row else 0
        self._remembered += count
        return count
