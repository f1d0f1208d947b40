"""The web application: its routes, and what stands before them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from importlib.resources.abc import Traversable

from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from livekpi.alerts.judging.desk import Outcome
from livekpi.clock import Clock
from livekpi.commit import Commit
from livekpi.metrics import Metrics
from livekpi.web.access.access import Access
from livekpi.web.access.attempts import Attempts
from livekpi.web.access.caching import Caching
from livekpi.web.access.guard import Guard
from livekpi.web.access.sessions import Sessions
from livekpi.web.access.tokens import Tokens
from livekpi.web.api.alerts import AlertsApi
from livekpi.web.api.annotations import AnnotationsApi
from livekpi.web.api.backtest import BacktestApi
from livekpi.web.api.check import CheckApi
from livekpi.web.api.dashboards import DashboardsApi
from livekpi.web.api.dead_letters import DeadLettersApi
from livekpi.web.api.health import Health
from livekpi.web.api.kpis import KpisApi
from livekpi.web.api.session import SessionApi
from livekpi.web.api.sources import SourcesApi
from livekpi.web.api.status import Job, StatusApi
from livekpi.web.backend import Alerts, Backend
from livekpi.web.door.door import Door, Inlet
from livekpi.web.openapi.document import DOCUMENT
from livekpi.web.page.badges import BadgeApi
from livekpi.web.page.page import Page, installed
from livekpi.web.problems import HANDLERS
from livekpi.web.questions import Questions
from livekpi.web.stopping import Stopping
from livekpi.web.stream.hub import Hub
from livekpi.web.stream.stream import Streams

_STREAM_THREADS = 2  # of their own, so that no long question holds up the streams
_DOOR_THREADS = 2


class App:
    """An ASGI application over a backend and the inlets of its http sources."""

    def __init__(
        self,
        backend: Backend,
        inlets: Mapping[str, Inlet],
        *,
        clock: Clock,
        metrics: Metrics,
        tokens: Tokens | None = None,
        hosts: Iterable[str] | None = None,
        alerts: Alerts | None = None,
        ui: Traversable | None = None,
        job: Job | None = None,
    ) -> None:
        """For `tokens` see Access, for `hosts` Guard; `alerts` is None where none are judged; `ui` has the built page, None: the installed;
        `job` is None where no cluster computes."""
        self._backend = backend
        self._metrics = metrics
        limits = backend.definition.spec.limits
        self._questions = Questions(backend.interrupt, metrics, limits.queries, limits.query_time.total_seconds())
        self._backtests = Questions(backend.interrupt, metrics, 1)
        self._door_pool = ThreadPoolExecutor(_DOOR_THREADS, "door")
        self._stream_pool = ThreadPoolExecutor(_STREAM_THREADS, "stream")
        self._hub = Hub(backend, metrics, self._stream_pool, limits.viewers, alerts)
        self._door = Door(inlets, clock=clock, metrics=metrics, pool=self._door_pool)
        self._health = Health(backend, {name: inlet.log for name, inlet in inlets.items()}, self._hub.failure)
        self._metrics_pool = ThreadPoolExecutor(1, "metrics")  # what is looked up is for one thread at a time
        access, page = Access(tokens, Sessions(clock), Attempts(clock)), Page(installed() if ui is None else ui)
        self.routes = [
            *self._of_numbers(clock, access),
            *self._of_people(clock, access, alerts),
            Route("/v1/status", StatusApi(backend, self._health, clock, metrics, job).status),
            Route("/metrics", self._expose),
            Route("/healthz", self._health.healthz),
            Route("/readyz", self._health.readyz),
            Route("/openapi.json", _openapi),
            Route("/badge/{kpi}.svg", BadgeApi(backend, alerts, clock, self._questions).badge),
            *page.routes(),
        ]
        handlers = {**HANDLERS, HTTPException: page.refused}
        starlette = Starlette(routes=self.routes, exception_handlers=handlers, lifespan=self._lifespan)
        starlette.router.redirect_slashes = False
        self._stopping = Stopping(Guard(starlette, access, hosts))
        self._outermost = Caching(self._stopping)

    def _of_numbers(self, clock: Clock, access: Access) -> list[Route]:
        """Where events come in, and numbers are asked for."""
        kpis = KpisApi(self._backend, clock, self._questions, access)
        dead_letters = DeadLettersApi(self._backend, clock, self._questions)
        return [
            Route("/v1/events/{source}", self._door.post, methods=["POST"]),
            Route("/v1/kpis", kpis.kpis),
            Route("/v1/kpis/{kpi}", kpis.points),
            Route("/v1/kpis/{kpi}/pace", kpis.pace),
            Route("/v1/stream", Streams(self._hub, self._backend, clock, access).get),
            Route("/v1/backtest", BacktestApi(self._backend, self._backtests).post, methods=["POST"]),
            Route("/v1/check", CheckApi(self._backend, self._backtests).post, methods=["POST"]),
            Route("/v1/dead-letters", dead_letters.dead_letters),
            Route("/v1/dead-letters/replay", dead_letters.replay, methods=["POST"]),
            Route("/v1/sources", SourcesApi(self._backend, clock, self._questions).sources),
        ]

    def _of_people(self, clock: Clock, access: Access, alerts: Alerts | None) -> list[Route]:
        """What people are told, what they say, and who they are."""
        alerts_api = AlertsApi(alerts, self._backend.definition, clock, self._questions, access)
        annotations_api = AnnotationsApi(self._backend, clock, self._questions, partial(self._hub.tell, "annotation", by_people=True))
        return [
            Route("/v1/alerts", alerts_api.alerts),
            Route("/v1/alerts/history", alerts_api.history),
            Route("/v1/silences", alerts_api.silences, methods=["GET", "POST"]),
            Route("/v1/silences/{number}", alerts_api.silence, methods=["DELETE"]),
            Route("/v1/acknowledgements", alerts_api.acknowledgements, methods=["GET", "POST"]),
            Route("/v1/acknowledgements/{number}", alerts_api.acknowledgement, methods=["DELETE"]),
            Route("/v1/annotations", annotations_api.annotations, methods=["GET", "POST"]),
            Route("/v1/annotations/{number}", annotations_api.annotation, methods=["DELETE"]),
            Route("/v1/dashboards", DashboardsApi(self._backend).dashboards),
            Route("/v1/session", SessionApi(access).session, methods=["GET", "POST", "DELETE"]),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._outermost(scope, receive, send)

    def on_commit(self, commit: Commit) -> None:
        """Tells the viewers of a commit; from any thread, and quick."""
        self._hub.on_commit(commit)

    def on_alerts(self, outcome: Outcome) -> None:
        """Tells the viewers of alerts that changed; from any thread, and quick."""
        self._hub.on_alerts(outcome.changed)

    def on_definition(self) -> None:
        """Tells the viewers that dashboards and words, or what is known of them, changed; from any thread, and quick."""
        self._hub.tell_definition()

    def stop(self) -> None:
        """On the event loop: takes no more requests and ends all streams, so that nothing keeps the server from ending."""
        self._stopping.begin()
        self._health.stop()
        self._questions.stop()
        self._backtests.stop()
        self._hub.close()

    @contextlib.asynccontextmanager
    async def _lifespan(self, _starlette: Starlette) -> AsyncIterator[None]:
        hub = asyncio.create_task(self._hub.run())
        try:
            yield
        finally:
            hub.cancel()
            self._backend.interrupt()
            self._questions.close()
            self._backtests.close()
            for pool in (self._stream_pool, self._door_pool, self._metrics_pool):
                pool.shutdown(wait=False, cancel_futures=True)
            with contextlib.suppress(asyncio.CancelledError):
                await hub

    async def _expose(self, _request: Request) -> Response:
        """GET /metrics"""
        content = await asyncio.get_running_loop().run_in_executor(self._metrics_pool, self._metrics.exposition)
        return Response(content, HTTPStatus.OK, media_type=CONTENT_TYPE_LATEST)


async def _openapi(_request: Request) -> Response:
    """GET /openapi.json"""
    return JSONResponse(DOCUMENT)
