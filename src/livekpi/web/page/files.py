"""Files held in memory, each in the coding that a browser takes, and not sent again to one that has it."""

import re
from collections.abc import Container, Mapping
from hashlib import sha256
from http import HTTPStatus
from importlib.resources.abc import Traversable
from mimetypes import guess_type

from starlette.requests import Request
from starlette.responses import Response

FOREVER, ASK_FIRST = "public, max-age=31536000, immutable", "no-cache"
"""For how long a browser may keep a file: a Cache-Control."""
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
"""Content codings, the best first, and what ends the name of a file that is precompressed by one."""
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html", ".woff2": "font/woff2"}
_HASHED = re.compile(r"-[A-Za-z0-9_]{8,}\.")


class File:
    """A file and what is said with it."""

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


def read(directory: Traversable, cache: str) -> dict[str, File]:
    """The files in a directory, by name; those precompressed beside those they are made from. Kept forever are only those whose names
    have a hash in them."""
    if not directory.is_dir():
        return {}
    bodies = {each.name: each.read_bytes() for each in directory.iterdir() if each.is_file()}
    return {
        name: File(
            body,
            _media_type(name),
            cache if cache != FOREVER or _HASHED.search(name) else ASK_FIRST,
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
