"""How far each source has been read, and the watermark that follows from it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

ENDED_US = 0
"""As `arrived_us`: the partition has been read to its end and waits for nothing."""
_LATEST = ", ".join(f"last({column} ORDER BY commit)" for column in ("position", "watermark_us", "arrived_us"))


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


@dataclass(frozen=True, slots=True)
class Quiet:
    """A time through which a source held nothing unread, and all that it had held was in the store; µs by the clock."""

    since_us: int
    until_us: int


def load(cursor: duckdb.DuckDBPyConnection, source: str, origin: str) -> dict[str, Position]:
    """The committed positions of a source, by partition."""
    rows = cursor.execute(
        f"SELECT partition, {_LATEST} FROM positions WHERE source = ? AND origin = ? GROUP BY partition", [source, origin]
    ).fetchall()
    return {row[0]: Position(*row) for row in rows}


def load_all(cursor: duckdb.DuckDBPyConnection) -> tuple[int, dict[tuple[str, str], dict[str, Position]]]:
    """The last commit's number, and by (source, origin) what `load` gives of each: by one statement, which is what costs."""
    statement = f"SELECT max(commit), source, origin, partition, {_LATEST} FROM positions GROUP BY source, origin, partition"
    last, found = 0, dict[tuple[str, str], dict[str, Position]]()
    for commit, source, origin, *row in cursor.execute(statement).fetchall():
        last = max(last, commit)
        found.setdefault((source, origin), {})[row[0]] = Position(*row)
    return last, found


def last_commit(cursor: duckdb.DuckDBPyConnection) -> int:
    """The number of the last commit; 0 before the first."""
    row = cursor.execute("SELECT max(commit) FROM positions").fetchone()
    return row[0] or 0 if row else 0


def save(cursor: duckdb.DuckDBPyConnection, commit: int, positions: Mapping[tuple[str, str], Iterable[Position]]) -> None:
    """Writes positions by (source, origin), in the transaction that holds what was read up to them."""
    rows = [
        (commit, source, origin, row.partition, row.position, row.watermark_us, row.arrived_us)
        for (source, origin), known in positions.items()
        for row in known
    ]
    if rows:
        places = ", ".join(["(?, ?, ?, ?, ?, ?, ?)"] * len(rows))
        cursor.execute(f"INSERT INTO positions VALUES {places}", [value for row in rows for value in row])


def prune(cursor: duckdb.DuckDBPyConnection) -> None:
    """Forgets the positions that later ones have replaced."""
    cursor.execute(
        """DELETE FROM positions p USING (SELECT source, origin, partition, max(commit) AS commit FROM positions GROUP BY ALL) last
           WHERE (p.source, p.origin, p.partition) = (last.source, last.origin, last.partition) AND p.commit < last.commit"""
    )


def watermark_us(positions: Iterable[Position], now_us: int, idle_us: int) -> int | None:
    """Up to which event time a source is thought to be complete; None before its first event.

    The least of its partitions' that are not idle, and not past the clock: a sender whose clock is fast makes nothing complete that has
    not ended. When all are idle nothing more is waited for: the clock's time.
    """
    known = [row for row in positions if row.watermark_us is not None]
    if not known:
        return None
    active = waited_for_us(known, now_us, idle_us)
    return min(now_us, *active) if active else max(now_us, *(row.watermark_us or 0 for row in known))


def waited_for_us(positions: Iterable[Position], now_us: int, idle_us: int) -> list[int]:
    """The watermarks of a source's partitions that are not idle."""
    return [row.watermark_us for row in positions if row.watermark_us is not None and now_us - row.arrived_us <= idle_us]


def last_event_us(positions: Iterable[Position]) -> int | None:
    """The greatest event time of a source; None before its first event."""
    return max((row.watermark_us for row in positions if row.watermark_us is not None), default=None)
