"""One connection: HTTP as uvicorn speaks it, with bounds on what may come before the body of a request."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from livekpi.web.problems import problem

HEAD_S = 60.0
"""How long the head of a request may take to come, and how long a connection may be open before the first."""
HEAD_BYTES = 65_536
"""Beyond so much of a head no more is waited for."""


class Connection(HttpToolsProtocol):
    """Refuses a head that does not end; else whoever can open a connection could fill the memory, or keep all that may be open."""

    def __init__(self, *given: Any, head_s: float = HEAD_S, ended: Callable[[], None], **named: Any) -> None:
        """`ended` is called when the connection has ended."""
        super().__init__(*given, **named)
        self._head_s = head_s
        self._ended = ended
        self._too_late: asyncio.TimerHandle | None = None
        """Runs while a head is awaited."""
        self._head_bytes = 0
        self._in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_waiting()
        super().connection_lost(exc)
        self._ended()

    def data_received(self, data: bytes) -> None:
        if self._too_late is None and not self._in_body:
            self._await_head()
        super().data_received(data)
        cycle = self.cycle
        if self._in_body and cycle is not None and not cycle.response_complete and len(cycle.body) > HIGH_WATER_LIMIT:
            self.flow.pause_reading()  # until the app has taken what is here
        if self._too_late is None or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > HEAD_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"address and headers are larger than {HEAD_BYTES} bytes")

    def on_headers_complete(self) -> None:
        self._end_waiting()
        self._in_body = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Keeps a piece for the app: the first one as it is, since most bodies come in one, which need not be copied nor read in turns."""
        cycle = self.cycle
        if cycle.response_complete:
            return
        if not cycle.body:
            cycle.body = body  # type: ignore[assignment]  # it is only ever asked for its bytes and length
        else:
            if isinstance(cycle.body, bytes):
                cycle.body = bytearray(cycle.body)
            cycle.body += body
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        self._in_body = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What the parser can't read."""
        self._refuse(HTTPStatus.BAD_REQUEST, "this is no request as HTTP/1.1 has them, or its address is longer than 65535 bytes")

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._too_late = self.loop.call_later(self._head_s, self._on_too_late)

    def _end_waiting(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None

    def _on_too_late(self) -> None:
        if self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, f"the request's headers were not complete after {self._head_s:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Says why, unless something else is being said, and closes."""
        self._end_waiting()
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            answer = problem(status, detail, {"Connection": "close"})
            headers = [*self.server_state.default_headers, *answer.raw_headers]
            lines = [STATUS_LINE[status], *(b"%s: %s\r\n" % header for header in headers), b"\r\n", bytes(answer.body)]
            self.transport.write(b"".join(lines))
        self.transport.close()
