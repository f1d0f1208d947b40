"""`livekpi demo`: a real server, the shop's customers at its door, and a view of its numbers."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from livekpi.client import Client, ClientError
from livekpi.clock import Clock, SystemClock
from livekpi.definition.load import load
from livekpi.demo.customers import Customers
from livekpi.demo.generator import SECOND_US, Shop
from livekpi.reading import format_value
from livekpi.run import DEFAULT_LISTEN, opened, serve, stopping
from livekpi.store.database import make_directory
from livekpi.top.board import Board
from livekpi.top.follow import follow, look
from livekpi.web.server import parse_listen

DEFINITION = Path(__file__).with_name("shop.yaml")
PERIOD_US = 600 * SECOND_US
"""Of the definition's target."""
REPORT_S = 2.0


def run(listen: str | None, data: Path | None, seed: int, for_s: float | None) -> None:
    """Runs the demo until Ctrl-C, or for `for_s` seconds. Raises what kept the server from starting or going on.

    Without `listen` it is the default address, or a free port where that is taken; without `data` a directory that is
    removed afterwards.
    """
    clock, console = SystemClock(), Console()
    host, port = parse_listen(listen) if listen is not None else _free_address()
    with _directory(data) as directory, stopping() as stop, ThreadPoolExecutor(3, "demo") as threads:
        tasks: list[Future[None]] = []

        def start(work: Callable[[], object]) -> None:
            """Runs work beside the server; its end, or its failure, is the demo's."""
            tasks.append(threads.submit(_until_stopped, work, stop))
            tasks[-1].add_done_callback(lambda _: stop.set())

        def started(address: str) -> None:
            client = Client(address)
            customers = Customers(client, Shop(seed, _opening_us(clock.now_us())), seed, clock)
            where = f"A synthetic shop at http://{address}, its numbers in {directory}; Ctrl-C ends it.\n"
            console.print(where, soft_wrap=True, highlight=False)
            start(lambda: customers.post(stop))
            start(lambda: _show(client, console, clock, stop, customers))
            if for_s is not None:
                start(lambda: stop.wait(for_s))

        with opened(load(DEFINITION, {}), directory, clock, once=False) as parts:
            serve(parts, host, port, None, stop, started)
        for task in tasks:
            task.result()


def _opening_us(now_us: int) -> int:
    """When the shop opened: long enough ago that there is something to see at once, and with a period of its target."""
    return (now_us // PERIOD_US - 1) * PERIOD_US


def _until_stopped(work: Callable[[], object], stop: threading.Event) -> None:
    """Does work that asks the server; that it does not answer any more is right once it was stopped."""
    try:
        work()
    except ClientError:
        if not stop.is_set():
            raise


def _show(client: Client, console: Console, clock: Clock, stop: threading.Event, customers: Customers) -> None:
    """A live table on a terminal; elsewhere a line every few seconds."""
    if console.is_terminal:
        follow(client, console, clock, stop, customers.news)
        return
    while not stop.wait(REPORT_S):
        console.print(_report(look(client, clock), customers.news()), soft_wrap=True, highlight=False)


def _report(board: Board, news: str) -> str:
    """The newest value of each KPI, that of the open bucket too, in a line."""
    newest = [(line, line.points[max(line.points)]) for line in board.lines.values() if line.points]
    return " · ".join([*(f"{line.title} {format_value(point.value, line.unit)}" for line, point in newest), news])


def _free_address() -> tuple[str, int]:
    """The default address; with port 0, for any that is free, where another process has it."""
    host, port = parse_listen(DEFAULT_LISTEN)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return host, 0
    return host, port


@contextmanager
def _directory(data: Path | None) -> Iterator[Path]:
    """The data directory; one for this run alone where none is given."""
    if data is not None:
        make_directory(data)
        yield data
    else:
        with TemporaryDirectory(prefix="livekpi-demo-") as directory:
            yield Path(directory)
