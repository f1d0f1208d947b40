"""The API's description (OpenAPI 3.1): KPIs, their points, and where their targets were going."""

from typing import Any

from livekpi.web.openapi.pieces import (
    ASKED,
    MAYBE_STRING,
    MOMENT,
    NAMES,
    PLAIN,
    RANGE,
    STRING,
    TIME,
    TIMEZONE,
    array,
    get,
    json_of,
    members,
    path,
    query,
    ref,
)

_NUMBER = {"type": "number"}

PATHS: dict[str, Any] = {
    "/v1/kpis": get("The KPIs", json_of(members(kpis=array(ref("Kpi"))), "all of them, as the definition has them"), [], **PLAIN),
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
        **ASKED,
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
        **ASKED,
    ),
}

SCHEMAS: dict[str, Any] = {
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
        paced={"type": "boolean", "description": "whether the target has a pace: the KPI can be added up to where a period will end"},
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
            "description": "a dimension asked for by `by`; `corrected`, when events that came too late last changed a step that had been "
            "final, where they did; `before` with `compare`; with `with`, where it is known: `expected`, "
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
}
