"""Who may keep an answer: nobody, unless what answers says so; and where it depends on who asks, nobody for others."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from livekpi.web.access.guard import is_open

_CREDENTIALS = frozenset({b"authorization", b"cookie"})
Headers = list[tuple[bytes, bytes]]


class Caching:
    """Sees to each answer's Cache-Control (RFC 9111, 5.2.2), refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _with_caching(scope, message.get("headers", ()))}
            await send(message)

        await self._app(scope, receive, send_on)


def _with_caching(scope: Connection, given: Iterable[tuple[bytes, bytes]]) -> Headers:
    headers = list(given)
    said = next((value for name, value in headers if name.lower() == b"cache-control"), None)
    if said is None:
        return [*headers, (b"cache-control", b"no-store")]
    if is_open(scope["path"]):
        return headers
    own = any(name in _CREDENTIALS for name, _ in scope["headers"])
    kept = [(name, value) for name, value in headers if name.lower() != b"cache-control"]
    return [*kept, (b"cache-control", b"private, " + said if own else said), (b"vary", b"Authorization, Cookie")]
