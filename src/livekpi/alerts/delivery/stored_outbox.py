"""The outbox in the store. Its methods raise StoreError."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

import duckdb

from livekpi.alerts import ledger, refusals
from livekpi.alerts.delivery.outbox import Waiting
from livekpi.alerts.message import Notice
from livekpi.alerts.telling import notice_of
from livekpi.definition.definition import Definition
from livekpi.store.schema import StoreError


class StoredOutbox:
    """See Outbox."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]], definition: Definition) -> None:
        self._begin, self._definition = transaction, definition
        self._turn = threading.Lock()

    @contextmanager
    def _transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """One at a time, as two that change rows side by side may be in conflict. Raises StoreError."""
        with self._turn:
            try:
                with self._begin() as cursor:
                    yield cursor
            except duckdb.Error as error:
                raise StoreError(str(error)) from error

    def waiting(self, receiver: str) -> Sequence[Waiting]:
        with self._transaction() as cursor:
            rows = cursor.execute(
                """SELECT body, attempts, o.at_us FROM outbox o JOIN messages USING (number)
                   WHERE receiver = ? AND state = 'waiting' ORDER BY number""",
                [receiver],
            ).fetchall()
        return [Waiting(ledger.message_of(body), attempts, at_us) for body, attempts, at_us in rows]

    def sent(self, receiver: str, numbers: Iterable[int], now_us: int) -> None:
        self._set(receiver, numbers, "sent", now_us, None)

    def later(self, receiver: str, numbers: Iterable[int], not_before_us: int, reason: str) -> None:
        self._set(receiver, numbers, "waiting", not_before_us, reason)

    def given_up(self, receiver: str, numbers: Iterable[int], now_us: int, reason: str) -> None:
        self._set(receiver, numbers, "given_up", now_us, reason)

    def firing(self, receiver: str) -> Sequence[Notice]:
        with self._transaction() as cursor:
            condition = "ends_us IS NULL AND told = 'firing' AND list_contains(told_to, ?) AND list_contains(?, rule)"
            found = ledger.alerts(cursor, condition, [receiver, list(self._definition.rules)])
            refused = refusals.firing(cursor, receiver)
        return [*(notice_of(self._definition, alert, "firing") for alert in found), *refused]

    def _set(self, receiver: str, numbers: Iterable[int], state: str, at_us: int, reason: str | None) -> None:
        those = list(numbers)
        with self._transaction() as cursor:
            cursor.execute(
                f"UPDATE outbox SET state = ?, at_us = ?, reason = ?, attempts = attempts + 1 WHERE receiver = ? "
                f"AND number IN ({', '.join('?' * len(those))})",
                [state, at_us, reason, receiver, *those],
            )
