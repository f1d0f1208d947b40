"""A server in memory for tests: a definition in a line or two, events in, points out."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from livekpi.clock import ManualClock
from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.moments import time_text
from livekpi.query.points import Point, Request
from livekpi.scripts.rehearsal import Rehearsal

NOON_US = 1_772_366_400_000_000
"""2026-03-01T12:00:00Z"""
MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US


def definition(
    fields: str, kpis: Mapping[str, str], *, composed: Mapping[str, str] | None = None, source: str = "", rest: str = ""
) -> Definition:
    """A definition with one source, `s`, whose time is `ts`.

    A KPI is what stands in its braces, every minute where that is not said; one of `composed` is its value.
    """
    lines = [f"  {name}: {{ {text}{'' if 'every:' in text else ', every: 1m'} }}" for name, text in kpis.items()]
    lines += [f"  {name}: {{ value: {text} }}" for name, text in (composed or {}).items()]
    declared = ", ".join(filter(None, ["ts: timestamp", fields]))
    sources = f"sources:\n  s: {{ http: {{}}, time: ts, {source} fields: {{ {declared} }} }}\n"
    return parse_definition("\n".join([f"{sources}kpis:", *lines, rest]).encode(), Path("made.yaml"), {})


@contextmanager
def rehearsed(directory: Path, made: Definition, now_us: int = NOON_US) -> Iterator[Rehearsal]:
    """A server that runs a definition."""
    server = Rehearsal(directory, ManualClock(now_us), made)
    try:
        yield server
    finally:
        server.close()


def send(server: Rehearsal, *events: Mapping[str, Any] | bytes | None, source: str = "s", partition: int = 0) -> None:
    """Events arrive together; one given as a mapping gets the time of the server's clock where it has none."""
    now = {"ts": time_text(server.clock.now_us())}
    server.arrive(source, partition, [json.dumps(now | dict(event)).encode() if isinstance(event, Mapping) else event for event in events])


def at(text: str) -> int:
    """A time in µs; one of day alone is on 2026-03-01."""
    full = text if "T" in text else f"2026-03-01T{text}"
    return int(datetime.fromisoformat(full).replace(tzinfo=UTC).timestamp()) * 1_000_000


def points(server: Rehearsal, kpi: str, **request: Any) -> list[Point]:
    with server.query() as query:
        return query.points(Request(kpi, **request)).points


def values(server: Rehearsal, kpi: str, **request: Any) -> dict[Any, Any]:
    """The values by time of day (with the date where it is not 2026-03-01), or by (time, dimensions…)."""
    found: dict[Any, Any] = {}
    for point in points(server, kpi, **request):
        time = time_text(point.time_us).removeprefix("2026-03-01T").removesuffix("Z")
        found[(time, *point.dimensions) if point.dimensions else time] = point.value
    return found
