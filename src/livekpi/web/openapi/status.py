"""The API's description (OpenAPI 3.1): how livekpi itself is, and this document."""

from typing import Any, get_args

from livekpi.engine.cluster import Condition
from livekpi.web.openapi.pieces import (
    INTEGER,
    MAYBE_MOMENT,
    MAYBE_STRING,
    MOMENT,
    PLAIN,
    STRING,
    array,
    get,
    json_of,
    members,
    ref,
    text_of,
    without_token,
)

PATHS: dict[str, Any] = {
    "/v1/status": get(
        "What computes the numbers, whether that goes well, and how much of the limits is used",
        json_of(ref("Status"), "from memory, so it answers where the store can't be read, too"),
        [],
        **PLAIN,
    ),
    "/metrics": get("livekpi's own metrics", text_of("application/openmetrics-text", "OpenMetrics")),
    "/healthz": without_token(
        get("Whether the process is worth keeping", json_of(members(status=STRING), "the engine runs"), _503="it has stopped")
    ),
    "/readyz": without_token(
        get(
            "Whether the numbers are up to date",
            json_of(members(status=STRING), "events are taken, every source is read and committed"),
            _503="`not_ready` says what is not, and why",
        )
    ),
    "/openapi.json": without_token(get("This document", json_of({"type": "object"}, "OpenAPI"))),
}


SCHEMAS: dict[str, Any] = {
    "Status": members(
        version=STRING,
        started={**MOMENT, "description": "when this server did"},
        ready={"type": "boolean", "description": "as /readyz says"},
        not_ready={"type": "object", "additionalProperties": STRING, "description": "what is not, and why"},
        engine={"enum": ["embedded", "flink", "spark"]},
        job={"oneOf": [ref("Job"), {"type": "null"}], "description": "on a cluster: how it is; null where livekpi computes by itself"},
        limits=array(ref("Limit")),
        store_bytes=INTEGER,
        memory_bytes=INTEGER,
    ),
    "Job": members(
        name=MAYBE_STRING,
        state={"enum": [*get_args(Condition), "unknown"]},
        restarts={"type": ["integer", "null"], "description": "how often the cluster has restarted it by itself"},
        last_checkpoint=MAYBE_MOMENT,
        detail=MAYBE_STRING,
    ),
    "Limit": members(
        limit={"enum": ["viewers", "series"]},
        kpi={**MAYBE_STRING, "description": "whose series these are"},
        used=INTEGER,
        most=INTEGER,
        beyond={**INTEGER, "description": "since the start: viewers sent away for reading too slowly; events counted under `__other__`"},
    ),
}
