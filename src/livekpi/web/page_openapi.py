"""What the API's description (OpenAPI 3.1) says of the page, and of what it alone asks: dashboards, annotations, sessions, badges."""

from typing import Any

from livekpi.web.annotating import MOST_CHARACTERS
from livekpi.web.describing import (
    INTEGER,
    MAYBE_MOMENT,
    MAYBE_STRING,
    MOMENT,
    NOT_ACTING,
    RANGE,
    STRING,
    TIME,
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
    text_of,
    without_token,
)
from livekpi.web.session_api import MAX_BODY_BYTES

_SIZE = {"enum": ["small", "medium", "large", "wide"]}
_SCOPES = array({"enum": ["ingest", "read", "act"]})


def _annotate() -> dict[str, Any]:
    asked = {
        "type": "object",
        "required": ["text"],
        "additionalProperties": False,
        "properties": {
            "text": {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS["text"]},
            "time": {"type": "string", "description": f"when it was, or will be: {TIME}; else now"},
            "end": {"type": "string", "description": "when it was over, where it took a while"},
            "kind": {"type": "string", "description": "a word, such as deploy or campaign", "default": "note"},
            "kpis": {**array(STRING), "description": "on the charts of these only; else of all"},
            "author": {"type": "string", "maxLength": MOST_CHARACTERS["author"]},
            "link": {"type": ["string", "null"], "maxLength": MOST_CHARACTERS["link"], "description": "where more is said"},
        },
    }
    return {
        "summary": "Note on the charts what happened",
        "parameters": [],
        "requestBody": body(asked),
        "responses": {
            "201": json_of(ref("Annotation"), "noted"),
            **problems(_400="not as expected", **NOT_ACTING, _409="as many are kept as may be", _413="too large", _503=UNABLE),
        },
    }


def _session() -> dict[str, Any]:
    wrong = {"_400": "not as expected", "_401": "a token this server does not know", "_403": "a web page of another origin"}
    return {
        **get("Whether a token is needed, and what the one that was given opens", json_of(ref("Session"), "as it is now")),
        "post": {
            "summary": "Give a token once, and get a cookie that counts like it",
            "description": "The cookie holds a random name, no script can read it, and it is sent from this server's own pages only.",
            "parameters": [],
            "requestBody": body(members(token={"type": "string", "maxLength": MAX_BODY_BYTES})),
            "responses": {
                "200": json_of(ref("Session"), "begun"),
                **problems(**wrong, _413="too large", _429="too many wrong tokens from this address; see Retry-After"),
            },
        },
        "delete": {
            "summary": "End the session",
            "parameters": [],
            "responses": {"200": json_of(ref("Session"), "ended, where there was one"), **problems(_403="a web page of another origin")},
        },
    }


PATHS: dict[str, Any] = {
    "/v1/dashboards": get(
        "What the page draws, as the file has it; without any it draws an overview of all KPIs",
        json_of(
            members(dashboards=array(ref("Dashboard")), stale=MAYBE_STRING), "`stale` says why what the file says now is not in effect"
        ),
    ),
    "/v1/annotations": {
        **get(
            "What people noted on the time axis, by time",
            json_of(members(annotations=array(ref("Annotation"))), "those about any time in the range"),
            [*RANGE, query("kpi", "about this KPI, those about all included")],
            _400="a parameter that is wrong",
            _404="no such KPI",
            _503=UNABLE,
        ),
        "post": _annotate(),
    },
    "/v1/annotations/{number}": {
        "delete": {
            "summary": "Delete an annotation",
            "parameters": [path("number")],
            "responses": {
                "200": json_of(ref("Annotation"), "what it was"),
                **problems(**NOT_ACTING, _404="no such annotation", _503=UNABLE),
            },
        }
    },
    "/v1/session": without_token(_session()),
    "/badge/{kpi}.svg": get(
        "A KPI's newest final value as a small picture",
        text_of("image/svg+xml", "the picture; its colour and its word (fine, watch, alert) say how alerts on the KPI stand"),
        [
            path("kpi"),
            query("token", "a token that may read; here alone it may stand in the address"),
            query("label", "what stands before the value; else the KPI's title"),
            query("since", f"one value for all the time since, in place of the newest bucket's: {TIME}"),
        ],
        _400="a question that can't be answered, and why",
        _404="no such KPI",
        _503=UNABLE,
    ),
    "/embed/{kpi}": without_token(
        get("The page's view of one KPI, for a frame of another page", text_of("text/html", "the page"), [path("kpi")])
    ),
    "/ui/{asset}": without_token(
        get("Scripts, styles and pictures of the page", text_of("text/javascript", "the asset"), [path("asset")], _404="no such asset")
    ),
    "/": without_token(get("The page", text_of("text/html", "the page; at its other paths, too"))),
}

SCHEMAS: dict[str, Any] = {
    "Dashboard": members(name=STRING, title=STRING, rows=array(members(title=MAYBE_STRING, tiles=array(ref("Tile"))))),
    "Tile": {
        "anyOf": [
            members(
                kpi=STRING,
                title={**MAYBE_STRING, "description": "in place of the KPI's own"},
                size=_SIZE,
                by={**MAYBE_STRING, "description": "the dimension it is split by"},
                top={"type": "integer", "description": "how many slices are shown beside the rest"},
                span={**MAYBE_STRING, "description": "how far back it shows, such as 1h; null: as the viewer chooses"},
            ),
            members(text=STRING, size=_SIZE),
        ]
    },
    "Annotation": members(
        number=INTEGER, time=MOMENT, end=MAYBE_MOMENT, text=STRING, kind=STRING, kpis=array(STRING), author=STRING, link=MAYBE_STRING
    ),
    "Session": members(needed={"type": "boolean", "description": "whether a token is needed at all"}, scopes=_SCOPES),
}
