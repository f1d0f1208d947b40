"""`livekpi dead-letters`: lists them, and feeds mended ones back."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from livekpi.ask import client, stored
from livekpi.client import ANSWER_S, Client, ClientError, encoded
from livekpi.clock import Clock
from livekpi.engine.batch import BatchWriter
from livekpi.engine.plan import make_plan
from livekpi.engine.replay import read_request, refusal, replay
from livekpi.query.output import dead_letter_object
from livekpi.query.steps import QueryError
from livekpi.store import dead_letters
from livekpi.store.database import Store
from livekpi.web.api import dead_letters as api
from livekpi.web.objects.checks import times_us

_AROUND_BYTES = len(encoded({"letters": []}))
"""What a request has beside its letters."""
_BETWEEN_BYTES = len(", ")


class PartlyFedError(ClientError):
    """A server took some of the letters and then no more; says how many, and why. `found` says what became of those."""

    def __init__(self, found: dict[str, Any], fed: int, letters: int, error: ClientError) -> None:
        became = f"{found['replayed']} counted, {found['dead']} dead still, {len(found['unknown'])} unknown"
        super().__init__(f"{fed} of {letters} letters were fed back ({became}), then {error}; feed all back again, none is counted twice")
        self.found = found


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
    """Counts those of these letters that are events now; says how many, and why not the others.

    Raises QueryError, StoreError, and ClientError: PartlyFedError where a server has taken some of them.
    """
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
    """Feeds these to a server, by as many requests as it takes; says what became of all. Raises QueryError, ClientError."""
    fed, answers = 0, list[Mapping[str, Any]]()
    for part in _parts(rows):
        try:
            answers.append(server.post("/v1/dead-letters/replay", {"letters": part}, answer_s=api.REPLAY_S + ANSWER_S))
        except ClientError as error:
            if not answers:
                raise
            raise PartlyFedError(_together(answers), fed, len(rows), error) from error
        fed += len(part)
    return _together(answers)


def _parts(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """These letters in order, cut so that a server takes each part by one request; one empty part where there are none.

    Raises QueryError where a letter alone is too large, before any is fed back.
    """
    parts, size = [list[dict[str, Any]]()], _AROUND_BYTES
    for place, row in enumerate(rows, 1):
        bytes_ = len(encoded(row)) + _BETWEEN_BYTES
        if _AROUND_BYTES + bytes_ > api.MAX_REPLAY_BYTES:
            raise QueryError(f"row {place}: larger than the {api.MAX_REPLAY_BYTES} bytes that a server takes; feed it back while none runs")
        if len(parts[-1]) == dead_letters.MOST or size + bytes_ > api.MAX_REPLAY_BYTES:
            parts.append([])
            size = _AROUND_BYTES
        parts[-1].append(row)
        size += bytes_
    return parts


def _together(answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What became of the letters of several requests, as the API answers one."""
    counts = {name: sum(answer[name] for answer in answers) for name in ("replayed", "dead")}
    return counts | {name: [each for answer in answers for each in answer[name]] for name in ("unknown", "errors")}


def show(asked: Mapping[str, str], data: Path, clock: Clock, out: TextIO) -> None:
    """Writes the dead letters asked for, one JSON object a line."""
    for letter in find(data, asked, clock.now_us()):
        _write(letter, out)


def show_replay(asked: Mapping[str, str], data: Path, clock: Clock, mended: TextIO | None, out: TextIO) -> bool:
    """Feeds back the letters in `mended`, listed as `show` does; without, those asked for as they are. Writes what became of them.

    False where there were letters to feed back, and none was. Where a server takes some only, what became of those is written too.
    """
    rows = _read(mended) if mended else [{"number": letter["number"]} for letter in find(data, asked, clock.now_us())]
    try:
        found = feed_back(data, rows, clock)
    except PartlyFedError as error:
        _write(error.found, out)
        raise
    _write(found, out)
    return not rows or found["replayed"] > 0


def _write(found: Mapping[str, Any], out: TextIO) -> None:
    out.write(json.dumps(found, ensure_ascii=False) + "\n")


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
