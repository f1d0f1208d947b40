"""What commands ask of a data directory: of the server that has it open, or of its files where none has."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from livekpi.client import Client
from livekpi.definition.definition import Definition
from livekpi.definition.load import parse_definition
from livekpi.definition.substitute import Unset
from livekpi.query.points import Point, Points, Request, points
from livekpi.query.steps import zone
from livekpi.store.database import Store
from livekpi.store.lock import holder
from livekpi.store.schema import StoreError
from livekpi.web.auth import local_token
from livekpi.web.times import parse_time


def client(data: Path) -> Client | None:
    """A client of the server that has the directory open; None where none has. Raises StoreError where one has that does not listen."""
    found = holder(data)
    if found is None:
        return None
    if found.address is None:
        raise StoreError(
            f"{data} is being written by process {found.pid} on {found.host}, which does not listen; ask again when it is done"
        )
    return Client(found.address, local_token(data))


@contextmanager
def stored(data: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Definition, int]]:
    """A data directory that no server has open: a cursor, the definition it was run with, and when it was last alive (µs)."""
    store = Store.open_for_reading(data)
    try:
        cursor = store.cursor()
        text = cursor.execute("SELECT value FROM meta WHERE name = 'definition'").fetchone()
        alive = cursor.execute("SELECT alive_us FROM engine").fetchone()
        if text is None or alive is None:
            raise StoreError(f"{data} has not been run yet; run `livekpi run` first")
        yield cursor, parse_definition(text[0].encode(), data / "definition", Unset()), alive[0]
    finally:
        store.close()


def ask(data: Path, asked: Mapping[str, str], now_us: int) -> Points:
    """Answers a question of the API's terms (kpi, from, to, step, by, where, timezone, compare), the same way with and without a server.

    Raises QueryError, StoreError, ClientError, ValueError.
    """
    server = client(data)
    if server is not None:
        parameters = {name: value for name, value in asked.items() if name != "kpi"}
        return _points(server.get(f"/v1/kpis/{quote(asked['kpi'], safe='')}", parameters, number=Decimal), asked)
    with stored(data) as (cursor, definition, alive_us):
        return points(cursor, definition, request(asked, now_us), alive_us)


def request(asked: Mapping[str, str], now_us: int) -> Request:
    """A question from its texts; raises QueryError, ValueError."""
    where = zone(asked.get("timezone", "UTC"))
    times = {name: parse_time(asked[name], now_us, where) if name in asked else None for name in ("from", "to")}
    by = tuple(name.strip() for name in asked.get("by", "").split(",") if name.strip())
    return Request(asked["kpi"], times["from"], times["to"], asked.get("step"), by, asked.get("where"), where.key, asked.get("compare"))


def _points(answer: Any, asked: Mapping[str, str]) -> Points:
    """An answer of the API as what the query gave."""
    names = tuple(dict.fromkeys(name.strip() for name in asked.get("by", "").split(",") if name.strip()))
    found = [
        Point(_time_us(row["time"]), row["value"], row["final"], tuple(row[name] for name in names), row.get("before"))
        for row in answer["points"]
    ]
    return Points(answer["kpi"], answer["unit"], names, found, "compare" in asked)


def _time_us(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
