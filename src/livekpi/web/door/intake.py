"""Bodies on their way into the log: taken apart, decoded, made durable. Large ones each on a thread, small ones together."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from http import HTTPStatus

from livekpi.sources.faults import Fault, Faults
from livekpi.sources.handover import Decoded
from livekpi.sources.ingest_log import IngestLog
from livekpi.sources.lined import text_of
from livekpi.web.door.records import decompress, split
from livekpi.web.problems import ProblemError

Decode = Callable[[Sequence[bytes], int], Decoded]
"""Makes events of records that arrive at a time in µs."""

TOGETHER_BYTES = 16 * 2**10
"""A larger body is looked at on a thread, so that the event loop goes on meanwhile."""


@dataclass(frozen=True, slots=True)
class Taken:
    """How many records of a body are in the log, and what is wrong with some of them, by their line (or element) from 0."""

    count: int
    faults: list[tuple[int, Fault]]


@dataclass(frozen=True, slots=True)
class _Examined:
    """What goes into the log of some bodies, and what is wrong with each body's records, by index."""

    records: Sequence[bytes]
    decoded: Decoded
    faults: list[Faults]


@dataclass(slots=True)
class _Round:
    """Bodies that go into the log together."""

    arrived_us: int
    bodies: list[Sequence[bytes]] = field(default_factory=list)
    taken: asyncio.Task[list[Faults]] | None = None


class Intake:
    """Takes one source's bodies.

    To decode and to sync cost a few records little more than one, so the small bodies that are here at the same turn of the
    event loop share both.
    """

    def __init__(self, log: IngestLog, decode: Decode, max_body_bytes: int, pool: Executor) -> None:
        self._log = log
        self._decode = decode
        self._max_body_bytes = max_body_bytes
        self._pool = pool
        self._round: _Round | None = None

    async def take(self, body: bytes, encoding: str, arrived_us: int, hold: Callable[[int], None]) -> Taken:
        """Returns once a body's records are in the log and synced; `hold` is told how many bytes more are held meanwhile.

        Raises ProblemError where none of it can be read as JSON, or it is too large when it is decompressed; AppendError where
        it can't be made durable.
        """
        if len(body) > TOGETHER_BYTES or encoding:
            loop = asyncio.get_running_loop()
            records, examined = await loop.run_in_executor(self._pool, self._alone, body, encoding, arrived_us)
            hold(examined.decoded.events.bytes)
            await self._append(examined, arrived_us)
            return _taken(records, examined.faults[0])
        records = list(split(body))
        hold(len(body))
        return _taken(records, await self._together(records, arrived_us))

    def _alone(self, body: bytes, encoding: str, arrived_us: int) -> tuple[Sequence[bytes], _Examined]:
        records = split(decompress(body, encoding, self._max_body_bytes))
        return records, self._examine([records], arrived_us)

    async def _together(self, records: Sequence[bytes], arrived_us: int) -> Faults:
        if any(b"\n" in record for record in records):  # can't stand among others, one a line
            return (await self._run(_Round(arrived_us, [records])))[0]
        if self._round is None or self._round.arrived_us != arrived_us:
            self._round = _Round(arrived_us)
            self._round.taken = asyncio.create_task(self._run(self._round))
        mine = self._round
        place = len(mine.bodies)
        mine.bodies.append(records)
        assert mine.taken is not None
        return (await asyncio.shield(mine.taken))[place]  # a request that goes away takes no other's events with it

    async def _run(self, this: _Round) -> list[Faults]:
        """Begins at the next turn of the event loop, when all that are here have added their bodies."""
        if self._round is this:
            self._round = None
        examined = self._examine(this.bodies, this.arrived_us)
        await self._append(examined, this.arrived_us)
        return examined.faults

    def _examine(self, bodies: Sequence[Sequence[bytes]], arrived_us: int) -> _Examined:
        records = bodies[0] if len(bodies) == 1 else [record for body in bodies for record in body]
        decoded = self._decode(records, arrived_us)
        found = decoded.faults
        if not found:
            return _Examined(records, decoded, [{} for _ in bodies])
        faults: list[Faults] = []
        kept: list[bytes] = []
        begin = 0
        for body in bodies:
            own = {index - begin: fault for index, fault in found.items() if begin <= index < begin + len(body)}
            begin += len(body)
            faults.append(own)
            kept += [] if _unreadable(body, own) else [record for record in body if record.strip()]
        if len(kept) < len(records):
            decoded = self._decode(kept, arrived_us)
        return _Examined(kept, decoded, faults)

    async def _append(self, examined: _Examined, arrived_us: int) -> None:
        if examined.records:
            await self._log.append(text_of(examined.records), len(examined.records), arrived_us, examined.decoded)


def _unreadable(records: Sequence[bytes], faults: Faults) -> bool:
    """Whether nothing in a body is JSON; such a body is refused as a whole."""
    return len(faults) == len(records) > 0 and all(fault.code == "not_json" for fault in faults.values())


def _taken(records: Sequence[bytes], found: Faults) -> Taken:
    """What is said of a body; blank lines are no records. Raises ProblemError where it is refused."""
    faults = sorted((index, fault) for index, fault in found.items() if records[index].strip())
    if _unreadable(records, found):
        index, fault = faults[0]
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"nothing in the body is JSON; line {index + 1}: {fault.reason}")
    return Taken(len(records) - (len(found) - len(faults)), faults)
