"""Runs the app: a socket, uvicorn on a thread of its own, and an end within seconds."""

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Callable
from functools import partial

import uvicorn
from starlette.types import ASGIApp

from livekpi.web.accepting import Accepting, most_connections
from livekpi.web.connection import HEAD_S, Connection

DRAIN_S = 1.0
"""How long a server that is stopping still answers that it is, so that whoever shares out requests hears it and sends them elsewhere."""
_GRACE_S = 1
"""How long requests may go on that are still here then."""
_KEEP_ALIVE_S = 75
"""How long an idle connection is kept, so that one who sends now and then need not open another."""
_BACKLOG = 2048
_UNSENT_BYTES = 65_536
"""The system keeps at most about so much for a connection beyond what is on its way."""
_HEADERS = [("x-content-type-options", "nosniff")]


class ServerError(Exception):
    """The server can't be started; says why and what to do."""


def parse_listen(text: str) -> tuple[str, int]:
    """Reads HOST:PORT, an IPv6 address in brackets; raises ServerError."""
    host, colon, port = text.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    if not colon or not host or (":" in host) != bracketed or not port.isdecimal() or int(port) > 65_535:
        raise ServerError(f"--listen {text}: expected HOST:PORT, such as 127.0.0.1:8321 or [::1]:8321")
    return host, int(port)


class Server:
    """Serves an app on a thread, from `start` to `stop`."""

    def __init__(
        self, app: ASGIApp, host: str, port: int, on_stop: Callable[[], None], head_s: float = HEAD_S, drain_s: float = DRAIN_S
    ) -> None:
        """Binds the address (port 0: a free one); raises ServerError where that can't be.

        `on_stop` is called on the app's event loop when the end begins: what never ends by itself should end then. `head_s` is how long a
        request may take to come, up to its body, and `drain_s` how long connections are taken after `on_stop`.
        """
        self._socket = _bind(host, port)
        bound = self._socket.getsockname()
        self.port: int = bound[1]
        self.address = f"[{bound[0]}]:{bound[1]}" if ":" in bound[0] else f"{bound[0]}:{bound[1]}"
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http=partial(Connection, head_s=head_s, ended=self._on_end),  # type: ignore[arg-type]  # what makes one does as well
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            headers=_HEADERS,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._uvicorn = _Uvicorn(config, self._socket, on_stop, drain_s)
        self._thread = threading.Thread(target=self._uvicorn.run, args=([],), name="web", daemon=True)

    def start(self) -> None:
        """Returns once requests are answered; raises ServerError where the app does not come up."""
        self._thread.start()
        while not self._uvicorn.up.wait(0.05):
            if not self._thread.is_alive():
                raise ServerError("the web server did not start; the log says why")

    def stop(self, timeout_s: float | None = None) -> None:
        """Answers for a moment that it is stopping, and lets requests end; returns then, or after `timeout_s`, where that is given."""
        self._uvicorn.should_exit = True
        self._thread.join(timeout_s)

    def _on_end(self) -> None:
        self._uvicorn.accepting.ended()


class _Uvicorn(uvicorn.Server):
    """uvicorn, that takes connections as we do, says when it is up, and drains before it ends."""

    def __init__(self, config: uvicorn.Config, listening: socket.socket, on_stop: Callable[[], None], drain_s: float) -> None:
        super().__init__(config)
        self.up = threading.Event()
        self.accepting = Accepting(listening, self._protocol, self.server_state.connections, most_connections())
        self._listening = listening
        self._on_stop = on_stop
        self._drain_s = drain_s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._accepts = asyncio.create_task(self.accepting.run())
        self.up.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        self.server_state.default_headers = [*self.server_state.default_headers, (b"connection", b"close")]
        await asyncio.sleep(self._drain_s)
        self._accepts.cancel()
        await asyncio.wait([self._accepts])
        self._listening.close()
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        make = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg]


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise ServerError(f"{host} is no address of this machine: {error.strerror}") from error
    bound = socket.socket(family, kind, protocol)
    try:
        # A server that has just ended may be followed at once; on these systems no second one can share the port by it.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # what a slow reader of a stream has not taken waits in this process, where it can be merged with what comes later
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
        bound.bind(address)
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise ServerError(
                f"{host}:{port} is in use by another process; stop that one, or give another address with --listen"
            ) from error
        raise ServerError(f"{host}:{port} can't be listened on: {os.strerror(error.errno or 0)}") from error
    return bound
