"""`livekpi annotate`: beside a running server through its API, without one in the store."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import duckdb

from livekpi.ask import client, stored
from livekpi.clock import Clock
from livekpi.query.steps import QueryError
from livekpi.store import annotations
from livekpi.store.database import Store
from livekpi.terminal import plain, print_table, table, user, write_lines
from livekpi.web.objects.annotations import Asked, annotation_object, checked, write

Object = dict[str, Any]


def add(asked: Mapping[str, Any], data: Path, clock: Clock, form: str, out: TextIO) -> None:
    """Notes something; `asked` has the members of the API (text, kind, kpis, time, end, author, link). Raises QueryError, ClientError."""
    content = {"author": user(), **asked}
    server = client(data)
    if server is not None:
        made: Object = server.post("/v1/annotations", content)
    else:
        with stored(data) as (_, definition, _alive_us):
            pass
        note = checked(definition, Asked(**content), clock.now_us())
        with _written(data, clock) as cursor:
            made = annotation_object(write(cursor, note, definition.spec.limits.annotations))
    _show([made], form, out)


def show(data: Path, form: str, out: TextIO) -> None:
    """Writes all annotations, oldest first."""
    server = client(data)
    if server is not None:
        found: list[Object] = server.get("/v1/annotations")["annotations"]
    else:
        with stored(data) as (cursor, _, _alive_us):
            found = [annotation_object(each) for each in annotations.find(cursor)]
    _show(found, form, out)


def delete(number: int, data: Path, clock: Clock, out: TextIO) -> None:
    """Deletes one. Raises QueryError, ClientError where there is none of that number."""
    server = client(data)
    if server is not None:
        server.delete(f"/v1/annotations/{number}")
    else:
        with stored(data):
            pass
        with _written(data, clock) as cursor:
            found = annotations.remove(cursor, number)
        if found is None:
            raise QueryError(f"{number} is no number of an annotation; --list shows them")
    out.write(f"{number} is deleted\n")


@contextmanager
def _written(data: Path, clock: Clock) -> Iterator[duckdb.DuckDBPyConnection]:
    """A transaction on a data directory that no server has open."""
    store = Store.open(data, clock)
    try:
        with store.beside() as cursor:
            yield cursor
    finally:
        store.close()


def _show(rows: Sequence[Object], form: str, out: TextIO) -> None:
    if form == "json":
        write_lines(rows, out)
    elif rows:
        found = table("number", "time", "end", "kind", "KPIs", "text", "author", "link")
        for row in rows:
            texts = (row["kind"], ", ".join(row["kpis"]) or "all", row["text"], row["author"], row["link"] or "")
            found.add_row(str(row["number"]), row["time"], row["end"] or "", *map(plain, texts))
        print_table(found, out)
    else:
        out.write("none\n")
