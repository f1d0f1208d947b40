"""The alerts that can still change, held in memory: read once, and written once a step.

Alone what judges writes alerts, so that what is held is what the store has. It belongs to the thread that judges; after a transaction
that failed it must `forget`.
"""

from collections.abc import Iterable, Mapping

import duckdb

from livekpi.alerts import ledger
from livekpi.alerts.ledger import Alert
from livekpi.alerts.series import Series

HELD_US = 300_000_000
"""So much of the past is held beyond what was asked for, for a late event may lead back to it."""

_CAN_CHANGE = "ends_us IS NULL OR ends_us > ? OR told IS DISTINCT FROM 'resolved'"


class Book:
    """Alerts that fire, whose end was not told, or that ended not long ago."""

    def __init__(self) -> None:
        self._held: dict[str, Alert] = {}
        self._changed: set[str] = set()
        """The keys of those that are not as the store has them."""
        self._from_us: int | None = None
        """All that ended after this is held."""

    def forget(self) -> None:
        """All is read anew."""
        self._held.clear()
        self._changed.clear()
        self._from_us = None

    def reach(self, cursor: duckdb.DuckDBPyConnection, from_us: int) -> None:
        """Holds all that ended after a time, and before long no more than that."""
        least_us = from_us - HELD_US
        if self._from_us is None or from_us < self._from_us:
            for alert in ledger.alerts(cursor, _CAN_CHANGE, [least_us]):
                self._held.setdefault(alert.key, alert)
            self._from_us = least_us
        elif least_us - self._from_us > HELD_US:
            self._leave(least_us)

    def _leave(self, until_us: int) -> None:
        self._from_us = until_us
        over = {key for key, alert in self._held.items() if alert.ends_us is not None and alert.ends_us <= until_us and not _untold(alert)}
        for key in over - self._changed:
            del self._held[key]

    def open(self) -> list[Alert]:
        """Those that fire, and those whose end has not been told, in the order in which they began."""
        found = (alert for alert in self._held.values() if alert.ends_us is None or _untold(alert))
        return sorted(found, key=_beginning)

    def firing(self, rule: str) -> list[Alert]:
        """Those of a rule that fire, in the order in which they began."""
        return [alert for alert in self.open() if alert.rule == rule and alert.ends_us is None]

    def since(self, start_us: Mapping[tuple[str, str], int]) -> dict[str, dict[Series, list[Alert]]]:
        """Those at any time after a time, by rule and series, in the order in which they began.

        Each rule, by name and digest, has its own time; all of them must be within `reach`.
        """
        found = [
            alert
            for alert in self._held.values()
            if (start := start_us.get((alert.rule, alert.meaning))) is not None and (alert.ends_us is None or alert.ends_us > start)
        ]
        known: dict[str, dict[Series, list[Alert]]] = {}
        for alert in sorted(found, key=_beginning):
            known.setdefault(alert.rule, {}).setdefault(alert.series, []).append(alert)
        return known

    def put(self, alerts: Iterable[Alert]) -> None:
        """Alerts that are new, or are another now; the last of a key stands."""
        for alert in alerts:
            self._held[alert.key] = alert
            self._changed.add(alert.key)

    def drop(self, keys: Iterable[str]) -> None:
        """Alerts that never were."""
        for key in keys:
            del self._held[key]
            self._changed.add(key)

    def write(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Writes what is not in the store as it is here."""
        there = sorted(self._changed & self._held.keys())
        ledger.save_alerts(cursor, [self._held[key] for key in there], sorted(self._changed - self._held.keys()))
        self._changed.clear()


def _beginning(alert: Alert) -> tuple[int, str, Series]:
    """By which alerts are in the order in which they began."""
    return alert.started_us, alert.rule, alert.series


def _untold(alert: Alert) -> bool:
    return alert.told != "resolved"
