"""Which partials the store holds, and what a changed definition drops or starts."""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from livekpi.engine.plan import Grouping, Plan
from livekpi.store.layout import cells, column, quote, series, tables
from livekpi.store.schema import StoreError


@dataclass(frozen=True)
class Change:
    """What running a definition on a store does to a KPI's numbers."""

    kpi: str
    effect: str
    """`kept`, `new`, `restarted` (its meaning changed: what it had is dropped) or `dropped`."""


def claim(cursor: duckdb.DuckDBPyConnection, engine: str) -> None:
    """Keeps which engine fills the store, in the caller's transaction. Raises StoreError where it has been filled by another.

    One adds to what it has counted, the other replaces; neither can go on from the other's numbers.
    """
    found = dict(cursor.execute("SELECT name, value FROM meta WHERE name IN ('engine', 'definition')").fetchall())
    before = found.get("engine", "embedded" if "definition" in found else engine)
    if before != engine:
        raise StoreError(
            f"this data directory was filled by engine {before}, and engine {engine} can't go on from its numbers; give another with --data"
        )
    cursor.execute("INSERT OR REPLACE INTO meta VALUES ('engine', ?)", [engine])


def changes(cursor: duckdb.DuckDBPyConnection, kpis: Mapping[str, tuple[str, tuple[str, ...]]]) -> list[Change]:
    """Compares KPIs (name → value as text, keys of their partials) with those that were run last."""
    before = {name: tuple(keys) for name, keys in cursor.execute("SELECT name, partials FROM kpis").fetchall()}
    found = []
    for name, (_, keys) in kpis.items():
        effect = "new" if name not in before else "kept" if set(before[name]) == set(keys) else "restarted"
        found.append(Change(name, effect))
    return found + [Change(name, "dropped") for name in before if name not in kpis]


def install(cursor: duckdb.DuckDBPyConnection, plan: Plan, last_event_us: Mapping[str, int | None]) -> None:
    """Makes the tables of a plan, and drops what it no longer holds; in the caller's transaction.

    A partial that joins a source already read is complete from the bucket after its last event on.
    """
    existing = {(row[0], row[1]) for row in cursor.execute("SELECT grouping, partial FROM partials").fetchall()}
    wanted = {(grouping.key, partial.key) for grouping in plan.all() for partial in grouping.partials}
    _drop(cursor, existing - wanted, {grouping.key: grouping for grouping in plan.all()})
    for grouping in plan.all():
        last = last_event_us.get(grouping.source)
        since = None if last is None else (last // grouping.every_us + 1) * grouping.every_us
        _create(cursor, grouping, existing, since)


def _create(cursor: duckdb.DuckDBPyConnection, grouping: Grouping, existing: set[tuple[str, str]], since_us: int | None) -> None:
    for table in tables(grouping):
        cursor.execute(table.ddl)
    names = "".join(f"{quote(name)} VARCHAR, " for name, _ in cells(grouping).keys[1:])
    cursor.execute(f"CREATE TABLE IF NOT EXISTS {quote(series(grouping))} ({names}first TIMESTAMP)")
    for partial in grouping.cells:
        name, type_ = column(partial).name, column(partial).type
        cursor.execute(f"ALTER TABLE {quote(cells(grouping).name)} ADD COLUMN IF NOT EXISTS {quote(name)} {type_}")
    for partial in grouping.partials:
        if (grouping.key, partial.key) not in existing:
            cursor.execute("INSERT INTO partials VALUES (?, ?, ?, ?)", [grouping.key, partial.key, partial.kind, since_us])


def _drop(cursor: duckdb.DuckDBPyConnection, gone: set[tuple[str, str]], groupings: Mapping[str, Grouping]) -> None:
    for grouping, partial in sorted(gone):
        cursor.execute("DELETE FROM partials WHERE grouping = ? AND partial = ?", [grouping, partial])
        if grouping in groupings:
            cursor.execute(f"ALTER TABLE {quote(f'cells_{grouping}')} DROP COLUMN IF EXISTS {quote(partial)}")
        cursor.execute(f"DROP TABLE IF EXISTS {quote(f'{partial}_{grouping}')}")
    for grouping in {grouping for grouping, _ in gone} - groupings.keys():
        cursor.execute(f"DROP TABLE IF EXISTS {quote(f'cells_{grouping}')}")
        cursor.execute(f"DROP TABLE IF EXISTS {quote(f'series_{grouping}')}")
        cursor.execute("DELETE FROM rolled WHERE grouping = ?", [grouping])


def save_kpis(cursor: duckdb.DuckDBPyConnection, kpis: Mapping[str, tuple[str, tuple[str, ...]]]) -> None:
    """Remembers the KPIs being run, for `changes`."""
    cursor.execute("DELETE FROM kpis")
    if kpis:
        cursor.executemany("INSERT INTO kpis VALUES (?, ?, ?)", [[name, value, list(keys)] for name, (value, keys) in kpis.items()])


def since(cursor: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int | None]]:
    """From which bucket on each partial is complete, by grouping and partial (their keys); None: from the beginning."""
    found: dict[str, dict[str, int | None]] = {}
    for grouping, partial, since_us in cursor.execute("SELECT grouping, partial, since_us FROM partials").fetchall():
        found.setdefault(grouping, {})[partial] = since_us
    return found
