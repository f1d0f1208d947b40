"""The API's description (OpenAPI 3.1): what another definition would change."""

from typing import Any

from livekpi.web.openapi.pieces import NOT_ACTING, STRING, UNABLE, array, body, json_of, members, problems, ref

VARIABLES = {
    "type": "object",
    "additionalProperties": STRING,
    "description": "by name, what the file's variables are; one that is not sent is what it is to the server",
}

PATHS: dict[str, Any] = {
    "/v1/check": {
        "post": {
            "summary": "What running another definition on the numbers kept here would change",
            "description": "Nothing is changed by asking. It waits while a backtest is going on.",
            "parameters": [],
            "requestBody": body(ref("Check")),
            "responses": {
                "200": json_of(ref("CheckResult"), "what would change, and what history says against the rules"),
                **problems(_400="a definition with mistakes", **NOT_ACTING, _413="too large", _503=UNABLE),
            },
        }
    },
}

SCHEMAS: dict[str, Any] = {
    "Check": {
        "type": "object",
        "required": ["definition"],
        "properties": {"definition": {**STRING, "description": "a definition file's text"}, "variables": VARIABLES},
    },
    "CheckResult": members(
        changes={
            **array(members(kpi=STRING, effect=STRING)),
            "description": "the KPIs that would start, restart or be dropped; `effect` ends a sentence that begins with the name",
        },
        doubts={
            **array(members(rule=STRING, doubt=STRING)),
            "description": "rules whose condition never held in what is kept, or nearly always",
        },
    ),
}
