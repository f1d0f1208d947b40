"""`livekpi run` in this process: its parts on a thread, until a test is done with it."""

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from livekpi.clock import Clock
from livekpi.definition.definition import Definition
from livekpi.run import opened, serve

START_S = 30


@contextmanager
def running(definition: Definition, data: Path, clock: Clock) -> Iterator[str]:
    """A server on a data directory, for commands beside it; gives its address."""
    stop, started = threading.Event(), queue.SimpleQueue[str]()
    with opened(definition, data, clock, once=False) as parts:
        thread = threading.Thread(target=serve, args=(parts, "127.0.0.1", 0, None, stop, started.put), name="server")
        thread.start()
        try:
            yield started.get(timeout=START_S)
        finally:
            stop.set()
            thread.join(START_S)
