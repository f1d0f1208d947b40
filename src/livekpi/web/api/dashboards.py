"""The API's part on dashboards: what the page is to draw."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from livekpi.definition.dashboards import Dashboard, KpiTile, TextTile
from livekpi.definition.durations import duration_text
from livekpi.web.answers import json_answer
from livekpi.web.backend import Backend
from livekpi.web.parameters import Parameters


class DashboardsApi:
    """Answers from the definition as it is shown now."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def dashboards(self, request: Request) -> Response:
        """GET /v1/dashboards"""
        Parameters(request)
        found = [_dashboard(dashboard) for dashboard in self._backend.definition.dashboards.values()]
        return json_answer({"dashboards": found, "stale": self._backend.stale})


def _dashboard(dashboard: Dashboard) -> dict[str, Any]:
    rows = [{"title": row.title, "tiles": [_tile(tile) for tile in row.tiles]} for row in dashboard.rows]
    return {"name": dashboard.name, "title": dashboard.title, "rows": rows}


def _tile(tile: KpiTile | TextTile) -> dict[str, Any]:
    if isinstance(tile, TextTile):
        return {"text": tile.text, "size": tile.size}
    return {
        "kpi": tile.kpi,
        "title": tile.title,
        "size": tile.size,
        "by": tile.by,
        "top": tile.top,
        "span": None if tile.span_us is None else duration_text(tile.span_us),
    }
