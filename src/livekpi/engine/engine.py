"""The loop: what has arrived since the last commit becomes one batch, one transaction, one message to who watches."""

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from time import monotonic, perf_counter
from typing import TypeVar

import duckdb
import structlog

from livekpi.clock import Clock
from livekpi.commit import Commit
from livekpi.definition.definition import Definition
from livekpi.engine.batch import BatchWriter, Outcome
from livekpi.engine.housekeeping import Due, Housekeeping
from livekpi.engine.plan import Plan, grouping_of, make_plan, partial_of
from livekpi.engine.readers import Inbox, Reader
from livekpi.engine.replay import Replay, Replayed, ReplayError, replay
from livekpi.engine.writer import Writer
from livekpi.events import Events
from livekpi.metrics import Metrics
from livekpi.sources.base import Source
from livekpi.sources.decode import Decoder
from livekpi.store import catalog, ids, positions
from livekpi.store.database import CommitError, Store
from livekpi.store.positions import Quiet
from livekpi.store.schema import StoreError

log = structlog.get_logger()

T = TypeVar("T")

IDLE_S = 1.0
"""How often an idle engine says that it is alive and keeps house."""
DISK_RETRY_S = 1.0
DISK_ERRORS = (duckdb.IOException, duckdb.FatalException, duckdb.OutOfMemoryException, CommitError, OSError)
"""What a disk that refuses is reported as."""
READERS_END_S = 2.0
"""How long readers may take to hand over what they have; one that waits for a silent broker has nothing, and is left behind."""
BUSY_RECORDS = 10_000
"""A batch of this size says that there is more to read than time: the next may wait, up to GATHER_S, to be a large one."""
GATHER_S = 0.1
LINGER_S = 0.02
"""How long a batch may grow when all is quiet: what arrives together is committed together, as a commit costs the same for few."""


class Engine:
    """Computes a definition's KPIs from its sources into a store.

    `run` is the loop and belongs to one thread; the rest may be called from any.
    """

    def __init__(
        self,
        definition: Definition,
        store: Store,
        sources: Mapping[str, Source],
        clock: Clock,
        metrics: Metrics,
        *,
        once: bool = False,
        writer: Writer | None = None,
        reached_us: Mapping[str, int | None] | None = None,
    ) -> None:
        """`writer` is given where the numbers are computed elsewhere; else they are computed here. There more events may have been counted
        than are stored: `reached_us` is the greatest event time of those, by source.
        """
        self.definition = definition
        self.plan = make_plan(definition)
        self.disk_problem: str | None = None
        """Why the last batch could not be committed; None while it could."""
        self._store, self._clock, self._metrics, self._once = store, clock, metrics, once
        self._inbox = Inbox()
        self._busy = False
        self._reached_us = reached_us or {}
        self._writer: Writer = writer or BatchWriter(definition, self.plan, clock)
        self._housekeeping = Housekeeping(definition, self.plan, clock)
        self._listeners: list[Callable[[Commit], None]] = []
        self._observers: list[Callable[[Sequence[Events]], None]] = []
        self._attendants: list[Callable[[Mapping[str, Quiet]], None]] = []
        self._replays: SimpleQueue[tuple[Replay, Future[Replayed]]] = SimpleQueue()
        self._ended = False
        self._readers = {
            name: Reader(name, source, Decoder(definition.sources[name], self.plan.fields(name, definition)), self._inbox, clock, once=once)
            for name, source in sources.items()
        }

    def subscribe(self, listener: Callable[[Commit], None]) -> None:
        """Calls `listener` after each commit, on the engine's thread; it must be quick."""
        self._listeners.append(listener)

    def observe(self, observer: Callable[[Sequence[Events]], None]) -> None:
        """Shows `observer` the events of each commit, on the engine's thread, before listeners hear of it; it must be quick."""
        self._observers.append(observer)

    def attend(self, attendant: Callable[[Mapping[str, Quiet]], None]) -> None:
        """Tells `attendant` at each turn, on the engine's thread, which sources had nothing unread, all that was read being committed."""
        self._attendants.append(attendant)

    def decoder(self, source: str) -> Decoder:
        """How a source's records become events here."""
        return self._readers[source].decoder

    def replay(self, request: Replay) -> Future[Replayed]:
        """Feeds dead letters back between two batches; see livekpi.engine.replay. Cancelled where the engine ends before."""
        done: Future[Replayed] = Future()
        self._replays.put((request, done))
        self._inbox.wake()
        if self._ended:  # asked last: what came before it ended is cancelled there
            self._cancel_replays()
        return done

    def lag(self) -> dict[str, Mapping[str, int]]:
        """What is known to be unread, by source and partition, in the source's unit."""
        return {name: reader.lag() for name, reader in self._readers.items()}

    def problems(self) -> dict[str, str]:
        """What keeps it from being up to date, by source (or `disk`); empty while all is well."""
        found = {name: reader.failure for name, reader in self._readers.items() if reader.failure is not None}
        return found | ({"disk": self.disk_problem} if self.disk_problem is not None else {})

    def install(self) -> None:
        """Brings the store's tables in line with the definition, and loads what the writer must know."""
        kpis = kpi_partials(self.definition, self.plan)
        with self._store.transaction() as cursor:
            last = later(last_events_us(cursor, self.definition), self._reached_us)
            changes = catalog.changes(cursor, self.plan, kpis, last)
            catalog.install(cursor, self.plan, last)
            catalog.save_kpis(cursor, kpis)
            with_id = [name for name, source in self.definition.sources.items() if source.spec.id is not None]
            ids.drop_others(cursor, with_id)
            for name in with_id:
                ids.install(cursor, name)
            kept = (("definition", self.definition.text), ("variables", json.dumps(self.definition.variables)))
            cursor.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", kept)
            self._writer.load(cursor)
        for change in changes:
            say = log.warning if change.dropped else log.info
            say("the file asks for other numbers than were kept", kpi=change.kpi, effect=change.effect)

    def run(self, stop: threading.Event) -> None:
        """Reads, computes and commits until `stop` is set, or (with `once`) all sources are at their end.

        What has been read when it is stopped is committed. Raises what a reader's thread died of.
        """
        try:
            self._run(stop)
        finally:
            self._ended = True
            self._cancel_replays()

    def _cancel_replays(self) -> None:
        while True:
            try:
                _, done = self._replays.get_nowait()
            except Empty:
                return
            done.cancel()

    def _run(self, stop: threading.Event) -> None:
        self.install()
        for name, reader in self._readers.items():
            reader.start({row.partition: row.position for row in self._writer.positions(name)})
        try:
            while not stop.is_set() and not self._finished():
                # asked before what lies in the inbox is taken: what was read before a look is committed with it
                quiet = {name: found for name, reader in self._readers.items() if (found := reader.quiet) is not None}
                self.step(self._inbox.take(IDLE_S, GATHER_S if self._busy else LINGER_S), stop)
                self._attend({} if stop.is_set() else quiet)
        finally:
            for reader in self._readers.values():
                reader.stop()
            deadline = monotonic() + READERS_END_S
            for reader in self._readers.values():
                reader.join(max(0.0, deadline - monotonic()))
        self.step(self._inbox.take(0), stop)
        if self._once and not stop.is_set():  # else there is more, which the next run reads
            self._end()

    def _attend(self, quiet: Mapping[str, Quiet]) -> None:
        for attendant in self._attendants:
            attendant(quiet)

    def _finished(self) -> bool:
        for reader in self._readers.values():
            if reader.crash is not None:
                raise reader.crash
        return self._once and all(reader.ended for reader in self._readers.values()) and self._inbox.empty

    def step(self, batch: list[Events], stop: threading.Event) -> None:
        """Commits a batch, or notes that none came, and keeps house where that is due; one turn of the loop."""
        if batch:
            self._commit(batch, stop)
        else:
            self._guarded(self._writer.alive, stop)
        while not self._replays.empty():
            self._replay(*self._replays.get(), stop)
        due = self._housekeeping.due()
        if due:
            self._guarded(lambda cursor: self._keep_house(cursor, due), stop)

    def _keep_house(self, cursor: duckdb.DuckDBPyConnection, due: Due) -> None:
        if self._housekeeping.run(cursor, due):
            self._writer.load(cursor)

    def _commit(self, batch: list[Events], stop: threading.Event) -> None:
        started = perf_counter()
        self._busy = sum(events.records for events in batch) >= BUSY_RECORDS
        outcome = self._written(lambda cursor: self._writer.write(cursor, batch), stop)
        if outcome is None:
            return
        for name in {events.source for events in batch}:
            self._readers[name].commit({row.partition: row.position for row in self._writer.positions(name)})
        for observer in self._observers:
            observer(batch)
        self._tell(outcome, perf_counter() - started)

    def _replay(self, request: Replay, done: Future[Replayed], stop: threading.Event) -> None:
        started = perf_counter()
        try:
            found = self._written(lambda cursor: replay(cursor, self.definition, self._writer, request, self._clock.now_us()), stop)
        except Exception as error:  # whatever is wrong with these letters, the sources' events go on being counted
            log.exception("dead letters could not be fed back")
            done.set_exception(ReplayError(f"none was fed back, for a fault of livekpi's: {type(error).__name__}: {error}"))
            self._guarded(self._writer.load, stop)  # it may remember what was rolled back
            return
        if found is None:
            done.cancel()
            return
        if found.outcome is not None:
            self._tell(found.outcome, perf_counter() - started)
        done.set_result(found)

    def _tell(self, outcome: Outcome, seconds: float) -> None:
        self._metrics.batch(seconds, outcome)
        self._housekeeping.wrote(outcome.touched, outcome.rows)
        counted = sum(found.events for found in outcome.sources.values())
        before_us = {name: found.before_us for name, found in outcome.sources.items() if found.before_us is not None}
        commit = Commit(outcome.number, outcome.at_us, outcome.touched, counted, before_us)
        for listener in self._listeners:
            listener(commit)

    def _written(self, write: Callable[[duckdb.DuckDBPyConnection], T], stop: threading.Event) -> T | None:
        """As `_guarded`, for what the writer writes: a try that is in the store, although its commit ended by an error, is not repeated."""
        tried: list[tuple[int, T]] = []

        def work(cursor: duckdb.DuckDBPyConnection) -> T:
            if not tried or self._writer.commits < tried[-1][0]:
                found = write(cursor)
                tried.append((self._writer.commits, found))
            return tried[-1][1]

        return self._guarded(work, stop)

    def _guarded(self, work: Callable[[duckdb.DuckDBPyConnection], T], stop: threading.Event) -> T | None:
        """Does work in a transaction; while the disk refuses, says so and tries again. None when stopped before it could."""
        while True:
            try:
                with self._store.transaction() as cursor:
                    result = work(cursor)
            except duckdb.InterruptException:
                if not stop.is_set():
                    raise
                return None
            except DISK_ERRORS as error:
                self.disk_problem = str(error)
                log.error("the store can't be written; trying again", error=self.disk_problem)
                if not self._recover(stop):
                    return None
            else:
                self.disk_problem = None
                return result

    def _recover(self, stop: threading.Event) -> bool:
        """Waits until the store can be opened again; False when stopped before."""
        while not stop.wait(DISK_RETRY_S):
            try:
                self._store.reopen()
                with self._store.transaction() as cursor:
                    self._writer.load(cursor)
            except (duckdb.Error, StoreError, OSError) as error:
                self.disk_problem = str(error)
            else:
                return True
        return False

    def _end(self) -> None:
        with self._store.transaction() as cursor:
            self._writer.end(cursor)
        with self._store.transaction() as cursor:
            self._housekeeping.run(cursor, self._housekeeping.everything())


def last_events_us(cursor: duckdb.DuckDBPyConnection, definition: Definition) -> dict[str, int | None]:
    """The greatest event time of each source that is stored; None before its first event."""
    _, stored = positions.load_all(cursor)
    return {name: positions.last_event_us(stored.get((name, source.origin), {}).values()) for name, source in definition.sources.items()}


def later(one: Mapping[str, int | None], other: Mapping[str, int | None]) -> dict[str, int | None]:
    """Of two times a source the later one; None where there is none."""
    pairs = {name: [time for time in (one.get(name), other.get(name)) if time is not None] for name in one.keys() | other.keys()}
    return {name: max(times, default=None) for name, times in pairs.items()}


def kpi_partials(definition: Definition, plan: Plan) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Each KPI's value as text, and the keys of the partials it is made of."""
    found = {}
    for name, kpi in definition.kpis.items():
        keys = {f"{grouping_of(plan, aggregate).key}/{partial_of(aggregate).key}" for aggregate in kpi.value.aggregates}
        found[name] = (kpi.spec.value, tuple(sorted(keys)))
    return found
