"""The backend of a running server: its engine and its store."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager

import duckdb
import structlog

from livekpi.clock import Clock
from livekpi.commit import Commit
from livekpi.definition.definition import Definition
from livekpi.engine.engine import Engine
from livekpi.engine.replay import Replay, Replayed
from livekpi.query.live import changed
from livekpi.query.points import Points, Query, Request
from livekpi.store import dead_letters, positions
from livekpi.store.database import Store
from livekpi.store.dead_letters import StoredDeadLetter
from livekpi.web.backend import DeadLetterRequest, SourceState

_logger = structlog.get_logger(__name__)


class Running:
    """Answers from the store, each call by a cursor of its own, so that it sees whole commits only."""

    def __init__(self, engine: Engine, store: Store, clock: Clock, engine_runs: Callable[[], bool]) -> None:
        """`engine_runs` says whether the engine's thread is alive."""
        self._engine = engine
        self._store = store
        self._clock = clock
        self._engine_runs = engine_runs
        self._cursors: set[duckdb.DuckDBPyConnection] = set()

    @property
    def definition(self) -> Definition:
        return self._engine.definition

    def points(self, request: Request) -> Points:
        with self._cursor() as cursor:
            return self._query(cursor).points(request)

    def changed(self, commit: Commit, kpis: tuple[str, ...], by: tuple[str, ...]) -> list[Points]:
        with self._cursor() as cursor:
            changes = changed(self._query(cursor), [self.definition.kpis[name] for name in kpis], commit, by)
        for name, reason in changes.untold.items():
            _logger.warning("a commit's changes are not streamed", kpi=name, by=by, commit=commit.number, reason=reason)
        return changes.points

    def dead_letters(self, request: DeadLetterRequest) -> list[StoredDeadLetter]:
        with self._cursor() as cursor:
            return dead_letters.find(
                cursor,
                source=request.source,
                reason=request.reason,
                from_us=request.from_us,
                to_us=request.to_us,
                limit=request.limit,
            )

    def replay(self, request: Replay) -> Future[Replayed]:
        return self._engine.replay(request)

    def sources(self) -> list[SourceState]:
        lag, problems, now_us = self._engine.lag(), self._engine.problems(), self._clock.now_us()
        found = []
        with self._cursor() as cursor:
            for name, source in self.definition.sources.items():
                rows = tuple(positions.load(cursor, name, source.origin).values())
                watermark_us = positions.watermark_us(rows, now_us, source.idle_us)
                kind = type(source.spec.kind).__name__.lower()
                found.append(SourceState(name, kind, rows, lag.get(name, {}), watermark_us, problems.get(name)))
        return found

    def problems(self) -> Mapping[str, str]:
        return self._engine.problems()

    def failure(self) -> str | None:
        return None if self._engine_runs() else "its thread has ended; the log says why"

    def interrupt(self) -> None:
        for cursor in tuple(self._cursors):
            cursor.interrupt()

    def _query(self, cursor: duckdb.DuckDBPyConnection) -> Query:
        return Query(cursor, self.definition, self._engine.plan, self._clock.now_us())

    @contextmanager
    def _cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        cursor = self._store.cursor()
        self._cursors.add(cursor)
        try:
            yield cursor
        finally:
            self._cursors.remove(cursor)
            cursor.close()
