"""One batch into the store: partials, positions, ids seen and dead letters, all in the caller's transaction."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.clock import Clock, due
from livekpi.definition.definition import Definition
from livekpi.definition.tiers import kept_from_us
from livekpi.definition.types import Field
from livekpi.engine.embedded import EVENTS, GroupingWriter, with_buckets
from livekpi.engine.plan import Plan, grouping_of
from livekpi.engine.prepared import Batches
from livekpi.engine.rendering import EVENT
from livekpi.engine.repeats import drop_repeats
from livekpi.events import DeadLetter, Events
from livekpi.store import dead_letters, positions
from livekpi.store.corrections import Final
from livekpi.store.layout import quote
from livekpi.store.positions import ENDED_US, Position

_NEVER_US = int(np.iinfo(np.int64).min)
_Moved = Callable[[str, list[Events]], Iterable[Position]]
"""Where a source stands after a batch of it, by those of its partitions that changed."""
ALIVE_US = 1_000_000
"""How often it is noted that the engine watches; whoever asks an engine that has ended sees its last moment by it."""


class Watching:
    """Notes in the store that the engine watches, in the caller's transactions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted_us: int | None = None

    def note(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Notes that it watches now."""
        self._noted_us = self._clock.now_us()
        cursor.execute("UPDATE engine SET alive_us = ?", [self._noted_us])

    def go_on(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Notes it where that was not done a short time ago."""
        if due(self._clock.now_us(), self._noted_us, ALIVE_US):
            self.note(cursor)


@dataclass
class SourceOutcome:
    """What a batch held of one source."""

    events: int = 0
    bytes: int = 0
    late: int = 0
    expired: int = 0
    """Events so old that no grouping keeps their bucket: they go when ages are looked at next."""
    repeats: int = 0
    dead: list[DeadLetter] = field(default_factory=list)
    times: pa.ChunkedArray | None = None
    """The events' own times, for freshness."""
    before_us: int | None = None
    """The source's last event before the batch, where there was one."""

    @classmethod
    def of(cls, batch: Iterable[Events]) -> Self:
        """What can be told before anything is written."""
        parts = list(batch)
        return cls(bytes=sum(events.bytes for events in parts), dead=[letter for events in parts for letter in events.dead])


@dataclass
class Outcome:
    """What a batch did."""

    number: int
    at_us: int
    sources: dict[str, SourceOutcome] = field(default_factory=dict)
    touched: dict[str, frozenset[int]] = field(default_factory=dict)
    """By grouping key, the buckets (µs) that changed."""
    rows: dict[str, int] = field(default_factory=dict)
    """By grouping key, how many rows were appended to its largest table, about."""
    series: dict[str, int] = field(default_factory=dict)
    """By KPI, how many series it has."""
    limited: dict[str, int] = field(default_factory=dict)
    """By KPI, how many events were counted as others for the limit on series."""


class BatchWriter:
    """Writes batches; remembers positions and series between them.

    After a transaction that failed it must `load` again.
    """

    refuses_replay: str | None = None

    def __init__(self, definition: Definition, plan: Plan, clock: Clock) -> None:
        self._definition, self._plan, self._clock = definition, plan, clock
        self._positions: dict[str, dict[str, Position]] = {}
        self._commits = 0
        self._watching = Watching(clock)
        self._kpis: dict[str, list[str]] = {grouping.key: [] for grouping in plan.all()}
        for name, kpi in definition.kpis.items():
            for key in {grouping_of(plan, aggregate).key for aggregate in kpi.value.aggregates}:
                self._kpis[key].append(name)
        self._batches = {source: Batches(f"{EVENTS}_{source}") for source in plan.groupings}
        self._groupings = {
            source: [
                GroupingWriter(
                    grouping, self._batches[source], dimension_columns(definition.sources[source].fields), definition.spec.limits.series
                )
                for grouping in groupings
            ]
            for source, groupings in plan.groupings.items()
        }

    def load(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Reads from the store what is remembered between batches."""
        self._commits, stored = positions.load_all(cursor)
        for source, writers in self._groupings.items():
            self._positions[source] = stored.get((source, self._definition.sources[source].origin), {})
            self._batches[source].forget()
            for writer in writers:
                writer.load(cursor)

    def positions(self, source: str) -> Iterable[Position]:
        """Where a source stands."""
        return tuple(self._positions[source].values())

    @property
    def commits(self) -> int:
        """See Writer."""
        return self._commits

    def write(self, cursor: duckdb.DuckDBPyConnection, batch: list[Events]) -> Outcome:
        """Writes what the sources handed over; the caller commits."""
        self._watching.go_on(cursor)
        return self._take(cursor, batch, self._advanced)

    def replay(self, cursor: duckdb.DuckDBPyConnection, batch: list[Events]) -> Outcome:
        """As `write`, for events that were dead letters: they are counted, and their source is read no further by them.

        Nor does it say that the engine watches: letters are fed back without one too.
        """
        return self._take(cursor, batch, self._mended)

    def _take(self, cursor: duckdb.DuckDBPyConnection, batch: list[Events], moved: _Moved) -> Outcome:
        """Counts a batch, and writes how far its sources are read as `moved` says."""
        self._commits += 1
        outcome = Outcome(self._commits, self._clock.now_us())
        stand: dict[str, Iterable[Position]] = {}
        for name in dict.fromkeys(events.source for events in batch):
            mine = [events for events in batch if events.source == name]
            outcome.sources[name] = self._write_source(cursor, name, mine, outcome)
            stand[name] = moved(name, mine)
        self._save(cursor, stand)
        return outcome

    def alive(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Notes that the engine watches."""
        self._watching.note(cursor)

    def end(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Notes that all sources have been read to their end, so that nothing more is waited for."""
        self._commits += 1
        self._save(
            cursor, {source: [replace(row, arrived_us=ENDED_US) for row in known.values()] for source, known in self._positions.items()}
        )
        self.alive(cursor)

    def _save(self, cursor: duckdb.DuckDBPyConnection, known: Mapping[str, Iterable[Position]]) -> None:
        """Writes how far sources are read, as of this commit."""
        rows = {name: list(positions_) for name, positions_ in known.items()}
        positions.save(cursor, self._commits, {(name, self._definition.sources[name].origin): each for name, each in rows.items()})
        for name, each in rows.items():
            self._positions[name].update((row.partition, row) for row in each)

    def _write_source(self, cursor: duckdb.DuckDBPyConnection, name: str, batch: list[Events], outcome: Outcome) -> SourceOutcome:
        source = self._definition.sources[name]
        found = SourceOutcome.of(batch)
        dead_letters.save(cursor, found.dead)
        found.before_us = positions.last_event_us(self._positions[name].values())
        table = pa.concat_tables([events.table for events in batch])
        found.events = table.num_rows
        final = Final.of(self._positions[name].values(), source, outcome.at_us)
        if table.num_rows:
            found.times = table["_time"].cast(pa.int64())
            found.expired = self._expired(name, found.times, found.before_us)
            if final is not None:
                found.late = pc.sum(pc.less(found.times, final.until_us)).as_py() or 0
            if source.spec.id is not None:
                fresh = drop_repeats(cursor, name, source.spec.id, table, outcome.at_us)
                table, found.repeats = fresh.table, fresh.repeats
        if table.num_rows:
            self._aggregate(cursor, name, table, outcome, final if found.late else None)
        return found

    def _expired(self, source: str, times: pa.ChunkedArray, before_us: int | None) -> int:
        """How many events are older than anything that is kept of their source, counted from its last event."""
        last_us = max(pc.max(times).as_py(), before_us or 0)
        keep_us = self._definition.keep_us
        from_us = min((kept_from_us(grouping.every_us, keep_us, last_us) for grouping in self._plan.groupings[source]), default=0)
        return pc.sum(pc.less(times, from_us)).as_py() or 0

    def _aggregate(self, cursor: duckdb.DuckDBPyConnection, name: str, table: pa.Table, outcome: Outcome, final: Final | None) -> None:
        """`final` where some of the events were late."""
        groupings = self._plan.groupings[name]
        with self._batches[name].at_hand(cursor, with_buckets(table, frozenset(grouping.every_us for grouping in groupings))):
            for grouping, writer in zip(groupings, self._groupings[name], strict=True):
                applied = writer.apply(cursor, table.num_rows, final)
                outcome.touched[grouping.key] = applied.touched
                outcome.rows[grouping.key] = applied.rows
                for kpi in self._kpis[grouping.key]:
                    outcome.series[kpi] = max(outcome.series.get(kpi, 0), writer.series_count)
                    outcome.limited[kpi] = max(outcome.limited.get(kpi, 0), applied.limited)

    def _advanced(self, source: str, batch: list[Events]) -> Iterable[Position]:
        """How far a batch leads, by those of its partitions that have moved."""
        known = self._positions[source]
        changed: dict[str, Position] = {}
        for events in batch:
            latest = _latest_times(events)
            for partition, position in events.next_positions.items():
                before = changed.get(partition) or known.get(partition)
                times = [time for time in (before.watermark_us if before else None, latest.get(partition)) if time is not None]
                changed[partition] = Position(partition, position, max(times, default=None), events.arrived_us)
        return changed.values()

    def _mended(self, source: str, batch: list[Events]) -> Iterable[Position]:
        """Where a source stands now that records which it has passed are events: its last event may be one of them."""
        known = dict(self._positions[source])
        for events in batch:
            for partition, time_us in _latest_times(events).items():
                row = known.get(partition)
                if row is not None and (row.watermark_us is None or row.watermark_us < time_us):
                    known[partition] = replace(row, watermark_us=time_us)
        return known.values()


def _latest_times(events: Events) -> dict[str, int]:
    """The greatest event time of each partition, in µs."""
    latest_us = np.full(len(events.partitions), _NEVER_US)
    times_us = events.table["_time"].cast(pa.int64()).to_numpy()
    np.maximum.at(latest_us, events.table["_partition"].to_numpy(), times_us)
    return {name: time_us for name, time_us in zip(events.partitions, latest_us.tolist(), strict=True) if time_us != _NEVER_US}


def dimension_columns(fields: Mapping[str, Field]) -> dict[str, str]:
    """For each field, the SQL for its text as a dimension."""
    columns = {name: f"{EVENT}.{quote(name)}" for name in fields}
    return {name: columns[name] if field.type.kind == "string" else f"{columns[name]}::VARCHAR" for name, field in fields.items()}
