"""Runs the plan in DuckDB: a batch of one source's events in, partials out, in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.engine.distinct import DistinctWriter
from livekpi.engine.plan import Grouping
from livekpi.engine.prepared import Batches, Execute
from livekpi.engine.rendering import EVENT, bins_sql, cells_sql
from livekpi.store.arrow import insert, registered
from livekpi.store.corrections import Final
from livekpi.store.layout import OTHER, cells, dimensions, quote, series, spread

EVENTS = "events"
_OVERFLOW = "overflow"
Series = tuple[str | None, ...]


@dataclass(frozen=True)
class Applied:
    """What a batch changed in a grouping."""

    touched: frozenset[int]
    """The buckets, µs since the epoch."""
    rows: int
    """How many rows were appended to the table that grew most (bins, which are few, are not counted)."""
    limited: int
    """How many events were counted as OTHER because the limit on series was reached."""


class GroupingWriter:
    """Writes one grouping's partials; knows its series, so that their number stays within the limit."""

    def __init__(self, grouping: Grouping, batches: Batches, dimension_columns: Mapping[str, str], series_limit: int) -> None:
        self._grouping = grouping
        self._batches = batches
        self._limit = series_limit
        self._first: dict[Series, int] = {}
        self._dimensions = [dimension_columns[name] for name in grouping.by]
        # told as they are written: a statement costs some milliseconds however few its events are
        told = ", ".join(["epoch_us(bucket)", "n", *dimensions(grouping)])
        self._cells = f"INSERT INTO {quote(cells(grouping).name)} BY NAME {cells_sql(grouping)} RETURNING {told}"
        self._bins = [
            (spread(grouping, partial).name, bins_sql(grouping, partial)) for partial in grouping.spreads if partial.kind == "bins"
        ]
        self._distincts = [DistinctWriter(grouping, partial) for partial in grouping.spreads if partial.kind == "distinct"]

    @property
    def series_count(self) -> int:
        return len(self._first)

    def load(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Reads the known series; to be called after opening, and after a transaction failed."""
        rows = cursor.execute(f"SELECT *, epoch_us(first) FROM {quote(series(self._grouping))}").fetchall()
        self._first = {row[: len(self._dimensions)]: row[-1] for row in rows}
        for distinct in self._distincts:
            distinct.load(cursor)

    def apply(self, cursor: duckdb.DuckDBPyConnection, count: int, final: Final | None = None) -> Applied:
        """Aggregates the `count` events at hand (with bucket columns) and appends the partials.

        `final` is what was final before; None where no event was late.
        """
        overflow = self._overflow(cursor, count)
        if overflow is None:
            found, rows = self._append(cursor, count, final, self._events(), self._batches.execute)
            return Applied(_buckets(found), rows, 0)
        with registered(cursor, {_OVERFLOW: overflow}):
            # only what is the same for every batch is worth planning once
            found, rows = self._append(cursor, count, final, self._limited_events(), duckdb.DuckDBPyConnection.execute)
        return Applied(_buckets(found), rows, sum(n for _, n, first, *_ in found if first == OTHER))

    def _append(
        self, cursor: duckdb.DuckDBPyConnection, count: int, final: Final | None, events: Mapping[str, str], execute: Execute
    ) -> tuple[list[tuple[Any, ...]], int]:
        """Bucket, count and dimensions of the cells that were appended, and how many rows were to the table that grew most."""
        if final is None:
            found = execute(cursor, self._cells.format(**events)).fetchall()
        else:
            found = cursor.execute(self._cells.format(**self._marked(events, final))).fetchall()
        self._remember(cursor, found)
        for name, sql in self._bins:
            execute(cursor, f"INSERT INTO {quote(name)} BY NAME {sql.format(**events)}")
        return found, max([len(found), *(distinct.append(cursor, execute, events, count) for distinct in self._distincts)])

    def _events(self) -> Mapping[str, str]:
        """What stands in a statement's braces: the events, and their bucket and dimensions."""
        return {"keys": self._keys(self._dimensions), "source": f"{self._batches.view} AS {EVENT}"}

    def _limited_events(self) -> Mapping[str, str]:
        """As `_events`; the series that the table of overflow names become OTHER."""
        kept = [f"CASE WHEN {_OVERFLOW}.hit IS NULL THEN {sql} ELSE '{OTHER}' END" for sql in self._dimensions]
        pairs = zip(self._dimensions, dimensions(self._grouping), strict=True)
        match = " AND ".join(f"{sql} IS NOT DISTINCT FROM {_OVERFLOW}.{name}" for sql, name in pairs)
        return {"keys": self._keys(kept), "source": f"{self._batches.view} AS {EVENT} LEFT JOIN {_OVERFLOW} ON {match}"}

    def _keys(self, columns: Sequence[str]) -> str:
        named = zip(columns, dimensions(self._grouping), strict=True)
        return ", ".join([f"{EVENT}.{bucket_column(self._grouping.every_us)} AS bucket", *(f"{sql} AS {name}" for sql, name in named)])

    def _marked(self, events: Mapping[str, str], final: Final) -> Mapping[str, str]:
        """With the marks of what is corrected beside bucket and dimensions."""
        every_us = self._grouping.every_us
        return {**events, "keys": f"{events['keys']}, {final.marks_sql(f'{EVENT}.{bucket_column(every_us)}', every_us)}"}

    def _overflow(self, cursor: duckdb.DuckDBPyConnection, count: int) -> pa.Table | None:
        """The events' series that there is no room for any more; None where there is room for all."""
        room = max(0, self._limit - len(self._first))
        if not self._dimensions or count <= room:  # there are no more new series than events
            return None
        events, names = self._events(), dimensions(self._grouping)
        rows = cursor.execute(f"SELECT DISTINCT {', '.join(names)} FROM (SELECT {events['keys']} FROM {events['source']})")
        beyond = sorted((row for row in rows.fetchall() if row not in self._first), key=str)[room:]
        if not beyond:
            return None
        columns = {name: pa.array([row[index] for row in beyond], pa.string()) for index, name in enumerate(names)}
        return pa.table({**columns, "hit": pa.array([True] * len(beyond))})

    def _remember(self, cursor: duckdb.DuckDBPyConnection, found: Iterable[tuple[Any, ...]]) -> None:
        """Notes the buckets that series were first seen in; `found` holds bucket, count and dimensions."""
        earlier: dict[Series, int] = {}
        for bucket, row in ((each[0], each[2:]) for each in found):
            known = earlier.get(row, self._first.get(row))
            if known is None or bucket < known:
                earlier[row] = bucket
        if not earlier:
            return
        name, names = quote(series(self._grouping)), dimensions(self._grouping)
        columns = {key: pa.array([row[index] for row in earlier], pa.string()) for index, key in enumerate(names)}
        table = pa.table({**columns, "first": pa.array(list(earlier.values()), pa.timestamp("us"))})
        if any(row in self._first for row in earlier):
            same = " AND ".join(f"{name}.{key} IS NOT DISTINCT FROM incoming.{key}" for key in names) or "true"
            with registered(cursor, {"incoming": table}):
                cursor.execute(f"DELETE FROM {name} USING incoming WHERE {same}")
        insert(cursor, f"INSERT INTO {name} BY NAME SELECT * FROM", table)
        self._first.update(earlier)


def _buckets(found: Iterable[tuple[Any, ...]]) -> frozenset[int]:
    return frozenset(bucket for bucket, *_ in found)


def bucket_column(every_us: int) -> str:
    """The name of the column with each event's bucket of this size."""
    return f"_bucket_{every_us}"


def with_buckets(events: pa.Table, sizes_us: frozenset[int]) -> pa.Table:
    """The events with a bucket column for each size."""
    times = events["_time"].cast(pa.int64())
    for size in sorted(sizes_us):
        starts = pc.multiply(_floor_divide(times, size), size)
        events = events.append_column(bucket_column(size), starts.cast(pa.timestamp("us")))
    return events


def _floor_divide(times: pa.ChunkedArray, size: int) -> pa.ChunkedArray:
    # times before 1970 are dead letters, so truncation is the floor
    return pc.divide(times, pa.scalar(size, pa.int64()))
