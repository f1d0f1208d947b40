"""Keeps a board up to date: all of it at the start and when a bucket ends, and what a commit changes as it comes."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from queue import Empty, SimpleQueue

from rich.console import Console
from rich.live import Live

from livekpi.client import Client, ClientError
from livekpi.clock import Clock
from livekpi.top.board import BUCKETS, Board, Line, make_line, parse_time_us
from livekpi.top.listener import Broken, Changed, Listener, News
from livekpi.top.view import render

FRAME_S = 0.2


def look(client: Client, clock: Clock) -> Board:
    """A board as it is now; raises ClientError."""
    board = Board(client.address, {kpi["kpi"]: make_line(kpi) for kpi in client.get("/v1/kpis")["kpis"]})
    now_us = clock.now_us()
    last_us = {
        source["source"]: parse_time_us(source["last_event"] or "1970-01-01T00:00:00Z") for source in client.get("/v1/sources")["sources"]
    }
    for line in board.lines.values():
        # A source that has been silent for long is shown as it was last.
        _load(client, line, min(now_us, max(last_us[source] for source in line.sources)), now_us)
    return board


def follow(client: Client, console: Console, clock: Clock, stop: threading.Event, note: Callable[[], str] = lambda: "") -> None:
    """Draws the board in place, with a line of the caller's under it, until `stop` is set.

    Raises ClientError where the server is not there at the start.
    """
    board = look(client, clock)
    news: SimpleQueue[News] = SimpleQueue()
    listener = Listener(client, news)
    listener.start()
    looked_us = clock.now_us()
    try:
        with Live(console=console, auto_refresh=False) as live:
            while not stop.is_set():
                live.update(render(board, clock.now_us(), console.width, note()), refresh=True)
                stop.wait(FRAME_S)
                reopened = _take(board, news, clock.now_us())
                now_us = clock.now_us()
                _reload(client, board, None if reopened else looked_us, now_us)
                looked_us = now_us
    finally:
        listener.stop()


def _take(board: Board, news: "SimpleQueue[News]", now_us: int) -> bool:
    """Takes in all news; True where the stream was opened, as what changed before is not in it."""
    opened = False
    while True:
        try:
            item = news.get_nowait()
        except Empty:
            return opened
        match item:
            case Changed(points):
                board.update(points, now_us)
            case Broken(reason):
                board.trouble = reason
            case _:
                board.trouble, opened = None, True


def _reload(client: Client, board: Board, looked_us: int | None, now_us: int) -> None:
    """Asks again for the KPIs whose bucket has ended since `looked_us` (None: for all): what is over may be final now."""
    try:
        for line in board.lines.values():
            if looked_us is None or looked_us // line.every_us != now_us // line.every_us:
                _load(client, line, now_us, now_us)
    except ClientError as error:
        board.trouble = str(error)


def _load(client: Client, line: Line, until_us: int, now_us: int) -> None:
    """The line's points over the time that the table shows, where that ends at `until_us`, or later."""
    from_us = max(0, until_us // line.every_us - BUCKETS) * line.every_us
    begin = datetime.fromtimestamp(from_us / 1e6, UTC).isoformat().replace("+00:00", "Z")
    line.update(client.get(f"/v1/kpis/{line.name}", {"from": begin})["points"], now_us)
