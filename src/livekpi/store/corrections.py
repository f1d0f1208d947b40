"""Which numbers changed after they had been final: noted in the cells' own rows.

So a mark is in the transaction of the number that it is about, merges with it, and goes with it. It holds up to when the source was final
just before, since that decides of which steps it tells: of a bucket of ten seconds that was final, but not of the hour around it that
was still open.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from livekpi.definition.definition import SourceDefinition
from livekpi.store import positions
from livekpi.store.layout import CORRECTED_AT, CORRECTED_FINAL
from livekpi.store.positions import Position


@dataclass(frozen=True, slots=True)
class Final:
    """What of a source was final before a batch that comes to be written; all times in µs."""

    until_us: int
    """Buckets that end then or earlier were."""
    last_event_us: int
    """The source's last event before: of later buckets nobody has been told anything, even where nothing was waited for any more."""
    at_us: int
    """When the batch is written."""

    @classmethod
    def of(cls, known: Iterable[Position], source: SourceDefinition, now_us: int) -> Self | None:
        """What is final now of a source whose partitions stand so; None before its first event."""
        rows = list(known)
        watermark_us = positions.watermark_us(rows, now_us, source.idle_us)
        last_event_us = positions.last_event_us(rows)
        if watermark_us is None or last_event_us is None:
            return None
        return cls(watermark_us - source.late_us, last_event_us, now_us)

    def marks_sql(self, bucket: str, every_us: int) -> str:
        """The columns of MARKS for the row of a bucket (an SQL expression of its start) of `every_us`: null where it was not final."""
        corrects = f"CASE WHEN {bucket} <= make_timestamp({min(self.until_us - every_us, self.last_event_us)}) THEN"
        return f"{corrects} {self.until_us} END AS {CORRECTED_FINAL}, {corrects} {self.at_us} END AS {CORRECTED_AT}"


NO_MARKS_SQL = f"NULL::BIGINT AS {CORRECTED_FINAL}, NULL::BIGINT AS {CORRECTED_AT}"
"""As `marks_sql` where nothing was final."""
