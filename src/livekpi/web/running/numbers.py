"""What a running server answers of its numbers, from its engine and its store."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import duckdb
import structlog

from livekpi.alerts.asking.answer import points_with
from livekpi.alerts.asking.pace import PaceRequest, Paces, pace
from livekpi.clock import Clock
from livekpi.commit import Commit
from livekpi.definition.definition import Definition
from livekpi.engine.engine import Engine
from livekpi.engine.replay import Replay, Replayed
from livekpi.query import live
from livekpi.query.live import Changes, Want
from livekpi.query.points import Points, Request
from livekpi.query.query import Query
from livekpi.store import annotations, dead_letters, positions
from livekpi.store.annotations import Annotation, Note
from livekpi.store.dead_letters import StoredDeadLetter
from livekpi.web.backend import AnnotationRequest, DeadLetterRequest, Judging, SourceState
from livekpi.web.objects import backtest, check
from livekpi.web.objects.annotations import write
from livekpi.web.objects.definitions import read_definition
from livekpi.web.running.cursors import Cursors

_logger = structlog.get_logger(__name__)


class Running:
    """The engine and the store of a running server, for the web (livekpi.web.backend.Backend)."""

    def __init__(
        self, engine: Engine, cursors: Cursors, clock: Clock, engine_runs: Callable[[], bool], judging: Judging | None = None
    ) -> None:
        """`engine_runs` says whether the engine's thread is alive; `judging` is None where no alerts are judged."""
        self._engine = engine
        self._cursors = cursors
        self._clock = clock
        self._engine_runs = engine_runs
        self._judging = judging
        self._shown = engine.definition
        self._stale: str | None = None

    @property
    def definition(self) -> Definition:
        return self._shown

    @property
    def stale(self) -> str | None:
        return self._stale

    def show(self, definition: Definition) -> None:
        """From now on answers with the dashboards and words of a definition, whose numbers are those of the engine's own."""
        self._shown, self._stale = definition, None

    def outdated(self, why: str) -> None:
        """From now on says why what the file says now is not in effect."""
        self._stale = why

    def points(self, request: Request, also: tuple[str, ...] = ()) -> Points:
        with self._cursors.snapshot() as cursor:
            return points_with(cursor, self.definition, self._query(cursor), request, also)

    def pace(self, request: PaceRequest) -> Paces:
        with self._cursors.snapshot() as cursor:
            return pace(self._query(cursor), request)

    def changed(self, commit: Commit, wants: Sequence[Want], final_us: Mapping[Want, int]) -> Changes:
        with self._cursors.snapshot() as cursor:
            found = live.changed(self._query(cursor), self.definition, wants, commit, final_us)
        for want, told in found.told.items():
            if told.untold is not None:
                about = {"kpi": want.kpi, "by": want.by, "commit": commit.number}
                _logger.warning("not all that a commit changed is streamed", **about, reason=told.untold)
        return found

    def last_commit(self) -> int:
        with self._cursors.cursor() as cursor:
            return positions.last_commit(cursor)

    def dead_letters(self, request: DeadLetterRequest) -> list[StoredDeadLetter]:
        with self._cursors.cursor() as cursor:
            return dead_letters.find(
                cursor,
                source=request.source,
                reason=request.reason,
                from_us=request.from_us,
                to_us=request.to_us,
                limit=request.limit,
                newest=request.newest,
            )

    def replay(self, request: Replay) -> Future[Replayed]:
        return self._engine.replay(request)

    def sources(self) -> list[SourceState]:
        lag, problems, now_us = self._engine.lag(), self._engine.problems(), self._clock.now_us()
        found = []
        with self._cursors.cursor() as cursor:
            _, stored = positions.load_all(cursor)
        for name, source in self.definition.sources.items():
            rows = tuple(stored.get((name, source.origin), {}).values())
            watermark_us = positions.watermark_us(rows, now_us, source.idle_us)
            kind = type(source.spec.kind).__name__.lower()
            found.append(SourceState(name, kind, rows, lag.get(name, {}), watermark_us, problems.get(name)))
        return found

    def annotations(self, request: AnnotationRequest) -> list[Annotation]:
        with self._cursors.cursor() as cursor:
            return annotations.find(cursor, from_us=request.from_us, to_us=request.to_us, kpi=request.kpi)

    def annotate(self, note: Note) -> Annotation:
        with self._cursors.writing() as cursor:
            return write(cursor, note, self.definition.spec.limits.annotations)

    def remove_annotation(self, number: int) -> Annotation | None:
        with self._cursors.writing() as cursor:
            return annotations.remove(cursor, number)

    def backtest(self, asked: backtest.Asked) -> dict[str, Any]:
        running, given = self.definition, asked.variables
        definition = running if asked.definition is None else read_definition(asked.definition, given, "definition", running)
        against = None if asked.against is None else read_definition(asked.against, given, "against", running)
        now_us = self._clock.now_us()
        with self._cursors.snapshot() as cursor:
            return backtest.answer(cursor, definition, against, asked, now_us, now_us)

    def check(self, asked: check.Asked) -> dict[str, Any]:
        definition = read_definition(asked.definition, asked.variables, "definition", self.definition)
        with self._cursors.snapshot() as cursor:
            return check.answer(cursor, definition, self._clock.now_us())

    def problems(self) -> Mapping[str, str]:
        return {**self._engine.problems(), **(self._judging.problems() if self._judging is not None else {})}

    def failure(self) -> str | None:
        if not self._engine_runs():
            return "the engine's thread has ended; the log says why"
        return self._judging.failure() if self._judging is not None else None

    def interrupt(self, thread: int | None = None) -> None:
        self._cursors.interrupt(thread)

    def _query(self, cursor: duckdb.DuckDBPyConnection) -> Query:
        return Query(cursor, self.definition, self._engine.plan, self._clock.now_us())
