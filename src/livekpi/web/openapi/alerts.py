"""The API's description (OpenAPI 3.1): alerts, silences and acknowledgements."""

from typing import Any

from livekpi.alerts.listing import STATUSES
from livekpi.alerts.message import SEVERITIES
from livekpi.web.openapi.pieces import (
    ASKED,
    INTEGER,
    MAYBE_MOMENT,
    MAYBE_STRING,
    MOMENT,
    NAMES,
    NOT_ACTING,
    PLAIN,
    RANGE,
    STRING,
    TIME,
    array,
    body,
    get,
    json_of,
    members,
    path,
    problems,
    query,
    ref,
)

_TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": STRING}
_SERIES = {**_TEXTS, "description": "the dimensions as text; one that is null is empty"}
_NUMBER: dict[str, Any] = {"type": ["number", "null"]}
_RULES = query("rule", "alert rules; else all", NAMES)
_CHANGE_UNABLE = "the store can't be written now, or no alerts are judged here"


def _limit(default: int, maximum: int) -> dict[str, Any]:
    return query("limit", "at most so many", {"type": "integer", "minimum": 1, "maximum": maximum, "default": default})


def _words(kind: str, one: str, asked: str, summary: str, description: str, **others: str) -> dict[str, Any]:
    return {
        **get(f"The {kind} that hold, now or later", json_of(members(**{kind: array(ref("Word"))}), "oldest first"), [], **PLAIN, **ASKED),
        "post": {
            "summary": summary,
            "description": description,
            "parameters": [],
            "requestBody": body(ref(asked)),
            "responses": {
                "201": json_of(ref("Word"), f"the {one}; it works at once"),
                **problems(_400="what is wrong with it", _413="too large", _503=_CHANGE_UNABLE, **NOT_ACTING, **others),
            },
        },
    }


def _word(kind: str, one: str) -> dict[str, Any]:
    return {
        "delete": {
            "summary": f"End {'an' if one[0] == 'a' else 'a'} {one} now",
            "parameters": [path("number")],
            "responses": {
                "200": json_of(ref("Word"), f"the {one}, which has ended"),
                **problems(**PLAIN, _404=f"none of the {kind} that hold", _503=_CHANGE_UNABLE, **NOT_ACTING),
            },
        }
    }


def _asked(required: list[str], about: dict[str, Any], times: dict[str, Any], description: str) -> dict[str, Any]:
    properties = {"rule": STRING, "series": about, "author": STRING, "reason": STRING, **times}
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False, "description": description}


PATHS: dict[str, Any] = {
    "/v1/alerts": get(
        "The alerts that fire, and what may become one",
        json_of(members(alerts=array(ref("Alert")), in_all=INTEGER), "what fires first, the worst of it first"),
        [
            _RULES,
            query("severity", f"of {', '.join(SEVERITIES)}; else all", NAMES),
            query("status", f"of {', '.join(STATUSES)} (within the last day); else firing and pending", NAMES),
            _limit(1_000, 10_000),
        ],
        _400="a parameter that is wrong",
        **ASKED,
    ),
    "/v1/alerts/history": get(
        "What fired, and who was told of it",
        json_of(ref("History"), "the last to begin first"),
        [_RULES, *RANGE, _limit(100, 1_000)],
        _400="a parameter that is wrong",
        **ASKED,
    ),
    "/v1/silences": _words(
        "silences",
        "silence",
        "Silence",
        "Let nobody be told of alerts for a time",
        "What still fires when it ends is told then.",
    ),
    "/v1/silences/{number}": _word("silences", "silence"),
    "/v1/acknowledgements": _words(
        "acknowledgements",
        "acknowledgement",
        "Acknowledgement",
        "Say that somebody looks after what fires",
        "It ends when nothing it is about fires any more, and a day later at the latest.",
        _409="nothing fires there",
    ),
    "/v1/acknowledgements/{number}": _word("acknowledgements", "acknowledgement"),
}

_END = {"for": {**STRING, "description": "a duration such as 2h"}, "until": {**STRING, "description": f"in place of `for`: {TIME}"}}


SCHEMAS: dict[str, Any] = {
    "Alert": members(
        key={**MAYBE_STRING, "description": "by which receivers know it; null while it is pending"},
        rule=STRING,
        title=STRING,
        severity={"enum": [*SEVERITIES, None], "description": "null where the rule is gone, and nobody was told"},
        series=_SERIES,
        status={"enum": list(STATUSES)},
        started={**MOMENT, "description": "when it began to fire, by the events' time; pending: since when the condition holds"},
        ended=MAYBE_MOMENT,
        value={
            **_NUMBER,
            "description": "the number looked at first, where the condition held last; null while it is pending",
        },
        kpi={**MAYBE_STRING, "description": "the KPI that the condition looks at first; null where the rule is gone from the file"},
        unit={**MAYBE_STRING, "description": "the number's"},
        summary=STRING,
        note={"enum": ["", "late", "corrected"], "description": "found by events that came late, or by such found never to have been"},
        silenced_by={"oneOf": [ref("Who"), {"type": "null"}], "description": "null for a token of the scope `embed` alone, too"},
        acknowledged_by={"oneOf": [ref("Who"), {"type": "null"}]},
        labels=_TEXTS,
        runbook=MAYBE_STRING,
    ),
    "Who": members(number=INTEGER, author=STRING, reason=STRING, until=MOMENT),
    "History": members(
        alerts=array(
            {"allOf": [ref("Alert"), members(messages={**array(INTEGER), "description": "the numbers of the messages about it"})]}
        ),
        messages=array(ref("Told")),
    ),
    "Told": members(
        number=INTEGER,
        rule=STRING,
        at=MOMENT,
        status={"enum": ["firing", "resolved"]},
        firing={"type": "integer", "description": "how many alerts it says are firing"},
        resolved={"type": "integer", "description": "how many it says are over"},
        acknowledged_by=MAYBE_STRING,
        receivers=array(
            members(
                receiver=STRING,
                state={"enum": ["waiting", "sent", "given_up"]},
                attempts=INTEGER,
                at={**MOMENT, "description": "when it was sent or given up; waiting: when it is tried next"},
                reason={**MAYBE_STRING, "description": "why the last attempt failed"},
            )
        ),
    ),
    "Word": members(number=INTEGER, rule=MAYBE_STRING, series=_SERIES, author=STRING, reason=STRING, **{"from": MOMENT, "until": MOMENT}),
    "Silence": _asked(
        ["author", "reason"],
        {**_SERIES, "description": "only those with these dimensions, as text, empty for null; not given: all"},
        {**_END, "from": {**STRING, "description": f"when it begins, if not now: {TIME}"}},
        "of all rules where none is named; with `for` or `until`, a year at most",
    ),
    "Acknowledgement": _asked(
        ["rule", "author", "reason"],
        {**_SERIES, "description": "only those with these dimensions, as text, empty for null; not given: all"},
        _END,
        "`for` or `until`: a day at most, and not given a day",
    ),
}
