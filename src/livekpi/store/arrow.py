"""Arrow tables in statements, without a row at a time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import duckdb
import pyarrow as pa

_VIEW = "incoming"


@contextmanager
def registered(cursor: duckdb.DuckDBPyConnection, tables: Mapping[str, pa.Table]) -> Iterator[None]:
    """Lets statements read tables by their names.

    After an error nothing is done: the cursor's transaction is over, and the names with it, and to ask for more would hide the error.
    """
    for name, table in tables.items():
        cursor.register(name, table)
    yield
    for name in tables:
        cursor.unregister(name)


def select(cursor: duckdb.DuckDBPyConnection, statement: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Runs a statement over tables by their names."""
    with registered(cursor, tables):
        return cursor.sql(statement).to_arrow_table()


def insert(cursor: duckdb.DuckDBPyConnection, statement: str, table: pa.Table) -> None:
    """Executes `statement` followed by the name under which `table` can be read."""
    with registered(cursor, {_VIEW: table}):
        cursor.execute(f"{statement} {_VIEW}")
