"""Rows of a cluster's job into one table of partials: a row replaces the one of the same key, and an equal one changes nothing.

A row that knows of fewer events than the one it would replace (`n`) is not taken: events only ever become more, so it is of a job that does
its work again, or that has forgotten a bucket and begins it anew. Once the job is as far as it was, its rows are taken again.
"""

from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.engine.plan import Grouping
from livekpi.store.arrow import registered
from livekpi.store.corrections import NO_MARKS_SQL, Final
from livekpi.store.layout import Table, cells, quote, series

_ROWS = "rows_read"


@dataclass(frozen=True)
class Replaced:
    """What rows changed."""

    touched: frozenset[int]
    """The buckets (µs) of those that were not there already."""
    stale: int
    """How many were not taken because their bucket had been rolled up."""


class ReplacedTable:
    """One table, and the statements that bring it up to date; each works in the caller's transaction."""

    def __init__(self, grouping: Grouping, table: Table) -> None:
        self._keys = [name for name, _ in table.keys]
        values = {value.name: value.type for value in table.values if value.name != "rank"}
        columns = ", ".join([*map(quote, self._keys), *(f"{quote(name)}::{type_} AS {quote(name)}" for name, type_ in values.items())])
        same = " AND ".join(f"t.{quote(name)} IS NOT DISTINCT FROM r.{quote(name)}" for name in self._keys)
        other = " OR ".join(f"t.{quote(name)} IS DISTINCT FROM r.{quote(name)}" for name in values)
        updates = [f"{quote(name)} = r.{quote(name)}" for name in values]
        updates += [f"{mark.name} = coalesce(r.{mark.name}, t.{mark.name})" for mark in table.marks]
        matched = f"WHEN MATCHED AND r.n >= t.n AND ({other}) THEN UPDATE SET {', '.join(updates)}" if values else ""
        self._counts = bool(values)
        self._marked = bool(table.marks)
        self._every_us = grouping.every_us
        # one statement for all, as each costs some milliseconds however few its rows are; {near} lets blocks of the table be passed over
        self._merge = f"""MERGE INTO {quote(table.name)} t USING (SELECT {columns}{{marks}} FROM {_ROWS}) r ON {{near}} AND {same}
            {matched} WHEN NOT MATCHED THEN INSERT BY NAME RETURNING epoch_us(bucket)"""
        self._series = _Series(grouping) if table == cells(grouping) else None

    def replace(self, cursor: duckdb.DuckDBPyConnection, rows: pa.Table, rolled_us: int, final: Final | None) -> Replaced:
        """Takes rows in the order they were written; none of buckets before `rolled_us`. `final` is what was so before, if known."""
        taken = rows.filter(pc.greater_equal(rows["bucket"].cast(pa.int64()), pa.scalar(rolled_us, pa.int64()))) if rolled_us > 0 else rows
        stale = rows.num_rows - taken.num_rows
        if not taken.num_rows:
            return Replaced(frozenset(), stale)
        low, high = (f"make_timestamp({each.cast(pa.int64()).as_py()})" for each in pc.min_max(taken["bucket"]).values())
        with registered(cursor, {_ROWS: self._last(taken)}):
            found = cursor.execute(self._merge.format(near=f"t.bucket BETWEEN {low} AND {high}", marks=self._marks(final))).fetchall()
            if found and self._series is not None:
                self._series.remember(cursor)
        return Replaced(frozenset(bucket for (bucket,) in found), stale)

    def _marks(self, final: Final | None) -> str:
        """The columns that say of a row whether it corrects what was final, with what stands before them; nothing where none are kept."""
        if not self._marked:
            return ""
        return f", {NO_MARKS_SQL if final is None else final.marks_sql('bucket', self._every_us)}"

    def count_series(self, cursor: duckdb.DuckDBPyConnection) -> int:
        """How many series the grouping has; for its cells."""
        assert self._series is not None
        return self._series.count(cursor)

    def _last(self, rows: pa.Table) -> pa.Table:
        """The last row of each key, of those that know of the most events."""
        if self._counts:
            rows = rows.take(pc.sort_indices(rows["n"]))  # which is stable
        numbered = rows.select(self._keys).append_column("_row", pa.array(range(rows.num_rows), pa.int64()))
        last = numbered.group_by(self._keys).aggregate([("_row", "max")])["_row_max"]
        return rows if len(last) == rows.num_rows else rows.take(last)


class _Series:
    """The table of a grouping's series; it is not held in memory, as a cluster may know more of them than one machine should."""

    def __init__(self, grouping: Grouping) -> None:
        self._name = quote(series(grouping))
        names = [name for name, _ in cells(grouping).keys[1:]]
        same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM r.{name}" for name in names) or "true"
        first = f"SELECT {''.join(f'{name}, ' for name in names)}min(bucket) AS first FROM {_ROWS} GROUP BY ALL"
        self._merge = f"""MERGE INTO {self._name} s USING ({first}) r ON {same}
            WHEN MATCHED AND r.first < s.first THEN UPDATE SET first = r.first WHEN NOT MATCHED THEN INSERT BY NAME"""

    def remember(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Notes the buckets that the series of the rows were first seen in."""
        cursor.execute(self._merge)

    def count(self, cursor: duckdb.DuckDBPyConnection) -> int:
        [(count,)] = cursor.execute(f"SELECT count(*) FROM {self._name}").fetchall()
        return int(count)
