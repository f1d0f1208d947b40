"""Answers in JSON. problems.py has those that are none."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from livekpi.query.output import encode


def json_answer(content: Any, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> Response:
    return Response(encode(content), status, headers, "application/json")
