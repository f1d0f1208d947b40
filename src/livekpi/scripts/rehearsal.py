"""The real engine without threads or network: it does one step at a time, under a clock that stands still, and can be killed."""

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import duckdb
from prometheus_client import CollectorRegistry

from livekpi.alerts.judging.desk import Desk
from livekpi.clock import ManualClock
from livekpi.definition.definition import Definition, SourceDefinition
from livekpi.definition.shape.model import File, Stdin
from livekpi.engine.engine import Engine
from livekpi.events import Events
from livekpi.metrics import Metrics
from livekpi.query.query import Query
from livekpi.scripts.tape import Tape
from livekpi.sources.csv_text import CsvText
from livekpi.sources.decode import Decoder
from livekpi.store import positions
from livekpi.store.database import FILE_NAME, Store
from livekpi.store.positions import Quiet

_ALL = 2**31
_MOST_COMMITS = 10
"""More than a step makes."""


class KilledError(Exception):
    """The server died where it was told to."""


class MortalStore(Store):
    """A store that can die in the middle of a transaction."""

    lives: int | None = None
    """How many commits it lives through; None is for ever."""

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with super().transaction() as cursor:
            yield cursor
            self._live()

    @contextmanager
    def beside(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with super().beside() as cursor:
            yield cursor
            self._live()

    def _live(self) -> None:
        if self.lives == 0:
            raise KilledError
        if self.lives is not None:
            self.lives -= 1


class Rehearsal:
    """A server whose records are given to it, and committed at once.

    Its data is in `directory`, which must be empty; after a kill it goes on with a copy of what lay on the disk.
    """

    def __init__(self, directory: Path, clock: ManualClock, definition: Definition) -> None:
        self.clock = clock
        self.definition = definition
        self._directory, self._kills = directory, 0
        self._tapes: dict[str, Tape] = {}
        self._quiet_since_us: dict[str, int] = {}
        self._start()

    def _start(self, lives: int | None = None) -> None:
        for name, source in self.definition.sources.items():
            self._tapes.setdefault(name, Tape(_csv(source)))
        sources = {name: self._tapes[name] for name in self.definition.sources}
        self.store = MortalStore.open(self._data, self.clock, memory_mib=self.definition.spec.limits.memory_mib)
        self.store.lives = lives
        self.engine = Engine(self.definition, self.store, sources, self.clock, Metrics(CollectorRegistry()))
        self.desk = Desk(self.definition, self.engine.plan, self.store.beside, self.clock)
        self.engine.subscribe(self.desk.on_commit)
        self.engine.observe(self.desk.arrivals.observe)
        self.engine.install()
        now_us = self.clock.now_us()
        self._quiet_since_us = {name: self._quiet_since_us.get(name, now_us) for name in self.definition.sources}
        with self.cursor() as cursor:
            for name, source in self.definition.sources.items():
                known = positions.load(cursor, name, source.origin).values()
                self._tapes[name].start({row.partition: row.position for row in known})
        self.commit()

    @property
    def _data(self) -> Path:
        return self._directory / str(self._kills)

    def redefine(self, definition: Definition) -> None:
        """Stops, and starts again with another definition."""
        self.definition = definition
        self.restart()

    def restart(self, asleep_us: int = 0) -> None:
        """Stops in order, and starts again after some time; what came to its sources meanwhile, it has to read first."""
        self.store.close()
        if asleep_us:
            self._quiet_since_us.clear()
            self.clock.set_us(self.clock.now_us() + asleep_us)
        self._start()

    def kill(self, lives: int | None = None) -> None:
        """Dies as by kill -9, and starts again with what lies on the disk: closing in order would tidy it."""
        before, self._kills = self._data, self._kills + 1
        self._data.mkdir()
        for path in before.glob(f"{FILE_NAME}*"):
            shutil.copyfile(path, self._data / path.name)
        self.store.close()
        shutil.rmtree(before)
        self._start(lives)

    def kill_in(self, work: Callable[[], None]) -> None:
        """Does work, dies before its first commit, does what is left and dies before the next, and so on until nothing is left."""
        self.store.lives = 0
        for lives in range(1, _MOST_COMMITS):
            try:
                work()
            except KilledError:
                work = partial(self.kill, lives)
            else:
                break
        self.store.lives = None

    def arrive(self, source: str, partition: int, records: Sequence[bytes | None]) -> None:
        """Records arrive, and are committed in one batch."""
        self._tapes[source].arrive(partition, records, self.clock.now_us())
        self.commit()

    def commit(self) -> None:
        """Commits what has arrived and is not committed yet; keeps house where that is due."""
        self.engine.step([events for source in self.definition.sources.values() for events in self._unread(source)], threading.Event())
        self.desk.on_quiet({name: Quiet(since_us, self.clock.now_us()) for name, since_us in self._quiet_since_us.items()})
        self.desk.step()

    def _unread(self, source: SourceDefinition) -> list[Events]:
        decoder = Decoder(source, self.engine.plan.fields(source.name, self.definition))
        chunks = self._tapes[source.name].read(_ALL, 0)
        if chunks:
            self._quiet_since_us[source.name] = self.clock.now_us()
        return [decoder.decode(chunks, self.clock.now_us())] if chunks else []

    def advance(self, to_us: int) -> None:
        """Moves the clock, and keeps house where that is due."""
        self.clock.set_us(to_us)
        self.commit()

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A reader's own view."""
        cursor = self.store.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def query(self) -> Iterator[Query]:
        """Answers questions as of now."""
        with self.cursor() as cursor:
            yield Query(cursor, self.definition, self.engine.plan, self.clock.now_us())

    def close(self) -> None:
        self.store.close()


def _csv(source: SourceDefinition) -> CsvText | None:
    kind = source.spec.kind
    return CsvText(kind.delimiter) if isinstance(kind, File | Stdin) and kind.format == "csv" else None
