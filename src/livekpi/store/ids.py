"""The ids of events seen, by which repeats are dropped. An id is kept as its md5, 128 bits."""

import duckdb

from livekpi.store.layout import quote


def table(source: str) -> str:
    """The table of a source's ids."""
    return f"ids_{source}"


def install(cursor: duckdb.DuckDBPyConnection, source: str) -> None:
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {quote(table(source))} (id UHUGEINT, arrived_us BIGINT)")


def forget(cursor: duckdb.DuckDBPyConnection, source: str, before_us: int) -> None:
    """Drops the ids that arrived before a time."""
    cursor.execute(f"DELETE FROM {quote(table(source))} WHERE arrived_us < ?", [before_us])
