"""The API's part on annotations: what people note on the time axis."""

from collections.abc import Callable
from datetime import UTC
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from livekpi.clock import Clock
from livekpi.query.steps import QueryError
from livekpi.store.annotations import Annotation, Note
from livekpi.web.answers import json_answer
from livekpi.web.backend import AnnotationRequest, Backend
from livekpi.web.bodies import decoded
from livekpi.web.objects.annotations import Asked, TooManyError, annotation_object, checked
from livekpi.web.parameters import Parameters, kpi_named, number_in
from livekpi.web.problems import ProblemError
from livekpi.web.questions import UNWRITABLE, Questions

MAX_BODY_BYTES = 65_536
_EXPECTED = '{"text": …, "kind": "deploy", "time": …, "end": …, "kpis": […], "author": …, "link": …}'
_asked = msgspec.json.Decoder(Asked)


class AnnotationsApi:
    """Answers from the backend."""

    def __init__(self, backend: Backend, clock: Clock, questions: Questions, tell: Callable[[dict[str, Any]], None]) -> None:
        """`tell` is called on the event loop with each annotation that is new, or `removed`."""
        self._backend, self._clock, self._questions, self._tell = backend, clock, questions, tell

    async def annotations(self, request: Request) -> Response:
        """GET and POST /v1/annotations"""
        return await (self._post(request) if request.method == "POST" else self._get(request))

    async def annotation(self, request: Request) -> Response:
        """DELETE /v1/annotations/{number}"""
        Parameters(request)
        text = request.path_params["number"]
        found = await self._questions.answered(request, lambda: self._backend.remove_annotation(number_in(text)), UNWRITABLE)
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"{text} is no number of an annotation; /v1/annotations lists them")
        content = annotation_object(found)
        self._tell({**content, "removed": True})
        return json_answer(content)

    async def _get(self, request: Request) -> Response:
        asked = Parameters(request, "from", "to", "kpi")
        kpi, now_us = asked.text("kpi"), self._clock.now_us()
        if kpi is not None:
            kpi_named(kpi, self._backend.definition)
        wanted = AnnotationRequest(asked.time("from", now_us, UTC), asked.time("to", now_us, UTC), kpi)
        found = await self._questions.answered(request, lambda: list(map(annotation_object, self._backend.annotations(wanted))), UNWRITABLE)
        return json_answer({"annotations": found})

    async def _post(self, request: Request) -> Response:
        Parameters(request)
        asked = await decoded(request, MAX_BODY_BYTES, _asked, _EXPECTED, "write less")
        try:
            note = checked(self._backend.definition, asked, self._clock.now_us())
        except QueryError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
        content = annotation_object(await self._questions.answered(request, lambda: self._written(note), UNWRITABLE))
        self._tell({**content, "removed": False})
        return json_answer(content, HTTPStatus.CREATED)

    def _written(self, note: Note) -> Annotation:
        try:
            return self._backend.annotate(note)
        except TooManyError as error:
            raise ProblemError(HTTPStatus.CONFLICT, str(error)) from error
