"""What the door has decoded, on its way to the engine beside the ingest log, so that it is decoded once.

The log is what counts: whatever is missing here is read from there.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow.compute as pc

from livekpi.events import Events
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder
from livekpi.sources.faults import Fault, Faults
from livekpi.sources.lined import Numbers, starts

PARTITION = "log"
"""The one partition of an http source."""
KEPT_BYTES = 32 * 2**20
"""How much is kept of what the engine has not read yet, counted by the records' bytes."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """Records as events, before they have a place in the log; each stands where it does among these records, one a line."""

    events: Events
    starts: Numbers
    """Where each record begins."""

    @classmethod
    def of(cls, decoder: Decoder, records: Sequence[bytes], arrived_us: int) -> "Decoded":
        begins = starts(records)
        chunk = Chunk(PARTITION, records, begins.data, 0, arrived_us=arrived_us)
        return cls(decoder.decode([chunk], arrived_us), begins)

    @property
    def faults(self) -> Faults:
        """What is wrong with those records that can't be events, by index."""
        dead = self.events.dead
        if not dead:
            return {}
        indexes = np.searchsorted(self.starts, [letter.position for letter in dead]).tolist()
        return {index: Fault(letter.code, letter.reason, letter.field) for index, letter in zip(indexes, dead, strict=True)}

    def placed(self, first: int, next_position: int) -> Events:
        """The events with the positions they have in the log, where the first record begins at `first`."""
        table = self.events.table
        column = table.schema.get_field_index("_position")
        return replace(
            self.events,
            table=table.set_column(column, table.schema.field(column), pc.add(table[column], first)),
            next_positions={PARTITION: next_position},
            dead=[replace(letter, position=first + letter.position) for letter in self.events.dead],
        )


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Decoded records of the frame at a position of the log."""

    position: int
    first: int
    next_position: int
    decoded: Decoded


class Handover:
    """Holds decoded records until the engine's reader comes to their place; the caller sees to it that one thread uses it at a time."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept_bytes = kept_bytes
        self._waiting: deque[_Waiting] = deque()
        self._bytes = 0

    def put(self, position: int, first: int, next_position: int, decoded: Decoded) -> None:
        """Adds what stands in the log from `position` to `next_position`, unless too much waits already."""
        if self._bytes + decoded.events.bytes <= self._kept_bytes:
            self._waiting.append(_Waiting(position, first, next_position, decoded))
            self._bytes += decoded.events.bytes

    def take(self, position: int) -> Events | None:
        """The events that stand at `position`; None where they are not here. Those before it are not waited for any more."""
        while self._waiting and self._waiting[0].position <= position:
            found = self._waiting.popleft()
            self._bytes -= found.decoded.events.bytes
            if found.position == position:
                return found.decoded.placed(found.first, found.next_position)
        return None
