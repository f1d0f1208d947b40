"""The API's part on what another definition would change."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from livekpi.web.answers import json_answer
from livekpi.web.backend import Backend
from livekpi.web.bodies import decoded
from livekpi.web.objects.check import Asked
from livekpi.web.parameters import Parameters
from livekpi.web.questions import Questions

MAX_BODY_BYTES = 2 * 2**20
_EXPECTED = '{"definition": …, "variables": {…}}'
_SMALLER = "a definition has at most 1 MiB"
_asked = msgspec.json.Decoder(Asked)


class CheckApi:
    """Answers by the turns of backtests, since the rules are tried on history."""

    def __init__(self, backend: Backend, questions: Questions) -> None:
        self._backend, self._questions = backend, questions

    async def post(self, request: Request) -> Response:
        """POST /v1/check"""
        Parameters(request)
        asked = await decoded(request, MAX_BODY_BYTES, _asked, _EXPECTED, _SMALLER)
        return await self._questions.answered(request, lambda: json_answer(self._backend.check(asked)))
