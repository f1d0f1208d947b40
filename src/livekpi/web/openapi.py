"""The API's description (OpenAPI 3.1), as /openapi.json gives it."""

from typing import Any

_TIME = "ISO 8601 (in `timezone` where it names no zone), seconds since 1970, `now`, or back from now: `-1h`"
_NAMES = {"type": "string", "description": "names separated by commas"}


def _query(name: str, description: str, schema: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"name": name, "in": "query", "description": description, "schema": schema or {"type": "string"}}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _json(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _text(media_type: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}


def _stream(description: str, data: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    return {"description": description, "content": {"text/event-stream": {"schema": schema}}}


def _problems(**meanings: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {status.removeprefix("_"): {"description": meaning, "content": content} for status, meaning in meanings.items()}


def _get(summary: str, answer: dict[str, Any], parameters: list[dict[str, Any]] | None = None, **problems: str) -> dict[str, Any]:
    responses = {"200": answer, **_problems(**problems)}
    return {"get": {"summary": summary, "parameters": parameters or [], "responses": responses}}


def _open(operations: dict[str, Any]) -> dict[str, Any]:
    """Operations that need no token."""
    return {method: {**operation, "security": []} for method, operation in operations.items()}


_STRING: dict[str, Any] = {"type": "string"}
_MAYBE_STRING: dict[str, Any] = {"type": ["string", "null"]}
_INTEGER: dict[str, Any] = {"type": "integer"}
_MOMENT: dict[str, Any] = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
_RANGE = [_query("from", f"the first moment that counts: {_TIME}"), _query("to", f"the first moment that counts no more: {_TIME}")]
_TIMEZONE = _query("timezone", "the zone of days, weeks, and times that name none, such as Europe/Berlin; else UTC")
_UNABLE = "the store can't be read now"

_EVENTS = {
    "post": {
        "summary": "Take in events",
        "description": (
            "One JSON object a line, a JSON array, or one object. Answered only once all of it is on disk. Broken events are kept as "
            "dead letters and cost no other theirs, but for a JSON array that is none as a whole."
        ),
        "parameters": [
            _path("source"),
            {"name": "Content-Encoding", "in": "header", "schema": {"enum": ["gzip", "zstd"]}},
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/x-ndjson": {"schema": _STRING},
                "application/json": {"schema": {"oneOf": [{"type": "object"}, _array({"type": "object"})]}},
            },
        },
        "responses": {
            "202": _json(_ref("Taken"), "taken and synced"),
            **_problems(
                _400="nothing in it can be read",
                _401="no token",
                _403="a token for other things, or a web page of another origin",
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

_REPLAY = {
    "post": {
        "summary": "Feed dead letters back, each once",
        "description": "Those that are events now, because they or the definition were mended, are counted; the others stay.",
        "parameters": [],
        "requestBody": {"required": True, "content": {"application/json": {"schema": _object(letters=_array(_ref("Mended")))}}},
        "responses": {
            "200": _json(_ref("Replayed"), "what became of them"),
            **_problems(
                _400="not as expected",
                _401="no token",
                _403="a token for other things, or a web page of another origin",
                _413="too large",
                _503="the engine is stopping, or can't write",
            ),
        },
    }
}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "livekpi", "version": "1", "description": "Business KPIs, live."},
    "security": [{"token": []}, {}],
    "paths": {
        "/v1/events/{source}": _EVENTS,
        "/v1/kpis": _get("The KPIs", _json(_object(kpis=_array(_ref("Kpi"))), "all of them, as the definition has them")),
        "/v1/kpis/{kpi}": _get(
            "A KPI's points",
            _json(_ref("Points"), "ordered by time, then dimensions"),
            [
                _path("kpi"),
                *_RANGE,
                _query("step", "a multiple of the KPI's bucket (1h, 1d, 1w), or `all`; else the finest kept"),
                _query("by", "dimensions to slice by", _NAMES),
                _query("where", "a condition over dimensions, such as `country = 'DE'`"),
                _TIMEZONE,
                _query("compare", "a span such as 1d or 1w: each point also has the value that much `before`"),
            ],
            _400="a question that can't be answered, and why",
            _404="no such KPI",
            _503=_UNABLE,
        ),
        "/v1/stream": _get(
            "The points that change, a message a commit",
            _stream("`event: points`, `id:` the commit, `data:` a Change in JSON", _ref("Change")),
            [_query("kpi", "KPIs; else all", _NAMES), _query("by", "dimensions to slice by; else totals", _NAMES)],
            _400="a dimension that a KPI lacks",
            _404="no such KPI",
            _503="too many streams are open",
        ),
        "/v1/dead-letters": _get(
            "Events that could not be counted, oldest first",
            _json(_object(dead_letters=_array(_ref("DeadLetter"))), "those not replayed yet"),
            [
                _query("source", "of this source"),
                _query("reason", "with this code, or this in their reason"),
                *_RANGE,
                _TIMEZONE,
                _query("limit", "at most so many", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1_000}),
            ],
            _400="a parameter that is wrong",
            _503=_UNABLE,
        ),
        "/v1/dead-letters/replay": _REPLAY,
        "/v1/sources": _get(
            "Where events come from, and how far they are read",
            _json(_object(sources=_array(_ref("Source"))), "all of them"),
            _503=_UNABLE,
        ),
        "/metrics": _get("livekpi's own metrics", _text("application/openmetrics-text", "OpenMetrics")),
        "/healthz": _open(
            _get("Whether the process is worth keeping", _json(_object(status=_STRING), "the engine runs"), _503="it has stopped")
        ),
        "/readyz": _open(
            _get(
                "Whether the numbers are up to date",
                _json(_object(status=_STRING), "events are taken, every source is read and committed"),
                _503="`not_ready` says what is not, and why",
            )
        ),
        "/openapi.json": _open(_get("This document", _json({"type": "object"}, "OpenAPI"))),
        "/": _open(_get("A page that says what this is", _text("text/html", "the page"))),
    },
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        "schemas": {
            "Taken": _object(
                accepted={"type": "integer", "description": "events that will be counted"},
                dead={"type": "integer", "description": "events that are dead letters now"},
                errors=_array(
                    _object(
                        line={"type": "integer", "description": "the line, or the array's element, from 1"},
                        field=_MAYBE_STRING,
                        reason=_STRING,
                    )
                ),
            ),
            "Kpi": _object(
                kpi=_STRING,
                title=_STRING,
                value=_STRING,
                unit=_MAYBE_STRING,
                good={"enum": ["up", "down", None]},
                every=_STRING,
                over=_STRING,
                by=_array(_STRING),
                description=_MAYBE_STRING,
                owner=_MAYBE_STRING,
                target={},
                sources=_array(_STRING),
            ),
            "Points": _object(kpi=_STRING, unit=_MAYBE_STRING, step=_MAYBE_STRING, points=_array(_ref("Point"))),
            "Point": {
                **_object(
                    time={**_MOMENT, "description": "where the step begins"},
                    value={"type": ["number", "string", "boolean", "null"]},
                    final={"type": "boolean", "description": "whether no more events are waited for"},
                ),
                "additionalProperties": {"description": "a dimension asked for by `by`"},
            },
            "Change": _object(commit=_INTEGER, at=_MOMENT, points=_array({"allOf": [_ref("Point"), _object(kpi=_STRING)]})),
            "DeadLetter": _object(
                number=_INTEGER,
                source=_STRING,
                partition=_STRING,
                position=_INTEGER,
                field=_MAYBE_STRING,
                code=_STRING,
                reason=_STRING,
                arrived=_MOMENT,
            )
            | {"description": "`record` has its bytes where they are text, else `record_base64`"},
            "Mended": {
                "type": "object",
                "required": ["number"],
                "properties": {"number": _INTEGER, "record": _STRING, "record_base64": _STRING},
                "description": "`record` (or `record_base64`) takes the place of the bytes that are kept",
            },
            "Replayed": _object(replayed=_INTEGER, dead=_INTEGER, errors=_array(_object(number=_INTEGER, reason=_STRING))),
            "Source": _object(
                source=_STRING,
                kind=_STRING,
                partitions=_array(
                    _object(partition=_STRING, position=_INTEGER, last_event=_MAYBE_MOMENT, lag={"type": ["integer", "null"]})
                ),
                lag={"type": "integer", "description": "what is known to be unread: records for Kafka, bytes for others"},
                watermark=_MAYBE_MOMENT,
                last_event=_MAYBE_MOMENT,
                behind_seconds={"type": ["number", "null"], "description": "from the last event's time to now"},
                problem=_MAYBE_STRING,
            ),
            "Problem": _object(type=_STRING, title=_STRING, status=_INTEGER, detail=_STRING) | {"description": "RFC 9457"},
        },
    },
}
