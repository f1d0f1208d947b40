"""The API's description (OpenAPI 3.1): sessions."""

from typing import Any

from livekpi.web.access.tokens import MAX_TOKEN_BYTES, Scope
from livekpi.web.openapi.pieces import PLAIN, array, body, get, json_of, members, problems, ref, without_token

_SCOPES = array({"enum": list(Scope)})


def _session() -> dict[str, Any]:
    wrong = {"_400": "not as expected", "_401": "a token this server does not know", "_403": "a web page of another origin"}
    return {
        **get(
            "Whether a token is needed, and what the one that was given opens",
            json_of(ref("Session"), "as it is now"),
            [],
            **PLAIN,
            _401="a token this server does not know",
            _429="the same, and many came from this address before it; see Retry-After",
        ),
        "post": {
            "summary": "Give a token once, and get a cookie that counts like it",
            "description": "The cookie holds a random name, no script can read it, and it is sent from this server's own pages only.",
            "parameters": [],
            "requestBody": body(members(token={"type": "string", "maxLength": MAX_TOKEN_BYTES})),
            "responses": {
                "200": json_of(ref("Session"), "begun"),
                **problems(**wrong, _413="too large", _429="the same, and many came from this address before it; see Retry-After"),
            },
        },
        "delete": {
            "summary": "End the session",
            "parameters": [],
            "responses": {
                "200": json_of(ref("Session"), "ended, where there was one"),
                **problems(**PLAIN, _403="a web page of another origin"),
            },
        },
    }


PATHS: dict[str, Any] = {
    "/v1/session": without_token(_session()),
}

SCHEMAS: dict[str, Any] = {
    "Session": members(needed={"type": "boolean", "description": "whether a token is needed at all"}, scopes=_SCOPES),
}
