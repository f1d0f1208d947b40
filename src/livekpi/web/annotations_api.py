"""The API's part on annotations: what people note on the time axis."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC
from http import HTTPStatus
from typing import Any, TypeVar

import duckdb
import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from livekpi.clock import Clock
from livekpi.definition.problems import nearest
from livekpi.query.output import encode
from livekpi.query.steps import QueryError
from livekpi.web.access import Access
from livekpi.web.annotating import Asked, TooManyError, annotation_object, checked
from livekpi.web.auth import Scope
from livekpi.web.backend import AnnotationRequest, Backend
from livekpi.web.bodies import decoded
from livekpi.web.parameters import Parameters
from livekpi.web.problems import ProblemError

MAX_BODY_BYTES = 65_536
_EXPECTED = '{"text": …, "kind": "deploy", "time": …, "end": …, "kpis": […], "author": …, "link": …}'
_logger = structlog.get_logger(__name__)
_asked = msgspec.json.Decoder(Asked)
T = TypeVar("T")


class AnnotationsApi:
    """Answers on the threads of `pool`."""

    def __init__(self, backend: Backend, clock: Clock, pool: Executor, access: Access, tell: Callable[[dict[str, Any]], None]) -> None:
        """`tell` is called on the event loop with each annotation that is new, or `removed`."""
        self._backend, self._clock, self._pool, self._access, self._tell = backend, clock, pool, access, tell

    async def annotations(self, request: Request) -> Response:
        """GET and POST /v1/annotations"""
        return await (self._post(request) if request.method == "POST" else self._get(request))

    async def annotation(self, request: Request) -> Response:
        """DELETE /v1/annotations/{number}"""
        Parameters(request)
        self._access.must_have(Scope.ACT, request.scope)
        text = request.path_params["number"]
        number = int(text) if text.isdecimal() and len(text) <= 15 else 0
        found = await self._answered(lambda: self._backend.remove_annotation(number))
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"{text} is no number of an annotation; /v1/annotations lists them")
        content = annotation_object(found)
        self._tell({**content, "removed": True})
        return _json(content)

    async def _get(self, request: Request) -> Response:
        asked = Parameters(request, "from", "to", "kpi")
        kpi, kpis, now_us = asked.text("kpi"), self._backend.definition.kpis, self._clock.now_us()
        if kpi is not None and kpi not in kpis:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no KPI {kpi!r}{nearest(kpi, kpis)}")
        wanted = AnnotationRequest(asked.time("from", now_us, UTC), asked.time("to", now_us, UTC), kpi)
        found = await self._answered(lambda: list(map(annotation_object, self._backend.annotations(wanted))))
        return _json({"annotations": found})

    async def _post(self, request: Request) -> Response:
        Parameters(request)
        self._access.must_have(Scope.ACT, request.scope)
        asked = await decoded(request, MAX_BODY_BYTES, _asked, _EXPECTED)
        try:
            note = checked(self._backend.definition, asked, self._clock.now_us())
            made = await self._answered(lambda: self._backend.annotate(note))
        except TooManyError as error:
            raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error
        except QueryError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
        content = annotation_object(made)
        self._tell({**content, "removed": False})
        return _json(content, HTTPStatus.CREATED)

    async def _answered(self, ask: Callable[[], T]) -> T:
        """What the store says, asked on a thread."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, ask)
        except duckdb.Error as error:
            _logger.error("annotations can't be read or written", reason=str(error))
            detail = "the store can't be read or written now; try again later"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"Retry-After": "1"}) from error


def _json(content: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(encode(content), status, media_type="application/json")
