"""What a request may do: by the token it brings, or by the session that a browser holds in place of one."""

import asyncio
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.types import Scope as Connection

from livekpi.web.access.attempts import PAUSE_S, TRIES, Attempts
from livekpi.web.access.sessions import Sessions
from livekpi.web.access.tokens import EVERYTHING, Rights, Tokens
from livekpi.web.problems import ProblemError

COOKIE = "livekpi_session"
BADGES = "/badge/"
"""Below it, and nowhere else, a token may stand in the address: who shows a picture can't send a header."""
SLOW_S = 1.0
"""How long the answer to a wrong token takes where there were many before it."""


class Access:
    """Who may do what."""

    def __init__(self, tokens: Tokens | None, sessions: Sessions, attempts: Attempts, slow_s: float = SLOW_S) -> None:
        """`tokens` None lets everyone do everything."""
        self.tokens, self.sessions, self._attempts, self._slow_s = tokens, sessions, attempts, slow_s

    def rights(self, connection: Connection) -> Rights:
        """What a request may do. A token that it brings counts alone, even where it is wrong."""
        if self.tokens is None:
            return EVERYTHING
        token = token_of(connection)
        return self.tokens.rights(token) if token is not None else self.sessions.rights(_session_of(connection))

    async def unknown(self, connection: Connection) -> ProblemError:
        """What is answered to a token that this server does not know. It is counted; a right one is let in all the same, since behind a
        proxy all come from one address."""
        address = connection["client"][0] if connection.get("client") else ""
        wait_s = self._attempts.wait_s(address)
        self._attempts.failed(address)
        detail = "this server does not know that token; send one that it knows as `Authorization: Bearer TOKEN`"
        if not wait_s:
            return ProblemError(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": 'Bearer realm="livekpi", error="invalid_token"'})
        await asyncio.sleep(self._slow_s)
        many = f"{TRIES} wrong ones and more came from {address} within {PAUSE_S} s, so they are answered slowly for {wait_s} s"
        return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, f"{detail}; {many}", {"Retry-After": str(wait_s)})


def token_of(connection: Connection) -> bytes | None:
    """The token that a request brings; None where it brings none, empty where what it brings is no token."""
    headers = dict(connection["headers"])
    if b"authorization" in headers:
        scheme, _, secret = headers[b"authorization"].partition(b" ")
        return secret.strip() if scheme.lower() == b"bearer" else b""
    return _token_in_address(connection)


def session_name(cookies: bytes) -> str:
    """The session that a Cookie header names; empty where it names none."""
    try:
        found = SimpleCookie(cookies.decode("latin-1")).get(COOKIE)
    except CookieError:  # another's cookie on the same host
        return ""
    return found.value if found is not None else ""


def _session_of(connection: Connection) -> str:
    return session_name(dict(connection["headers"]).get(b"cookie", b""))


def _token_in_address(connection: Connection) -> bytes | None:
    if not connection["path"].startswith(BADGES) or connection["method"] not in {"GET", "HEAD"}:
        return None
    given = parse_qs(connection["query_string"].decode("latin-1")).get("token")
    return given[0].encode() if given else None
