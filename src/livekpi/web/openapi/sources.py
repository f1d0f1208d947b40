"""The API's description (OpenAPI 3.1): sources."""

from typing import Any

from livekpi.web.openapi.pieces import ASKED, INTEGER, MAYBE_MOMENT, MAYBE_STRING, PLAIN, STRING, array, get, json_of, members, ref

PATHS: dict[str, Any] = {
    "/v1/sources": get(
        "Where events come from, and how far they are read",
        json_of(members(sources=array(ref("Source"))), "all of them"),
        [],
        **PLAIN,
        **ASKED,
    ),
}

SCHEMAS: dict[str, Any] = {
    "Source": members(
        source=STRING,
        kind=STRING,
        time={**STRING, "description": "the field that holds the event's own time"},
        fields=array(members(name=STRING, type={**STRING, "description": "as the file has it: `optional decimal(18, 2)`"})),
        partitions=array(members(partition=STRING, position=INTEGER, last_event=MAYBE_MOMENT, lag={"type": ["integer", "null"]})),
        lag={"type": "integer", "description": "what is known to be unread: records for Kafka, bytes for others"},
        watermark=MAYBE_MOMENT,
        last_event=MAYBE_MOMENT,
        behind_seconds={"type": ["number", "null"], "description": "from the last event's time to now"},
        problem=MAYBE_STRING,
    ),
}
