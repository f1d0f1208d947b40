"""How a grouping's partials lie in tables: names, columns, and how rows merge.

A grouping has a table of cells (one row a bucket and series, with a column a partial, and `n`, how many events), and a
table for each partial that spreads over rows: bins and distinct values. Dimensions are text columns ``d0``, ``d1``, …;
the series beyond the limit share the row with OTHER in each. Beside the partials, a row of cells has the marks of its last
correction (see `livekpi.store.corrections`), which merge as partials do.
"""

from dataclasses import dataclass

from livekpi.definition.types import Type
from livekpi.engine.plan import Grouping, Partial

OTHER = "__other__"

CORRECTED_FINAL, CORRECTED_AT = "corrected_final_us", "corrected_at_us"
_MERGES = {"count": "sum", "sum": "sum", "min": "min", "max": "max", "last": "max", "first": "min"}


@dataclass(frozen=True)
class Column:
    """A column of cells: `merge` is the aggregate by which its rows become one."""

    name: str
    type: str
    merge: str

    @property
    def merged(self) -> str:
        """The merging expression; sums come back in the column's own type."""
        call = f"{self.merge}({quote(self.name)})"
        return f"{call}::{self.type}" if self.merge == "sum" else call


MARKS = (Column(CORRECTED_FINAL, "BIGINT", "max"), Column(CORRECTED_AT, "BIGINT", "max"))
"""Of the cells: up to when their source was final as they were last corrected, and when that was. Null where they never were."""


@dataclass(frozen=True)
class Table:
    """A table of partials: rows with equal `keys` merge."""

    name: str
    keys: tuple[tuple[str, str], ...]
    """(column, type), the bucket first."""
    values: tuple[Column, ...]
    marks: tuple[Column, ...] = ()
    """What is noted of a row here, beside the values that an engine computes."""

    @property
    def ddl(self) -> str:
        columns = [*self.keys, *((column.name, column.type) for column in (*self.values, *self.marks))]
        return f"CREATE TABLE IF NOT EXISTS {quote(self.name)} ({', '.join(f'{quote(name)} {type_}' for name, type_ in columns)})"


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def sql_type(type_: Type) -> str:
    """The column type that holds values of a type."""
    names = {"string": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "timestamp": "TIMESTAMP"}
    return f"DECIMAL({type_.precision}, {type_.scale})" if type_.kind == "decimal" else names[type_.kind]


def column(partial: Partial) -> Column:
    """The cells' column of a partial. A last or first value carries its time and position, by which it is compared."""
    if partial.kind in ("last", "first"):
        type_ = f"STRUCT(t TIMESTAMP, p BIGINT, v {sql_type(partial.type)})"
    elif partial.kind == "sum" and partial.type.kind == "integer":
        type_ = "HUGEINT"
    else:
        type_ = sql_type(partial.type)
    return Column(partial.key, type_, _MERGES[partial.kind])


def dimensions(grouping: Grouping) -> tuple[str, ...]:
    """The names of a grouping's dimension columns, in the order of `by`."""
    return tuple(f"d{index}" for index in range(len(grouping.by)))


def _keys(grouping: Grouping) -> tuple[tuple[str, str], ...]:
    return (("bucket", "TIMESTAMP"), *((name, "VARCHAR") for name in dimensions(grouping)))


def cells(grouping: Grouping) -> Table:
    values = (Column("n", "BIGINT", "sum"), *map(column, grouping.cells))
    return Table(f"cells_{grouping.key}", _keys(grouping), values, MARKS)


def spread(grouping: Grouping, partial: Partial) -> Table:
    """Bins: `key` is the bin, `n` how many. Distinct: `key` is a value's hash, or, where `rank` is given, a register."""
    name = f"{partial.key}_{grouping.key}"
    if partial.kind == "bins":
        return Table(name, (*_keys(grouping), ("key", "INTEGER")), (Column("n", "BIGINT", "sum"),))
    return Table(name, (*_keys(grouping), ("key", "UBIGINT")), (Column("rank", "UTINYINT", "max"),))


def tables(grouping: Grouping) -> tuple[Table, ...]:
    """All tables of a grouping, cells first."""
    return (cells(grouping), *(spread(grouping, partial) for partial in grouping.spreads))


def series(grouping: Grouping) -> str:
    """The table of a grouping's series: dimensions, and the bucket each was first seen in."""
    return f"series_{grouping.key}"
