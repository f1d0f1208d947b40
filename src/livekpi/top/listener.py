"""The server's stream, read on a thread of its own and opened again when it breaks."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from livekpi.client import Client, ClientError, Stream

RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class Opened:
    """The stream is open; what changed before is not in it."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The stream has ended; it is tried again."""

    reason: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A commit changed points: as the API gives them, each with its KPI."""

    points: Sequence[Mapping[str, Any]]


News = Opened | Broken | Changed


class Listener:
    """Puts what the stream says into a queue, until it is stopped."""

    def __init__(self, client: Client, news: "SimpleQueue[News]") -> None:
        self._client = client
        self._news = news
        self._stop = threading.Event()
        self._stream: Stream | None = None
        self._thread = threading.Thread(target=self._run, name="top-listener", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and waits for it."""
        self._stop.set()
        stream = self._stream
        if stream is not None:
            stream.interrupt()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._client.stream("/v1/stream") as stream:
                    self._stream = stream
                    self._read(stream)
                self._stream = None
                self._news.put(Broken("the server has closed the stream"))
            except ClientError as error:
                self._news.put(Broken(str(error)))
            self._stop.wait(RETRY_S)

    def _read(self, stream: Stream) -> None:
        self._news.put(Opened())
        if self._stop.is_set():  # between opening it and saying so; nobody interrupts it any more
            return
        for message in stream:
            if message.event == "points":
                self._news.put(Changed(json.loads(message.data)["points"]))
