"""The API's description (OpenAPI 3.1), as /openapi.json gives it: of each part what its module here says."""

import re
from typing import Any

from livekpi.web.openapi import (
    alerts,
    annotations,
    backtest,
    check,
    dashboards,
    dead_letters,
    events,
    kpis,
    page,
    session,
    sources,
    status,
    stream,
)
from livekpi.web.openapi.pieces import INTEGER, STRING, members

_PARTS = (events, kpis, stream, alerts, backtest, check, dead_letters, sources, status, dashboards, annotations, session, page)
_PROBLEM = members(type=STRING, title=STRING, status=INTEGER, detail=STRING) | {"description": "RFC 9457"}
_TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "description": "A token has scopes: `ingest` to send events, `embed` for what frames and badges need (KPIs, their points, the stream, "
    "what fires), `read` for all that can be asked, `act` for what changes something. 401: no token, or one that is not known; 403: one "
    "of another scope; 429: one that is not known, and many such came before it.",
}


def _named(path: str, operations: dict[str, Any]) -> dict[str, Any]:
    """Operations with the names that generated clients call them by: `getKpisByKpiPace` of `GET /v1/kpis/{kpi}/pace`."""
    words = [word for part in path.removeprefix("/v1").replace("{", "by-").split("/") for word in re.findall("[a-z0-9]+", part)]
    name = "".join(word.capitalize() for word in words)
    return {method: {"operationId": f"{method}{name}", **operation} for method, operation in operations.items()}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "livekpi", "version": "1", "description": "Business KPIs, live."},
    "security": [{"token": []}, {}],
    "paths": {path: _named(path, operations) for part in _PARTS for path, operations in part.PATHS.items()},
    "components": {
        "securitySchemes": {"token": _TOKEN},
        "schemas": {name: schema for part in _PARTS for name, schema in part.SCHEMAS.items()} | {"Problem": _PROBLEM},
    },
}
