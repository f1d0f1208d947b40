"""What stands at / until there is more to see."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>livekpi</title>
<h1>livekpi</h1>
<p>This server computes business KPIs from events, live. It is asked over HTTP:</p>
<ul>
<li><a href="/v1/kpis">/v1/kpis</a>: the KPIs; <code>/v1/kpis/NAME</code> has a KPI's points</li>
<li><a href="/v1/stream">/v1/stream</a>: the points that change, as they change</li>
<li><a href="/v1/sources">/v1/sources</a>: where the events come from, and how far they are read</li>
<li><a href="/v1/dead-letters">/v1/dead-letters</a>: events that could not be counted, and why</li>
<li><a href="/metrics">/metrics</a>: how livekpi itself is doing</li>
<li><a href="/openapi.json">/openapi.json</a>: all of it, exactly</li>
</ul>
</html>
"""
_HEADERS = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}


async def page(_request: Request) -> Response:
    """GET /"""
    return HTMLResponse(_PAGE, headers=_HEADERS)
