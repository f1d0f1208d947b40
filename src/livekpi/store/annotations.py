"""What people note on the time axis: deploys, campaigns, whatever helps to read a curve."""

from dataclasses import dataclass

import duckdb

_COLUMNS = "number, at_us, end_us, text, kind, kpis, author, link"


@dataclass(frozen=True, slots=True)
class Note:
    """An annotation before it has a number."""

    at_us: int
    end_us: int | None
    """The end of the time it is about, not included; None where it is about a moment."""
    text: str
    kind: str
    """A word that says what it is, such as deploy."""
    kpis: tuple[str, ...]
    """About which KPIs; empty is all."""
    author: str
    """Who noted it; may be empty."""
    link: str | None
    """The address where more is said."""


@dataclass(frozen=True, slots=True)
class Annotation:
    """An annotation as kept; `number` names it."""

    number: int
    note: Note


def add(cursor: duckdb.DuckDBPyConnection, note: Note) -> Annotation:
    """Writes one, in the caller's transaction."""
    row = [note.at_us, note.end_us, note.text, note.kind, list(note.kpis), note.author, note.link]
    names = _COLUMNS.partition(", ")[2]
    ((number,),) = cursor.execute(f"INSERT INTO annotations ({names}) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number", row).fetchall()
    return Annotation(number, note)


def find(
    cursor: duckdb.DuckDBPyConnection, *, from_us: int | None = None, to_us: int | None = None, kpi: str | None = None
) -> list[Annotation]:
    """Those about any time in [from, to), and about a KPI where one is named; by time, then number."""
    if from_us is not None and to_us is not None and from_us >= to_us:
        return []
    conditions, values = ["true"], list[object]()
    if from_us is not None:
        conditions.append("(at_us >= ? OR end_us > ?)")
        values += [from_us, from_us]
    if to_us is not None:
        conditions.append("at_us < ?")
        values.append(to_us)
    if kpi is not None:
        conditions.append("(len(kpis) = 0 OR list_contains(kpis, ?))")
        values.append(kpi)
    rows = cursor.execute(f"SELECT {_COLUMNS} FROM annotations WHERE {' AND '.join(conditions)} ORDER BY at_us, number", values).fetchall()
    return [_annotation(row) for row in rows]


def remove(cursor: duckdb.DuckDBPyConnection, number: int) -> Annotation | None:
    """Deletes one, in the caller's transaction; None where there is none of that number."""
    rows = cursor.execute(f"DELETE FROM annotations WHERE number = ? RETURNING {_COLUMNS}", [number]).fetchall()
    return _annotation(rows[0]) if rows else None


def count(cursor: duckdb.DuckDBPyConnection) -> int:
    """How many are kept."""
    ((number,),) = cursor.execute("SELECT count(*) FROM annotations").fetchall()
    return int(number)


def _annotation(row: tuple[object, ...]) -> Annotation:
    number, at_us, end_us, text, kind, kpis, author, link = row
    return Annotation(number, Note(at_us, end_us, text, kind, tuple(kpis), author, link))  # type: ignore[arg-type]
