"""Answers: what the store says, asked on a thread, and JSON. problems.py has those that are none."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from http import HTTPStatus
from typing import Any, TypeVar

import duckdb
import structlog
from starlette.responses import Response

from livekpi.query.output import encode
from livekpi.query.steps import QueryError
from livekpi.web.problems import ProblemError

UNREADABLE = "the store can't be read now; ask again later"
UNWRITABLE = "the store can't be read or written now; try again later"
_logger = structlog.get_logger(__name__)
T = TypeVar("T")


async def answered(pool: Executor, ask: Callable[[], T], unable: str = UNREADABLE) -> T:
    """What `ask` gives, on a thread of `pool`, since it may take a while.

    Raises ProblemError: 400 with what QueryError finds wrong with the question, 503 with `unable` where the store fails.
    """
    try:
        return await asyncio.get_running_loop().run_in_executor(pool, ask)
    except QueryError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
    except duckdb.Error as error:
        _logger.error("the store can't be read or written", reason=str(error))
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, unable, {"Retry-After": "1"}) from error


def json_answer(content: Any, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(content), status, headers, "application/json")
