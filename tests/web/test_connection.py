"""Requests over a real socket, written by hand."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPResponse

import pytest

from livekpi.web.connection import HEAD_BYTES
from livekpi.web.server import Server
from tests.web.world import GOOD, World

pytestmark = pytest.mark.timeout(60)

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /v1/kpis HTTP/1.1\r\n" + HOST
SHORT_S, LONG_S = 0.2, 30.0


@contextmanager
def connected(world: World, head_s: float = LONG_S) -> Iterator[socket.socket]:
    server = Server(world.app, "127.0.0.1", 0, world.app.stop, head_s)
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
        except ConnectionError:  # it has heard enough
            return
        assert answer(client) == (431, f"address and headers are larger than {HEAD_BYTES} bytes")
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


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", b"FOO / HTTP/1.1\r\n\r\n", GET + b"Content-Length: -1\r\n\r\n"]
)
def test_what_is_no_request_is_answered_by_a_problem(world: World, sent: bytes) -> None:
    with connected(world) as client:
        client.sendall(sent)
        status, detail = answer(client)
        assert (status, detail.partition(",")[0]) == (400, "this is no request as HTTP/1.1 has them")
        assert closed(client)
