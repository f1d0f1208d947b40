"""The door: where events come in over HTTP.

What is answered 202 is in the ingest log and synced, broken events too: the engine makes dead letters of those, by the same
rules, in the transaction that counts the others. The door only tells the sender beforehand.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from livekpi.clock import Clock
from livekpi.metrics import Metrics
from livekpi.sources.ingest_log import AppendError, IngestLog
from livekpi.web.bodies import receive
from livekpi.web.door.intake import Decode, Intake, Taken
from livekpi.web.door.records import ADVICE
from livekpi.web.problems import ProblemError

MAX_HELD_BYTES = 256 * 2**20
MAX_ERRORS = 20
ARRIVAL_TICK_US = 10_000
"""Arrivals are rounded up to this, so that the records of many small requests go to the engine together."""
_RETRY_AFTER = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Inlet:
    """What a source's door leads to."""

    log: IngestLog
    decode: Decode
    max_body_bytes: int
    max_behind_bytes: int


class Door:
    """Answers POST /v1/events/{source}."""

    def __init__(
        self,
        inlets: Mapping[str, Inlet],
        *,
        clock: Clock,
        metrics: Metrics,
        pool: Executor,
        max_held_bytes: int = MAX_HELD_BYTES,
    ) -> None:
        """Large bodies are looked at in `pool`; of those not answered yet no more than `max_held_bytes` are held."""
        self._inlets = inlets
        self._clock = clock
        self._metrics = metrics
        self._intakes = {name: Intake(inlet.log, inlet.decode, inlet.max_body_bytes, pool) for name, inlet in inlets.items()}
        self._held = _Held(max_held_bytes)

    async def post(self, request: Request) -> Response:
        """POST /v1/events/{source}"""
        source = request.path_params["source"]
        try:
            taken = await self._take(source, request)
        except ProblemError as error:
            self._metrics.refused_requests.labels(str(error.status.value)).inc()
            raise
        dead = len(taken.faults)
        self._metrics.http_events.labels(source, "good").inc(taken.count - dead)
        self._metrics.http_events.labels(source, "dead").inc(dead)
        errors = [{"line": index + 1, "field": fault.field, "reason": fault.reason} for index, fault in taken.faults[:MAX_ERRORS]]
        answer = {"accepted": taken.count - dead, "dead": dead, "errors": errors}
        return Response(msgspec.json.encode(answer), HTTPStatus.ACCEPTED, media_type="application/json")

    def _inlet(self, source: str) -> Inlet:
        inlet = self._inlets.get(source)
        if inlet is None:
            names = ", ".join(sorted(self._inlets)) or "none"
            raise ProblemError(HTTPStatus.NOT_FOUND, f"no source {source!r} takes events over HTTP; those that do: {names}")
        if inlet.log.behind_bytes > inlet.max_behind_bytes:
            detail = (
                f"{inlet.log.behind_bytes} bytes of events wait for the engine (`max_behind_mib` sets the limit); send these again later"
            )
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, _RETRY_AFTER)
        return inlet

    async def _take(self, source: str, request: Request) -> Taken:
        """Returns once the request's events are in the log and synced."""
        inlet = self._inlet(source)
        with self._held.of_one_request() as hold:
            body = await receive(request, inlet.max_body_bytes, ADVICE, hold)
            arrived_us = -(-self._clock.now_us() // ARRIVAL_TICK_US) * ARRIVAL_TICK_US
            try:
                return await self._intakes[source].take(body, request.headers.get("content-encoding", ""), arrived_us, hold)
            except AppendError as error:
                raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, str(error), _RETRY_AFTER) from error


class _Held:
    """The bytes of bodies that are not answered yet, so that many large ones at once do not take all memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0

    @contextmanager
    def of_one_request(self) -> Iterator[Callable[[int], None]]:
        """Gives a function that says how many bytes more are held; it raises ProblemError 429 where they are too many."""
        held = 0

        def hold(size: int) -> None:
            nonlocal held
            if self._bytes + size > self._limit:
                detail = f"{self._bytes} bytes of other requests are being worked on; send this one again later"
                raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, _RETRY_AFTER)
            held += size
            self._bytes += size

        try:
            yield hold
        finally:
            self._bytes -= held
