"""How far a cluster's job is with a source, kept as the source's positions, so that watermarks mean here what they mean everywhere.

Two things differ from a source that is read here. The numbers run ahead of the progress, which is held back (see sources/partials.py): the
latest bucket served is a position of its own that holds no watermark back. And a silent job is not a silent source: a partition that the
source has more of than the job has read never counts as idle, however long nothing comes.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pyarrow as pa

from livekpi.store.positions import ENDED_US, Position, last_event_us

BUCKETS = "buckets"
"""The position that says which bucket is the latest served."""


class Progress:
    """One source's."""

    def __init__(self, ends: Callable[[], Mapping[str, int] | None]) -> None:
        """`ends` says where the source's partitions end, of those that hold records; None while that is not known."""
        self._ends = ends
        self._known: dict[str, Position] = {}
        self._counts: dict[int, int] = {}

    def load(self, known: Mapping[str, Position]) -> None:
        """Begins with what the store holds."""
        self._known = dict(known)
        self._counts.clear()

    def keep(self, positions: Iterable[Position]) -> None:
        """Takes over what has been written."""
        self._known.update((row.partition, row) for row in positions)

    @property
    def known(self) -> Iterable[Position]:
        """The source's positions as they stand."""
        return self._known.values()

    @property
    def last_event_us(self) -> int | None:
        """The last event known; None before the first."""
        return last_event_us(self._known.values())

    def advanced(self, rows: pa.Table, now_us: int) -> list[Position]:
        """Positions as the job's rows say, the last of each partition. A job that has gone back takes them back."""
        last = {row["partition"]: row for row in rows.select(["partition", "offset", "time"]).to_pylist()}
        return [Position(str(number), row["offset"] + 1, row["time"], now_us) for number, row in last.items()]

    def counted(self, rows: pa.Table) -> int:
        """How many events and dead letters more these rows say were read, as far as that is known."""
        total = 0
        for number, n in zip(rows["partition"].to_pylist(), rows["n"].to_pylist(), strict=True):
            # what was counted before this process began is not counted again
            before = self._counts.get(number, n if str(number) in self._known else 0)
            total += max(0, n - before)
            self._counts[number] = n
        return total

    def served(self, bucket_us: int) -> list[Position]:
        """Says that a bucket is served; nothing where a later one is."""
        known = self._known.get(BUCKETS)
        later = known is None or known.watermark_us is None or known.watermark_us < bucket_us
        return [Position(BUCKETS, 0, bucket_us, ENDED_US)] if later else []

    def waiting(self, now_us: int) -> list[Position]:
        """Those positions that hold the watermark back, because the job has not read all there is, as of now."""
        ends = self._ends()
        found = [
            replace(row, arrived_us=now_us)
            for row in self._known.values()
            if row.partition != BUCKETS and (ends is None or row.position < ends.get(row.partition, 0))
        ]
        if BUCKETS in self._known:  # numbers are served: until a partition's progress is known, none of them is final
            unread = {"0"} if ends is None else ends.keys()
            found += [Position(partition, 0, 0, now_us) for partition in sorted(unread - self._known.keys())]
        return found

    def ended(self) -> list[Position]:
        """All positions, as those of a source that has been read to its end."""
        return [replace(row, arrived_us=ENDED_US) for row in self._known.values()]

    def begun(self, now_us: int) -> list[Position]:
        """All positions, waiting anew: a server that was away does not know who was silent meanwhile."""
        return [replace(row, arrived_us=now_us) for row in self._known.values() if row.partition != BUCKETS]
