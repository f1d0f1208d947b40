"""A server over a real socket, and its streams as a browser has them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from livekpi.web.server import Server
from tests.web.world import World

Messages = Iterator[dict[str, Any]]


@contextmanager
def serving(world: World) -> Iterator[str]:
    server = Server(world.app, "127.0.0.1", 0, world.app.stop, drain_s=0)
    server.start()
    try:
        yield f"http://{server.address}"
    finally:
        server.stop()


@contextmanager
def stream(url: str, query: str = "") -> Iterator[Messages]:
    """An open stream's messages after the first; returns once the server knows of it."""
    with told(url, query) as messages:
        assert "points" not in next(messages)
        yield messages


@contextmanager
def told(url: str, query: str = "") -> Iterator[Messages]:
    """An open stream's messages."""
    with httpx.stream("GET", f"{url}/v1/stream{query}", timeout=30) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.iter_lines()
        assert [next(lines), next(lines), next(lines)] == [": livekpi", "retry: 1000", ""]
        yield (json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))
