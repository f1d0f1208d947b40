"""What a server that is stopping says."""

from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from livekpi.web.problems import problem

_STILL = frozenset({"/healthz", "/readyz"})


class Stopping:
    """Refuses the requests that come once the end has begun, but those that ask how the server is; those that are here go on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._begun = False

    def begin(self) -> None:
        """From now on it refuses."""
        self._begun = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._begun and scope["type"] == "http" and scope["path"] not in _STILL:
            refusal = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the server is stopping; send the request again later", {"Retry-After": "1"})
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)
