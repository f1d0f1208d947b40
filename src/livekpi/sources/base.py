"""What every source is: something that reads records from a position."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from livekpi.events import Events


@dataclass(frozen=True, slots=True)
class Chunk:
    """Records of one partition, as they came, in the order of their positions."""

    partition: str
    """Names the partition within its source: a Kafka partition's number, a file's path."""
    records: Sequence[bytes | None]
    """The bytes of each event; None is a record without a value (a Kafka tombstone)."""
    positions: Sequence[int]
    """Where each record stands in its partition, ascending; same length as records."""
    next_position: int
    """Where reading goes on once these records are committed."""
    ordinal: int = 0
    """The partition's number, 0 to 32767; decides between events of the same time."""
    columns: tuple[str, ...] | None = None
    """For CSV: the names in the header the records stand under."""
    arrived_us: int | None = None
    """When the records arrived, if that was before they were read (the ingest log knows), in µs since the epoch."""


class Source(Protocol):
    """Reads records from committed positions on; one instance is used by one thread, but for `lag` and `problem`."""

    @property
    def problem(self) -> str | None:
        """What keeps it from reading now, while it goes on trying by itself; None while nothing does."""

    def start(self, positions: Mapping[str, int]) -> None:
        """Opens the source; reading begins at `positions`, by partition, and as configured on partitions not named."""

    def read(self, limit: int, timeout_s: float) -> Sequence[Chunk | Events]:
        """Returns at most about `limit` records; waits up to `timeout_s` for the first, then takes what is there.

        Records are raw, but for those that the source has decoded already. An empty list means that nothing came.
        Raises SourceError when reading can't go on.
        """

    def at_end(self) -> bool:
        """True once all that was there at `start` has been read (for --once)."""

    def committed(self, positions: Mapping[str, int]) -> None:
        """Says that everything before `positions` is in the store; a source may let go of it."""

    def lag(self) -> Mapping[str, int]:
        """What is known to be unread, by partition, in the partition's own unit (records for Kafka, else bytes)."""

    def close(self) -> None:
        """Frees what the source holds; called once, from the reading thread."""


class SourceError(Exception):
    """A source can't be read: says which, why, and what to do."""
