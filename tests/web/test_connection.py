"""Requests over a real socket, written by hand."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.server import ServerState

from livekpi.web import server as server_module
from livekpi.web.connection import HEAD_BYTES, Connection
from livekpi.web.server import Server
from tests.web.world import GOOD, World

pytestmark = pytest.mark.timeout(60)

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /v1/kpis HTTP/1.1\r\n" + HOST
SHORT_S, LONG_S = 0.2, 30.0


@contextmanager
def connected(world: World, head_s: float = LONG_S) -> Iterator[socket.socket]:
    server = Server(world.app, "127.0.0.1", 0, world.app.stop, head_s, drain_s=0)
    server.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=LONG_S) as client:
            yield client
    finally:
        server.stop()


def answer(client: socket.socket) -> tuple[int, str]:
    """The status of the next answer, and what it says."""
    response = HTTPResponse(client)
    response.begin()
    content = json.loads(response.read())
    return response.status, content.get("detail", "")


def closed(client: socket.socket) -> bool:
    """Waits until the server closes."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:  # it had not read all that was sent
        return True


@pytest.mark.parametrize("sent", [b"X-Long: " + b"x" * 2**21, b"X: y\r\n" * 2**18], ids=["one header", "many headers"])
def test_headers_without_end_are_refused(world: World, sent: bytes) -> None:
    with connected(world) as client:
        try:
            client.sendall(GET + sent)
            found = answer(client)
        except ConnectionError:  # it has heard enough
            return
        assert found == (431, f"address and headers are larger than {HEAD_BYTES} bytes")
        assert closed(client)


def test_headers_that_come_too_slowly_are_refused(world: World) -> None:
    with connected(world, SHORT_S) as client:
        client.sendall(GET)
        assert answer(client) == (408, "the request's headers were not complete after 0.2 s")
        assert closed(client)


def test_who_says_nothing_is_not_waited_for(world: World) -> None:
    with connected(world, SHORT_S) as client:
        assert closed(client)


def test_the_second_request_may_take_no_longer_than_the_first(world: World) -> None:
    with connected(world, SHORT_S) as client:
        client.sendall(GET + b"\r\n")
        assert answer(client)[0] == 200
        client.sendall(b"\r\n")  # which is no part of a request yet
        assert answer(client)[0] == 408


def test_a_body_may_take_longer_and_be_larger(world: World) -> None:
    body = b"\n".join([GOOD] * 3_000)
    assert len(body) > 2 * HEAD_BYTES
    with connected(world, SHORT_S) as client:
        client.sendall(b"POST /v1/events/app HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body[:HEAD_BYTES])
        client.settimeout(3 * SHORT_S)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(LONG_S)
        client.sendall(body[HEAD_BYTES:])
        assert answer(client)[0] == 202
        client.sendall(GET + b"\r\n")
        assert answer(client)[0] == 200


@pytest.mark.parametrize("head", [b"POST /nope", b"GET /healthz"])
def test_what_is_left_of_a_body_that_was_answered_may_take_no_longer_than_a_head(world: World, head: bytes) -> None:
    with connected(world, SHORT_S) as client:
        client.sendall(head + b" HTTP/1.1\r\n" + HOST + b"Content-Length: 1000000000\r\n\r\n")
        assert answer(client)[0] == (404 if head.startswith(b"POST") else 200)
        assert dripped(client)


def dripped(client: socket.socket) -> bool:
    """Sends a byte now and then, until the server closes; False where it does not within ten seconds, about."""
    client.settimeout(SHORT_S / 4)
    for _ in range(200):
        try:
            client.sendall(b"x")
            return closed(client)
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


@pytest.mark.parametrize("rest", [[b"body"], [b"bo", b"dy"]], ids=["at once", "in pieces"])
def test_a_body_that_ends_in_time_after_its_answer_leaves_its_connection_open(world: World, rest: list[bytes]) -> None:
    with connected(world, SHORT_S) as client:
        client.sendall(b"POST /nope HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\n")
        assert answer(client)[0] == 404
        for piece in rest:
            client.sendall(piece)
        client.settimeout(3 * SHORT_S)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(LONG_S)
        client.sendall(GET + b"\r\n")
        assert answer(client)[0] == 200


def test_a_connection_is_idle_from_the_end_of_a_body_that_was_answered(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "_KEEP_ALIVE_S", SHORT_S)
    with connected(world) as client:
        client.sendall(b"POST /nope HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\n")
        assert answer(client)[0] == 404
        client.sendall(b"body")
        assert closed(client)


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", b"FOO / HTTP/1.1\r\n\r\n", GET + b"Content-Length: -1\r\n\r\n"]
)
def test_what_is_no_request_is_answered_by_a_problem(world: World, sent: bytes) -> None:
    with connected(world) as client:
        client.sendall(sent)
        status, detail = answer(client)
        assert (status, detail.partition(",")[0]) == (400, "this is no request as HTTP/1.1 has them")
        assert closed(client)


def test_an_address_that_is_too_long_is_refused_and_logs_no_fault_of_ours(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with connected(world) as client:
        client.sendall(b"GET /v1/kpis?x=" + b"a" * 66_000 + b" HTTP/1.1\r\n\r\n")
        assert answer(client)[0] in (400, 431)
        assert closed(client)
    assert "Fatal error" not in caplog.text


@pytest.mark.parametrize("piece_bytes", [1, 3_000, 10**6])
def test_a_body_in_pieces_is_what_was_sent(world: World, piece_bytes: int) -> None:
    body = b"\n".join([GOOD] * 200)
    pieces = [body[begin : begin + piece_bytes] for begin in range(0, len(body), piece_bytes)]
    with connected(world) as client:
        client.sendall(b"POST /v1/events/app HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
        client.sendall(b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n")
        assert answer(client)[0] == 202
    assert world.logged() == [GOOD] * 200


class Wire(asyncio.Transport):
    """A transport that goes nowhere, and knows whether it is read from."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[str] = []

    def pause_reading(self) -> None:
        self.turns.append("paused")

    def resume_reading(self) -> None:
        self.turns.append("resumed")

    def is_closing(self) -> bool:
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def close(self) -> None:
        self.turns.append("closed")


@pytest.mark.parametrize(
    ("sent", "turns"), [((HIGH_WATER_LIMIT + 9,), []), ((HIGH_WATER_LIMIT + 1, 8), ["paused", "resumed"]), ((HIGH_WATER_LIMIT, 9), [])]
)
def test_what_is_not_whole_is_read_on_when_the_app_has_taken_what_is_here(sent: tuple[int, ...], turns: list[str]) -> None:
    async def ask() -> tuple[list[int], list[str]]:
        taken: list[int] = []
        more = asyncio.Event()

        async def app(_scope: object, receive: Callable[[], Awaitable[dict[str, Any]]], _send: object) -> None:
            await more.wait()
            while (message := await receive())["type"] == "http.request":
                taken.append(len(message["body"]))

        config = uvicorn.Config(app, log_config=None, ws="none", lifespan="off")
        config.load()
        wire = Wire()
        connection = Connection(config=config, server_state=ServerState(), app_state={}, ended=lambda: None)
        connection.connection_made(wire)
        connection.data_received(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % sum(sent))
        connection.data_received(bytes(sent[0]))
        before = list(wire.turns)
        more.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        for size in sent[1:]:
            connection.data_received(bytes(size))
            await asyncio.sleep(0)
        found = list(wire.turns)
        connection.connection_lost(None)
        await asyncio.gather(*connection.tasks)
        assert before == turns[:1]
        return taken, found

    taken, found = asyncio.run(ask())
    assert (sum(taken), found) == (sum(sent), turns)


def test_a_request_behind_the_rest_of_a_body_takes_as_long_as_it_likes() -> None:
    """The connection was idle for no moment: the timer of one that is would close it in the midst of the answer."""

    async def idle() -> bool:
        async def app(_scope: object, _receive: object, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
            if begun:
                await asyncio.Event().wait()
            begun.append(True)
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})

        begun: list[bool] = []
        config = uvicorn.Config(app, log_config=None, ws="none", lifespan="off")
        config.load()
        connection = Connection(config=config, server_state=ServerState(), app_state={}, ended=lambda: None)
        connection.connection_made(Wire())
        connection.data_received(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\n")
        await asyncio.gather(*connection.tasks)
        connection.data_received(b"body" + GET + b"\r\n")
        found = connection.timeout_keep_alive_task is not None
        for task in connection.tasks:
            task.cancel()
        connection.connection_lost(None)
        return found

    assert not asyncio.run(idle())
