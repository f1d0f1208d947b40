"""A request's body, as it was received."""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from livekpi.web.problems import ProblemError

BODY_S = 60.0
"""How long a body may take to come."""
T = TypeVar("T")


def too_large(limit: int, advice: str) -> ProblemError:
    """`advice` says what to send in its place."""
    detail = f"the body is larger than {limit} bytes, counted after decompression; {advice}"
    return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, limit=limit)


async def receive(request: Request, limit: int, advice: str, hold: Callable[[int], None] = lambda _size: None) -> bytes:
    """The whole body, as it was sent; `hold` is told the size of each piece before it is kept. Raises ProblemError, with the `advice` where
    it is larger than the limit."""
    if int(request.headers.get("content-length", 0)) > limit:
        raise too_large(limit, advice)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise too_large(limit, advice)
                hold(len(part))
                parts.append(part)
    except ClientDisconnect as error:  # nobody reads the answer
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the connection was closed before the body was complete") from error
    except TimeoutError as error:
        raise ProblemError(HTTPStatus.REQUEST_TIMEOUT, f"the body was not complete after {BODY_S:.0f} s") from error
    return b"".join(parts)


async def decoded(request: Request, limit: int, decoder: msgspec.json.Decoder[T], expected: str, advice: str) -> T:
    """A small body as what it should be; `expected` shows that in a problem, `advice` is for one that is too large. Raises ProblemError."""
    body = await receive(request, limit, advice)
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"expected {expected}: {error}") from error
