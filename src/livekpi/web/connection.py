"""One connection: HTTP as uvicorn speaks it, with bounds on what may come before the body of a request."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from livekpi.web.problems import problem

HEAD_S = 60.0
"""How long the head of a request may take to come, how long a connection may be open before the first, and how long what is left of a body
may take that is answered before it is complete."""
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
        self._unread: asyncio.TimerHandle | None = None
        """Runs while the rest of a body comes whose request has been answered; uvicorn's own timer ends at each byte."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_waiting()
        self._end_rest()
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
        self._unset_keepalive_if_required()  # it may run since the end of a body that came in the same piece
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
        self._end_rest()
        super().on_message_complete()
        if self.cycle.response_complete:  # the piece that ended the body has ended uvicorn's timer too, which waits for the next request
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        # with pipelining it may have been the answer to another request than the one whose body comes
        if self._in_body and self.cycle.response_complete and not self.transport.is_closing():
            self._unread = self.loop.call_later(self._head_s, self.transport.close)

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

    def _end_rest(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

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
