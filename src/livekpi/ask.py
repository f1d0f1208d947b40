"""`livekpi query` and `livekpi dead-letters`: the same answer beside a running server, by asking it, and without one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.query.points import Points, Request, points
from livekpi.store.database import Store
from livekpi.store.schema import StoreError


class _Unset(dict[str, str]):
    """An environment in which each variable is set to something, for a definition whose sources are not opened."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return "unset"

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override]
        return "unset" if default is None else default


@contextmanager
def stored(data: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Definition, int]]:
    """A data directory that no server has open: a cursor, the definition it was run with, and when it was last alive (µs)."""
    store = Store.open_for_reading(data)
    try:
        cursor = store.cursor()
        text = cursor.execute("SELECT value FROM meta WHERE name = 'definition'").fetchone()
        alive = cursor.execute("SELECT alive_us FROM engine").fetchone()
        if text is None or alive is None:
            raise StoreError(f"{data} has not been run yet; run `livekpi run` first")
        yield cursor, parse_definition(text[0].encode(), data / "definition", _Unset()), alive[0]
    finally:
        store.close()


def ask(data: Path, request: Request) -> Points:
    """Answers from a store that no server has open. Raises QueryError, StoreError."""
    with stored(data) as (cursor, definition, alive_us):
        return points(cursor, definition, request, alive_us)
