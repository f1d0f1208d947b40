"""The API's description (OpenAPI 3.1): trying alert rules on history."""

from typing import Any

from livekpi.web.openapi.check import VARIABLES
from livekpi.web.openapi.pieces import NOT_ACTING, STRING, TIME, UNABLE, array, body, json_of, problems, ref

_INCIDENT = {
    "type": "object",
    "required": ["start", "end"],
    "properties": {"start": STRING, "end": STRING, "name": STRING, "rule": STRING},
}

PATHS: dict[str, Any] = {
    "/v1/backtest": {
        "post": {
            "summary": "Try alert rules on history",
            "description": "One at a time. The answer is what `livekpi backtest --format json` prints.",
            "parameters": [],
            "requestBody": body(ref("Backtest")),
            "responses": {
                "200": json_of({"type": "object"}, "what the rules would have found and told"),
                **problems(
                    _400="a definition with mistakes, or no such rule",
                    **NOT_ACTING,
                    _413="too large",
                    _429="another is going on; see Retry-After",
                    _503=UNABLE,
                ),
            },
        }
    },
}

SCHEMAS: dict[str, Any] = {
    "Backtest": {
        "type": "object",
        "properties": {
            "definition": {**STRING, "description": "a definition file's text, whose rules are tried; without it those that run"},
            "against": {**STRING, "description": "another's, to be compared with"},
            "variables": VARIABLES,
            "from": {**STRING, "description": TIME},
            "to": {**STRING, "description": TIME},
            "rules": {**array(STRING), "description": "these; else all"},
            "incidents": {**array(_INCIDENT), "description": "what should have been told"},
        },
    },
}
