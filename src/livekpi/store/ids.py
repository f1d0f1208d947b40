"""The ids of events seen, by which repeats are dropped. An id is kept as its md5, 128 bits."""

from collections.abc import Collection

import duckdb

from livekpi.store.layout import quote


def table(source: str) -> str:
    """The table of a source's ids."""
    return f"ids_{source}"


def install(cursor: duckdb.DuckDBPyConnection, source: str) -> None:
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {quote(table(source))} (id UHUGEINT, arrived_us BIGINT)")


def drop_others(cursor: duckdb.DuckDBPyConnection, sources: Collection[str]) -> None:
    """Drops the tables of all sources but these: of those that are gone, or have no id any more."""
    kept = {table(source) for source in sources}
    found = cursor.execute("SELECT table_name FROM duckdb_tables() WHERE starts_with(table_name, ?)", [table("")]).fetchall()
    for (name,) in found:
        if name not in kept:
            cursor.execute(f"DROP TABLE {quote(name)}")


def forget(cursor: duckdb.DuckDBPyConnection, source: str, before_us: int) -> None:
    """Drops the ids that arrived before a time."""
    cursor.execute(f"DELETE FROM {quote(table(source))} WHERE arrived_us < ?", [before_us])
