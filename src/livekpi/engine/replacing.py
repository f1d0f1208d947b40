"""What a cluster's job hands over, into the store: rows that replace, positions, dead letters, all in the caller's transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import structlog

from livekpi.clock import Clock
from livekpi.definition.definition import Definition
from livekpi.engine.batch import Outcome, SourceOutcome, Watching
from livekpi.engine.plan import Grouping, Plan, grouping_of
from livekpi.engine.progress import Progress
from livekpi.engine.replaced_table import ReplacedTable
from livekpi.engine.replay import refusal
from livekpi.engine.topics import progress_topic, table_topic
from livekpi.events import Events
from livekpi.metrics import Metrics
from livekpi.store import dead_letters, positions
from livekpi.store.corrections import Final
from livekpi.store.layout import tables
from livekpi.store.positions import Position

Ends = Callable[[], Mapping[str, int] | None]
"""Where a source's partitions end, of those that hold records; None while that is not known."""

_log = structlog.get_logger(__name__)


class ReplacingWriter:
    """Writes what is read from a job's topics; see `Writer`.

    A source has positions of two origins: its own, which say how far the job has read it and give its watermark; and those of the
    topics, where reading them goes on.
    """

    def __init__(self, definition: Definition, plan: Plan, clock: Clock, metrics: Metrics, ends: Mapping[str, Ends]) -> None:
        self.refuses_replay = refusal(definition)
        self._definition, self._clock, self._metrics = definition, clock, metrics
        self._origin = topics_origin(definition)
        self._read: dict[str, dict[str, Position]] = {}
        self._progress = {source: Progress(ends[source]) for source in plan.groupings}
        self._groupings = {
            source: [_Tables(grouping, definition, plan) for grouping in groupings] for source, groupings in plan.groupings.items()
        }
        self._commits = 0
        self._watching = Watching(clock)
        self._begun = False

    def load(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """See Writer. The first time, it is waited anew for all partitions: who was silent meanwhile is not known."""
        self._commits, stored = positions.load_all(cursor)
        for source, progress in self._progress.items():
            self._read[source] = stored.get((source, self._origin), {})
            progress.load(stored.get((source, self._definition.sources[source].origin), {}))
        if not self._begun:
            now_us = self._clock.now_us()
            self._save_progress(cursor, {source: progress.begun(now_us) for source, progress in self._progress.items()})
            self._begun = True

    def positions(self, source: str) -> Iterable[Position]:
        return tuple(self._read[source].values())

    @property
    def commits(self) -> int:
        return self._commits

    def write(self, cursor: duckdb.DuckDBPyConnection, batch: list[Events]) -> Outcome:
        self._commits += 1
        outcome = Outcome(self._commits, self._clock.now_us())
        rolled = dict(cursor.execute("SELECT grouping, max(before_us) FROM rolled GROUP BY grouping").fetchall())
        for name in dict.fromkeys(events.source for events in batch):
            mine = [events for events in batch if events.source == name]
            outcome.sources[name] = self._write_source(cursor, name, mine, rolled, outcome)
        self._watching.go_on(cursor)
        return outcome

    def replay(self, cursor: duckdb.DuckDBPyConnection, batch: list[Events]) -> Outcome:
        """Nothing can be fed back here; see `refuses_replay`."""
        raise AssertionError(self.refuses_replay)

    def alive(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """See Writer. What holds a watermark back goes on doing so."""
        now_us = self._clock.now_us()
        self._save_progress(cursor, {source: progress.waiting(now_us) for source, progress in self._progress.items()})
        self._watching.note(cursor)

    def end(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._save_progress(cursor, {source: progress.ended() for source, progress in self._progress.items()})
        self._watching.note(cursor)

    def _save_progress(self, cursor: duckdb.DuckDBPyConnection, found: Mapping[str, Sequence[Position]]) -> None:
        """Writes positions of the sources themselves, as a commit of its own."""
        if any(found.values()):
            self._commits += 1
            positions.save(cursor, self._commits, {(name, self._definition.sources[name].origin): rows for name, rows in found.items()})
            for name, rows in found.items():
                self._progress[name].keep(rows)

    def _write_source(
        self, cursor: duckdb.DuckDBPyConnection, name: str, batch: list[Events], rolled: Mapping[str, int], outcome: Outcome
    ) -> SourceOutcome:
        found = SourceOutcome.of(batch)
        found.before_us = self._progress[name].last_event_us
        topics = {
            topic: pa.concat_tables([events.table for events in batch if _topic(events) == topic])
            for topic in dict.fromkeys(map(_topic, batch))
        }
        final = Final.of(self._progress[name].known, self._definition.sources[name], outcome.at_us)
        for grouping in self._groupings[name]:
            applied = grouping.replace(cursor, topics, rolled.get(grouping.key, 0), final)
            if applied.touched:
                outcome.touched[grouping.key] = applied.touched
                outcome.rows[grouping.key] = 0  # what replaces needs no merging
                outcome.series |= grouping.count_series(cursor)
            self._metrics.stale_rows.labels(name).inc(applied.stale)
        found.dead = dead_letters.save_new(cursor, found.dead)
        found.events = self._advance(cursor, name, batch, topics, outcome)
        return found

    def _advance(
        self, cursor: duckdb.DuckDBPyConnection, name: str, batch: list[Events], topics: Mapping[str, pa.Table], outcome: Outcome
    ) -> int:
        """Writes how far the topics are read and the job is; returns how many events more it has read."""
        progress = self._progress[name]
        changed: dict[str, Position] = {}
        count = 0
        said = topics.get(progress_topic(self._definition.topics, name).name)
        if said is not None:
            count = progress.counted(said)
            changed |= {row.partition: row for row in progress.advanced(said, outcome.at_us)}
        buckets = [bucket for grouping in self._groupings[name] for bucket in outcome.touched.get(grouping.key, ())]
        if buckets:
            changed |= {row.partition: row for row in progress.served(max(buckets))}
        progress.keep(changed.values())
        changed |= {row.partition: row for row in progress.waiting(outcome.at_us)}
        progress.keep(changed.values())
        read = {
            partition: Position(partition, position, None, outcome.at_us)
            for events in batch
            for partition, position in events.next_positions.items()
        }
        own = self._definition.sources[name].origin
        positions.save(cursor, self._commits, {(name, own): changed.values(), (name, self._origin): read.values()})
        self._read[name].update(read)
        return count


@dataclass(frozen=True)
class _Applied:
    touched: frozenset[int]
    stale: int


class _Tables:
    """A grouping's tables, with the topics that their rows come from."""

    def __init__(self, grouping: Grouping, definition: Definition, plan: Plan) -> None:
        self.key = grouping.key
        self._tables = [(table_topic(definition.topics, table).name, ReplacedTable(grouping, table)) for table in tables(grouping)]
        self._limit = definition.spec.limits.series
        self._limit_said = False
        self._kpis = [
            name for name, kpi in definition.kpis.items() if any(grouping_of(plan, each).key == self.key for each in kpi.value.aggregates)
        ]

    def replace(self, cursor: duckdb.DuckDBPyConnection, topics: Mapping[str, pa.Table], rolled_us: int, final: Final | None) -> _Applied:
        """Takes the rows that are for these tables; none of buckets before `rolled_us`."""
        touched: frozenset[int] = frozenset()
        stale = 0
        for topic, table in self._tables:
            if topic in topics:
                replaced = table.replace(cursor, topics[topic], rolled_us, final)
                touched |= replaced.touched
                stale += replaced.stale
        return _Applied(touched, stale)

    def count_series(self, cursor: duckdb.DuckDBPyConnection) -> dict[str, int]:
        """By KPI, how many series it has. A cluster counts each on its own, however many: there is no __other__."""
        count = self._tables[0][1].count_series(cursor)
        if count > self._limit and not self._limit_said:
            self._limit_said = True
            _log.warning("more series than limits.series; a cluster keeps them all", kpis=self._kpis, series=count, limit=self._limit)
        return dict.fromkeys(self._kpis, count)


def topics_origin(definition: Definition) -> str:
    """What the positions in a job's topics are positions in."""
    return f"topics:{definition.topics}"


def _topic(events: Events) -> str:
    """The one topic that events of a PartialsSource are of."""
    return events.partitions[0].rpartition("/")[0]
