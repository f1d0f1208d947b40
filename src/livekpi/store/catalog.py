"""Which partials the store holds, and what a changed definition drops or starts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from livekpi.engine.plan import Grouping, Plan
from livekpi.moments import time_text
from livekpi.store.layout import cells, column, quote, series, tables
from livekpi.store.schema import StoreError


@dataclass(frozen=True)
class Change:
    """What running a definition on a store does to the numbers of one KPI."""

    kpi: str
    stored: bool
    """Whether a KPI of this name was run before."""
    defined: bool
    """Whether the definition still has it."""
    dropped: bool
    """Whether numbers of it are dropped, as no KPI needs them any more."""
    anew: bool
    """Whether it needs numbers that are not stored."""
    since_us: int | None
    """The first bucket it is complete from; None where that is the beginning."""

    @property
    def effect(self) -> str:
        """As the end of a sentence that begins with the KPI's name."""
        effects = []
        if self.dropped:
            effects.append("its numbers are dropped" if self.anew or not self.defined else "what it needs no longer is dropped")
        if self.anew and self.since_us is not None:
            effects.append(f"it begins at {time_text(self.since_us)}, after the last event that was read: older ones it never shows")
        elif self.anew:
            effects.append("it begins anew")
        what = "has another meaning than what is stored" if self.stored else "is new"
        return f"{what if self.defined else 'is no longer defined'}: {', and '.join(effects)}"


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


def changes(
    cursor: duckdb.DuckDBPyConnection,
    plan: Plan,
    kpis: Mapping[str, tuple[str, tuple[str, ...]]],
    last_event_us: Mapping[str, int | None],
) -> list[Change]:
    """What `install` will do to the KPIs (name → value as text, keys of their partials) that it does something to.

    Numbers belong to what they mean, not to a name: a KPI that is renamed keeps them.
    """
    before = {name: set(keys) for name, keys in cursor.execute("SELECT name, partials FROM kpis").fetchall()}
    stored = {f"{grouping}/{partial}": since_us for grouping, found in kept(cursor).since.items() for partial, since_us in found.items()}
    wanted = {
        f"{grouping.key}/{partial.key}": _begin_us(grouping, last_event_us) for grouping in plan.all() for partial in grouping.partials
    }
    gone = stored.keys() - wanted.keys()
    sinces_us = wanted | stored
    found = []
    for name in (*kpis, *(name for name in before if name not in kpis)):
        needs = set(kpis[name][1]) if name in kpis else set[str]()
        starts_us = [since_us for key in needs if (since_us := sinces_us[key]) is not None]
        dropped, anew = bool(before.get(name, set()) & gone), bool(needs - stored.keys())
        change = Change(name, name in before, name in kpis, dropped, anew, max(starts_us, default=None))
        if dropped or (anew and (change.stored or change.since_us is not None)):
            found.append(change)
    return found


def install(cursor: duckdb.DuckDBPyConnection, plan: Plan, last_event_us: Mapping[str, int | None]) -> None:
    """Makes the tables of a plan, and drops what it no longer holds; in the caller's transaction.

    A partial that joins a source already read is complete from the bucket after its last event on.
    """
    existing = {(row[0], row[1]) for row in cursor.execute("SELECT grouping, partial FROM partials").fetchall()}
    wanted = {(grouping.key, partial.key) for grouping in plan.all() for partial in grouping.partials}
    _drop(cursor, existing - wanted, {grouping.key: grouping for grouping in plan.all()})
    for grouping in plan.all():
        _create(cursor, grouping, existing, _begin_us(grouping, last_event_us))


def _begin_us(grouping: Grouping, last_event_us: Mapping[str, int | None]) -> int | None:
    """The first bucket that what joins a grouping now is complete from; None where its source has had no event yet."""
    last_us = last_event_us.get(grouping.source)
    return None if last_us is None else (last_us // grouping.every_us + 1) * grouping.every_us


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


@dataclass(frozen=True)
class Kept:
    """What is kept of groupings, by their keys."""

    since: Mapping[str, Mapping[str, int | None]]
    """From which bucket on each partial, by its key, is complete; None: from the beginning."""
    rolled: Mapping[str, Sequence[tuple[int, int]]]
    """(grain, before), µs: buckets before a time are kept at a grain."""


def kept(cursor: duckdb.DuckDBPyConnection) -> Kept:
    """Reads it by one statement, which is what costs."""
    since: defaultdict[str, dict[str, int | None]] = defaultdict(dict)
    rolled: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    statement = "SELECT grouping, partial, since_us, NULL FROM partials UNION ALL SELECT grouping, NULL, grain_us, before_us FROM rolled"
    for grouping, partial, first, second in cursor.execute(statement).fetchall():
        if partial is None:
            rolled[grouping].append((first, second))
        else:
            since[grouping][partial] = first
    return Kept(since, rolled)
