"""`livekpi dead-letters`: lists them, and feeds mended ones back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from livekpi.ask import client, stored
from livekpi.client import Client
from livekpi.clock import Clock
from livekpi.engine.batch import BatchWriter
from livekpi.engine.plan import make_plan
from livekpi.engine.replay import read_request, refusal, replay
from livekpi.query.output import dead_letter_object
from livekpi.query.steps import QueryError
from livekpi.store import dead_letters
from livekpi.store.database import Store
from livekpi.web.objects.checks import times_us


def find(data: Path, asked: Mapping[str, str], now_us: int) -> list[dict[str, Any]]:
    """The dead letters asked for (source, reason, from, to, limit), with and without a server."""
    server = client(data)
    if server is not None:
        found: list[dict[str, Any]] = server.get("/v1/dead-letters", asked)["dead_letters"]
        return found
    times = times_us(asked, ("from", "to"), now_us)
    with stored(data) as (cursor, _, _alive_us):
        letters = dead_letters.find(
            cursor,
            source=asked.get("source"),
            reason=asked.get("reason"),
            from_us=times["from"],
            to_us=times["to"],
            limit=int(asked.get("limit", dead_letters.DEFAULT)),
        )
    return [dead_letter_object(letter) for letter in letters]


def feed_back(data: Path, rows: list[dict[str, Any]], clock: Clock) -> dict[str, Any]:
    """Counts those of these letters that are events now; says how many, and why not the others."""
    try:
        request = read_request(rows)
    except ValueError as error:
        raise QueryError(str(error)) from error
    server = client(data)
    if server is not None:
        return _feed_to(server, rows)
    with stored(data) as (_, definition, _alive_us):
        refused = refusal(definition)
    if refused is not None:  # rows beside those that a job replaces would be counted with them for ever
        raise QueryError(refused)
    store = Store.open(data, clock, memory_mib=definition.spec.limits.memory_mib)
    try:
        writer = BatchWriter(definition, make_plan(definition), clock)
        with store.transaction() as cursor:
            writer.load(cursor)
            return replay(cursor, definition, writer, request, clock.now_us()).summary()
    finally:
        store.close()


def _feed_to(server: Client, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Feeds these to a server, by as many requests as it takes; says what became of all."""
    parts = [rows[begin : begin + dead_letters.MOST] for begin in range(0, len(rows) or 1, dead_letters.MOST)]
    answers = [server.post("/v1/dead-letters/replay", {"letters": part}) for part in parts]
    counts = {name: sum(answer[name] for answer in answers) for name in ("replayed", "dead")}
    return counts | {name: [each for answer in answers for each in answer[name]] for name in ("unknown", "errors")}


def show(asked: Mapping[str, str], data: Path, clock: Clock, out: TextIO) -> None:
    """Writes the dead letters asked for, one JSON object a line."""
    out.writelines(json.dumps(letter, ensure_ascii=False) + "\n" for letter in find(data, asked, clock.now_us()))


def show_replay(asked: Mapping[str, str], data: Path, clock: Clock, mended: TextIO | None, out: TextIO) -> bool:
    """Feeds back the letters in `mended`, listed as `show` does; without, those asked for as they are. Writes what became of them.

    False where there were letters to feed back, and none was.
    """
    rows = _read(mended) if mended else [{"number": letter["number"]} for letter in find(data, asked, clock.now_us())]
    found = feed_back(data, rows, clock)
    out.write(json.dumps(found, ensure_ascii=False) + "\n")
    return not rows or found["replayed"] > 0


def _read(lines: TextIO) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise QueryError(f"{lines.name}:{number}: expected a dead letter as listed, one JSON object: {error}") from error
            if not isinstance(row, dict):
                raise QueryError(f"{lines.name}:{number}: expected a dead letter as listed, one JSON object")
            rows.append({name: row[name] for name in ("number", "record", "record_base64") if name in row})
    return rows
