"""A source whose records are held in memory: what arrived, to be read from any position on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from livekpi.sources.base import Chunk
from livekpi.sources.csv_text import CsvText


@dataclass(frozen=True)
class _Arrival:
    """A record, and what is known of it besides."""

    record: bytes | None
    arrived_us: int
    columns: tuple[str, ...] | None


class Tape:
    """Implements Source. Unlike others it may be started again, and is when the server was killed."""

    problem = None

    def __init__(self, csv: CsvText | None = None) -> None:
        """With `csv` the first of the records that arrive together names the columns of the others."""
        self._csv = csv
        self._partitions: dict[int, list[_Arrival]] = {}
        self._positions: dict[str, int] = {}

    def arrive(self, partition: int, records: Sequence[bytes | None], now_us: int) -> None:
        """Records come in."""
        columns = None
        if self._csv is not None:
            columns, records = tuple(self._csv.cells((records[0] or b"").decode())), records[1:]
        self._partitions.setdefault(partition, []).extend(_Arrival(record, now_us, columns) for record in records)

    def start(self, positions: Mapping[str, int]) -> None:
        self._positions = dict(positions)

    def read(self, limit: int, timeout_s: float) -> list[Chunk]:
        """All that has arrived; it is little, and waiting would bring no more."""
        found = [chunk for partition in self._partitions for chunk in self._unread(partition)]
        self._positions |= {chunk.partition: chunk.next_position for chunk in found}
        return found

    def _unread(self, partition: int) -> Iterator[Chunk]:
        position = self._positions.get(str(partition), 0)
        arrivals = self._partitions[partition][position:]
        for (arrived_us, columns), group in groupby(arrivals, key=lambda arrival: (arrival.arrived_us, arrival.columns)):
            records = [arrival.record for arrival in group]
            numbers = range(position, position + len(records))
            position += len(records)
            yield Chunk(str(partition), records, numbers, position, partition, columns, arrived_us)

    def at_end(self) -> bool:
        return not any(list(self._unread(partition)) for partition in self._partitions)

    def committed(self, positions: Mapping[str, int]) -> None:
        """Nothing is let go of: a kill may need it again."""

    def lag(self) -> Mapping[str, int]:
        return {str(partition): len(arrivals) - self._positions.get(str(partition), 0) for partition, arrivals in self._partitions.items()}

    def close(self) -> None:
        """There is nothing to free."""
