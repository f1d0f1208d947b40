"""A web application over a backend that says what a test tells it to, and a real ingest log."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import httpx
from prometheus_client import CollectorRegistry

from livekpi.alerts.asking.pace import PaceRequest, Paces
from livekpi.alerts.judging.pacing import Pace
from livekpi.clock import ManualClock
from livekpi.commit import Commit
from livekpi.definition.definition import Definition
from livekpi.definition.load import load
from livekpi.disk import Disk
from livekpi.engine.replay import Replay, Replayed
from livekpi.metrics import Metrics
from livekpi.query.live import Changes, Told, Want
from livekpi.query.points import Point, Points, Request
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.sources.handover import Decoded, Handover
from livekpi.sources.http import HttpSource
from livekpi.sources.ingest_log import IngestLog
from livekpi.store.annotations import Annotation, Note
from livekpi.store.dead_letters import StoredDeadLetter
from livekpi.web.access.tokens import Tokens
from livekpi.web.api.status import Job
from livekpi.web.app import App
from livekpi.web.backend import AnnotationRequest, DeadLetterRequest, SourceState
from livekpi.web.door.door import Inlet
from livekpi.web.objects import backtest, check

T = TypeVar("T")

NOW_US = 1_772_366_400_000_000
"""2026-03-01T12:00:00Z"""
MINUTE_US = 60_000_000

DEFINITION = """
sources:
  app:
    http: {}
    time: ts
    fields: { ts: timestamp, user: string, country: optional string, amount: optional number }
  shop:
    kafka: { brokers: "localhost:9092", topic: shop }
    time: ts
    fields: { ts: timestamp, sku: string }
kpis:
  users: { value: count(distinct user), every: 1m, over: 5m, by: [country], title: Users, good: up, owner: Ann, target: { 1d: 500 } }
  visits: { value: count(user), every: 10s, by: [country] }
  revenue: { value: sum(amount), every: 10s, unit: EUR, description: What was paid. }
  stock: { value: count(distinct sku), every: 1m, by: [sku] }
"""
GOOD = b'{"ts": "2026-03-01T12:00:00Z", "user": "ann"}'


class FakeBackend:
    """Answers with what it holds, and keeps what it was asked."""

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.points_asked: list[Request] = []
        self.also_asked: list[tuple[str, ...]] = []
        self.paces_asked: list[PaceRequest] = []
        self.found: list[Point] = []
        self.paces: list[Pace] = []
        self.commit = 0
        self.error: Exception | None = None
        self.changed_asked: list[tuple[Commit, tuple[Want, ...]]] = []
        self.letters_asked: list[DeadLetterRequest] = []
        self.letters: list[StoredDeadLetter] = []
        self.replays_asked: list[Replay] = []
        self.replayed: Future[Replayed] = Future()
        self.states: list[SourceState] = []
        self.backtests_asked: list[backtest.Asked] = []
        self.checks_asked: list[check.Asked] = []
        self.troubles: dict[str, str] = {}
        self.failed: str | None = None
        self.stale: str | None = None
        self.noted: list[Annotation] = []
        self.endless = False
        """Whether points are found only when it is interrupted."""
        self.interrupted = threading.Event()

    def points(self, request: Request, also: tuple[str, ...] = ()) -> Points:
        self.points_asked.append(request)
        self.also_asked.append(also)
        if self.endless:
            assert self.interrupted.wait(30)
            raise duckdb.InterruptException("INTERRUPT Error: Interrupted!")
        if self.error is not None:
            raise self.error
        unit = self.definition.kpis[request.kpi].spec.unit
        return Points(request.kpi, unit, request.by, self.found, request.compare is not None, also, self.commit)

    def pace(self, request: PaceRequest) -> Paces:
        self.paces_asked.append(request)
        return Paces(request.kpi, None, self.paces)

    def changed(self, commit: Commit, wants: Sequence[Want], final_us: Mapping[Want, int]) -> Changes:
        """Each touched bucket has a point, whose value is the commit's number."""
        if commit.touched:
            self.changed_asked.append((commit, tuple(wants)))
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        starts = sorted({start for starts in commit.touched.values() for start in starts})
        points = [Point(start, commit.number, False) for start in starts]
        told = {
            want: Told(Points(want.kpi, None, want.by, [replace(point, dimensions=("DE",) * len(want.by)) for point in points]))
            for want in wants
        }
        return Changes(commit.number, told, {})

    def last_commit(self) -> int:
        return self.commit

    def dead_letters(self, request: DeadLetterRequest) -> list[StoredDeadLetter]:
        self.letters_asked.append(request)
        return self.letters

    def replay(self, request: Replay) -> Future[Replayed]:
        self.replays_asked.append(request)
        return self.replayed

    def sources(self) -> list[SourceState]:
        return self.states

    def backtest(self, asked: backtest.Asked) -> dict[str, Any]:
        self.backtests_asked.append(asked)
        if self.error is not None:
            raise self.error
        return {"rules": []}

    def check(self, asked: check.Asked) -> dict[str, Any]:
        self.checks_asked.append(asked)
        if self.error is not None:
            raise self.error
        return {"changes": [], "doubts": []}

    def problems(self) -> Mapping[str, str]:
        return self.troubles

    def interrupt(self, thread: int | None = None) -> None:
        self.interrupted.set()

    def annotations(self, request: AnnotationRequest) -> list[Annotation]:
        return self.noted

    def annotate(self, note: Note) -> Annotation:
        self.noted.append(Annotation(len(self.noted) + 1, note))
        return self.noted[-1]

    def remove_annotation(self, number: int) -> Annotation | None:
        return next((each for each in self.noted if each.number == number), None)

    def failure(self) -> str | None:
        return self.failed


@dataclass
class World:
    """All there is in a test of the web."""

    app: App
    backend: FakeBackend
    log: IngestLog
    clock: ManualClock
    metrics: Metrics

    def logged(self, position: int = 0) -> list[bytes | None]:
        """The records in the ingest log from a position on."""
        source = HttpSource(self.log)
        source.start({"log": position})
        found: list[bytes | None] = []
        while read := source.read(100_000, 0):
            found += [record for each in read if isinstance(each, Chunk) for record in each.records]
        source.close()
        return found

    def value(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@contextmanager
def make_world(
    directory: Path,
    *,
    disk: Disk = Disk(),  # noqa: B008 - holds functions only
    tokens: Tokens | None = None,
    hosts: Iterable[str] | None = None,
    limits: str = "",
    max_body_bytes: int = 2**20,
    max_behind_bytes: int = 2**20,
    job: Job | None = None,
    ui: Path | None = None,
    rest: str = "",
    alerts: Any = None,
) -> Iterator[World]:
    path = directory / "test.yaml"
    path.write_text(DEFINITION + (f"limits: {limits}\n" if limits else "") + rest)
    definition = load(path, {})
    metrics, clock = Metrics(CollectorRegistry()), ManualClock(NOW_US)
    # nothing is handed over, so that a test finds in the log what it would find there after a crash
    log = IngestLog(directory / "ingest", source="app", metrics=metrics, disk=disk, handover=Handover(0))
    inlet = Inlet(log, partial(Decoded.of, Decoder(definition.sources["app"])), max_body_bytes, max_behind_bytes)
    backend = FakeBackend(definition)
    try:
        yield World(
            App(backend, {"app": inlet}, clock=clock, metrics=metrics, tokens=tokens, hosts=hosts, job=job, ui=ui, alerts=alerts),
            backend,
            log,
            clock,
            metrics,
        )
    finally:
        log.close()


class Client:
    """Asks an app without a socket, its event loop on a thread of its own; any thread may ask."""

    def __init__(self, app: App) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._app = app
        self._stop = self._await(self._start())
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8321")

    def get(self, url: str, **arguments: Any) -> httpx.Response:
        return self._await(self._client.get(url, **arguments))

    def post(self, url: str, **arguments: Any) -> httpx.Response:
        return self._await(self._client.post(url, **arguments))

    def forget_cookies(self) -> None:
        """What the server has set is not sent again."""
        self._client.cookies.clear()

    def raw(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        """The answer with its content as it was sent, whatever its coding."""

        async def ask() -> httpx.Response:
            async with self._client.stream(method, url, **arguments) as answer:
                content = b"".join([piece async for piece in answer.aiter_raw()])
            headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"content-encoding"]
            found = httpx.Response(answer.status_code, headers=headers, content=content)
            found.headers = answer.headers
            return found

        return self._await(ask())

    def request(self, method: str, url: str, **arguments: Any) -> httpx.Response:
        return self._await(self._client.request(method, url, **arguments))

    def stop(self) -> None:
        """The end of the server begins."""

        async def begin() -> None:
            self._app.stop()

        self._await(begin())

    def close(self) -> None:
        self._await(self._client.aclose())
        self._await(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> Callable[[], Coroutine[Any, Any, None]]:
        """Runs the app's lifespan up to where it serves; answers what ends it."""
        told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        said: asyncio.Queue[Any] = asyncio.Queue()
        running = asyncio.create_task(self._app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, told.get, said.put))
        await told.put({"type": "lifespan.startup"})
        assert (await said.get())["type"] == "lifespan.startup.complete"

        async def stop() -> None:
            await told.put({"type": "lifespan.shutdown"})
            await running

        return stop

    def _await(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)


@contextmanager
def client_of(world: World) -> Iterator[Client]:
    client = Client(world.app)
    try:
        yield client
    finally:
        client.close()
