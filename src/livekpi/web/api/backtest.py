"""The API's part on trying alert rules on history."""

import asyncio
from http import HTTPStatus

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from livekpi.web.answers import json_answer
from livekpi.web.backend import Backend
from livekpi.web.bodies import decoded
from livekpi.web.objects.backtest import Asked
from livekpi.web.parameters import Parameters
from livekpi.web.problems import ProblemError
from livekpi.web.questions import Questions

MAX_BODY_BYTES = 4 * 2**20
_EXPECTED = '{"definition": …, "from": …, "to": …, "rules": […], "incidents": […], "against": …}'
_SMALLER = "leave out of a definition what the rules do not ask for, or send fewer incidents"
_asked = msgspec.json.Decoder(Asked)


class BacktestApi:
    """Answers one at a time: what it takes is taken from the engine."""

    def __init__(self, backend: Backend, questions: Questions) -> None:
        self._backend, self._questions, self._busy = backend, questions, asyncio.Lock()

    async def post(self, request: Request) -> Response:
        """POST /v1/backtest"""
        Parameters(request)
        asked = await decoded(request, MAX_BODY_BYTES, _asked, _EXPECTED, _SMALLER)
        if self._busy.locked():
            detail = "another backtest is going on; try again when it is done"
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": "10"})
        async with self._busy:
            return await self._questions.answered(request, lambda: json_answer(self._backend.backtest(asked)))
