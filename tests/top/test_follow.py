"""A board kept up to date by a server that says what a test tells it to."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from urllib.parse import parse_qs, urlsplit

import pytest
from rich.console import Console

from livekpi.client import Client, ClientError
from livekpi.clock import ManualClock
from livekpi.top.board import parse_time_us
from livekpi.top.follow import follow, look

T = parse_time_us("2026-01-01T10:05:04Z")
ORDERS = {"kpi": "orders", "title": "Orders", "unit": None, "good": "up", "every": "10s", "sources": ["shop"]}
WAIT_S = 20


def row(second: int, value: int) -> dict[str, object]:
    return {"kpi": "orders", "time": f"2026-01-01T10:04:{second:02}Z", "value": value, "final": False}


class Shop(ThreadingHTTPServer):
    """Answers as livekpi's API does; what it streams comes from a queue, and None ends the stream."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.points = [row(40, 11), row(50, 12)]
        self.last_event: str | None = "2026-01-01T10:04:59Z"
        self.asked: SimpleQueue[str] = SimpleQueue()
        self.messages: SimpleQueue[list[dict[str, object]] | None] = SimpleQueue()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is what a test does."""


class Handler(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        path = urlsplit(self.path)
        if path.path == "/v1/stream":
            self._stream()
        elif path.path == "/v1/kpis":
            self._answer({"kpis": [ORDERS]})
        elif path.path == "/v1/sources":
            self._answer({"sources": [{"source": "shop", "last_event": self.server.last_event}]})
        else:
            self.server.asked.put(parse_qs(path.query)["from"][0])
            self._answer({"points": self.server.points})

    def _answer(self, content: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def _stream(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b": livekpi\n\n")
        while (points := self.server.messages.get()) is not None:
            self.wfile.write(b"event: points\ndata: %b\n\n" % json.dumps({"commit": 1, "points": points}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the base class
        pass


class Screen(io.StringIO):
    """A terminal that is watched for what it shows."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = threading.Condition()

    def write(self, text: str) -> int:
        with self._changed:
            self._changed.notify_all()
            return super().write(text)

    def wait_for(self, seen: Callable[[str], bool]) -> None:
        """Waits until what was written since the last call is as wanted, and forgets it."""
        with self._changed:
            assert self._changed.wait_for(lambda: seen(self.getvalue()), WAIT_S), self.getvalue()[-2000:]
            self.seek(0)
            self.truncate()


@pytest.fixture
def shop() -> Iterator[Shop]:
    with Shop() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.messages.put(None)
        server.shutdown()
        thread.join()


@pytest.fixture
def client(shop: Shop) -> Client:
    return Client(f"127.0.0.1:{shop.server_port}")


def test_it_asks_for_as_much_as_the_table_shows(shop: Shop, client: Client) -> None:
    board = look(client, ManualClock(T))
    assert shop.asked.get(timeout=WAIT_S) == "2026-01-01T09:59:50Z"
    assert board.lines["orders"].last_buckets(T)[-3:] == [11, 12, None]


def test_of_a_silent_source_it_asks_for_what_was_last(shop: Shop, client: Client) -> None:
    shop.last_event = "2025-12-24T18:00:00Z"
    look(client, ManualClock(T))
    assert shop.asked.get(timeout=WAIT_S) == "2025-12-24T17:55:00Z"


def test_a_source_without_events_is_no_trouble(shop: Shop, client: Client) -> None:
    shop.last_event, shop.points = None, []
    assert look(client, ManualClock(T)).lines["orders"].points == {}


def test_without_a_server_it_says_so_at_once() -> None:
    with pytest.raises(ClientError, match="does not answer"):
        follow(Client("127.0.0.1:1"), Console(file=io.StringIO()), ManualClock(T), threading.Event())


@pytest.mark.timeout(90)
def test_it_shows_what_changes_and_goes_on_after_a_break(shop: Shop, client: Client) -> None:
    screen, stop, clock = Screen(), threading.Event(), ManualClock(T)
    console = Console(file=screen, force_terminal=True, width=80, color_system=None)
    watching = threading.Thread(target=follow, args=(client, console, clock, stop))
    watching.start()
    try:
        screen.wait_for(lambda text: "Orders" in text and " 12 " in text and "live" in text)
        # Once as it began, and once as the stream was open: from then on it hears of every change.
        for _ in range(2):
            shop.asked.get(timeout=WAIT_S)
        shop.messages.put([row(50, 4321), {**row(50, 99), "kpi": "another"}])
        screen.wait_for(lambda text: "4,321" in text)
        shop.messages.put(None)
        screen.wait_for(lambda text: "not connected" in text)
        shop.points = [row(50, 8765)]
        screen.wait_for(lambda text: "8,765" in text and "live" in text)
        # A bucket that ends is asked for again: it may have become final without a commit.
        shop.points = [{**row(50, 8765), "final": True}]
        clock.set_us(T + 10_000_000)
        screen.wait_for(lambda text: "8,765 ✓" in text)
    finally:
        stop.set()
        shop.messages.put(None)
        watching.join(WAIT_S)
    assert not watching.is_alive()
