"""A source's batches under one name, and statements over them that are planned once.

Planning a statement costs DuckDB more than doing it for some hundred events. Were each batch registered anew, each would be planned for
anew; so what is registered is an object that gives whatever batch is at hand.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from livekpi.store.layout import quote

Execute = Callable[[duckdb.DuckDBPyConnection, str], duckdb.DuckDBPyConnection]
"""Executes a statement over the events at hand."""


class Batches:
    """The batches of one source, one after another, as a view of DuckDB's."""

    def __init__(self, name: str) -> None:
        """`name` is the view's, and no other's on the connection."""
        self.view = quote(name)
        self._name = name
        self._events: pa.Table | None = None
        self._schema: pa.Schema | None = None
        self._prepared: dict[str, str] = {}

    def forget(self) -> None:
        """To be called where the connection may be another than before."""
        self._schema = None

    @contextmanager
    def at_hand(self, cursor: duckdb.DuckDBPyConnection, events: pa.Table) -> Iterator[None]:
        """Meanwhile the view holds these events."""
        self._events = events
        try:
            if events.schema != self._schema:  # the first, or dead letters that are fed back
                cursor.register(self._name, self)
                self._schema, self._prepared = events.schema, {}
            yield
        finally:
            self._events = None

    def execute(self, cursor: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyConnection:
        """Executes a statement over the events at hand, and plans it where that is not done yet; each different text stays planned."""
        if sql not in self._prepared:
            name = quote(f"{self._name}_{len(self._prepared)}")
            cursor.execute(f"PREPARE {name} AS {sql}")
            self._prepared[sql] = name
        return cursor.execute(f"EXECUTE {self._prepared[sql]}")

    def __arrow_c_schema__(self) -> object:
        return self._at_hand.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._at_hand.__arrow_c_stream__(requested_schema)

    @property
    def _at_hand(self) -> pa.Table:
        assert self._events is not None, "asked for while a batch is at hand"
        return self._events
