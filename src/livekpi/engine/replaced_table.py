"""Rows of a cluster's job into one table of partials: a row replaces the one of the same key, and an equal one changes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.definition.types import Type
from livekpi.engine.plan import Grouping
from livekpi.engine.topics import NULL, VALUE
from livekpi.store.layout import Table, cells, column, quote, series, sql_type, text

_ROWS, _FRESH = "rows_read", "fresh_rows"
_TIME_DIGITS = _POSITION_DIGITS = 20
"""What stands before the text of a last or first value."""


@dataclass(frozen=True)
class Replaced:
    """What rows changed."""

    touched: frozenset[int]
    """The buckets (µs) of those that were not there already."""
    rows: int
    """How many were not there already."""
    stale: int
    """How many were not taken because their bucket had been rolled up."""
    faulty: list[dict[str, Any]]
    """Those whose values don't fit the table, as they came."""


class ReplacedTable:
    """One table, and the statements that bring it up to date; each works in the caller's transaction."""

    def __init__(self, grouping: Grouping, table: Table) -> None:
        self._table = table
        self._name = quote(table.name)
        self._keys = [name for name, _ in table.keys]
        values = _values(grouping, table)
        keys = {name: _key(name, type_, grouping.every_us) for name, type_ in table.keys}
        typed = ", ".join(f"{each.sql} AS {quote(name)}" for name, each in {**keys, **values}.items())
        wrong = " OR ".join(each.wrong for each in (*keys.values(), *values.values()))
        self._typed = f"""CREATE OR REPLACE TEMP TABLE {_FRESH} AS
            SELECT {typed}, ({wrong}) AS _wrong, _row FROM {_ROWS} r
            QUALIFY row_number() OVER (PARTITION BY {", ".join(f"r.{name}" for name in self._keys)} ORDER BY _row DESC) = 1"""
        self._same_key = self._same(self._keys)
        self._same_row = self._same([*self._keys, *values])
        self._insert = f"INSERT INTO {self._name} BY NAME SELECT * EXCLUDE (_wrong, _row) FROM {_FRESH}"
        self._series = _SeriesOf(grouping) if table == cells(grouping) else None

    def replace(self, cursor: duckdb.DuckDBPyConnection, rows: pa.Table, rolled_us: int) -> Replaced:
        """Takes rows as RowDecoder gives them, in the order they were written; those of buckets before `rolled_us` are not taken."""
        stale = pc.sum(pc.less(rows["bucket"], rolled_us)).as_py() or 0
        if stale:
            rows = rows.filter(pc.greater_equal(rows["bucket"], rolled_us))
        cursor.register(_ROWS, rows.append_column("_row", pa.array(range(rows.num_rows), pa.int64())))
        try:
            cursor.execute(self._typed)
        finally:
            cursor.unregister(_ROWS)
        faulty = [row for (row,) in cursor.execute(f"DELETE FROM {_FRESH} WHERE _wrong IS NOT FALSE RETURNING _row").fetchall()]
        # the range lets whole blocks of the table be passed over
        near = f"t.bucket BETWEEN (SELECT min(bucket) FROM {_FRESH}) AND (SELECT max(bucket) FROM {_FRESH})"
        cursor.execute(f"DELETE FROM {_FRESH} f USING {self._name} t WHERE {near} AND {self._same_row}")
        found = cursor.execute(f"SELECT epoch_us(bucket), count(*) FROM {_FRESH} GROUP BY ALL").fetchall()
        if found:
            cursor.execute(f"DELETE FROM {self._name} t USING {_FRESH} f WHERE {near} AND {self._same_key}")
            cursor.execute(self._insert)
            if self._series is not None:
                self._series.remember(cursor)
        counts = dict(found)
        return Replaced(frozenset(counts), sum(counts.values()), stale, rows.take(faulty).to_pylist() if faulty else [])

    def count_series(self, cursor: duckdb.DuckDBPyConnection) -> int:
        """How many series the grouping has; for its cells."""
        assert self._series is not None
        return self._series.count(cursor)

    @staticmethod
    def _same(names: list[str]) -> str:
        return " AND ".join(f"t.{quote(name)} IS NOT DISTINCT FROM f.{quote(name)}" for name in names)


class _SeriesOf:
    """The table of a grouping's series; it is not held in memory, as a cluster may know more of them than one machine should."""

    def __init__(self, grouping: Grouping) -> None:
        self._name = quote(series(grouping))
        names = [name for name, _ in cells(grouping).keys[1:]]
        same = " AND ".join(f"s.{name} IS NOT DISTINCT FROM f.{name}" for name in names) or "true"
        first = f"(SELECT {''.join(f'{name}, ' for name in names)}min(bucket) AS first FROM {_FRESH} GROUP BY ALL)"
        self._forget = f"DELETE FROM {self._name} s USING {first} f WHERE {same} AND f.first < s.first"
        self._add = f"INSERT INTO {self._name} BY NAME SELECT * FROM {first} f WHERE NOT EXISTS (SELECT 1 FROM {self._name} s WHERE {same})"

    def remember(self, cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute(self._forget)
        cursor.execute(self._add)

    def count(self, cursor: duckdb.DuckDBPyConnection) -> int:
        [(count,)] = cursor.execute(f"SELECT count(*) FROM {self._name}").fetchall()
        return int(count)


@dataclass(frozen=True)
class _Column:
    """A column's value from a row's text, and the condition under which it can't be one."""

    sql: str
    wrong: str


def _key(name: str, type_: str, every_us: int) -> _Column:
    given = f"r.{name}"
    if name == "bucket":
        return _Column(f"TRY(make_timestamp({given}))", f"{given} < 0 OR {given} % {every_us} <> 0 OR TRY(make_timestamp({given})) IS NULL")
    if type_ == "VARCHAR":
        known = f"{given} = {text(NULL)}"
        return _Column(f"CASE WHEN {known} THEN NULL ELSE substr({given}, 2) END", f"NOT ({known} OR starts_with({given}, {text(VALUE)}))")
    if type_ == "INTEGER":
        return _Column(f"TRY_CAST({given} AS INTEGER)", f"TRY_CAST({given} AS INTEGER) IS NULL")
    # the last 8 bytes of the md5, the lowest first, as md5_number_lower has them
    digits = " || ".join(f"substr({given}, {place}, 2)" for place in range(31, 15, -2))
    return _Column(f"TRY_CAST('0x' || {digits} AS UBIGINT)", f"NOT regexp_full_match({given}, '[0-9a-f]{{32}}')")


def _values(grouping: Grouping, table: Table) -> Mapping[str, _Column]:
    partials = {column(partial).name: partial for partial in grouping.cells}
    found = {}
    for each in table.values:
        given = f"r.{quote(each.name)}"
        if each.name == "rank":
            continue
        if each.name not in partials:
            found[each.name] = _Column(f"TRY_CAST({given} AS {each.type})", f"TRY_CAST({given} AS {each.type}) IS NULL")
        elif partials[each.name].kind in ("last", "first"):
            found[each.name] = _timed(given, partials[each.name].type)
        else:
            value = f"TRY(make_timestamp(TRY_CAST({given} AS BIGINT)))" if each.type == "TIMESTAMP" else f"TRY_CAST({given} AS {each.type})"
            found[each.name] = _Column(value, f"{given} IS NOT NULL AND {value} IS NULL")
    return found


def _timed(given: str, type_: Type) -> _Column:
    """A last or first value: 20 digits of its time in µs, 20 of its position, and its text."""
    time = f"TRY(make_timestamp(TRY_CAST(substr({given}, 1, {_TIME_DIGITS}) AS BIGINT)))"
    position = f"TRY_CAST(substr({given}, {_TIME_DIGITS + 1}, {_POSITION_DIGITS}) AS BIGINT)"
    rest = f"substr({given}, {_TIME_DIGITS + _POSITION_DIGITS + 1})"
    stamp = type_.kind == "timestamp"
    value = f"TRY(make_timestamp(TRY_CAST({rest} AS BIGINT)))" if stamp else f"TRY_CAST({rest} AS {sql_type(type_)})"
    wrong = f"{given} IS NOT NULL AND ({time} IS NULL OR {position} IS NULL OR {value} IS NULL)"
    return _Column(f"CASE WHEN {given} IS NOT NULL THEN {{'t': {time}, 'p': {position}, 'v': {value}}} END", wrong)
