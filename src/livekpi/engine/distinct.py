"""Distinct values into their table, in a busy bucket each about once.

What was written lately is remembered, so that a value that comes again is neither hashed nor written again. Not knowing
costs a row that merges away, never a number; so a few values, which cost less to write than to look up, are just written.
"""

from collections.abc import Mapping

import duckdb

from livekpi.engine.plan import Grouping, Partial
from livekpi.engine.prepared import Execute
from livekpi.engine.rendering import keys, values_sql
from livekpi.store.layout import dimensions, quote, spread

FEW = 2_000
"""A batch of so few events is written without asking what is remembered."""
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
        append = f"INSERT INTO {quote(self._name)} BY NAME SELECT {names}, (md5_number(v::VARCHAR) >> 64)::UBIGINT AS key FROM"
        self._append_fresh = f"{append} fresh"
        self._append_all = f"{append} (SELECT DISTINCT {names}, v FROM ({values_sql(partial)}) WHERE v IS NOT NULL)"
        self._remember = f"INSERT INTO {self._seen} SELECT {names}, h FROM fresh"
        columns = "".join(f"{name} VARCHAR, " for name in dimensions(grouping))
        self._forget = f"CREATE OR REPLACE TEMP TABLE {self._seen} (bucket TIMESTAMP, {columns}h UBIGINT)"

    def load(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Begins with nothing remembered."""
        cursor.execute(self._forget)
        self._remembered = 0

    def append(self, cursor: duckdb.DuckDBPyConnection, execute: Execute, events: Mapping[str, str], count: int) -> int:
        """Appends the values of `count` events, as far as they are not remembered; returns how many.

        `events` is what stands in a statement's braces; `execute` does one over a few events.
        """
        if count <= FEW:
            return _changed(execute(cursor, self._append_all.format(**events)))
        if self._remembered > REMEMBERED:
            self.load(cursor)
        cursor.execute(self._fresh.format(**events))
        cursor.execute(self._append_fresh)
        found = _changed(cursor.execute(self._remember))
        self._remembered += found
        return found


def _changed(cursor: duckdb.DuckDBPyConnection) -> int:
    """How many rows the last statement wrote."""
    row = cursor.fetchone()
    return int(row[0]) if row else 0
