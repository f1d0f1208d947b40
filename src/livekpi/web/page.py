"""The page that people look at, as the build left it: HTML for every path of the page, and hashed assets."""

import re
from collections.abc import Container, Mapping
from hashlib import sha256
from http import HTTPStatus
from importlib.resources import files
from importlib.resources.abc import Traversable
from mimetypes import guess_type

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livekpi.web.problems import ProblemError

PATHS = ("/", "/kpi/{name}", "/dashboard/{name}", "/alerts", "/dead-letters", "/status", "/tv")
"""What the page shows something different at; its own script tells them apart."""
_OPEN = frozenset(path for path in PATHS if "{" not in path)
_OPEN_BELOW = ("/kpi/", "/dashboard/", "/embed/", "/ui/")
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Content codings, the best first, and what ends the name of a file that is precompressed by one."""
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html", ".woff2": "font/woff2"}
_HASHED = re.compile(r"-[A-Za-z0-9_]{8,}\.")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors "
)
_FOREVER, _ASK_FIRST = "public, max-age=31536000, immutable", "no-cache"
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


def is_page(path: str) -> bool:
    """Whether a path is one of the page's, or of its assets: these are the same for everyone, and have no numbers in them."""
    return path in _OPEN or path.startswith(_OPEN_BELOW)


def installed() -> Traversable:
    """Where the build leaves the page."""
    return files("livekpi.web") / "ui"


class File:
    """A file of the page, held in memory."""

    def __init__(self, body: bytes, media_type: str, cache: str, compressed: Mapping[str, bytes] | None = None) -> None:
        """`cache` is its Cache-Control; `compressed` has it by content coding."""
        self._media_type, self._cache = media_type, cache
        bodies = {"": body, **(compressed or {})}
        self._bodies = {coding: (each, f'"{sha256(each).hexdigest()[:32]}"') for coding, each in bodies.items()}

    def response(self, request: Request, headers: Mapping[str, str]) -> Response:
        """The file in the best coding that the request takes; 304 where the client has it."""
        coding = _coding(request.headers.get("accept-encoding", ""), self._bodies)
        body, tag = self._bodies[coding]
        said = {**headers, "ETag": tag, "Cache-Control": self._cache, "Vary": "Accept-Encoding", "Referrer-Policy": "no-referrer"}
        if _has(request.headers.get("if-none-match", ""), tag):
            return Response(None, HTTPStatus.NOT_MODIFIED, said)
        return Response(body, HTTPStatus.OK, said | ({"Content-Encoding": coding} if coding else {}), self._media_type)


class Page:
    """Serves what a directory has: index.html, embed.html, and assets/. It is read once."""

    def __init__(self, directory: Traversable) -> None:
        """Without an index.html in it, pages say that the page was not built."""
        found = _read(directory, _ASK_FIRST)
        not_built = File(_NOT_BUILT.encode(), "text/html", _ASK_FIRST)
        self._index, self._embed = (found.get(name, not_built) for name in ("index.html", "embed.html"))
        self._assets = _read(directory / "assets", _FOREVER)

    def routes(self) -> list[Route]:
        """Where it is served. Only one of the page's paths is described: the others are for its script."""
        return [
            *(Route(path, self.index, include_in_schema=path == "/") for path in PATHS),
            Route("/embed/{kpi}", self.embed),
            Route("/ui/{asset}", self.asset),
        ]

    async def index(self, request: Request) -> Response:
        """GET / and the page's other paths"""
        return self._index.response(request, {"Content-Security-Policy": f"{_POLICY}'none'"})

    async def embed(self, request: Request) -> Response:
        """GET /embed/{kpi}: shown in the frames of any page, since there is nothing to click that would change something."""
        return self._embed.response(request, {"Content-Security-Policy": f"{_POLICY}*"})

    async def asset(self, request: Request) -> Response:
        """GET /ui/{asset}"""
        name = request.path_params["asset"]
        if name not in self._assets:
            raise ProblemError(HTTPStatus.NOT_FOUND, f"the page has no {name!r}; load it anew")
        return self._assets[name].response(request, {})


def _read(directory: Traversable, cache: str) -> dict[str, File]:
    """The files in a directory, by name; those precompressed beside those they are made from."""
    if not directory.is_dir():
        return {}
    bodies = {each.name: each.read_bytes() for each in directory.iterdir() if each.is_file()}
    return {
        name: File(
            body,
            _media_type(name),
            cache if cache != _FOREVER or _HASHED.search(name) else _ASK_FIRST,
            {coding: bodies[name + end] for coding, end in _ENCODINGS.items() if name + end in bodies},
        )
        for name, body in bodies.items()
        if not name.endswith(tuple(_ENCODINGS.values()))
    }


def _media_type(name: str) -> str:
    """By the name's end; not by this machine's own table where it matters."""
    return _TYPES.get(name[name.rfind(".") :]) or guess_type(name)[0] or "application/octet-stream"


def _coding(accepted: str, there_are: Container[str]) -> str:
    """The best coding that an Accept-Encoding header takes (RFC 9110, 12.5.3); empty for none."""
    takes: dict[str, bool] = {}
    for part in accepted.lower().split(","):
        name, _, quality = part.partition(";")
        takes[name.strip()] = re.fullmatch(r"\s*q=0(\.0*)?\s*", quality) is None
    return next((coding for coding in _ENCODINGS if coding in there_are and takes.get(coding, takes.get("*", False))), "")


def _has(tags: str, tag: str) -> bool:
    """Whether an If-None-Match header names a tag (RFC 9110, 13.1.2)."""
    return tags.strip() == "*" or tag in {each.strip().removeprefix("W/") for each in tags.split(",")}
