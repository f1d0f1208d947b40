"""A client of a running server, for commands on the same machine: what it asks is what anyone may ask over HTTP."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from livekpi.store.lock import holder

ANSWER_S = 10.0
"""How long an answer may take."""
PATIENCE_S = 600.0
"""How long where rules are tried on history."""
SILENCE_S = 45.0
"""How long a stream may be silent; the server says something, if only a comment, more often than that."""


class ClientError(Exception):
    """The server can't be reached or refuses; says which server, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event."""

    event: str
    data: str
    id: str | None


def address_of(data: Path) -> str:
    """Where the server that has this data directory listens, as host:port. Raises ClientError where there is none."""
    found = holder(data)
    if found is None or found.address is None:
        raise ClientError(f"no server runs on {data}: start one with `livekpi run FILE`, or name its data directory with --data")
    return found.address


def encoded(content: object) -> bytes:
    """JSON as it is posted."""
    return json.dumps(content).encode()


class Client:
    """Asks one server; a request each time on a connection of its own, so that it may be used by several threads."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self.address = address
        self._headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def get(self, path: str, parameters: Mapping[str, str] | None = None, *, number: Callable[[str], object] = float) -> Any:
        """The answer to GET, as JSON gives it, with numbers that have a fraction read by `number`; raises ClientError."""
        query = f"?{urlencode(parameters)}" if parameters else ""
        return self._ask("GET", path + query, number=number)

    def post_events(self, source: str, lines: bytes) -> Any:
        """Posts newline-delimited JSON to a source's door; returns what the door says of it. Raises ClientError."""
        return self._ask("POST", f"/v1/events/{source}", lines)

    def post(self, path: str, content: object, *, answer_s: float = ANSWER_S) -> Any:
        """Posts JSON; returns the answer, which may take so long. Raises ClientError."""
        return self._ask("POST", path, encoded(content), answer_s=answer_s)

    def delete(self, path: str) -> Any:
        """The answer to DELETE. Raises ClientError."""
        return self._ask("DELETE", path)

    def stream(self, path: str) -> "Stream":
        """Opens a stream of server-sent events; close it after use, best by `with`. Raises ClientError."""
        connection = http.client.HTTPConnection(self.address, timeout=SILENCE_S)
        try:
            connection.connect()
            sock = connection.sock  # http.client forgets it where the server will close the connection
            connection.request("GET", path, headers=self._headers | {"Accept": "text/event-stream"})
            response = connection.getresponse()
            if response.status != http.HTTPStatus.OK:
                raise self._refused(response.status, response.read())
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from error
        except ClientError:
            connection.close()
            raise
        return Stream(connection, response, sock)

    def _ask(
        self, method: str, path: str, body: bytes | None = None, number: Callable[[str], object] = float, answer_s: float = ANSWER_S
    ) -> Any:
        try:
            with closing(http.client.HTTPConnection(self.address, timeout=answer_s)) as connection:
                connection.request(method, path, body, self._headers | ({"Content-Type": "application/x-ndjson"} if body else {}))
                response = connection.getresponse()
                content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise self._refused(response.status, content)
        return json.loads(content, parse_float=number)

    def _unreachable(self, error: Exception) -> ClientError:
        return ClientError(f"the server at {self.address} does not answer: {error or type(error).__name__}")

    def _refused(self, status: int, content: bytes) -> ClientError:
        """What a problem document (RFC 9457) says, or else the status."""
        try:
            problem = json.loads(content)
            reason = problem.get("detail") or problem["title"]
        except (ValueError, AttributeError, KeyError):
            reason = http.HTTPStatus(status).phrase
        hint = "; give its token in LIVEKPI_TOKEN" if status == http.HTTPStatus.UNAUTHORIZED else ""
        return ClientError(f"the server at {self.address} answered {status}: {reason}{hint}")


class Stream:
    """Server-sent events as they come (HTML Living Standard, 9.2.6); iteration ends when the stream does."""

    def __init__(self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, sock: socket.socket) -> None:
        self._connection = connection
        self._response = response
        self._socket = sock

    def __iter__(self) -> Iterator[Message]:
        event, data, id_ = "message", list[str](), None
        for raw in self._lines():
            line = raw.decode().rstrip("\r\n")
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line:
                if data:
                    yield Message(event, "\n".join(data), id_)
                event, data = "message", []
            elif name == "event":
                event = value
            elif name == "data":
                data.append(value)
            elif name == "id":
                id_ = value

    def _lines(self) -> Iterator[bytes]:
        """Lines until the stream ends, however it ends: the reader opens it anew, or has closed it."""
        try:
            while line := self._response.readline():
                yield line
        except (OSError, http.client.HTTPException):
            return

    def interrupt(self) -> None:
        """Makes the iteration end; from any thread."""
        with suppress(OSError):  # the server was first
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Frees the connection; from the thread that reads."""
        self._response.close()
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
