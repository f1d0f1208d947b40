"""GET /v1/stream: server-sent events (HTML Living Standard, 9.2), one message a commit with the points that changed, and where it is
asked for one for each alert that changed."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from http import HTTPStatus
from operator import attrgetter
from typing import NamedTuple

import duckdb
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from livekpi.alerts.ledger import Alert
from livekpi.commit import Commit
from livekpi.definition.definition import Kpi
from livekpi.definition.problems import nearest
from livekpi.metrics import Metrics
from livekpi.query.output import point_object
from livekpi.query.points import Points
from livekpi.web.alert_viewer import AlertMessage, AlertViewer
from livekpi.web.backend import Alerts, Backend
from livekpi.web.parameters import Parameters
from livekpi.web.problems import ProblemError
from livekpi.web.viewer import Message, PointKey, Row

HEARTBEAT_S = 15.0
_RETRY_S = 1.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold messages back
]
_logger = structlog.get_logger(__name__)


class Subscription(NamedTuple):
    """What a viewer wants to see."""

    kpis: tuple[str, ...]
    by: tuple[str, ...]
    alerts: bool = False


class Hub:
    """Turns commits into messages for the viewers.

    A commit that comes while the last one is worked on waits, and is merged with those that come after it: so many viewers
    or slow questions make messages rarer, and never hold up the engine.
    """

    def __init__(self, backend: Backend, metrics: Metrics, pool: Executor, max_viewers: int, alerts: Alerts | None = None) -> None:
        """`alerts` is None where none are judged."""
        self._backend = backend
        self._alerts = alerts
        self._metrics = metrics
        self._pool = pool
        self._max_viewers = max_viewers
        self._viewers: dict[Subscription, set[AlertViewer]] = defaultdict(set)
        self._viewer_count = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pending: Commit | None = None
        self._changed: dict[str, Alert] = {}
        self._wake = asyncio.Event()
        self._closed = False

    def on_commit(self, commit: Commit) -> None:
        """Tells the hub of a commit; from any thread, and quick."""
        if self._loop is not None and self._viewer_count:
            with contextlib.suppress(RuntimeError):  # the loop has just been closed: nobody looks any more
                self._loop.call_soon_threadsafe(self._notice, commit)

    def on_alerts(self, changed: Sequence[Alert]) -> None:
        """Tells the hub of alerts that changed; from any thread, and quick."""
        if self._loop is not None and self._viewer_count and changed:
            with contextlib.suppress(RuntimeError):  # as above
                self._loop.call_soon_threadsafe(self._notice_alerts, {alert.key: alert for alert in changed})

    async def run(self) -> None:
        """Works until cancelled; no stream outlives it."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                commit, self._pending = self._pending, None
                if commit is not None:
                    await self._send_out(commit)
                changed, self._changed = self._changed, {}
                if changed:
                    await self._send_out_alerts(changed)
        except Exception:
            _logger.exception("the streams have failed")
            raise
        finally:
            self.close()

    def join(self, subscription: Subscription) -> AlertViewer:
        """Adds a viewer; raises ProblemError 503 where there are too many, or the hub is closed."""
        if self._closed or self._viewer_count >= self._max_viewers:
            reason = "no streams are served any more" if self._closed else f"{self._max_viewers} streams are open (`limits: viewers`)"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, f"{reason}; try again later", {"Retry-After": "5"})
        viewer = AlertViewer()
        self._viewers[subscription].add(viewer)
        self._count(+1)
        return viewer

    def leave(self, subscription: Subscription, viewer: AlertViewer) -> None:
        self._viewers[subscription].discard(viewer)
        if not self._viewers[subscription]:
            del self._viewers[subscription]
        self._count(-1)
        self._metrics.coalesced.inc(viewer.merged_messages)
        self._metrics.dropped_viewers.inc(viewer.overrun)

    def close(self) -> None:
        """Ends all streams, and takes no new ones."""
        self._closed = True
        for viewers in self._viewers.values():
            for viewer in viewers:
                viewer.close()

    def _count(self, change: int) -> None:
        self._viewer_count += change
        self._metrics.viewers.set(self._viewer_count)

    def _notice(self, commit: Commit) -> None:
        self._keep(commit)
        self._wake.set()

    def _notice_alerts(self, changed: Mapping[str, Alert]) -> None:
        self._changed |= changed  # the newest of each counts
        self._wake.set()

    def _try_again(self, commit: Commit) -> None:
        self._keep(commit)
        asyncio.get_running_loop().call_later(_RETRY_S, self._wake.set)

    def _keep(self, commit: Commit) -> None:
        self._pending = commit if self._pending is None else _merge(self._pending, commit)

    async def _send_out(self, commit: Commit) -> None:
        loop = asyncio.get_running_loop()
        together: dict[tuple[str, ...], list[Subscription]] = defaultdict(list)
        for subscription in self._viewers:
            together[subscription.by].append(subscription)
        jobs = [loop.run_in_executor(self._pool, self._messages, commit, by, wanted) for by, wanted in together.items()]
        for messages in await asyncio.gather(*jobs):
            for subscription, message in messages.items():
                for viewer in self._viewers.get(subscription, ()):
                    viewer.put(message)

    async def _send_out_alerts(self, changed: dict[str, Alert]) -> None:
        loop, alerts = asyncio.get_running_loop(), self._alerts
        if alerts is None or not any(subscription.alerts for subscription in self._viewers):
            return
        try:
            found = await loop.run_in_executor(self._pool, lambda: list(map(AlertMessage, alerts.alerts_now(list(changed.values())))))
        except duckdb.Error as error:
            _logger.error("alerts that changed can't be told yet", reason=str(error))
            self._changed = changed | self._changed
            loop.call_later(_RETRY_S, self._wake.set)
            return
        for subscription, viewers in self._viewers.items():
            for viewer in viewers if subscription.alerts else ():
                viewer.tell(found)

    def _messages(self, commit: Commit, by: tuple[str, ...], wanted: Sequence[Subscription]) -> dict[Subscription, Message]:
        """On a thread of the pool: what changed for subscriptions with the same slices, asked for once.

        Those for whom nothing did are left out.
        """
        kpis = tuple(dict.fromkeys(name for subscription in wanted for name in subscription.kpis))
        try:
            changed = self._backend.changed(commit, kpis, by)
        except duckdb.Error as error:
            _logger.error("the changed points can't be read yet", commit=commit.number, reason=str(error))
            assert self._loop is not None
            self._loop.call_soon_threadsafe(self._try_again, commit)
            return {}
        rows = {answer.kpi: list(_rows(answer)) for answer in changed}
        found = {}
        for subscription in wanted:
            points = {key: row for name in subscription.kpis for key, row in rows.get(name, ())}
            if points:
                found[subscription] = Message(commit.number, commit.at_us, points)
        return found


def _rows(answer: Points) -> Iterator[tuple[PointKey, Row]]:
    for point in answer.points:
        yield (answer.kpi, point.time_us, point.dimensions), {"kpi": answer.kpi, **point_object(answer, point)}


def _merge(earlier: Commit, later: Commit) -> Commit:
    touched = {
        grouping: earlier.touched.get(grouping, frozenset()) | later.touched.get(grouping, frozenset())
        for grouping in (*earlier.touched, *later.touched)
    }
    before_us = {**later.before_us, **earlier.before_us}
    return replace(max(earlier, later, key=attrgetter("number")), touched=touched, before_us=before_us)


class StreamResponse(Response):
    """Sends a viewer's messages until either side ends it."""

    def __init__(self, hub: Hub, subscription: Subscription, viewer: AlertViewer, heartbeat_s: float) -> None:
        super().__init__()
        self._hub = hub
        self._subscription = subscription
        self._viewer = viewer
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_until_gone(receive, self._viewer))
        try:
            await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": _HEADERS})
            # Something at once, so that a client sees the stream open; and how soon to come back (ms) when it breaks.
            piece: bytes | None = b": livekpi\nretry: 1000\n\n"
            while piece is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await self._viewer.next(self._heartbeat_s)
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            self._hub.leave(self._subscription, self._viewer)


async def _until_gone(receive: Receive, viewer: AlertViewer) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.close()


class Streams:
    """Answers GET /v1/stream."""

    def __init__(self, hub: Hub, kpis: Mapping[str, Kpi], heartbeat_s: float = HEARTBEAT_S) -> None:
        self._hub = hub
        self._kpis = kpis
        self._heartbeat_s = heartbeat_s

    async def get(self, request: Request) -> Response:
        """GET /v1/stream"""
        asked = Parameters(request, "kpi", "by", "alerts")
        if request.method == "HEAD":  # which would never end
            return Response(media_type="text/event-stream")
        subscription = self._subscription(asked.names("kpi"), asked.names("by"))._replace(alerts=_is_true(asked.text("alerts")))
        return StreamResponse(self._hub, subscription, self._hub.join(subscription), self._heartbeat_s)

    def _subscription(self, names: tuple[str, ...], by: tuple[str, ...]) -> Subscription:
        """What is asked for, in one order; without names all KPIs that have the dimensions."""
        for name in names:
            if name not in self._kpis:
                raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no KPI {name!r}{nearest(name, self._kpis)}")
            missing = next((dimension for dimension in by if dimension not in self._kpis[name].by), None)
            if missing is not None:
                raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name} has no dimension {missing!r}{nearest(missing, self._kpis[name].by)}")
        found = names or tuple(name for name, kpi in self._kpis.items() if set(by) <= set(kpi.by))
        if not found:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"no KPI has the dimensions {', '.join(by)}")
        return Subscription(tuple(sorted(set(found))), tuple(dict.fromkeys(by)))


def _is_true(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"alerts: expected true or false, got {text[:80]!r}")
    return text == "true"
