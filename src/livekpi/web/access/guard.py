"""What stands before every route: the token, and what keeps web pages of others away from a server on one's own machine."""

from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Connection

from livekpi.web.access.access import BADGES, Access, token_of
from livekpi.web.access.tokens import Rights, Scope
from livekpi.web.paths import is_page
from livekpi.web.problems import ProblemError, problem

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
OPEN = frozenset({"/healthz", "/readyz", "/openapi.json", "/v1/session"})
_INGEST = ("/v1/events/", "/v1/dead-letters/replay")
_OF_A_KPI = ("/v1/kpis/", BADGES)
_EMBED = frozenset({"/v1/kpis", "/v1/stream", "/v1/alerts"})
"""What is asked there depends on who asks; the rest of what frames and badges need is about a KPI each."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def is_open(path: str) -> bool:
    """Whether anyone may ask for a path, since it says nothing of the numbers; or asks who one is."""
    return path in OPEN or is_page(path)


def kpi_of(path: str) -> str | None:
    """The KPI that a path is about; None where it is about none."""
    for before in _OF_A_KPI:
        if path.startswith(before):
            return path.removeprefix(before).partition("/")[0].removesuffix(".svg" if before == BADGES else "")
    return None


def needed(method: str, path: str) -> Scope:
    """What a request must be allowed to do: to send events, to change what people are told, or to see."""
    if path.startswith(_INGEST):
        return Scope.INGEST
    if method not in _SAFE:
        return Scope.ACT
    return Scope.EMBED if path in _EMBED or path.startswith(_OF_A_KPI) else Scope.READ


def hidden(kpi: str, rights: Rights) -> ProblemError:
    """What is answered about a KPI that may not be seen, whether there is one of that name or not."""
    return ProblemError(HTTPStatus.FORBIDDEN, f"this token does not open {kpi!r}; it is for {', '.join(sorted(rights.kpis or ()))}")


class Guard:
    """Refuses what must not come in."""

    def __init__(self, app: ASGIApp, access: Access, hosts: Iterable[str] | None) -> None:
        """`hosts` are the names the server answers to, None for any: bound to loopback it should
        answer to loopback's names only, so that no page can reach it under a name of its own (DNS rebinding).
        """
        self._app = app
        self._access = access
        self._hosts = None if hosts is None else frozenset(hosts)

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        refusal = await self._refusal(scope) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    async def _refusal(self, scope: Connection) -> Response | None:
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"")
        if self._hosts is not None and _name(host) not in self._hosts:
            return problem(HTTPStatus.MISDIRECTED_REQUEST, f"this server does not answer to the name {_name(host)!r}; use 127.0.0.1")
        if scope["method"] not in _SAFE and _from_elsewhere(headers, host):
            return problem(HTTPStatus.FORBIDDEN, "a web page of another origin may not send this request")
        return await self._without_right(scope)

    async def _without_right(self, scope: Connection) -> Response | None:
        if is_open(scope["path"]):
            return None
        rights, need, kpi = self._access.rights(scope), needed(scope["method"], scope["path"]), kpi_of(scope["path"])
        if need in rights.scopes:
            return None if kpi is None or rights.see(kpi) else hidden(kpi, rights).response()
        if rights.scopes:
            return problem(HTTPStatus.FORBIDDEN, f"this token is for {', '.join(sorted(rights.scopes))}; the request needs {need}")
        if token_of(scope):
            return (await self._access.unknown(scope)).response()
        challenge = {"WWW-Authenticate": f'Bearer realm="livekpi", scope="{need}"'}
        return problem(HTTPStatus.UNAUTHORIZED, "send a token this server knows as `Authorization: Bearer TOKEN`", challenge)


def _name(host: bytes) -> str:
    """The name in a Host header, without its port."""
    try:
        return urlsplit("//" + host.decode("latin-1")).hostname or ""
    except ValueError:  # brackets that do not close
        return ""


def _from_elsewhere(headers: dict[bytes, bytes], host: bytes) -> bool:
    """Whether a browser says that a page of another origin sends this. Other clients send neither header, and no cookie."""
    origin = headers.get(b"origin")
    if origin is not None:
        return origin.partition(b"://")[2] != host  # nothing follows in `null`, which a page of no origin sends
    unsaid = b"cross-site" if b"cookie" in headers else b"none"
    return headers.get(b"sec-fetch-site", unsaid) not in {b"same-origin", b"none"}
