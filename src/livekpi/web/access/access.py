"""What a request may do: by the token it brings, or by the session that a browser holds in place of one."""

from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.types import Scope as Connection

from livekpi.web.access.sessions import Sessions
from livekpi.web.access.tokens import ALL, Scope, Tokens
from livekpi.web.problems import ProblemError

COOKIE = "livekpi_session"
BADGES = "/badge/"
"""Below it, and nowhere else, a token may stand in the address: who shows a picture can't send a header."""


class Access:
    """Who may do what."""

    def __init__(self, tokens: Tokens | None, sessions: Sessions) -> None:
        """`tokens` None lets everyone do everything."""
        self.tokens, self.sessions = tokens, sessions

    def scopes(self, connection: Connection) -> frozenset[Scope]:
        """What a request may do. A token that it brings counts alone, even where it is wrong."""
        if self.tokens is None:
            return ALL
        headers = dict(connection["headers"])
        if b"authorization" in headers:
            return self.tokens.presented(headers[b"authorization"])
        token = _token_in_address(connection)
        return self.tokens.scopes(token) if token is not None else self.sessions.scopes(session_name(headers.get(b"cookie", b"")))

    def must_have(self, scope: Scope, connection: Connection) -> None:
        """Raises ProblemError 403 where a request may not do what needs a scope."""
        if scope not in self.scopes(connection):
            raise ProblemError(HTTPStatus.FORBIDDEN, f"this token is not for that; the request needs {scope}")


def session_name(cookies: bytes) -> str:
    """The session that a Cookie header names; empty where it names none."""
    try:
        found = SimpleCookie(cookies.decode("latin-1")).get(COOKIE)
    except CookieError:  # another's cookie on the same host
        return ""
    return found.value if found is not None else ""


def _token_in_address(connection: Connection) -> bytes | None:
    if not connection["path"].startswith(BADGES) or connection["method"] not in {"GET", "HEAD"}:
        return None
    given = parse_qs(connection["query_string"].decode("latin-1")).get("token")
    return given[0].encode() if given else None
