"""The API's part on dead letters: which there are, and feeding them back."""

import asyncio
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from livekpi.clock import Clock
from livekpi.engine.replay import Replay, ReplayError, read_request
from livekpi.query.output import dead_letter_object
from livekpi.store.dead_letters import DEFAULT, MOST
from livekpi.web.answers import json_answer
from livekpi.web.backend import Backend, DeadLetterRequest
from livekpi.web.bodies import receive
from livekpi.web.parameters import Parameters, zone_named
from livekpi.web.problems import ProblemError
from livekpi.web.questions import Questions

ORDERS = ("oldest", "newest")
"""Which come first."""
MAX_REPLAY_BYTES = 32 * 2**20
"""How large a request that feeds letters back may be; MOST says how many it may have."""
REPLAY_S = 60.0
"""How long the engine may take until they are fed back."""
_FEWER = "send fewer letters at a time"


class _Letter(msgspec.Struct):
    """A dead letter as it is listed; what else was listed of it is not looked at."""

    number: int
    record: str | None = None
    record_base64: str | None = None


class _Letters(msgspec.Struct):
    letters: list[_Letter]


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
            limit=asked.number("limit", DEFAULT, MOST),
            newest=asked.one_of("order", ORDERS) == "newest",
        )
        return await self._questions.answered(request, lambda: json_answer({"dead_letters": self._found(question)}))

    async def replay(self, request: Request) -> Response:
        """POST /v1/dead-letters/replay"""
        body = await receive(request, MAX_REPLAY_BYTES, _FEWER)
        asked = await asyncio.to_thread(_replay_of, body)  # the event loop goes on meanwhile
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


def _replay_of(body: bytes) -> Replay:
    """What a body asks for. Raises ProblemError, 413 where it has too many letters."""
    try:
        letters = _letters.decode(body).letters
        if len(letters) > MOST:
            detail = f"the body has {len(letters)} dead letters, and a request may have {MOST}; {_FEWER}"
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        return read_request([msgspec.structs.asdict(letter) for letter in letters])
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f'expected {{"letters": [{{"number": …, "record": …}}, …]}}: {error}') from error
