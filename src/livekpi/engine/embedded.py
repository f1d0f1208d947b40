"""Runs the plan in DuckDB: a batch of one source's events in, partials out, in the caller's transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.engine.distinct import DistinctWriter
from livekpi.engine.plan import Grouping
from livekpi.engine.prepared import Batches
from livekpi.engine.rendering import EVENT, bins_sql, cells_sql
from livekpi.store.arrow import insert, registered
from livekpi.store.corrections import Final
from livekpi.store.layout import OTHER, cells, dimensions, quote, series, spread, text

EVENTS = "events"
_OVERFLOW = "o"
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
        events = self._events(overflow)
        # only what is the same for every batch is worth planning once
        execute = duckdb.DuckDBPyConnection.execute if overflow else self._batches.execute
        if final is None:
            found = execute(cursor, self._cells.format(**events)).fetchall()
        else:
            found = cursor.execute(self._cells.format(**self._marked(events, final))).fetchall()
        self._remember(cursor, found)
        for name, sql in self._bins:
            execute(cursor, f"INSERT INTO {quote(name)} BY NAME {sql.format(**events)}")
        rows = max([len(found), *(distinct.append(cursor, execute, events, count) for distinct in self._distincts)])
        limited = sum(n for _, n, first, *_ in found if first == OTHER) if overflow else 0
        return Applied(frozenset(bucket for bucket, *_ in found), rows, limited)

    def _events(self, overflow: list[Series]) -> Mapping[str, str]:
        """What stands in a statement's braces: the events, and their bucket and dimensions; those of `overflow` series become OTHER."""
        bucket = f"{EVENT}.{bucket_column(self._grouping.every_us)} AS bucket"
        names = dimensions(self._grouping)
        if not overflow:
            columns = [f"{sql} AS {name}" for sql, name in zip(self._dimensions, names, strict=True)]
            return {"keys": ", ".join([bucket, *columns]), "source": f"{self._batches.view} AS {EVENT}"}
        kept = [
            f"CASE WHEN {_OVERFLOW}.hit IS NULL THEN {sql} ELSE '{OTHER}' END AS {name}"
            for sql, name in zip(self._dimensions, names, strict=True)
        ]
        rows = ", ".join(f"({', '.join('NULL' if value is None else text(value) for value in row)}, true)" for row in overflow)
        match = " AND ".join(f"{sql} IS NOT DISTINCT FROM {_OVERFLOW}.{name}" for sql, name in zip(self._dimensions, names, strict=True))
        others = f"(VALUES {rows}) AS {_OVERFLOW}({', '.join([*names, 'hit'])})"
        return {"keys": ", ".join([bucket, *kept]), "source": f"{self._batches.view} AS {EVENT} LEFT JOIN {others} ON {match}"}

    def _marked(self, events: Mapping[str, str], final: Final) -> Mapping[str, str]:
        """With the marks of what is corrected beside bucket and dimensions."""
        every_us = self._grouping.every_us
        return {**events, "keys": f"{events['keys']}, {final.marks_sql(f'{EVENT}.{bucket_column(every_us)}', every_us)}"}

    def _overflow(self, cursor: duckdb.DuckDBPyConnection, count: int) -> list[Series]:
        """The events' series that there is no room for any more."""
        room = max(0, self._limit - len(self._first))
        if not self._dimensions or count <= room:  # there are no more new series than events
            return []
        events, names = self._events([]), ", ".join(dimensions(self._grouping))
        rows = cursor.execute(f"SELECT DISTINCT {names} FROM (SELECT {events['keys']} FROM {events['source']})")
        fresh = [row for row in rows.fetchall() if row not in self._first]
        return sorted(fresh, key=str)[room:]

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
