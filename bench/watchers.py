"""Opens streams and reads them, most as fast as they come and some slowly; writes down how long after each commit its message came.

Says `ready` once all are open; reads until its standard input ends.
"""

import asyncio
import json
import resource
import socket
import sys
import time
from array import array
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bench.common import arguments

_SLOW_BYTES, _SLOW_S = 4096, 0.5
"""One who reads slowly takes so much, so often."""


class Watcher(asyncio.Protocol):
    """Reads one stream as fast as it comes."""

    def __init__(self, query: str, opened: asyncio.Event) -> None:
        self._query, self._opened = query, opened
        self._rest = b""
        self.seen: array[float] = array("d")
        """For each message: when it was there (s since the epoch), and how many seconds after its commit."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(_request(self._query))

    def data_received(self, data: bytes) -> None:
        now_s = time.time()
        *messages, self._rest = (self._rest + data).split(b"\n\n")
        for message in messages:
            if b"event: hello" in message:
                self._opened.set()
            elif b"event: points" in message:
                _, _, later = message.partition(b'"at":"')
                self.seen.extend((now_s, now_s - datetime.fromisoformat(later[: later.index(b'"')].decode()).timestamp()))


async def _read_slowly(port: int, query: str, ended: asyncio.Event) -> int:
    """Reads one stream slowly; returns how many messages came."""
    loop, found = asyncio.get_running_loop(), b""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SLOW_BYTES)
        sock.setblocking(False)
        await loop.sock_connect(sock, ("127.0.0.1", port))
        await loop.sock_sendall(sock, _request(query))
        while not ended.is_set():
            found += await loop.sock_recv(sock, _SLOW_BYTES)
            await asyncio.sleep(_SLOW_S)
    return found.count(b"event: points")


def _request(query: str) -> bytes:
    return f"GET /v1/stream?{query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


async def watch(port: int, queries: Sequence[str], count: int, slow: int) -> dict[str, object]:
    """What watchers of these queries, in turn, have seen when the input ends."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin, ended.set)
    watchers = []
    for number in range(count):
        opened = asyncio.Event()
        watcher = Watcher(queries[number % len(queries)], opened)
        await loop.create_connection(lambda watcher=watcher: watcher, "127.0.0.1", port)  # type: ignore[misc]
        await opened.wait()
        watchers.append(watcher)
    slowly = [asyncio.create_task(_read_slowly(port, queries[number % len(queries)], ended)) for number in range(slow)]
    print("ready", flush=True)
    await ended.wait()
    seen = [list(zip(watcher.seen[::2], watcher.seen[1::2], strict=True)) for watcher in watchers]
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"seen": seen, "slow": await asyncio.gather(*slowly), "cpu_s": usage.ru_utime + usage.ru_stime}


def main() -> None:
    """Watches, and writes what was seen into a file."""
    parser = arguments(__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("queries", type=Path, help="a file of queries, one a line")
    parser.add_argument("count", type=int)
    parser.add_argument("slow", type=int)
    parser.add_argument("file", type=Path)
    options = parser.parse_args()
    found = asyncio.run(watch(options.port, options.queries.read_text(encoding="utf-8").split(), options.count, options.slow))
    options.file.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
