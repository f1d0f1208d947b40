"""What goes from the sources into the engine: typed events, and the records that could not become one."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that is not counted, with all that is needed to mend and replay it."""

    source: str
    partition: str
    position: int
    field: str | None
    """The field that is wrong; None where the record as a whole is."""
    reason: str
    """Why, in words a person can act on: the value, and what was expected."""
    record: bytes
    arrived_us: int
    code: str = "invalid"
    """The kind of reason, for counting: not_json, wrong_type, missing, bad_time, ahead, no_value, too_large, too_deep, invalid."""
    columns: tuple[str, ...] | None = None
    """Of CSV, the names in the header that the record stands under; without them it can't be read again."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events of one source in columns, and the dead letters found on the way.

    `table` has one column a declared field, named as the field (Arrow types: string, int64, float64, decimal128(p, s),
    bool, timestamp[us] in UTC without a zone; json as string), and three of livekpi's own:
    `_time` timestamp[us], the event's time in UTC; `_partition` int32, an index into `partitions`;
    `_position` int64, which orders events of the same time (partition ordinal × 2**48 + position).
    """

    source: str
    table: pa.Table
    partitions: tuple[str, ...]
    next_positions: dict[str, int]
    """By partition, where reading goes on once these events are committed."""
    arrived_us: int
    """When the last of them arrived."""
    records: int = 0
    """How many records were read, dead letters included."""
    bytes: int = 0
    dead: list[DeadLetter] = field(default_factory=list)


def joined(parts: Sequence[Events]) -> Events:
    """Events of the same source and partitions, one part after another, as one."""
    if len(parts) == 1:
        return parts[0]
    return Events(
        source=parts[0].source,
        table=pa.concat_tables([part.table for part in parts]),
        partitions=parts[0].partitions,
        next_positions={partition: position for part in parts for partition, position in part.next_positions.items()},
        arrived_us=max(part.arrived_us for part in parts),
        records=sum(part.records for part in parts),
        bytes=sum(part.bytes for part in parts),
        dead=[letter for part in parts for letter in part.dead],
    )
