"""The API's part on sessions: a browser gives a token once, and holds a cookie that no script can read from then on."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from livekpi.web.access.access import COOKIE, Access, session_name, token_of
from livekpi.web.access.sessions import LIFE_S
from livekpi.web.access.tokens import MAX_TOKEN_BYTES, NOTHING, Rights, Scope
from livekpi.web.answers import json_answer
from livekpi.web.bodies import decoded
from livekpi.web.parameters import Parameters

_SMALLER = "a token is shorter"


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    token: str


_asked = msgspec.json.Decoder(_Asked)


class SessionApi:
    """Begins and ends sessions, and says what the one that is there opens."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def session(self, request: Request) -> Response:
        """GET, POST and DELETE /v1/session"""
        Parameters(request)
        if request.method == "POST":
            return await self._begin(request)
        if request.method == "DELETE":
            return self._end(request)
        rights = self._access.rights(request.scope)
        if not rights.scopes and token_of(request.scope):
            raise await self._access.unknown(request.scope)
        return self._answer(rights)

    async def _begin(self, request: Request) -> Response:
        asked = await decoded(request, MAX_TOKEN_BYTES, _asked, '{"token": …}', _SMALLER)
        if self._access.tokens is None:
            return self._answer(self._access.rights(request.scope))
        rights = self._access.tokens.rights(asked.token.strip().encode("utf-8", "surrogatepass"))
        if not rights.scopes:
            raise await self._access.unknown(request.scope)
        self._access.sessions.close(_name(request))
        answer = self._answer(rights)
        answer.set_cookie(
            COOKIE, self._access.sessions.open(rights), max_age=LIFE_S, secure=_encrypted(request), httponly=True, samesite="strict"
        )
        return answer

    def _end(self, request: Request) -> Response:
        self._access.sessions.close(_name(request))
        answer = self._answer(NOTHING if self._access.tokens is not None else self._access.rights(request.scope))
        answer.delete_cookie(COOKIE, secure=_encrypted(request), httponly=True, samesite="strict")
        return answer

    def _answer(self, rights: Rights) -> Response:
        content = {"needed": self._access.tokens is not None, "scopes": [scope for scope in Scope if scope in rights.scopes]}
        return json_answer(content)


def _name(request: Request) -> str:
    return session_name(request.headers.get("cookie", "").encode("latin-1"))


def _encrypted(request: Request) -> bool:
    """Whether the browser reached this server by https, maybe through a proxy: its Origin says by what."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")
