"""Problem documents (RFC 9457): how every error is answered."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """Ends a request with a problem document.

    `detail` says what is wrong and what to do; `members` are further members of the document.
    """

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.members = members

    def response(self) -> Response:
        return problem(self.status, self.detail, self.headers, **self.members)


def problem(status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None, **members: Any) -> Response:
    document = {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail, **members}
    return Response(msgspec.json.encode(document), status.value, headers, MEDIA_TYPE)


async def on_problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return error.response()


async def on_http_exception(request: Request, error: Exception) -> Response:
    """What the router itself refuses: 404 and 405."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND:
        return problem(status, f"there is nothing at {request.url.path}; /openapi.json says what there is")
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return problem(status, f"{request.method} is not for {request.url.path}; it takes {allowed}", error.headers)
    return problem(status, error.detail, error.headers)


async def on_error(_request: Request, _error: Exception) -> Response:
    """An error of livekpi's own; what it was stands in the log only."""
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "livekpi failed at this request; its log says more")


HANDLERS: dict[Any, Any] = {ProblemError: on_problem, HTTPException: on_http_exception, Exception: on_error}
