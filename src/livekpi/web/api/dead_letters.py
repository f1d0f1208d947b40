"""The API's part on dead letters: which there are, and feeding them back."""

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from livekpi.clock import Clock
from livekpi.engine.replay import ReplayError, read_request
from livekpi.query.output import dead_letter_object
from livekpi.web.answers import json_answer
from livekpi.web.backend import Backend, DeadLetterRequest
from livekpi.web.bodies import receive
from livekpi.web.parameters import Parameters, zone_named
from livekpi.web.problems import ProblemError
from livekpi.web.questions import Questions

MAX_DEAD_LETTERS = 10_000
ORDERS = ("oldest", "newest")
"""Which come first."""
MAX_REPLAY_BYTES = 32 * 2**20
REPLAY_S = 60.0


class _Letters(msgspec.Struct):
    letters: list[dict[str, Any]]


_letters = msgspec.json.Decoder(_Letters)


class DeadLettersApi:
    """Answers from the backend."""

    def __init__(self, backend: Backend, clock: Clock, questions: Questions) -> None:
        self._backend, self._clock, self._questions = backend, clock, questions

    async def dead_letters(self, request: Request) -> Response:
        """GET /v1/dead-letters"""
        asked = Parameters(request, "source", "reason", "from", "to", "order", "limit", "timezone")
        now_us, where = self._clock.now_us(), zone_named(asked.text("timezone") or "UTC")
        question = DeadLetterRequest(
            source=asked.text("source"),
            reason=asked.text("reason"),
            from_us=asked.time("from", now_us, where),
            to_us=asked.time("to", now_us, where),
            limit=asked.number("limit", 1_000, MAX_DEAD_LETTERS),
            newest=asked.one_of("order", ORDERS) == "newest",
        )
        return await self._questions.answered(request, lambda: json_answer({"dead_letters": self._found(question)}))

    async def replay(self, request: Request) -> Response:
        """POST /v1/dead-letters/replay"""
        body = await receive(request, MAX_REPLAY_BYTES, "send fewer letters at a time")
        try:
            asked = read_request(_letters.decode(body).letters)
        except (msgspec.DecodeError, ValueError) as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, f'expected {{"letters": [{{"number": …, "record": …}}, …]}}: {error}') from error
        done = asyncio.wrap_future(self._backend.replay(asked))
        await asyncio.wait([done], timeout=REPLAY_S)
        if not done.done() or done.cancelled():
            detail = "the engine is stopping, or can't write; list the dead letters again to see which are left"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "1"})
        try:
            return json_answer(done.result().summary())
        except ReplayError as error:
            raise ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, str(error)) from error

    def _found(self, question: DeadLetterRequest) -> list[Any]:
        return [dead_letter_object(letter) for letter in self._backend.dead_letters(question)]
