"""Drops repeats: events whose id has been seen already."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.store import ids
from livekpi.store.arrow import registered
from livekpi.store.layout import quote


@dataclass(frozen=True)
class Fresh:
    """The events that are no repeats, and how many were."""

    table: pa.Table
    repeats: int


def drop_repeats(cursor: duckdb.DuckDBPyConnection, source: str, id_field: str, events: pa.Table, arrived_us: int) -> Fresh:
    """Keeps the first event of each id, remembers its id, and keeps all events whose id is null.

    In the caller's transaction, so that ids and partials agree after a crash.
    """
    known = quote(ids.table(source))
    with registered(cursor, {"incoming_ids": events.select([id_field])}):
        cursor.execute(
            f"""CREATE OR REPLACE TEMP TABLE fresh_ids AS
                SELECT id, min(row) AS row FROM (
                    SELECT md5_number({quote(id_field)}::VARCHAR) AS id, row_number() OVER () - 1 AS row FROM incoming_ids
                ) ANTI JOIN {known} USING (id) WHERE id IS NOT NULL GROUP BY id"""
        )
    row = cursor.execute(f"INSERT INTO {known} SELECT id, ?::BIGINT FROM fresh_ids", [arrived_us]).fetchone()
    without_id = events[id_field].null_count
    repeats = events.num_rows - without_id - (row[0] if row else 0)
    if repeats:
        kept = cursor.sql("SELECT row FROM fresh_ids").to_arrow_table().column("row").combine_chunks()
        rows = pa.array(range(events.num_rows), pa.int64())
        events = events.filter(pc.or_(pc.is_in(rows, value_set=kept), pc.is_null(events[id_field]).combine_chunks()))
    return Fresh(events, repeats)
