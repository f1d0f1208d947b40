"""The pieces of which the API's description (OpenAPI 3.1) is made."""

from typing import Any

TIME = "ISO 8601 (in `timezone` where it names no zone), seconds since 1970, `now`, or back from now: `-1h`"
NAMES = {"type": "string", "description": "names separated by commas"}


def query(name: str, description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema or {"type": "string"}}


def path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def members(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def json_of(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def text_of(media_type: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}


def stream_of(description: str, data: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    return {"description": description, "content": {"text/event-stream": {"schema": schema}}}


def body(schema: dict[str, Any]) -> dict[str, Any]:
    """What is sent, as JSON."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def problems(**meanings: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": ref("Problem")}}
    return {status.removeprefix("_"): {"description": meaning, "content": content} for status, meaning in meanings.items()}


def get(summary: str, answer: dict[str, Any], parameters: list[dict[str, Any]] | None = None, **errors: str) -> dict[str, Any]:
    responses = {"200": answer, **problems(**errors)}
    return {"get": {"summary": summary, "parameters": parameters or [], "responses": responses}}


def without_token(operations: dict[str, Any]) -> dict[str, Any]:
    """Operations that need no token."""
    return {method: {**operation, "security": []} for method, operation in operations.items()}


STRING: dict[str, Any] = {"type": "string"}
MAYBE_STRING: dict[str, Any] = {"type": ["string", "null"]}
INTEGER: dict[str, Any] = {"type": "integer"}
MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
MAYBE_MOMENT: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
RANGE = [query("from", f"the first moment that counts: {TIME}"), query("to", f"the first moment that counts no more: {TIME}")]
TIMEZONE = query("timezone", "the zone of days, weeks, and times that name none, such as Europe/Berlin; else UTC")
UNABLE = "the store can't be read now"
ASKED = {"_422": "the answer would take too long (`limits: query_time`)", "_503": f"{UNABLE}, or other questions take all turns"}
"""Why a question that nothing is wrong with has no answer; for `problems`."""
PLAIN = {"_400": "a parameter: there are none here"}
"""Why a question without parameters may be wrong; for `problems`."""
NOT_ACTING = {"_401": "no token", "_403": "a token that may not act, or a web page of another origin"}
"""Why somebody may not act; for `problems`."""
NOT_SENDING = {"_401": "no token", "_403": "a token for other things, or a web page of another origin"}
"""Why somebody may not send something; for `problems`."""
