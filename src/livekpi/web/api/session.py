"""The API's part on sessions: a browser gives a token once, and holds a cookie that no script can read from then on."""

from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from livekpi.clock import Clock
from livekpi.web.access.access import COOKIE, Access, session_name
from livekpi.web.access.sessions import LIFE_S, PAUSE_S, TRIES, Attempts
from livekpi.web.access.tokens import Scope, Tokens
from livekpi.web.answers import json_answer
from livekpi.web.bodies import decoded
from livekpi.web.parameters import Parameters
from livekpi.web.problems import ProblemError

MAX_BODY_BYTES = 4_096


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    token: str


_asked = msgspec.json.Decoder(_Asked)


class SessionApi:
    """Begins and ends sessions, and says what the one that is there opens."""

    def __init__(self, access: Access, clock: Clock) -> None:
        self._access = access
        self._attempts = Attempts(clock)

    async def session(self, request: Request) -> Response:
        """GET, POST and DELETE /v1/session"""
        Parameters(request)
        if request.method == "POST":
            return await self._begin(request)
        if request.method == "DELETE":
            return self._end(request)
        return self._answer(self._access.scopes(request.scope))

    async def _begin(self, request: Request) -> Response:
        asked = await decoded(request, MAX_BODY_BYTES, _asked, '{"token": …}')
        if self._access.tokens is None:
            return self._answer(self._access.scopes(request.scope))
        scopes = self._tried(self._access.tokens, asked.token, request.client.host if request.client else "")
        self._access.sessions.close(_name(request))
        answer = self._answer(scopes)
        answer.set_cookie(
            COOKIE, self._access.sessions.open(scopes), max_age=LIFE_S, secure=_encrypted(request), httponly=True, samesite="strict"
        )
        return answer

    def _tried(self, tokens: Tokens, token: str, address: str) -> frozenset[Scope]:
        """What a token opens; raises ProblemError where it opens nothing, or too many did not before it."""
        wait_s = self._attempts.wait_s(address)
        if wait_s:
            detail = f"{TRIES} wrong tokens came from {address} within {PAUSE_S} s; try again in {wait_s} s"
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": str(wait_s)})
        scopes = tokens.scopes(token.strip().encode("utf-8", "surrogatepass"))
        if not scopes:
            self._attempts.failed(address)
            challenge = {"WWW-Authenticate": 'Bearer realm="livekpi"'}
            raise ProblemError(HTTPStatus.UNAUTHORIZED, "this server does not know that token", challenge)
        return scopes

    def _end(self, request: Request) -> Response:
        self._access.sessions.close(_name(request))
        answer = self._answer(frozenset() if self._access.tokens is not None else self._access.scopes(request.scope))
        answer.delete_cookie(COOKIE, secure=_encrypted(request), httponly=True, samesite="strict")
        return answer

    def _answer(self, scopes: frozenset[Scope]) -> Response:
        content = {"needed": self._access.tokens is not None, "scopes": [scope for scope in Scope if scope in scopes]}
        return json_answer(content, headers={"Cache-Control": "no-store"})


def _name(request: Request) -> str:
    return session_name(request.headers.get("cookie", "").encode("latin-1"))


def _encrypted(request: Request) -> bool:
    """Whether the browser reached this server by https, maybe through a proxy: its Origin says by what."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
