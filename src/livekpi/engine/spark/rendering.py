"""The plan for Spark: what its workers compute of a batch, in DuckDB's SQL, and what its state merges, in Spark's.

A batch's partials are the embedded engine's own, by the same SQL; so an expression means on Spark what it means there. Spark adds
them up over all batches and partitions, in the slots of slots.py.

A value that is compared is text that sorts as the value does: the greatest of ``key:text`` is that of the greatest key.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from livekpi.definition.types import Field
from livekpi.engine.batch import dimension_columns
from livekpi.engine.plan import Grouping, Partial
from livekpi.engine.rendering import EVENT, bins_sql, cells_sql, keys, values_sql
from livekpi.engine.spark.slots import KINDS, SPARK_TYPES, Slots, kind_of, slot_kind
from livekpi.engine.topics import NULL, VALUE
from livekpi.store.layout import cells, column, dimensions, quote, spread, text

EVENTS = "events"
"""What the workers' SQL calls the events of a batch."""
OFFSET, TIME = "latest_offset", "latest_time"
"""The columns of progress beside the slots."""
_DUCKDB_TYPES = {"sum_number": "DECIMAL(38, 0)", "sum_double": "DOUBLE", "min_text": "VARCHAR", "max_text": "VARCHAR"}
_DIGITS = 20
"""In which a time and a position are written, as many as any has."""


@dataclass(frozen=True)
class Statement:
    """What makes a batch's rows of one table."""

    table: str
    sql: str


def progress_table(source: str) -> str:
    return f"progress_{source}"


def letters_table(source: str) -> str:
    return f"dead_letters_{source}"


def row_schema(slots: Slots) -> str:
    """The columns of the rows that workers make, for Spark."""
    own = [f"`{slot}` {SPARK_TYPES[kind_of(slot)]}" for slot in slots.names]
    return ", ".join(["`table` STRING", "`key` STRING", "`expires` BIGINT", "`n` BIGINT", f"{OFFSET} BIGINT", f"{TIME} BIGINT", *own])


def statements(grouping: Grouping, fields: Mapping[str, Field], slots: Slots, keep_us: int) -> tuple[Statement, ...]:
    """For each table of a grouping, what makes its rows of EVENTS; they expire `keep_us` after their bucket."""
    columns = dimension_columns(fields)
    bucket = f"make_timestamp(epoch_us({EVENT}._time) // {grouping.every_us} * {grouping.every_us})"
    sides = [f"coalesce('{VALUE}' || {columns[by]}, '{NULL}')" for by in grouping.by]
    named = zip([bucket, *sides], ["bucket", *dimensions(grouping)], strict=True)
    events = {"keys": ", ".join(f"{sql} AS {name}" for sql, name in named), "source": f"{EVENTS} AS {EVENT}"}
    made = {column(partial).name: _slot_sql(partial) for partial in grouping.cells}
    places = slots.places[cells(grouping).name]
    found = [_statement(grouping, cells(grouping).name, cells_sql(grouping), {places[name]: sql for name, sql in made.items()}, slots)]
    spreads = ((spread(grouping, partial).name, _spread_sql(grouping, partial)) for partial in grouping.spreads)
    found += [_statement(grouping, name, sql, {}, slots) for name, sql in spreads]
    return tuple(Statement(each.table, each.sql.format(**events, expires=f"epoch_us(bucket) + {keep_us}")) for each in found)


def _statement(grouping: Grouping, table: str, rows: str, made: Mapping[str, str], slots: Slots) -> Statement:
    key = ["'bucket', epoch_us(bucket)", *(f"'{name}', {name}" for name in dimensions(grouping))]
    if table != cells(grouping).name:
        key.append("'key', key")
    values = [f"{made.get(slot, f'NULL::{_DUCKDB_TYPES[kind_of(slot)]}')} AS {slot}" for slot in slots.names]
    own = f"{{expires}} AS expires, n, NULL::BIGINT AS {OFFSET}, NULL::BIGINT AS {TIME}"
    head = f"'{table}' AS \"table\", json_object({', '.join(key)})::VARCHAR AS key, {own}"
    return Statement(table, f"SELECT {', '.join([head, *values])} FROM ({rows})")


def _spread_sql(grouping: Grouping, partial: Partial) -> str:
    if partial.kind == "bins":
        return bins_sql(grouping, partial)
    named = keys(grouping)
    return (
        f"SELECT {named}, md5(v::VARCHAR) AS key, 1 AS n FROM (SELECT DISTINCT {named}, v FROM ({values_sql(partial)}) WHERE v IS NOT NULL)"
    )


def _slot_sql(partial: Partial) -> str:
    """A cell as what its slot merges."""
    cell, type_ = quote(column(partial).name), partial.type
    if partial.kind in ("last", "first"):
        time, position = (f"lpad(({number})::VARCHAR, {_DIGITS}, '0')" for number in (f"epoch_us({cell}.t)", f"{cell}.p"))
        return f"{time} || {position} || {_text_sql(partial, f'{cell}.v')}"
    if partial.kind in ("min", "max"):
        exact = _text_sql(partial, cell)
        sortable = exact if type_.kind == "string" else f"hex(create_sort_key({cell}, 'ASC NULLS LAST')) || ':' || {exact}"
        return f"CASE WHEN {cell} IS NOT NULL THEN {sortable} END"
    if slot_kind(partial) == "sum_number" and type_.kind == "decimal" and partial.kind == "sum":
        return f"replace({cell}::VARCHAR, '.', '')::DECIMAL(38, 0)"
    return f"{cell}::{_DUCKDB_TYPES[slot_kind(partial)]}"


def _text_sql(partial: Partial, value: str) -> str:
    return f"epoch_us({value})::VARCHAR" if partial.type.kind == "timestamp" else f"{value}::VARCHAR"


def merges(slots: Slots) -> tuple[str, ...]:
    """Spark's aggregates over rows of the same table and key."""
    calls = {kind: kind.partition("_")[0] for kind in KINDS}
    own = ("sum(n) AS n", *(f"max({name}) AS {name}" for name in (OFFSET, TIME)))
    return (*own, *(f"{calls[kind_of(slot)]}({slot}) AS {slot}" for slot in slots.names))


def all_slots(slots: Slots) -> str:
    """A condition that every merged row meets, in Spark's SQL. It names all slots: Spark leaves what nothing reads out of its state,
    and a state without the slots that are free has no room for a KPI that comes later.
    """
    return " OR ".join(f"{name} IS NOT NULL" for name in ("`table`", *slots.names))


def topic_column(prefix: str) -> str:
    """The topic of a merged row, in Spark's SQL."""
    return f"concat({_literal(f'{prefix}.')}, `table`)"


def key_column(source: str) -> str:
    """The key of a merged row's topic, in Spark's SQL. A dead letter is merged under all of itself, which begins with its key."""
    letter = _literal(letters_table(source))
    return f"CASE `table` WHEN {letter} THEN concat(substring_index(key, ',', 2), '}}') ELSE key END"


def value_column(source: str, groupings: tuple[Grouping, ...], slots: Slots) -> str:
    """A merged row as the JSON of its topic's value, in Spark's SQL; null for a table that is no longer in the plan."""
    cases = {progress_table(source): _progress_value(), letters_table(source): "key"}
    for grouping in groupings:
        cases[cells(grouping).name] = _cells_value(grouping, slots)
        for partial in grouping.spreads:
            cases[spread(grouping, partial).name] = _with_key("named_struct('n', CAST(n AS STRING))") if partial.kind == "bins" else "key"
    whens = (f"WHEN {_literal(table)} THEN {value}" for table, value in cases.items())
    return f"CASE `table` {' '.join(whens)} END"


def _cells_value(grouping: Grouping, slots: Slots) -> str:
    places = slots.places[cells(grouping).name]
    members = ["'n', CAST(n AS STRING)"]
    for partial in grouping.cells:
        name = column(partial).name
        members.append(f"{_literal(name)}, {_value_sql(partial, places[name])}")
    return _with_key(f"named_struct({', '.join(members)})")


def _with_key(struct: str) -> str:
    """The key's members and a struct's as one object."""
    return f"concat(left(key, length(key) - 1), ',', substring(to_json({struct}, map('ignoreNullFields', 'false')), 2))"


def _progress_value() -> str:
    return _with_key(f"named_struct('n', n, 'offset', {OFFSET}, 'time', {TIME})")


def _value_sql(partial: Partial, slot: str) -> str:
    """A slot's value as the exact text of the partial's."""
    if partial.kind in ("last", "first"):
        return slot
    if partial.kind in ("min", "max"):
        return slot if partial.type.kind == "string" else f"substring({slot}, locate(':', {slot}) + 1)"
    if partial.kind == "sum" and partial.type.kind == "decimal" and partial.type.scale:
        return _scaled(slot, partial.type.scale)
    return f"CAST({slot} AS STRING)"


def _scaled(slot: str, scale: int) -> str:
    """A whole number of a decimal's last digit as the decimal's text."""
    digits = f"concat(repeat('0', {scale}), CAST(abs({slot}) AS STRING))"
    return f"concat(if({slot} < 0, '-', ''), regexp_replace({digits}, '^0*([0-9]+)([0-9]{{{scale}}})$', '$1.$2'))"


def _literal(value: str) -> str:
    """A text in Spark's SQL."""
    return text(value.replace("\\", "\\\\")).replace("''", "\\'")
