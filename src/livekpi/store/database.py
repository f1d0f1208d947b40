"""The embedded database: one DuckDB file in the data directory, one writer, and the transaction that holds all that must agree."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Self
from weakref import WeakSet

import duckdb
import structlog

from livekpi.clock import Clock
from livekpi.store.lock import Lock, unusable
from livekpi.store.schema import SCHEMA_VERSION, StoreError, migrate

log = structlog.get_logger()

FILE_NAME = "livekpi.duckdb"
CLOSE_S = 1.0
"""How long the statements of others may take to end that are interrupted for the file to be closed."""
_AGAIN_S = 0.02


class CommitError(StoreError):
    """The disk did not take a commit; nothing of the transaction is in the store. Says why."""


class Store:
    """The store of one data directory.

    Writing is for one thread, in `transaction`, but for what is kept beside the numbers; any thread may read by a cursor of its own.
    """

    def __init__(self, directory: Path, connection: duckdb.DuckDBPyConnection, lock: Lock | None, memory_mib: int) -> None:
        self.directory = directory
        self.lock = lock
        self._memory_mib = memory_mib
        self._connection = connection
        self._guard = threading.Lock()
        self._cursors: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()

    @classmethod
    def open(cls, directory: Path, clock: Clock, *, memory_mib: int = 512) -> Self:
        """Opens the directory for writing, making it where it is not there yet.

        Raises LockedError where another process has it, StoreError where it or its file can't be used.
        """
        make_directory(directory)
        with ExitStack() as stack:
            try:
                lock = Lock(directory, clock.now_us())
            except OSError as error:
                raise unusable(directory, error) from error
            stack.callback(lock.close)
            connection = _connect(directory / FILE_NAME, read_only=False, memory_mib=memory_mib)
            stack.callback(connection.close)
            migrate(connection)
            stack.pop_all()
        return cls(directory, connection, lock, memory_mib)

    @classmethod
    def open_for_reading(cls, directory: Path, *, memory_mib: int = 512) -> Self:
        """Opens a directory that no server has open; raises StoreError where there is no store."""
        path = directory / FILE_NAME
        try:
            there = path.exists()
        except OSError as error:
            raise unusable(directory, error) from error
        if not there:
            raise StoreError(f"there is no livekpi data in {directory}; name the right directory with --data, or run `livekpi run` first")
        connection = _connect(path, read_only=True, memory_mib=memory_mib)
        version = connection.execute("SELECT value FROM meta WHERE name = 'schema_version'").fetchone()
        if version is None or int(version[0]) != SCHEMA_VERSION:
            connection.close()
            advice = "use a newer livekpi" if version and int(version[0]) > SCHEMA_VERSION else "`livekpi run` brings it to this one"
            raise StoreError(f"{directory} has schema version {version and version[0]}, this livekpi reads {SCHEMA_VERSION}; {advice}")
        return cls(directory, connection, None, memory_mib)

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """All that is done in it is there afterwards, on disk, or nothing of it is. Raises CommitError."""
        self._connection.execute("BEGIN TRANSACTION")
        try:
            yield self._connection
            self._commit()
        except BaseException:
            self._rollback()
            raise

    @contextmanager
    def beside(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A transaction of its own beside the engine's, from any thread, for tables that the engine does not write."""
        cursor = self.cursor()
        try:
            cursor.execute("BEGIN TRANSACTION")
            yield cursor
            cursor.execute("COMMIT")
        finally:
            cursor.close()  # which rolls back what was not committed

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except duckdb.TransactionException as error:  # no other writer can be in conflict with it, so it is the disk
            raise CommitError(str(error)) from error

    def _rollback(self) -> None:
        try:
            self._connection.execute("ROLLBACK")
        except duckdb.TransactionException:
            return  # a failed commit has rolled back already
        except duckdb.FatalException:
            return  # the database is closed to further work until it is reopened, which rolls back

    def reopen(self) -> None:
        """Opens the file anew at its last commit, after an error that closed it (a full disk); ends what is being asked.

        Raises StoreError where it can't be opened, or what is asked does not end.
        """
        with self._guard:
            if not self._closed():
                raise StoreError(f"{self.directory / FILE_NAME} is still being read, and can't be opened anew before that has ended")
            self._connection = _connect(self.directory / FILE_NAME, read_only=False, memory_mib=self._memory_mib)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A reader's own view; close it after use."""
        with self._guard:
            cursor = self._connection.cursor()
            self._cursors.add(cursor)
            return cursor

    def _interrupt(self) -> None:
        """Ends all statements that are going on, by an error to those who wait for them."""
        for each in (self._connection, *self._cursors):
            with suppress(duckdb.ConnectionException):  # closed meanwhile
                each.interrupt()

    def _closed(self) -> bool:
        """Closes the connection, which is refused while a statement is going on, on whichever cursor."""
        until_s = time.monotonic() + CLOSE_S
        while True:
            self._interrupt()
            try:
                self._connection.close()
            except duckdb.ResourceInUseException:
                if time.monotonic() > until_s:
                    return False
                time.sleep(_AGAIN_S)
            else:
                return True

    def size_bytes(self) -> int:
        """What the database's files take on disk."""
        found = 0
        for path in self.directory.glob(f"{FILE_NAME}*"):
            with suppress(FileNotFoundError):  # a checkpoint takes the log away between two looks
                found += path.stat().st_size
        return found

    def close(self) -> None:
        """Ends what is being asked, and lets go of the directory."""
        with self._guard:
            if not self._closed():  # all commits are on disk
                log.warning("the store is left behind with a question that does not end", data=str(self.directory))
        if self.lock is not None:
            self.lock.close()


def make_directory(directory: Path) -> None:
    """Makes a data directory where it is not there yet, for this user alone; raises StoreError where it can't be."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(directory, error) from error


def _connect(path: Path, *, read_only: bool, memory_mib: int) -> duckdb.DuckDBPyConnection:
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config={"memory_limit": f"{memory_mib}MiB"})
    except duckdb.IOException as error:
        raise StoreError(f"{path} can't be opened: {error}") from error
    except duckdb.SerializationException as error:
        raise StoreError(f"{path} is damaged: {error}") from error
    connection.execute("SET TimeZone = 'UTC'")
    # this one takes a part that two expressions share out of their TRY, where its overflow then fails the whole statement
    connection.execute("SET disabled_optimizers = 'common_subexpressions'")
    connection.execute("SET enable_progress_bar = false")
    connection.execute(f"SET temp_directory = '{str(path.parent / 'spill').replace(chr(39), chr(39) * 2)}'")
    # a second lock on the door that the allow-list of expressions closes
    connection.execute("SET enable_external_access = false")
    return connection
