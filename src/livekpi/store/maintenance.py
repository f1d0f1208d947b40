"""Keeps the store small: rows that merge are merged, old buckets become coarser ones, the oldest go.

Partials merge in any order and grouping, so nothing here changes a number, except that the distinct values of a large
old bucket become HyperLogLog registers (Flajolet et al. 2007; 2^16 registers, 0.4 % standard error).
"""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from livekpi.engine.plan import Grouping
from livekpi.store.arrow import registered
from livekpi.store.layout import Table, cells, quote, series, spread, tables

REGISTER_BITS = 16
EXACT_VALUES = 4_096
"""A bucket's series with more distinct values than this becomes registers when it is rolled up."""


def register_sql(key: str) -> str:
    """The register of a 64-bit hash: its upper bits."""
    return f"({key} >> {64 - REGISTER_BITS})"


def rank_sql(key: str) -> str:
    """The rank of a 64-bit hash: the place of the lowest bit set among those that do not choose the register."""
    rest = f"({key} & {2 ** (64 - REGISTER_BITS) - 1})"
    return f"(CASE WHEN {rest} = 0 THEN {64 - REGISTER_BITS + 1} ELSE bit_count(xor({rest}, {rest} - 1)) END)"


def compact(cursor: duckdb.DuckDBPyConnection, grouping: Grouping, buckets: Iterable[int]) -> None:
    """Merges the rows of these buckets (µs), in the caller's transaction."""
    starts = pa.array(sorted(buckets), pa.timestamp("us"))
    if len(starts):
        # as a table: each that were written out would cost several KB to plan, and history has many
        with registered(cursor, {"touched": pa.table({"start": starts})}):
            for table in tables(grouping):
                _rewrite(cursor, table, "bucket IN (SELECT start FROM touched)", "bucket")


def roll_up(cursor: duckdb.DuckDBPyConnection, grouping: Grouping, grain_us: int, before_us: int) -> None:
    """Merges all buckets before a time (a multiple of the grain) into buckets of `grain_us`, in the caller's transaction."""
    done = cursor.execute("SELECT before_us FROM rolled WHERE grouping = ? AND grain_us = ?", [grouping.key, grain_us]).fetchone()
    before_us = before_us if done is None else max(before_us, done[0])  # a cluster's job may have gone back; what is rolled up stays so
    coarse = f"time_bucket(to_microseconds({grain_us}), bucket, TIMESTAMP '1970-01-01')"
    # beside what has aged since, there may be events that came late for buckets rolled up before: at the finer size
    fresh = f"({coarse} <> bucket OR epoch_us(bucket) >= {done[0] if done else 0}) AND bucket < make_timestamp({before_us})"
    aged = f"SELECT DISTINCT {coarse} AS start FROM {quote(cells(grouping).name)} WHERE {fresh}"
    row = cursor.execute(f"CREATE OR REPLACE TEMP TABLE aged AS {aged}").fetchone()
    if row is not None and row[0]:
        starts = "(SELECT start FROM aged)"
        for table in tables(grouping):
            _rewrite(cursor, table, f"bucket < make_timestamp({before_us}) AND {coarse} IN {starts}", coarse)
        for partial in grouping.spreads:
            if partial.kind == "distinct":
                _to_registers(cursor, spread(grouping, partial), f"bucket IN {starts}")
    cursor.execute("DROP TABLE aged")
    cursor.execute("INSERT OR REPLACE INTO rolled VALUES (?, ?, ?)", [grouping.key, grain_us, before_us])


def drop_before(cursor: duckdb.DuckDBPyConnection, grouping: Grouping, before_us: int) -> bool:
    """Deletes all buckets before a time, and the series that are gone with them; in the caller's transaction.

    True where there were such series.
    """
    start = f"make_timestamp({before_us})"
    dropped = {table.name: _count(cursor, f"DELETE FROM {quote(table.name)} WHERE bucket < {start}") for table in tables(grouping)}
    gone = _drop_series(cursor, grouping) if dropped[cells(grouping).name] else 0  # to look for them costs more than all else here
    cursor.execute(f"UPDATE {quote(series(grouping))} SET first = {start} WHERE first < {start}")
    return gone > 0


def _drop_series(cursor: duckdb.DuckDBPyConnection, grouping: Grouping) -> int:
    """Deletes the series that have no cells; returns how many."""
    names = [name for name, _ in cells(grouping).keys[1:]]
    same = " AND ".join(f"c.{name} IS NOT DISTINCT FROM s.{name}" for name in names) or "true"
    without = f"NOT EXISTS (SELECT 1 FROM {quote(cells(grouping).name)} c WHERE {same})"
    return _count(cursor, f"DELETE FROM {quote(series(grouping))} s WHERE {without}")


def _count(cursor: duckdb.DuckDBPyConnection, statement: str) -> int:
    """How many rows a statement changed."""
    row = cursor.execute(statement).fetchone()
    return 0 if row is None else int(row[0])


def _rewrite(cursor: duckdb.DuckDBPyConnection, table: Table, where: str, bucket: str) -> None:
    name = quote(table.name)
    keys = [key for key, _ in table.keys[1:]]
    columns = [f"{bucket} AS bucket", *keys, *(f"{value.merged} AS {quote(value.name)}" for value in (*table.values, *table.marks))]
    cursor.execute(
        f"CREATE OR REPLACE TEMP TABLE merged AS SELECT {', '.join(columns)} FROM {name} WHERE {where} GROUP BY ALL ORDER BY ALL"
    )
    cursor.execute(f"DELETE FROM {name} WHERE {where}")
    cursor.execute(f"INSERT INTO {name} BY NAME SELECT * FROM merged")
    cursor.execute("DROP TABLE merged")


def _to_registers(cursor: duckdb.DuckDBPyConnection, table: Table, where: str) -> None:
    name, groups = quote(table.name), ", ".join(key for key, _ in table.keys[:-1])
    large = f"SELECT {groups} FROM {name} WHERE {where} GROUP BY ALL HAVING count(*) > {EXACT_VALUES} AND bool_or(rank IS NULL)"
    same = " AND ".join(f"t.{key} IS NOT DISTINCT FROM l.{key}" for key, _ in table.keys[:-1])
    cursor.execute(
        f"""CREATE OR REPLACE TEMP TABLE merged AS
            SELECT {groups}, CASE WHEN rank IS NULL THEN {register_sql("key")} ELSE key END AS key,
                   max(CASE WHEN rank IS NULL THEN {rank_sql("key")} ELSE rank END) AS rank
            FROM {name} t WHERE EXISTS (SELECT 1 FROM ({large}) l WHERE {same}) GROUP BY ALL ORDER BY ALL"""
    )
    cursor.execute(f"DELETE FROM {name} t WHERE EXISTS (SELECT 1 FROM ({large}) l WHERE {same})")
    cursor.execute(f"INSERT INTO {name} BY NAME SELECT * FROM merged")
    cursor.execute("DROP TABLE merged")
