"""The API's description (OpenAPI 3.1): where events come in."""

from typing import Any

from livekpi.web.openapi.pieces import MAYBE_STRING, NOT_SENDING, STRING, array, json_of, members, path, problems, ref

PATHS: dict[str, Any] = {
    "/v1/events/{source}": {
        "post": {
            "summary": "Take in events",
            "description": (
                "One JSON object a line, a JSON array, or one object. Answered only once all of it is on disk. Broken events are kept as "
                "dead letters and cost no other theirs, but for a JSON array that is none as a whole."
            ),
            "parameters": [
                path("source"),
                {"name": "Content-Encoding", "in": "header", "schema": {"enum": ["gzip", "zstd"]}},
            ],
            "requestBody": {
                "required": True,
                "content": {
                    "application/x-ndjson": {"schema": STRING},
                    "application/json": {"schema": {"oneOf": [{"type": "object"}, array({"type": "object"})]}},
                },
            },
            "responses": {
                "202": json_of(ref("Taken"), "taken and synced"),
                **problems(
                    _400="nothing in it can be read",
                    **NOT_SENDING,
                    _404="no such source takes events over HTTP",
                    _408="the body did not come in time",
                    _413="too large",
                    _415="an encoding that is not understood",
                    _429="the engine or the server is too far behind; see Retry-After",
                    _503="the server is stopping, or its disk takes nothing",
                ),
            },
        }
    }
}

SCHEMAS: dict[str, Any] = {
    "Taken": members(
        accepted={"type": "integer", "description": "events that will be counted"},
        dead={"type": "integer", "description": "events that are dead letters now"},
        errors=array(
            members(
                line={"type": "integer", "description": "the line, or the array's element, from 1"},
                field=MAYBE_STRING,
                reason=STRING,
            )
        ),
    ),
}
