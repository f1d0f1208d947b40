"""Arrow tables into the database, without a row at a time."""

import duckdb
import pyarrow as pa

_VIEW = "incoming"


def insert(cursor: duckdb.DuckDBPyConnection, statement: str, table: pa.Table) -> None:
    """Executes `statement` followed by the name under which `table` can be read."""
    cursor.register(_VIEW, table)
    try:
        cursor.execute(f"{statement} {_VIEW}")
    finally:
        cursor.unregister(_VIEW)
