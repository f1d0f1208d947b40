"""How far each source has been read, and the watermark that follows from it."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

ENDED_US = 0
"""As `arrived_us`: the partition has been read to its end and waits for nothing."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where one partition of a source stands."""

    partition: str
    position: int
    """Where reading goes on."""
    watermark_us: int | None
    """The greatest event time seen in it."""
    arrived_us: int
    """When its last record arrived, or ENDED_US."""


def load(cursor: duckdb.DuckDBPyConnection, source: str, origin: str) -> dict[str, Position]:
    """The committed positions of a source, by partition."""
    rows = cursor.execute(
        "SELECT partition, position, watermark_us, arrived_us FROM positions WHERE source = ? AND origin = ?", [source, origin]
    ).fetchall()
    return {row[0]: Position(*row) for row in rows}


def save(cursor: duckdb.DuckDBPyConnection, source: str, origin: str, positions: Iterable[Position]) -> None:
    """Writes positions, in the transaction that holds what was read up to them."""
    rows = [(source, origin, row.partition, row.position, row.watermark_us, row.arrived_us) for row in positions]
    if rows:
        places = ", ".join(["(?, ?, ?, ?, ?, ?)"] * len(rows))
        cursor.execute(f"INSERT OR REPLACE INTO positions VALUES {places}", [value for row in rows for value in row])


def watermark_us(positions: Iterable[Position], now_us: int, idle_us: int) -> int | None:
    """Up to which event time a source is thought to be complete; None before its first event.

    The least of its partitions' that are not idle. When all are idle nothing more is waited for: the clock's time.
    """
    known = [row for row in positions if row.watermark_us is not None]
    if not known:
        return None
    active = [row.watermark_us for row in known if row.watermark_us is not None and now_us - row.arrived_us <= idle_us]
    return min(active) if active else max(now_us, *(row.watermark_us or 0 for row in known))


def last_event_us(positions: Iterable[Position]) -> int | None:
    """The greatest event time of a source; None before its first event."""
    return max((row.watermark_us for row in positions if row.watermark_us is not None), default=None)
