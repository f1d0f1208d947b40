"""The API's part on trying alert rules on history."""

import asyncio
from concurrent.futures import Executor
from http import HTTPStatus

import duckdb
import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from livekpi.query.output import encode
from livekpi.query.steps import QueryError
from livekpi.web.backend import Backend
from livekpi.web.backtest_asked import Asked
from livekpi.web.bodies import decoded
from livekpi.web.parameters import Parameters
from livekpi.web.problems import ProblemError

MAX_BODY_BYTES = 4 * 2**20
_logger = structlog.get_logger(__name__)
_EXPECTED = '{"definition": …, "from": …, "to": …, "rules": […], "incidents": […], "against": …}'
_asked = msgspec.json.Decoder(Asked)


class BacktestApi:
    """Answers on the threads of `pool`, one at a time: what it takes is taken from the engine."""

    def __init__(self, backend: Backend, pool: Executor) -> None:
        self._backend, self._pool, self._busy = backend, pool, asyncio.Lock()

    async def post(self, request: Request) -> Response:
        """POST /v1/backtest"""
        Parameters(request)
        asked = await decoded(request, MAX_BODY_BYTES, _asked, _EXPECTED)
        if self._busy.locked():
            detail = "another backtest is going on; try again when it is done"
            raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, {"Retry-After": "10"})
        async with self._busy:
            try:
                content = await asyncio.get_running_loop().run_in_executor(self._pool, lambda: encode(self._backend.backtest(asked)))
            except QueryError as error:
                raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
            except duckdb.Error as error:
                _logger.error("the store can't be read", reason=str(error))
                detail = "the store can't be read now; ask again later"
                raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "1"}) from error
        return Response(content, media_type="application/json")
