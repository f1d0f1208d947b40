"""The API's description (OpenAPI 3.1): events that could not be counted."""

from typing import Any

from livekpi.store.dead_letters import DEFAULT, MOST
from livekpi.web.openapi.pieces import (
    ASKED,
    INTEGER,
    MAYBE_STRING,
    MOMENT,
    NOT_SENDING,
    RANGE,
    STRING,
    TIMEZONE,
    array,
    body,
    get,
    json_of,
    members,
    problems,
    query,
    ref,
)

_REPLAY = {
    "post": {
        "summary": "Feed dead letters back, each once",
        "description": "Those that are events now, because they or the definition were mended, are counted; the others stay.",
        "parameters": [],
        "requestBody": body(members(letters=array(ref("Mended")) | {"maxItems": MOST})),
        "responses": {
            "200": json_of(ref("Replayed"), "what became of them"),
            **problems(
                _400="not as expected",
                **NOT_SENDING,
                _413="larger than 32 MiB, or too many letters: send the others by further requests",
                _503="the engine is stopping, or can't write",
            ),
        },
    }
}

PATHS: dict[str, Any] = {
    "/v1/dead-letters": get(
        "Events that could not be counted",
        json_of(members(dead_letters=array(ref("DeadLetter"))), "those not replayed yet"),
        [
            query("source", "of this source"),
            query("reason", "with this code, or this in their reason"),
            *RANGE,
            TIMEZONE,
            query("order", "which come first", {"enum": ["oldest", "newest"], "default": "oldest"}),
            query("limit", "at most so many", {"type": "integer", "minimum": 1, "maximum": MOST, "default": DEFAULT}),
        ],
        _400="a parameter that is wrong",
        **ASKED,
    ),
    "/v1/dead-letters/replay": _REPLAY,
}

SCHEMAS: dict[str, Any] = {
    "DeadLetter": members(
        number=INTEGER,
        source=STRING,
        partition=STRING,
        position=INTEGER,
        field=MAYBE_STRING,
        code=STRING,
        reason=STRING,
        arrived=MOMENT,
    )
    | {
        "description": "`record` has its bytes where they are text, else `record_base64`; `columns`, of CSV, the names in the header that "
        "it stands under"
    },
    "Mended": {
        "type": "object",
        "required": ["number"],
        "properties": {"number": INTEGER, "record": STRING, "record_base64": STRING},
        "description": "`record` (or `record_base64`) takes the place of the bytes that are kept",
    },
    "Replayed": members(
        replayed=INTEGER,
        dead=INTEGER,
        unknown=array(INTEGER) | {"description": "numbers of no dead letter, or of one that was fed back before"},
        errors=array(members(number=INTEGER, reason=STRING)),
    ),
}
