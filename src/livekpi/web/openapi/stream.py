"""The API's description (OpenAPI 3.1): the stream."""

from typing import Any

from livekpi.web.openapi.pieces import INTEGER, MAYBE_MOMENT, NAMES, STRING, array, get, members, query, ref, stream_of

PATHS: dict[str, Any] = {
    "/v1/stream": get(
        "The points that change, a message a commit, and the alerts that do",
        stream_of(
            "`event: hello` first, `data:` the last commit's `commit` and `at`, and `definition`, a text that is another when the "
            "definition is; then `event: points`, `id:` the commit, `data:` a "
            "Change in JSON; where asked for, `event: alert`, `data:` an Alert in JSON. There may be other events, such as "
            "`annotation` and `definition`. A page opens the stream, then asks for ranges, and leaves aside messages of commits "
            "before the one that a range has seen",
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
}

SCHEMAS: dict[str, Any] = {
    "Change": members(
        commit=INTEGER, at=MAYBE_MOMENT, points=array({"allOf": [ref("Point"), members(kpi=STRING), {"properties": {"want": INTEGER}}]})
    )
    | {"description": "`incomplete`, where it is there, lists the wants (or KPIs) of which more changed than is told"},
}
