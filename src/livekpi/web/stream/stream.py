"""GET /v1/stream: server-sent events (HTML Living Standard, 9.2): `hello`, then one message a commit with the points that changed, and
small events beside them."""

import asyncio
from dataclasses import replace
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from livekpi.clock import Clock
from livekpi.web.access.access import Access
from livekpi.web.access.guard import hidden
from livekpi.web.access.tokens import Scope as Right
from livekpi.web.backend import Backend
from livekpi.web.parameters import Parameters
from livekpi.web.stream.hub import Hub, Subscription
from livekpi.web.stream.viewer import Viewer, event
from livekpi.web.stream.wants import read_subscription

HEARTBEAT_S = 15.0
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"x-accel-buffering", b"no"),  # nginx would hold messages back
]
_OPENING = b": livekpi\nretry: 1000\n\n"
"""Something at once, so that a client sees the stream open; and how soon (ms) to come back when it breaks."""


class StreamResponse(Response):
    """Sends a viewer's messages until either side ends it."""

    def __init__(self, hub: Hub, subscription: Subscription, viewer: Viewer, heartbeat_s: float) -> None:
        super().__init__()
        self._hub = hub
        self._subscription = subscription
        self._viewer = viewer
        self._heartbeat_s = heartbeat_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_until_gone(receive, self._viewer))
        try:
            piece: bytes | None = _OPENING + event("hello", await self._hub.hello())
            await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": _HEADERS})
            while piece is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await self._viewer.next(self._heartbeat_s)
            await send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            self._hub.leave(self._subscription, self._viewer)


async def _until_gone(receive: Receive, viewer: Viewer) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    viewer.close()


class Streams:
    """Answers GET /v1/stream."""

    def __init__(self, hub: Hub, backend: Backend, clock: Clock, access: Access, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._hub = hub
        self._backend = backend
        self._clock = clock
        self._access = access
        self._heartbeat_s = heartbeat_s

    async def get(self, request: Request) -> Response:
        """GET /v1/stream"""
        asked = Parameters(request, "kpi", "by", "alerts", several=("want",))
        if request.method == "HEAD":  # which would never end
            return Response(media_type="text/event-stream")
        rights = self._access.rights(request.scope)
        found = read_subscription(asked, self._backend.definition, self._clock.now_us())
        wants = tuple(want for want in found.wants if rights.see(want.kpi))
        if len(wants) < len(found.wants) and (found.numbered or asked.names("kpi")):
            raise hidden(next(want.kpi for want in found.wants if want not in wants), rights)
        subscription = replace(found, wants=wants, people=Right.READ in rights.scopes, kpis=rights.kpis)
        return StreamResponse(self._hub, subscription, self._hub.join(subscription), self._heartbeat_s)
