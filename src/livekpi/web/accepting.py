"""Connections are taken as long as there is room for them; others wait where the system queues them.

The event loop's own way to accept ends in thousands of log lines a second once no file may be opened any more, and by then the store
can open none either.
"""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Callable, Collection

import structlog

OWN_FILES = 256
"""So many files are left for all that is no connection, or half of them where fewer may be open."""
_AT_ONCE = 100
_SAY_EVERY_S = 60.0
_RETRY_S = 1.0

_logger = structlog.get_logger(__name__)


def most_connections() -> int:
    """How many connections may be open at once, by how many files this process may have open."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**31 if files == resource.RLIM_INFINITY else max(files // 2, files - OWN_FILES)


class Accepting:
    """Takes connections from a listening socket."""

    def __init__(
        self, listening: socket.socket, protocol: Callable[[], asyncio.BaseProtocol], connections: Collection[object], most: int
    ) -> None:
        """`protocol` makes what speaks on one; `connections` are those that are open, and there are never more than `most`."""
        self._listening, self._protocol, self._connections, self._most = listening, protocol, connections, most
        self._one_less = asyncio.Event()
        self._say_from_s = 0.0

    def ended(self) -> None:
        """A connection has ended; on the event loop."""
        self._one_less.set()

    async def run(self) -> None:
        """Takes connections until it is cancelled."""
        loop = asyncio.get_running_loop()
        self._listening.setblocking(False)
        while True:
            try:
                taken = await self._take()
            except ConnectionError:  # it was gone before it was taken
                continue
            except OSError as error:
                await self._wait(str(error.strerror), _RETRY_S)
                continue
            begun = [loop.connect_accepted_socket(self._protocol, each) for each in taken]
            for each, found in zip(taken, await asyncio.gather(*begun, return_exceptions=True), strict=True):
                if isinstance(found, BaseException):
                    each.close()
                    _logger.error("a connection could not be served", exc_info=found)

    async def _take(self) -> list[socket.socket]:
        """Waits for a connection, and for room; gives those that are here. Raises OSError where none can be taken."""
        while (room := self._most - len(self._connections)) <= 0:
            await self._wait(f"{self._most} are open")
        first, _ = await asyncio.get_running_loop().sock_accept(self._listening)
        taken = [first]
        with contextlib.suppress(OSError):  # no more are here, or can be taken, as the next turn will find
            while len(taken) < min(room, _AT_ONCE):
                taken.append(self._listening.accept()[0])
        return taken

    async def _wait(self, why: str, at_most_s: float | None = None) -> None:
        """Until a connection ends, or a time has passed; says so now and then."""
        now_s = asyncio.get_running_loop().time()
        if now_s >= self._say_from_s:
            self._say_from_s = now_s + _SAY_EVERY_S
            _logger.warning("new connections wait until others end", why=why, hint="let the process open more files (`ulimit -n`)")
        self._one_less.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._one_less.wait()
