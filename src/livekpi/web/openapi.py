"""The API's description (OpenAPI 3.1), as /openapi.json gives it."""

from typing import Any

from livekpi.web.alerts_openapi import PATHS, SCHEMAS
from livekpi.web.backtest_openapi import BACKTEST, SCHEMA
from livekpi.web.describing import (
    INTEGER,
    MAYBE_MOMENT,
    MAYBE_STRING,
    MOMENT,
    NAMES,
    RANGE,
    STRING,
    TIME,
    TIMEZONE,
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
    stream_of,
    text_of,
    without_token,
)
from livekpi.web.page_openapi import PATHS as PAGE_PATHS
from livekpi.web.page_openapi import SCHEMAS as PAGE_SCHEMAS
from livekpi.web.status_openapi import SCHEMAS as STATUS_SCHEMAS
from livekpi.web.status_openapi import STATUS

_NUMBER = {"type": "number"}
_EVENTS = {
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
        "requestBody": body(members(letters=array(ref("Mended")))),
        "responses": {
            "200": json_of(ref("Replayed"), "what became of them"),
            **problems(
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
        "/v1/kpis": get("The KPIs", json_of(members(kpis=array(ref("Kpi"))), "all of them, as the definition has them")),
        "/v1/kpis/{kpi}": get(
            "A KPI's points",
            json_of(ref("Points"), "ordered by time, then dimensions"),
            [
                path("kpi"),
                *RANGE,
                query("step", "a multiple of the KPI's bucket (1h, 1d, 1w), or `all`; else the finest kept"),
                query("by", "dimensions to slice by", NAMES),
                query("where", "a condition over dimensions, such as `country = 'DE'`"),
                TIMEZONE,
                query("compare", "a span such as 1d or 1w: each point also has the value that much `before`"),
                query("with", "`band`, `prediction`: what else a point has where it is known", NAMES),
            ],
            _400="a question that can't be answered, and why",
            _404="no such KPI",
            _503=UNABLE,
        ),
        "/v1/kpis/{kpi}/pace": get(
            "Where a KPI's target periods were going",
            json_of(ref("Paces"), "in the order of time"),
            [
                path("kpi"),
                query("at", f"as of this time; without it and a range: now. {TIME}"),
                *RANGE,
                query("step", "with a range: as of the end of each such step; else an hour, or the KPI's bucket where that is longer"),
                TIMEZONE,
            ],
            _400="a question that can't be answered: the KPI has no target, or can't be added up",
            _404="no such KPI",
            _503=UNABLE,
        ),
        "/v1/stream": get(
            "The points that change, a message a commit, and the alerts that do",
            stream_of(
                "`event: hello` first, `data:` the last commit's `commit` and `at`; then `event: points`, `id:` the commit, `data:` a "
                "Change in JSON; where asked for, `event: alert`, `data:` an Alert in JSON. There may be other events, such as "
                "`annotation` and `definition`. A page opens the stream, then asks for ranges, and leaves aside messages of commits that a "
                "range has seen",
                {"anyOf": [ref("Change"), ref("Alert")]},
            ),
            [
                query("kpi", "KPIs, at their own buckets; else all", NAMES),
                query("by", "dimensions to slice by; else totals", NAMES),
                query(
                    "want",
                    "in place of `kpi` and `by`: a query string itself, of `kpi`, `by`, `step`, `timezone` and `where` as for a range; "
                    "each point says by its `want` which of them it is of, from 0",
                    array({"type": "string"}) | {"maxItems": 100},
                ),
                query("alerts", "`true`: each alert that began, ended or was corrected, too", {"type": "boolean", "default": False}),
            ],
            _400="a dimension that a KPI lacks, or another part of a want that is wrong; too many wants",
            _404="no such KPI",
            _503="too many streams are open, or the store can't be read",
        ),
        **PATHS,
        "/v1/backtest": BACKTEST,
        "/v1/dead-letters": get(
            "Events that could not be counted, oldest first",
            json_of(members(dead_letters=array(ref("DeadLetter"))), "those not replayed yet"),
            [
                query("source", "of this source"),
                query("reason", "with this code, or this in their reason"),
                *RANGE,
                TIMEZONE,
                query("limit", "at most so many", {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1_000}),
            ],
            _400="a parameter that is wrong",
            _503=UNABLE,
        ),
        "/v1/dead-letters/replay": _REPLAY,
        "/v1/sources": get(
            "Where events come from, and how far they are read",
            json_of(members(sources=array(ref("Source"))), "all of them"),
            _503=UNABLE,
        ),
        "/v1/status": STATUS,
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
        **PAGE_PATHS,
    },
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        "schemas": {
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
            "Kpi": members(
                kpi=STRING,
                title=STRING,
                value=STRING,
                unit=MAYBE_STRING,
                good={"enum": ["up", "down", None]},
                every=STRING,
                over=STRING,
                by=array(STRING),
                description=MAYBE_STRING,
                owner=MAYBE_STRING,
                target={},
                sources=array(STRING),
                watched={**array(STRING), "description": "the alert rules that ask for it"},
            ),
            "Points": members(
                kpi=STRING,
                unit=MAYBE_STRING,
                step=MAYBE_STRING,
                commit={"type": "integer", "description": "the number of the last commit that the points have seen"},
                points=array(ref("Point")),
            ),
            "Point": {
                **members(
                    time={**MOMENT, "description": "where the step begins"},
                    value={"type": ["number", "string", "boolean", "null"]},
                    final={"type": "boolean", "description": "whether no more events are waited for"},
                ),
                "additionalProperties": {
                    "description": "a dimension asked for by `by`; `before` with `compare`; with `with`, where it is known: `expected`, "
                    "`low`, `high` and `score` (above 1 is anomalous), `predicted`, `predicted_low` and `predicted_high`"
                },
            },
            "Paces": members(kpi=STRING, unit=MAYBE_STRING, pace=array(ref("Pace"))),
            "Pace": members(
                time={**MOMENT, "description": "as of when"},
                **{"from": {**MOMENT, "description": "where the period that runs then begins"}},
                to={**MOMENT, "description": "where it ends"},
                target=_NUMBER,
                so_far={**_NUMBER, "description": "what there is from `from` to `time`"},
                projected={**_NUMBER, "description": "what it is expected to be at `to`"},
                low={**_NUMBER, "description": "as low it may be, in about 19 cases of 20"},
                high=_NUMBER,
                ratio={"type": ["number", "null"], "description": "`projected` as a share of `target`; null where that is 0"},
            ),
            "Change": members(
                commit=INTEGER, at=MOMENT, points=array({"allOf": [ref("Point"), members(kpi=STRING), {"properties": {"want": INTEGER}}]})
            )
            | {"description": "`incomplete`, where it is there, lists the wants (or KPIs) of which more changed than is told"},
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
            | {"description": "`record` has its bytes where they are text, else `record_base64`"},
            "Mended": {
                "type": "object",
                "required": ["number"],
                "properties": {"number": INTEGER, "record": STRING, "record_base64": STRING},
                "description": "`record` (or `record_base64`) takes the place of the bytes that are kept",
            },
            "Replayed": members(replayed=INTEGER, dead=INTEGER, errors=array(members(number=INTEGER, reason=STRING))),
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
            **SCHEMAS,
            **STATUS_SCHEMAS,
            "Backtest": SCHEMA,
            **PAGE_SCHEMAS,
            "Problem": members(type=STRING, title=STRING, status=INTEGER, detail=STRING) | {"description": "RFC 9457"},
        },
    },
}
