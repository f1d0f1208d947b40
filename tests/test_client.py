"""The client against a server that says what a test tells it to."""

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from livekpi.client import Client, ClientError, Message, address_of
from livekpi.store.lock import Lock


class Answers(BaseHTTPRequestHandler):
    """Answers by path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/v1/stream":
            self._stream()
        elif self.path == "/hang-up":
            self.close_connection = True
        elif self.path == "/number":
            self._send(200, b"0.1000")
        elif self.path == "/refused":
            self._answer(404, {"title": "Not found", "detail": "there is no KPI 'ordres'; did you mean 'orders'?"})
        elif self.path == "/token":
            self._answer(401, "who are you")
        else:
            self._answer(200, {"path": self.path, "token": self.headers["Authorization"]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(202, {"accepted": len(body.splitlines()), "path": self.path})

    def _answer(self, status: int, content: object) -> None:
        self._send(status, json.dumps(content).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in (b": hello\n\n", b"id: 7\nda", b"ta: {\n", b"data: }\n\nevent: bye\r\ndata:x\r\n\r\n"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
        pass


class Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what a test does."""


@pytest.fixture
def address() -> Iterator[str]:
    with Server(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_asks_with_parameters_and_token(address: str) -> None:
    answer = Client(address, "secret").get("/v1/kpis/orders", {"where": "country = 'DE'"})
    assert answer == {"path": "/v1/kpis/orders?where=country+%3D+%27DE%27", "token": "Bearer secret"}


def test_numbers_are_read_as_exactly_as_asked(address: str) -> None:
    assert Client(address).get("/number") == 0.1
    assert Client(address).get("/number", number=Decimal) == Decimal("0.1000")


def test_it_posts_events(address: str) -> None:
    assert Client(address).post_events("shop", b"{}\n{}\n") == {"accepted": 2, "path": "/v1/events/shop"}


def test_a_refusal_says_what_the_server_said(address: str) -> None:
    with pytest.raises(ClientError, match="answered 404: there is no KPI 'ordres'; did you mean 'orders'"):
        Client(address).get("/refused")


def test_a_refusal_without_a_problem_document_says_its_status_and_what_to_do(address: str) -> None:
    with pytest.raises(ClientError, match="answered 401: Unauthorized; give its token in LIVEKPI_TOKEN"):
        Client(address).get("/token")


def test_a_server_that_is_not_there_or_hangs_up_is_named(address: str) -> None:
    with pytest.raises(ClientError, match=f"{address} does not answer"):
        Client(address).get("/hang-up")
    with pytest.raises(ClientError, match=r"127.0.0.1:1 does not answer: .*refused"):
        Client("127.0.0.1:1").get("/")
    with pytest.raises(ClientError, match=r"127.0.0.1:1 does not answer"):
        Client("127.0.0.1:1").stream("/v1/stream")


def test_a_stream_is_read_as_the_standard_says(address: str) -> None:
    with Client(address).stream("/v1/stream") as stream:
        messages = iter(stream)
        assert next(messages) == Message("message", "{\n}", "7")
        assert next(messages) == Message("bye", "x", "7")


def test_a_stream_that_is_refused_says_why(address: str) -> None:
    with pytest.raises(ClientError, match="answered 404: there is no KPI"):
        Client(address).stream("/refused")


@pytest.mark.timeout(30)
def test_a_stream_is_interrupted_from_another_thread(address: str) -> None:
    with Client(address).stream("/v1/stream") as stream:
        reader = threading.Thread(target=lambda: list(stream))
        reader.start()
        stream.interrupt()
        reader.join(20)
        assert not reader.is_alive()


def test_the_address_is_the_one_the_lock_names(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="no server runs on"):
        address_of(tmp_path)
    with Lock(tmp_path, 0) as lock:
        with pytest.raises(ClientError, match="start one with `livekpi run FILE`"):
            address_of(tmp_path)
        lock.announce("127.0.0.1:8321")
        assert address_of(tmp_path) == "127.0.0.1:8321"
