"""What the engine's loop asks of whoever writes its batches: one adds what it computes, the other replaces by what a cluster computed."""

from collections.abc import Iterable
from typing import Protocol

import duckdb

from livekpi.engine.batch import Outcome
from livekpi.events import Events
from livekpi.store.positions import Position


class Writer(Protocol):
    """Writes batches, each in a transaction of the caller's, and remembers between them what the store holds.

    After a transaction that failed it must `load` again.
    """

    refuses_replay: str | None
    """Why dead letters can't be fed back here; None where they can."""

    def load(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Reads from the store what is remembered between batches."""

    def positions(self, source: str) -> Iterable[Position]:
        """Where reading a source goes on, by its partitions as the source names them."""

    @property
    def commits(self) -> int:
        """The number of the last batch written; once it has been loaded, of the last that is in the store."""

    def write(self, cursor: duckdb.DuckDBPyConnection, batch: list[Events]) -> Outcome:
        """Writes what the sources handed over, and that it is read."""

    def replay(self, cursor: duckdb.DuckDBPyConnection, batch: list[Events]) -> Outcome:
        """Writes what was dead letters, at least one, which say nothing of how far a source is read. Not called where `refuses_replay`."""

    def alive(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Notes that the engine watches, though nothing came."""

    def end(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Notes that all sources have been read to their end, so that nothing more is waited for."""
