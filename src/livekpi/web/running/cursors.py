"""Cursors of the store for those who ask, and an end to what they are asked."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from livekpi.store.database import Store


class Cursors:
    """Each call has a cursor of its own, so that it sees whole commits only."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._guard = threading.Lock()
        self._threads: dict[duckdb.DuckDBPyConnection, int] = {}
        """Of each that is open, the thread that asks by it."""

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._store.cursor()
        with self._guard:
            self._threads[cursor] = threading.get_ident()
        try:
            yield cursor
        finally:
            with self._guard:
                del self._threads[cursor]
            cursor.close()

    @contextmanager
    def snapshot(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for which nothing changes between two questions."""
        with self.cursor() as cursor:
            cursor.execute("BEGIN TRANSACTION READ ONLY")
            yield cursor

    @contextmanager
    def writing(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A transaction beside the engine's, which nobody interrupts."""
        with self._store.beside() as cursor:
            yield cursor

    def interrupt(self, thread: int | None = None) -> None:
        """Ends the statements that are going on, on a thread or on all, by an error; not those that write."""
        with self._guard:
            for cursor, asking in self._threads.items():
                if thread in (None, asking):
                    cursor.interrupt()
