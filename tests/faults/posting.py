"""Clients that post a shop's events over HTTP from several threads, to a server that may be killed under them."""

import gzip
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from types import TracebackType
from typing import Literal, Self

from tests.faults.traffic import Event, Traffic

_PATIENCE_S = 30
_PAUSE_S = 0.05
_SIZES = (1, 1, 1, 7, 7, 60, 300)

Outcome = Literal["accepted", "refused", "unanswered"]


class Client:
    """One connection after the other to one server; for one thread."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: HTTPConnection | None = None

    def post(self, source: str, body: bytes, encoding: str | None = None) -> tuple[int, bytes] | None:
        """Status and body of the answer; None where none came, so that nobody knows what became of the events."""
        if self._connection is None:
            self._connection = HTTPConnection(self._address, timeout=_PATIENCE_S)
        try:
            self._connection.request("POST", f"/v1/events/{source}", body, {"Content-Encoding": encoding} if encoding else {})
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            self.close()
            return None

    def send(self, source: str, records: Sequence[bytes], rng: random.Random) -> Outcome:
        """Posts good events in one of the shapes that a body may have. Fails where the answer is one that these should not get."""
        body = b"[" + b",".join(records) + b"]" if rng.random() < 0.3 else b"\n".join(records)
        answer = self.post(source, gzip.compress(body, 1), "gzip") if rng.random() < 0.3 else self.post(source, body)
        if answer is None:
            return "unanswered"
        if answer[0] in {429, 503}:
            return "refused"
        status, text = answer
        assert status == 202, f"answered {status}: {text!r}"
        assert json.loads(text) == {"accepted": len(records), "dead": 0, "errors": []}
        return "accepted"

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass(frozen=True)
class Body:
    """What was sent in one request, once; its events, and no others, are of the country that is its name."""

    name: str
    events: list[Event]
    outcome: Outcome


class Posting:
    """Posts from construction until `stop`.

    Some threads post the traffic to `shop`, where events have ids, each body again and again until it is accepted; others
    post `bodies` to `every_one`, where they have none, each once. The traffic should have no bad records.
    """

    def __init__(self, address: str, traffic: Traffic, rng: random.Random, *, repeating: int = 3, once_only: int = 2) -> None:
        self.repeated = 0
        """How many were sent again."""
        self.bodies: list[Body] = []
        self._address, self._traffic, self._begin_us = address, traffic, traffic.now_us
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._given_up = False
        self._failures: list[BaseException] = []
        work = [self._repeat] * repeating + [self._once] * once_only
        self._threads = [
            threading.Thread(target=self._run, args=(run, f"{index}", random.Random(rng.random())), name=f"post-{index}", daemon=True)
            for index, run in enumerate(work)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends; what is to be accepted is accepted then."""
        self._stop.set()
        for thread in self._threads:
            thread.join(2 * _PATIENCE_S)
            assert not thread.is_alive(), "a request was not accepted in time"
        if self._failures:
            raise self._failures[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._given_up = error is not None
        self._stop.set()

    def _run(self, work: Callable[[Client, str, random.Random], None], name: str, rng: random.Random) -> None:
        client = Client(self._address)
        try:
            while not self._stop.wait(rng.uniform(0, _PAUSE_S)):
                work(client, name, rng)
        except BaseException as error:  # noqa: BLE001 - raised by `stop`
            self._failures.append(error)
            self._stop.set()
        finally:
            client.close()

    def _repeat(self, client: Client, _name: str, rng: random.Random) -> None:
        with self._lock:
            records = [record for _ in range(rng.choice(_SIZES)) if (record := self._traffic.record()) is not None]
        while client.send("shop", records, rng) != "accepted" and not self._given_up:
            with self._lock:
                self.repeated += 1
            time.sleep(_PAUSE_S)  # nothing to wait on: the server may be gone

    def _once(self, client: Client, name: str, rng: random.Random) -> None:
        source = Traffic(rng, self._begin_us, bad=0)
        with self._lock:
            body = f"body {name}.{len(self.bodies)}"
        events = [replace(source.event(), country=body) for _ in range(rng.choice(_SIZES))]
        outcome = client.send("every_one", [event.record() for event in events], rng)
        with self._lock:
            self.bodies.append(Body(body, events, outcome))
