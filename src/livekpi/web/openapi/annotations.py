"""The API's description (OpenAPI 3.1): what people note on the time axis."""

from typing import Any

from livekpi.web.objects.annotations import MOST_CHARACTERS
from livekpi.web.openapi.pieces import (
    ASKED,
    INTEGER,
    MAYBE_MOMENT,
    MAYBE_STRING,
    MOMENT,
    NOT_ACTING,
    PLAIN,
    RANGE,
    STRING,
    TIME,
    UNABLE,
    array,
    body,
    get,
    json_of,
    members,
    path,
    problems,
    query,
    ref,
)


def _annotate() -> dict[str, Any]:
    asked = {
        "type": "object",
        "required": ["text"],
        "additionalProperties": False,
        "properties": {
            "text": {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS["text"]},
            "time": {"type": "string", "description": f"when it was, or will be: {TIME}; else now"},
            "end": {"type": "string", "description": "when it was over, where it took a while"},
            "kind": {"type": "string", "description": "a word, such as deploy or campaign", "default": "note"},
            "kpis": {**array(STRING), "description": "on the charts of these only; else of all"},
            "author": {"type": "string", "maxLength": MOST_CHARACTERS["author"]},
            "link": {"type": ["string", "null"], "maxLength": MOST_CHARACTERS["link"], "description": "where more is said"},
        },
    }
    return {
        "summary": "Note on the charts what happened",
        "parameters": [],
        "requestBody": body(asked),
        "responses": {
            "201": json_of(ref("Annotation"), "noted"),
            **problems(_400="not as expected", **NOT_ACTING, _409="as many are kept as may be", _413="too large", _503=UNABLE),
        },
    }


PATHS: dict[str, Any] = {
    "/v1/annotations": {
        **get(
            "What people noted on the time axis, by time",
            json_of(members(annotations=array(ref("Annotation"))), "those about any time in the range"),
            [*RANGE, query("kpi", "about this KPI, those about all included")],
            _400="a parameter that is wrong",
            _404="no such KPI",
            **ASKED,
        ),
        "post": _annotate(),
    },
    "/v1/annotations/{number}": {
        "delete": {
            "summary": "Delete an annotation",
            "parameters": [path("number")],
            "responses": {
                "200": json_of(ref("Annotation"), "what it was"),
                **problems(**PLAIN, **NOT_ACTING, _404="no such annotation", _503=UNABLE),
            },
        }
    },
}

SCHEMAS: dict[str, Any] = {
    "Annotation": members(
        number=INTEGER, time=MOMENT, end=MAYBE_MOMENT, text=STRING, kind=STRING, kpis=array(STRING), author=STRING, link=MAYBE_STRING
    ),
}
