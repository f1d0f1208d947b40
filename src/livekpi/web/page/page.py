"""The page that people look at, as the build left it: HTML for every path of the page, and hashed assets."""

from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livekpi.web.page.files import ASK_FIRST, FOREVER, File, read
from livekpi.web.paths import PAGE
from livekpi.web.problems import ProblemError, on_http_exception

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors "
)
_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>livekpi</title>
<h1>livekpi</h1>
<p>This server computes business KPIs from events, live. It runs from a source tree in which the page was not built
(CONTRIBUTING.md says how), so that there is nothing to look at here. It is asked over HTTP:</p>
<ul>
<li><a href="/v1/kpis">/v1/kpis</a>: the KPIs; <code>/v1/kpis/NAME</code> has a KPI's points</li>
<li><a href="/v1/stream">/v1/stream</a>: the points that change, as they change</li>
<li><a href="/v1/alerts">/v1/alerts</a>: what fires</li>
<li><a href="/v1/sources">/v1/sources</a>: where the events come from, and how far they are read</li>
<li><a href="/v1/dead-letters">/v1/dead-letters</a>: events that could not be counted, and why</li>
<li><a href="/metrics">/metrics</a>: how livekpi itself is doing</li>
<li><a href="/openapi.json">/openapi.json</a>: all of it, exactly</li>
</ul>
</html>
"""


def installed() -> Traversable:
    """Where the build leaves the page."""
    return files("livekpi.web") / "ui"


class Page:
    """Serves what a directory has: index.html, embed.html, and assets/. It is read once."""

    def __init__(self, directory: Traversable) -> None:
        """Without an index.html in it, pages say that the page was not built."""
        found = read(directory, ASK_FIRST)
        not_built = File(_NOT_BUILT.encode(), "text/html", ASK_FIRST)
        self._index, self._embed = (found.get(name, not_built) for name in ("index.html", "embed.html"))
        self._assets = read(directory / "assets", FOREVER)

    def routes(self) -> list[Route]:
        """Where it is served. Only one of the page's paths is described: the others are for its script."""
        return [
            *(Route(path, self.index, include_in_schema=path == "/") for path in PAGE),
            Route("/embed/{kpi}", self.embed),
            Route("/ui/{asset}", self.asset),
        ]

    async def index(self, request: Request) -> Response:
        """GET / and the page's other paths"""
        return self._index.response(request, {"Content-Security-Policy": f"{_POLICY}'none'"})

    async def refused(self, request: Request, error: Exception) -> Response:
        """What the router itself refuses: who looks at it in a browser gets the page, which says that there is no such view."""
        answer = await on_http_exception(request, error)
        if answer.status_code == HTTPStatus.NOT_FOUND and "text/html" in request.headers.get("accept", ""):
            answer = await self.index(request)
            if answer.status_code == HTTPStatus.OK:  # else the browser has what was said of it before
                answer.status_code = HTTPStatus.NOT_FOUND
        return answer

    async def embed(self, request: Request) -> Response:
        """GET /embed/{kpi}: shown in the frames of any page, since there is nothing to click that would change something."""
        return self._embed.response(request, {"Content-Security-Policy": f"{_POLICY}*"})

    async def asset(self, request: Request) -> Response:
        """GET /ui/{asset}"""
        name = request.path_params["asset"]
        if name not in self._assets:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"the page has no {name!r}; load it anew")
        return self._assets[name].response(request, {})
