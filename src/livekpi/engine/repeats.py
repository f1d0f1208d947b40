"""Drops repeats: events whose id has been seen already."""

from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.store import ids
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
    cursor.register("incoming_ids", events.select([id_field]))
    cursor.execute(
        f"""CREATE OR REPLACE TEMP TABLE batch_ids AS SELECT row_number() OVER () - 1 AS row, md5_number({quote(id_field)}::VARCHAR) AS id
            FROM incoming_ids"""
    )
    cursor.unregister("incoming_ids")
    repeated: pa.Table = cursor.sql(
        f"""SELECT row FROM batch_ids SEMI JOIN {known} USING (id) WHERE id IS NOT NULL
            UNION SELECT row FROM (
                SELECT row, row_number() OVER (PARTITION BY id ORDER BY row) AS nth FROM batch_ids
                WHERE id IN (SELECT id FROM batch_ids GROUP BY id HAVING count(*) > 1)
            ) WHERE nth > 1"""
    ).to_arrow_table()
    if repeated.num_rows:
        rows = pa.array(range(events.num_rows), pa.int64())
        events = events.filter(pc.invert(pc.is_in(rows, value_set=repeated.column("row").combine_chunks())))
    cursor.execute(
        f"""INSERT INTO {known} SELECT DISTINCT id, ?::BIGINT FROM batch_ids ANTI JOIN {known} USING (id) WHERE id IS NOT NULL""",
        [arrived_us],
    )
    return Fresh(events, repeated.num_rows)
