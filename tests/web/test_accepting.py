"""Who is let in when, over real sockets, and by a listening socket that fails on demand."""

import asyncio
import errno
import os
import resource
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from livekpi.web import accepting as accepting_module
from livekpi.web.accepting import OWN_FILES, Accepting, most_connections

pytestmark = pytest.mark.timeout(60)

MOST = 3


class Hello(asyncio.Protocol):
    """Says that it is here; known while it is open."""

    def __init__(self, known: set["Hello"], ended: Callable[[], None]) -> None:
        self.known, self.ended = known, ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.known.add(self)
        transport.write(b"hello")

    def connection_lost(self, exc: Exception | None) -> None:
        self.known.discard(self)
        self.ended()


class Failing(socket.socket):
    """Accepts nobody for as long as it has errors to raise."""

    errors: list[int]

    def accept(self) -> tuple[socket.socket, object]:
        if self.errors:
            number = self.errors.pop()
            raise OSError(number, os.strerror(number))
        return super().accept()


@asynccontextmanager
async def listening(most: int = MOST, errors: tuple[int, ...] = ()) -> AsyncIterator[tuple[str, int]]:
    with Failing(socket.AF_INET, socket.SOCK_STREAM) as bound:
        bound.errors = list(errors)
        bound.bind(("127.0.0.1", 0))
        bound.listen(1_000)
        known: set[Hello] = set()
        accepting = Accepting(bound, lambda: Hello(known, accepting.ended), known, most)
        running = asyncio.create_task(accepting.run())
        try:
            yield bound.getsockname()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def greeted(address: tuple[str, int], within_s: float = 30) -> tuple[asyncio.StreamWriter, bool]:
    reader, writer = await asyncio.open_connection(*address)
    try:
        async with asyncio.timeout(within_s):
            return writer, await reader.readexactly(5) == b"hello"
    except (TimeoutError, asyncio.IncompleteReadError):
        return writer, False


async def close(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        await writer.wait_closed()


def test_many_at_once_are_all_let_in() -> None:
    async def ask() -> list[bool]:
        async with listening(most=1_000) as address:
            found = await asyncio.gather(*(greeted(address) for _ in range(300)))
            await close(*(writer for writer, _ in found))
            return [let_in for _, let_in in found]

    assert asyncio.run(ask()) == [True] * 300


def test_beyond_the_most_they_wait_until_one_ends() -> None:
    async def ask() -> None:
        async with listening() as address:
            writers = [writer for writer, let_in in [await greeted(address) for _ in range(MOST)] if let_in]
            assert len(writers) == MOST
            reader, late = await asyncio.open_connection(*address)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await reader.read(1)
            writers[0].close()
            assert await asyncio.wait_for(reader.readexactly(5), 30) == b"hello"
            await close(late, *writers)

    with capture_logs() as said:
        asyncio.run(ask())
    assert [(line["event"], line["why"]) for line in said] == [("new connections wait until others end", f"{MOST} are open")]


@pytest.mark.parametrize(("number", "lines"), [(errno.EMFILE, 1), (errno.ENFILE, 1), (errno.ENOBUFS, 1), (errno.ECONNABORTED, 0)])
def test_where_none_can_be_taken_it_is_tried_again_and_said_once(monkeypatch: pytest.MonkeyPatch, number: int, lines: int) -> None:
    monkeypatch.setattr(accepting_module, "_RETRY_S", 0.01)

    async def ask() -> bool:
        async with listening(errors=(number,) * 5) as address:
            writer, let_in = await greeted(address)
            await close(writer)
            return let_in

    with capture_logs() as said:
        assert asyncio.run(ask())
    assert [line["why"] for line in said] == [os.strerror(number)] * lines


def test_a_connection_that_can_not_be_served_costs_no_other() -> None:
    async def ask() -> bool:
        with socket.create_server(("127.0.0.1", 0)) as bound:
            known: set[Hello] = set()
            made = iter([True, False])

            def make() -> Hello:
                if next(made):
                    raise ZeroDivisionError
                return Hello(known, accepting.ended)

            accepting = Accepting(bound, make, known, MOST)
            running = asyncio.create_task(accepting.run())
            first, _ = await greeted(bound.getsockname(), within_s=0.2)
            second, let_in = await greeted(bound.getsockname())
            await close(first, second)
            running.cancel()
            await asyncio.wait([running])
            return let_in

    with capture_logs() as said:
        assert asyncio.run(ask())
    assert [type(line["exc_info"]) for line in said] == [ZeroDivisionError]


@pytest.mark.parametrize(
    ("files", "most"), [(64, 32), (1_024, 1_024 - OWN_FILES), (65_536, 65_536 - OWN_FILES), (resource.RLIM_INFINITY, 2**31)]
)
def test_some_files_are_left_for_the_store(monkeypatch: pytest.MonkeyPatch, files: int, most: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    assert most_connections() == most
