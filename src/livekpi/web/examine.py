"""A body taken apart, and its records checked: on a thread where it is large, else together with others that are here."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from http import HTTPStatus

from livekpi.sources.faults import Fault, Faults
from livekpi.web.bodies import decompress, split
from livekpi.web.problems import ProblemError

Check = Callable[[Sequence[bytes], int], Faults]
"""Which records that arrive at a time in µs the engine would make dead letters of, by index; as Decoder.check does."""

TOGETHER_BYTES = 16 * 2**10
"""A larger body is looked at on a thread, so that the event loop goes on meanwhile."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A body as it goes into the log, and what is wrong with its records, by their line (or element) from 0."""

    payload: bytes
    count: int
    faults: list[tuple[int, Fault]]


@dataclass(slots=True)
class _Round:
    """The records that are checked together, and the check."""

    arrived_us: int
    records: list[bytes] = field(default_factory=list)
    checked: asyncio.Task[Faults] | None = None


class Examiner:
    """Examines one source's bodies.

    A check costs a tenth of a millisecond however few its records are, so the small bodies that are here at the same turn of
    the event loop share one.
    """

    def __init__(self, check: Check, max_body_bytes: int, pool: Executor) -> None:
        self._check = check
        self._max_body_bytes = max_body_bytes
        self._pool = pool
        self._round: _Round | None = None

    async def examine(self, body: bytes, encoding: str, arrived_us: int) -> Examined:
        """Raises ProblemError where none of the body can be read as JSON, or it is too large when it is decompressed."""
        if len(body) > TOGETHER_BYTES or encoding:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._alone, body, encoding, arrived_us)
        records = split(body)
        return _judge(records, await self._together(records, arrived_us))

    def _alone(self, body: bytes, encoding: str, arrived_us: int) -> Examined:
        records = split(decompress(body, encoding, self._max_body_bytes))
        return _judge(records, self._check(records, arrived_us))

    async def _together(self, records: list[bytes], arrived_us: int) -> Faults:
        if self._round is None or self._round.arrived_us != arrived_us:
            self._round = _Round(arrived_us)
            self._round.checked = asyncio.create_task(self._run(self._round))
        mine = self._round
        begin = len(mine.records)
        mine.records.extend(records)
        assert mine.checked is not None
        faults = await asyncio.shield(mine.checked)  # a request that goes away takes no other's check with it
        return {index - begin: fault for index, fault in faults.items() if 0 <= index - begin < len(records)} if faults else faults

    async def _run(self, this: _Round) -> Faults:
        """Begins at the next turn of the event loop, when all that are here have added their records."""
        if self._round is this:
            self._round = None
        return self._check(this.records, this.arrived_us)


def _judge(records: list[bytes], found: Faults) -> Examined:
    faults = sorted(found.items())
    if faults:
        blank = {index for index, _ in faults if not records[index].strip()}
        records = [record for index, record in enumerate(records) if index not in blank]
        faults = [(index, fault) for index, fault in faults if index not in blank]
        if len(faults) == len(records) and all(fault.code == "not_json" for _, fault in faults):
            index, fault = faults[0]
            raise ProblemError(HTTPStatus.BAD_REQUEST, f"nothing in the body is JSON; line {index + 1}: {fault.reason}")
    return Examined(b"\n".join(records), len(records), faults)
