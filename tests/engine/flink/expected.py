"""What the topics of a cluster's job must hold in the end: worked out from the records by the embedded engine's own SQL."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import pyarrow as pa

from livekpi.definition.definition import Definition
from livekpi.engine.batch import dimension_columns
from livekpi.engine.embedded import with_buckets
from livekpi.engine.plan import Grouping, Plan
from livekpi.engine.rendering import EVENT, bins_sql, cells_sql, keys, values_sql
from livekpi.events import Events
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.store.layout import cells, column, dimensions, spread

Record = bytes | None
Row = dict[str, Any]
Rows = dict[tuple[Any, ...], Row]
"""By key, in the order of the key's fields."""


def decoded(definition: Definition, source: str, partitions: Mapping[int, list[Record]], now_us: int) -> Events:
    """The events and dead letters of a topic's partitions."""
    chunks = [
        Chunk(str(number), records, list(range(len(records))), len(records), ordinal=number) for number, records in partitions.items()
    ]
    return Decoder(definition.sources[source]).decode(chunks, now_us)


def without_repeats(events: pa.Table, id_field: str | None) -> pa.Table:
    """The events without those whose id came before."""
    if id_field is None:
        return events
    ids = events[id_field].to_pylist()
    first = {value: row for row, value in reversed(list(enumerate(ids)))}
    return events.filter(pa.array([value is None or first[value] == row for row, value in enumerate(ids)], pa.bool_()))


def tables(definition: Definition, plan: Plan, source: str, events: pa.Table) -> dict[str, Rows]:
    """The rows of each table of partials."""
    found: dict[str, Rows] = {}
    with duckdb.connect() as connection:
        for grouping in plan.groupings[source]:
            connection.register("events", with_buckets(events, frozenset({grouping.every_us})))
            found |= dict(_grouping(connection, definition, grouping))
    return found


def _grouping(connection: duckdb.DuckDBPyConnection, definition: Definition, grouping: Grouping) -> Iterable[tuple[str, Rows]]:
    texts = dimension_columns(definition.sources[grouping.source].fields)
    sides = [f"coalesce('v' || {texts[name]}, 'n') AS {own}" for name, own in zip(grouping.by, dimensions(grouping), strict=True)]
    bucket = f"epoch_us({EVENT}._time) // {grouping.every_us} * {grouping.every_us} AS bucket"
    given = {"source": f"events AS {EVENT}", "keys": ", ".join([bucket, *sides])}
    own = keys(grouping).split(", ")
    shown = ", ".join([*own, "n::VARCHAR AS n", *(_shown(column(partial).name, partial) for partial in grouping.cells)])
    yield cells(grouping).name, _rows(connection, f"SELECT {shown} FROM ({cells_sql(grouping).format(**given)})", own)
    for partial in grouping.spreads:
        name = spread(grouping, partial).name
        if partial.kind == "bins":
            sql = f"SELECT {', '.join([*own, 'key'])}, n::VARCHAR AS n FROM ({bins_sql(grouping, partial).format(**given)})"
            yield name, _rows(connection, sql, [*own, "key"])
        else:
            values = values_sql(partial).format(**given)
            sql = f"SELECT DISTINCT {', '.join(own)}, v::VARCHAR AS key FROM ({values}) WHERE v IS NOT NULL"
            yield (
                name,
                {(*key[:-1], _md5(key[-1])): row | {"key": _md5(key[-1])} for key, row in _rows(connection, sql, [*own, "key"]).items()},
            )


def _shown(name: str, partial: Any) -> str:
    quoted = f'"{name}"'
    if partial.kind in ("last", "first"):
        value = f"epoch_us({quoted}.v)" if partial.type.kind == "timestamp" else f"{quoted}.v"
        return f"lpad(epoch_us({quoted}.t)::VARCHAR, 20, '0') || lpad({quoted}.p::VARCHAR, 20, '0') || {value}::VARCHAR AS {quoted}"
    value = f"epoch_us({quoted})" if partial.kind in ("min", "max") and partial.type.kind == "timestamp" else quoted
    return f"{value}::VARCHAR AS {quoted}"


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, own: list[str]) -> Rows:
    rows = connection.sql(sql).to_arrow_table().to_pylist()
    return {tuple(row[name] for name in own): row for row in rows}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
