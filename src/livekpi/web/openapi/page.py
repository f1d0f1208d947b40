"""The API's description (OpenAPI 3.1): the page, and badges."""

from typing import Any

from livekpi.web.openapi.pieces import ASKED, TIME, get, path, query, text_of, without_token

PATHS: dict[str, Any] = {
    "/badge/{kpi}.svg": get(
        "A KPI's newest final value as a small picture",
        text_of("image/svg+xml", "the picture; its colour and its word (fine, watch, alert) say how alerts on the KPI stand"),
        [
            path("kpi"),
            query("token", "a token of the scope `embed`; here alone it may stand in the address"),
            query("label", "what stands before the value; else the KPI's title"),
            query("since", f"one value for all the time since, in place of the newest bucket's: {TIME}"),
        ],
        _400="a question that can't be answered, and why",
        _404="no such KPI",
        **ASKED,
    ),
    "/embed/{kpi}": without_token(
        get("The page's view of one KPI, for a frame of another page", text_of("text/html", "the page"), [path("kpi")])
    ),
    "/ui/{asset}": without_token(
        get("Scripts, styles and pictures of the page", text_of("text/javascript", "the asset"), [path("asset")], _404="no such asset")
    ),
    "/": without_token(get("The page", text_of("text/html", "the page; at its other paths, too"))),
}


SCHEMAS: dict[str, Any] = {}
