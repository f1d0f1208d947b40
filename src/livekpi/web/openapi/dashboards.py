"""The API's description (OpenAPI 3.1): what the page draws."""

from typing import Any

from livekpi.web.openapi.pieces import MAYBE_STRING, PLAIN, STRING, array, get, json_of, members, ref

_SIZE = {"enum": ["small", "medium", "large", "wide"]}

PATHS: dict[str, Any] = {
    "/v1/dashboards": get(
        "What the page draws, as the file has it; without any it draws an overview of all KPIs",
        json_of(
            members(dashboards=array(ref("Dashboard")), stale=MAYBE_STRING), "`stale` says why what the file says now is not in effect"
        ),
        [],
        **PLAIN,
    ),
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
}
