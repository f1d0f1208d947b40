"""Feeds dead letters back: those that are events now, because they or the definition were mended, are counted."""

import base64
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import duckdb

from livekpi.definition.definition import Definition
from livekpi.engine.batch import Outcome
from livekpi.engine.writer import Writer
from livekpi.events import Events
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.store import dead_letters
from livekpi.store.dead_letters import StoredDeadLetter

MAX_NUMBER = 2**63 - 1


class ReplayError(Exception):
    """Letters could not be fed back for a fault of livekpi's; none of them was. Says which."""


@dataclass(frozen=True)
class Replay:
    """Which dead letters to feed back, by number, and the records of those that were mended."""

    numbers: tuple[int, ...]
    mended: Mapping[int, bytes]


def read_request(rows: Sequence[Mapping[str, Any]]) -> Replay:
    """A request from dead letters as they are listed: number, and record (or record_base64) where it is to be another one.

    Raises ValueError with the row that is wrong.
    """
    mended: dict[int, bytes] = {}
    numbers: list[int] = []
    for place, row in enumerate(rows, 1):
        number, record, coded = row.get("number"), row.get("record"), row.get("record_base64")
        if not isinstance(record, str | None) or not isinstance(coded, str | None):
            raise ValueError(  # noqa: TRY004 - a value of the caller's, not its code
                f"row {place}: expected a dead letter as listed, with its `number` and its `record` as text"
            )
        if not isinstance(number, int) or isinstance(number, bool) or not 0 < number <= MAX_NUMBER:
            raise ValueError(f"row {place}: expected `number` as the dead letter is listed, a whole number from 1 to 2^63 - 1")
        numbers.append(number)
        try:
            if record is not None:
                mended[number] = record.encode()
            elif coded is not None:
                mended[number] = base64.b64decode(coded, validate=True)
        except ValueError as error:  # half a surrogate pair, or not base64
            raise ValueError(f"row {place}: its record can't be read: {error}") from error
    return Replay(tuple(numbers), mended)


@dataclass(frozen=True)
class Replayed:
    """What became of dead letters."""

    outcome: Outcome | None
    """What was written; None where nothing was fed back."""
    fed: tuple[int, ...]
    """The numbers of those that were counted, or dropped as repeats; they are dead letters no more."""
    dead: tuple[tuple[int, str], ...]
    """The others, with the reason."""
    unknown: tuple[int, ...] = ()
    """The numbers of no dead letter, or of one that was fed back before."""

    def summary(self) -> dict[str, Any]:
        """As the API answers."""
        return {
            "replayed": len(self.fed),
            "dead": len(self.dead),
            "unknown": list(self.unknown),
            "errors": [{"number": number, "reason": why} for number, why in self.dead],
        }


def refusal(definition: Definition) -> str | None:
    """Why dead letters can't be fed back to a definition's engine; None where they can."""
    engine = definition.spec.engine
    return None if engine.cluster is None else f"engine {engine.name} counts what the source's topic holds; send the mended record there"


def replay(cursor: duckdb.DuckDBPyConnection, definition: Definition, writer: Writer, request: Replay, now_us: int) -> Replayed:
    """Counts what can be counted, once, in the caller's transaction."""
    batch: list[Events] = []
    fed: list[int] = []
    dead: list[tuple[int, str]] = []
    letters = dead_letters.numbered(cursor, request.numbers)
    unknown = tuple(sorted(set(request.numbers) - {letter.number for letter in letters}))
    if writer.refuses_replay is not None:
        return Replayed(None, (), tuple((letter.number, writer.refuses_replay) for letter in letters), unknown)
    by_source = groupby(sorted(letters, key=lambda letter: letter.source), key=lambda letter: letter.source)
    for source, group in by_source:
        if source not in definition.sources:
            dead += [(letter.number, f"there is no source {source!r} any more") for letter in group]
            continue
        decoder = Decoder(definition.sources[source])
        for apart in _of_records_apart(group):
            chunks = {letter.number: _chunk(letter, request) for letter in apart}
            events, reasons = _decoded(decoder, chunks, now_us)
            batch += [events] if events is not None else []
            fed += [number for number in chunks if number not in reasons]
            dead += reasons.items()
    if not batch:  # a commit's number that no row of the store has would be another one's too
        return Replayed(None, (), tuple(dead), unknown)
    outcome = writer.replay(cursor, batch)
    dead_letters.mark_replayed(cursor, fed, now_us)
    return Replayed(outcome, tuple(fed), tuple(dead), unknown)


def _of_records_apart(letters: Iterable[StoredDeadLetter]) -> list[list[StoredDeadLetter]]:
    """One source's letters, such that no two of a list are of the same record: nearly always all are in one."""
    found: list[list[StoredDeadLetter]] = []
    seen: dict[tuple[str, int], int] = defaultdict(int)
    for letter in letters:
        turn = seen[letter.partition, letter.position]
        seen[letter.partition, letter.position] += 1
        if turn == len(found):
            found.append([])
        found[turn].append(letter)
    return found


def _chunk(letter: StoredDeadLetter, request: Replay) -> Chunk:
    record = request.mended.get(letter.number, letter.record)
    return Chunk(letter.partition, [record], [letter.position], letter.position + 1, columns=letter.columns)


def _decoded(decoder: Decoder, chunks: Mapping[int, Chunk], now_us: int) -> tuple[Events | None, dict[int, str]]:
    """The events of those that are some, None where none is; and of the others why not, by number. No two chunks are of the same record."""
    events = decoder.decode(list(chunks.values()), now_us)
    if not events.dead:
        return events, {}
    whys = {(letter.partition, letter.position): letter.reason for letter in events.dead}
    places = {number: (chunk.partition, chunk.positions[0]) for number, chunk in chunks.items()}
    reasons = {number: whys[place] for number, place in places.items() if place in whys}
    good = [chunk for number, chunk in chunks.items() if number not in reasons]
    return decoder.decode(good, now_us) if good else None, reasons
