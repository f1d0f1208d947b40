"""`livekpi top`: a live terminal table of a running server's KPIs."""

import threading
from pathlib import Path

from rich.console import Console

from livekpi.client import Client, address_of
from livekpi.clock import Clock
from livekpi.top.follow import follow, look
from livekpi.top.view import render


def run(data: Path, token: str | None, console: Console, clock: Clock, stop: threading.Event) -> None:
    """Shows the KPIs of the server that has this data directory, until `stop` is set or Ctrl-C is pressed.

    Where the console is no terminal, it is drawn once. Raises ClientError where there is no server.
    """
    client = Client(address_of(data), token)
    if console.is_terminal:
        follow(client, console, clock, stop)
    else:
        console.print(render(look(client, clock), clock.now_us(), console.width))
