"""What commands ask of a data directory: of the server that has it open, or of its files where none has."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb

from livekpi.alerts.asking.answer import points_with
from livekpi.alerts.asking.pace import PaceRequest, pace, pace_objects
from livekpi.client import Client
from livekpi.definition.definition import Definition
from livekpi.definition.file.substitute import Unset
from livekpi.definition.load import parse_definition
from livekpi.engine.plan import make_plan
from livekpi.moments import since_epoch_us
from livekpi.query.output import EXTRA_KEYS
from livekpi.query.points import Outlook, Point, Points, Request, Standing
from livekpi.query.query import Query
from livekpi.query.steps import zone
from livekpi.store.database import Store
from livekpi.store.lock import holder
from livekpi.store.schema import StoreError
from livekpi.web.access.tokens import local_token
from livekpi.web.objects.checks import times_us


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
        meta = dict(cursor.execute("SELECT name, value FROM meta").fetchall())
        alive = cursor.execute("SELECT alive_us FROM engine").fetchone()
        if "definition" not in meta or alive is None:
            raise StoreError(f"{data} has not been run yet; run `livekpi run` first")
        known = Unset(json.loads(meta.get("variables", "{}")))
        yield cursor, parse_definition(meta["definition"].encode(), data / "definition", known), alive[0]
    finally:
        store.close()


def ask(data: Path, asked: Mapping[str, str], now_us: int) -> Points:
    """Answers a question of the API's terms (kpi, from, to, step, by, where, timezone, compare, with), the same with and without a server.

    Raises QueryError, StoreError, ClientError.
    """
    server = client(data)
    if server is not None:
        parameters = {name: value for name, value in asked.items() if name != "kpi"}
        return _points(server.get(f"/v1/kpis/{quote(asked['kpi'], safe='')}", parameters, number=Decimal), asked)
    with stored(data) as (cursor, definition, alive_us):
        query = Query(cursor, definition, make_plan(definition), alive_us)
        return points_with(cursor, definition, query, request(asked, now_us), _names(asked.get("with")))


def ask_pace(data: Path, asked: Mapping[str, str], now_us: int) -> list[Mapping[str, Any]]:
    """Answers a question about a KPI's pace in the API's terms (kpi, at, from, to, step, timezone), likewise."""
    server = client(data)
    if server is not None:
        parameters = {name: value for name, value in asked.items() if name != "kpi"}
        found: list[Mapping[str, Any]] = server.get(f"/v1/kpis/{quote(asked['kpi'], safe='')}/pace", parameters)["pace"]
        return found
    where = zone(asked.get("timezone", "UTC"))
    times = times_us(asked, ("at", "from", "to"), now_us, where)
    with stored(data) as (cursor, definition, alive_us):
        query = Query(cursor, definition, make_plan(definition), alive_us)
        question = PaceRequest(asked["kpi"], times["at"], times["from"], times["to"], asked.get("step"), where.key)
        return [*pace_objects(pace(query, question))]


def request(asked: Mapping[str, str], now_us: int) -> Request:
    """A question from its texts; raises QueryError."""
    where = zone(asked.get("timezone", "UTC"))
    times = times_us(asked, ("from", "to"), now_us, where)
    by = _names(asked.get("by"))
    return Request(asked["kpi"], times["from"], times["to"], asked.get("step"), by, asked.get("where"), where.key, asked.get("compare"))


def _points(answer: Any, asked: Mapping[str, str]) -> Points:
    """An answer of the API as what the query gave."""
    names, also = tuple(dict.fromkeys(_names(asked.get("by")))), tuple(dict.fromkeys(_names(asked.get("with"))))
    found = []
    for row in answer["points"]:
        band, prediction = (_numbers(row, EXTRA_KEYS[name]) if name in also else None for name in ("band", "prediction"))
        point = Point(_time_us(row["time"]), row["value"], row["final"], tuple(row[name] for name in names), row.get("before"))
        corrected_us = _time_us(row["corrected"]) if "corrected" in row else None
        standing, outlook = None if band is None else Standing(*band), None if prediction is None else Outlook(*prediction)
        found.append(replace(point, standing=standing, outlook=outlook, corrected_us=corrected_us))
    return Points(answer["kpi"], answer["unit"], names, found, "compare" in asked, also)


def _numbers(row: Mapping[str, Any], keys: Sequence[str]) -> list[float] | None:
    """What stands at these keys; None where nothing does."""
    return [float(row[key]) for key in keys] if keys[0] in row else None


def _names(text: str | None) -> tuple[str, ...]:
    """The names in a text, separated by commas."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _time_us(text: str) -> int:
    return since_epoch_us(datetime.fromisoformat(text))
