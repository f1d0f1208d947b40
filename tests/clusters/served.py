"""A server whose numbers a job computes, in this process: both do one step at a time, and either can be killed."""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import duckdb
from prometheus_client import CollectorRegistry

from livekpi.clock import ManualClock
from livekpi.clustered import topics_of
from livekpi.commit import Commit
from livekpi.definition.definition import Definition
from livekpi.engine.engine import Engine
from livekpi.engine.plan import make_plan
from livekpi.engine.progress import BUCKETS
from livekpi.engine.replacing import ReplacingWriter
from livekpi.metrics import Metrics
from livekpi.query.points import Request
from livekpi.query.query import Query
from livekpi.scripts.rehearsal import KilledError, MortalStore
from livekpi.sources.partials import PartialsSource, Place
from livekpi.store import positions
from livekpi.store.database import FILE_NAME
from livekpi.store.layout import quote, tables
from tests.clusters.reference_job import ReferenceJob, Row, columns_of, encoded
from tests.clusters.shelf import Shelf, ShelfAsking, ShelfReading
from tests.clusters.shop import SOURCE
from tests.oracle.oracle import Event, Oracle, Part, Step
from tests.properties.played import IDLE_US, LATE_US, _plain, asked_steps, span
from tests.properties.shop import KPIS
from tests.properties.worlds import Ask, Record, condition

SETTLE_US = 5_000_000
_ALL = 2**31


@dataclass
class Topic:
    """The source: its records by partition, and what the oracle makes of them."""

    records: dict[int, list[Record]] = field(default_factory=dict)
    latest: dict[int, int] = field(default_factory=dict)
    arrived: dict[int, int] = field(default_factory=dict)

    def arrive(self, partition: int, records: Sequence[Record], now_us: int) -> None:
        self.records.setdefault(partition, []).extend(records)
        self.arrived[partition] = now_us
        times = [record.time_us for record in records if record.values is not None]
        if times:
            self.latest[partition] = max(*times, self.latest.get(partition, 0))

    def placed(self) -> Iterator[tuple[int, int, Record]]:
        for partition, records in self.records.items():
            yield from ((partition, offset, record) for offset, record in enumerate(records))

    @property
    def events(self) -> list[Event]:
        return [
            Event(record.time_us, (partition, offset), record.values)
            for partition, offset, record in self.placed()
            if record.values is not None
        ]

    @property
    def dead(self) -> set[tuple[str, int]]:
        return {(str(partition), offset) for partition, offset, record in self.placed() if record.values is None}

    def final_before_us(self, now_us: int) -> int:
        """Steps that end here or before may be called final."""
        active = [latest for partition, latest in self.latest.items() if now_us - self.arrived[partition] <= IDLE_US]
        return (min(active) if active else max([now_us, *self.latest.values()])) - LATE_US


class TopicAsking(ShelfAsking):
    """Asks where the source's partitions end."""

    def __init__(self, shelf: Shelf, topic: Topic) -> None:
        super().__init__(shelf, [])
        self._topic = topic
        self.known = True
        """Whether there is an answer."""

    def answer(self) -> Mapping[Place, tuple[int, int]] | None:
        return super().answer() if self.known else None

    def ask(self) -> None:
        self.asked = True
        self._answer: Mapping[Place, tuple[int, int]] = {("shop", number): (0, len(rows)) for number, rows in self._topic.records.items()}


class Served:
    """Its data is in `directory`, which must be empty."""

    def __init__(self, directory: Path, clock: ManualClock, definition: Definition, *, job: bool = True) -> None:
        """Without `job` rows come from elsewhere; the source is thought to be three records long."""
        self.clock, self.definition = clock, definition
        self.topic, self.shelf = Topic(), Shelf()
        self.commits: list[Commit] = []
        self.registry = CollectorRegistry()
        self._metrics = Metrics(self.registry)
        self._directory, self._kills = directory, 0
        self._read: dict[int, int] = {}
        if job:
            self.job = ReferenceJob(definition, SOURCE)
        else:
            self.topic.arrive(0, [Record(None, b"")] * 3, clock.now_us())
        self.start()

    def start(self) -> None:
        plan = make_plan(self.definition)
        topics = topics_of(self.definition, SOURCE, plan)
        self.store = MortalStore.open(self._data, self.clock)
        self.source_ends = TopicAsking(self.shelf, self.topic)
        self.reading = ShelfReading(self.shelf, topics.names)
        own = positions.load(self.store.cursor(), SOURCE, self.definition.sources[SOURCE].origin).values()
        self.source = PartialsSource(
            SOURCE,
            topics,
            self.reading,
            ShelfAsking(self.shelf, topics.names),
            self.source_ends,
            self.clock,
            settle_us=SETTLE_US,
            progress={row.partition: row.position for row in own if row.partition != BUCKETS},
        )
        self.writer = ReplacingWriter(self.definition, plan, self.clock, self._metrics, {SOURCE: self.source.ends})
        self.engine = Engine(self.definition, self.store, {SOURCE: self.source}, self.clock, self._metrics, writer=self.writer)
        self.engine.subscribe(self.commits.append)
        self.engine.install()
        self.source.start({row.partition: row.position for row in self.writer.positions(SOURCE)})

    @property
    def _data(self) -> Path:
        return self._directory / str(self._kills)

    def kill(self) -> None:
        """Dies as by kill -9, and starts again with what lies on the disk."""
        before, self._kills = self._data, self._kills + 1
        self._data.mkdir()
        for path in before.glob(f"{FILE_NAME}*"):
            shutil.copyfile(path, self._data / path.name)
        self.store.close()
        shutil.rmtree(before)
        self.start()

    def kill_in(self, work: Callable[[], None]) -> None:
        """Does work, dies before its first commit, and starts again."""
        self.store.lives = 0
        try:
            work()
        except KilledError:
            self.kill()

    def compute(self, random: Random | None = None) -> None:
        """The job reads what it has not read, and writes; with `random` now and then on the way too."""
        for partition, offset, record in self.topic.placed():
            if offset >= self._read.get(partition, 0):
                self.job.take(partition, offset, record)
                self._read[partition] = offset + 1
                if random is not None and random.random() < 0.3:
                    self.write(self.job.rows(), random)
        self.write(self.job.rows(), random)

    def write(self, rows: list[Row], random: Random | None = None) -> None:
        if random is not None:
            random.shuffle(rows)  # nothing orders what is in different keys
        for row in rows:
            topic, _, value = encoded(row)
            self.shelf.write(topic, value)

    def job_begins_anew(self, random: Random | None = None) -> None:
        """The job has lost its state, and does everything again."""
        self.job = ReferenceJob(self.definition, SOURCE)
        self._read.clear()
        self.compute(random)

    def commit(self, limit: int = _ALL) -> None:
        """One read and one turn of the engine's loop."""
        self.engine.step(self.source.read(limit, 0), threading.Event())

    def settle(self) -> None:
        """Time goes on until all progress there is has been handed over."""
        for _ in range(2):
            self.commit()
            self.commit()
            self.clock.set_us(self.clock.now_us() + SETTLE_US)
            self.commit()
        self.commit()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self.store.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def query(self) -> Iterator[Query]:
        with self.cursor() as cursor:
            yield Query(cursor, self.definition, self.engine.plan, self.clock.now_us())

    def asked(self, ask: Ask) -> tuple[dict[Any, Any], dict[Any, bool]]:
        """The values by (time, slice), and which are final."""
        from_us, to_us = span(ask)
        request = Request(ask.kpi, from_us, to_us, ask.step, ask.by, ask.where, ask.timezone)
        with self.query() as query:
            found = query.points(request).points
        values = {(point.time_us, point.dimensions): _plain(point.value) for point in found}
        return values, {(point.time_us, point.dimensions): point.final for point in found}

    def expected(self, ask: Ask) -> tuple[dict[Any, Any], Sequence[Step]]:
        """What the oracle says, and for which steps."""
        times = [event.time_us for event in self.topic.events]
        if not times:
            return {}, ()
        steps = asked_steps(ask, KPIS[ask.kpi].kpi.every_us, min(times), max(times))
        return Oracle(self.topic.events).points(KPIS[ask.kpi].kpi, steps, ask.by, condition(ask.where)), steps

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """All partials there are, by table."""
        with self.cursor() as cursor:
            names = [table.name for grouping in self.engine.plan.all() for table in tables(grouping)]
            return {name: sorted(cursor.execute(f"SELECT * FROM {quote(name)}").fetchall(), key=str) for name in names}

    def columns(self, kind: str) -> list[tuple[Part, str]]:
        """The columns of cells that hold partials of a kind."""
        return [(part, name) for columns in columns_of(self.definition) for name, part in columns.columns.items() if part.kind == kind]

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, {"source": SOURCE} | labels) or 0.0

    def close(self) -> None:
        self.store.close()
