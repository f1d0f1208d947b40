"""Records that are not counted, kept with their reason until they are mended and replayed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from livekpi.events import DeadLetter
from livekpi.store.arrow import insert, registered

DEFAULT = 1_000
"""So many are listed where nobody says how many."""
MOST = 10_000
"""So many at most are listed, or fed back, by one request to a server."""

_COLUMNS = pa.schema(
    {
        **dict.fromkeys(("source", "partition"), pa.string()),
        "position": pa.int64(),
        **dict.fromkeys(("field", "code", "reason"), pa.string()),
        "record": pa.binary(),
        "arrived_us": pa.int64(),
        "columns": pa.list_(pa.string()),
    }
)

_STORED = "number, source, partition, position, field, code, reason, record, arrived_us, columns"


@dataclass(frozen=True, slots=True)
class StoredDeadLetter:
    """A dead letter as kept; `number` names it."""

    number: int
    source: str
    partition: str
    position: int
    field: str | None
    code: str
    reason: str
    record: bytes
    arrived_us: int
    columns: tuple[str, ...] | None = None
    """Of CSV, the names in the header that the record stands under."""


def save(cursor: duckdb.DuckDBPyConnection, letters: Iterable[DeadLetter]) -> None:
    """Writes dead letters, in the transaction that holds the position behind them."""
    rows = [{name: getattr(letter, name) for name in _COLUMNS.names} for letter in letters]
    if rows:
        insert(cursor, f"INSERT INTO dead_letters ({', '.join(_COLUMNS.names)}) SELECT * FROM", pa.Table.from_pylist(rows, _COLUMNS))


def save_new(cursor: duckdb.DuckDBPyConnection, letters: Iterable[DeadLetter]) -> list[DeadLetter]:
    """As `save`, but for those whose record has a letter already, replayed ones included; returns the new ones."""
    fresh: dict[tuple[str, str, int], DeadLetter] = {}
    for letter in letters:
        fresh.setdefault((letter.source, letter.partition, letter.position), letter)
    if fresh:
        columns = zip(*fresh, strict=True)
        names = ("source", "partition", "position")
        with registered(cursor, {"given": pa.table({name: pa.array(values) for name, values in zip(names, columns, strict=True)})}):
            known = cursor.execute(f"SELECT DISTINCT {', '.join(names)} FROM dead_letters JOIN given USING ({', '.join(names)})").fetchall()
        for place in known:
            del fresh[place]
        save(cursor, fresh.values())
    return list(fresh.values())


def drop_oldest(cursor: duckdb.DuckDBPyConnection, most: int) -> int:
    """Drops what was kept before the last `most`; returns how many those were."""
    [[dropped]] = cursor.execute("DELETE FROM dead_letters WHERE number <= (SELECT max(number) FROM dead_letters) - ?", [most]).fetchall()
    return int(dropped)


def numbered(cursor: duckdb.DuckDBPyConnection, numbers: Iterable[int]) -> list[StoredDeadLetter]:
    """Those of these numbers that have not been replayed yet, in order."""
    condition = "replayed_us IS NULL AND list_contains(?::BIGINT[], number)"
    rows = cursor.execute(f"SELECT {_STORED} FROM dead_letters WHERE {condition} ORDER BY number", [list(numbers)]).fetchall()
    return [_letter(row) for row in rows]


def find(
    cursor: duckdb.DuckDBPyConnection,
    *,
    source: str | None = None,
    reason: str | None = None,
    from_us: int | None = None,
    to_us: int | None = None,
    limit: int = DEFAULT,
    newest: bool = False,
) -> list[StoredDeadLetter]:
    """The dead letters not replayed yet, oldest first, or the `newest`; `reason` is a code or a part of the reason's text."""
    conditions = ["replayed_us IS NULL"]
    values: list[object] = []
    for condition, value in (("source = ?", source), ("arrived_us >= ?", from_us), ("arrived_us < ?", to_us)):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if reason is not None:
        conditions.append("(code = ? OR contains(reason, ?))")
        values += [reason, reason]
    rows = cursor.execute(
        f"""SELECT {_STORED} FROM dead_letters
            WHERE {" AND ".join(conditions)} ORDER BY number{" DESC" if newest else ""} LIMIT ?""",
        [*values, limit],
    ).fetchall()
    return [_letter(row) for row in rows]


def mark_replayed(cursor: duckdb.DuckDBPyConnection, numbers: Iterable[int], now_us: int) -> None:
    """Says that these have been fed back, so that they are fed back once."""
    cursor.execute("UPDATE dead_letters SET replayed_us = ? WHERE list_contains(?::BIGINT[], number)", [now_us, list(numbers)])


def _letter(row: tuple[Any, ...]) -> StoredDeadLetter:
    values: tuple[Any, ...] = (*row[:-1], None if row[-1] is None else tuple(row[-1]))
    return StoredDeadLetter(*values)
