"""What runs in Spark's Python workers: records in, rows of partials out.

The records are read by the decoder that embedded uses, so the same ones are dead letters, for the same reasons; the partials are
computed by DuckDB. A worker makes partials of what it is given and keeps nothing: what was computed twice is merged once, by Spark.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.clock import Clock, SystemClock
from livekpi.definition.definition import SourceDefinition
from livekpi.engine.spark.rendering import EVENTS, OFFSET, TIME, Statement, letters_table, progress_table
from livekpi.engine.spark.slots import SlotKind, Slots, kind_of
from livekpi.events import DeadLetter, Events
from livekpi.sources.base import Chunk
from livekpi.sources.decode import Decoder

RECORDS_AT_ONCE = 200_000
"""How many records are aggregated together: the more, the fewer rows there are to merge; the fewer, the less memory it takes."""
WRITTEN_BYTES = 900_000
"""As how many bytes of JSON a dead letter's record is written at most: the rest of the letter has room in what Kafka's producer sends."""
_TYPES: dict[SlotKind, pa.DataType] = {
    "sum_number": pa.decimal128(38, 0),
    "sum_double": pa.float64(),
    "min_text": pa.string(),
    "max_text": pa.string(),
}
_WRITTEN_MOST = 6
"""What a byte takes at most, those of one character taken together."""


def _written() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    found = np.ones(256, np.int64)
    found[:0x20] = _WRITTEN_MOST
    found[list(b'"\\\b\f\n\r\t')] = 2
    found[0xF0:0xF8] = 9  # with the three behind it two escapes, as Flink writes what is beyond 16 bits
    return found


_WRITTEN = _written()
"""What each byte of UTF-8 takes in a JSON string, on whichever cluster: both keep as much of a record."""


@dataclass(frozen=True)
class Work:
    """The work on one source; Spark sends it to its workers."""

    source: SourceDefinition
    needed: frozenset[str]
    """The fields that the statements use."""
    statements: tuple[Statement, ...]
    slots: Slots
    keep_us: int
    """How long a dead letter is kept after the latest event beside it: as long as any row, so that none is held to be late."""
    clock: Clock = field(default_factory=SystemClock)
    records_at_once: int = RECORDS_AT_ONCE

    @property
    def schema(self) -> pa.Schema:
        """Of the rows."""
        own = [(slot, _TYPES[kind_of(slot)]) for slot in self.slots.names]
        return pa.schema(
            [
                ("table", pa.string()),
                ("key", pa.string()),
                ("expires", pa.int64()),
                ("n", pa.int64()),
                (OFFSET, pa.int64()),
                (TIME, pa.int64()),
                *own,
            ]
        )

    def rows(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows of partials, progress and dead letters, of batches with partition, offset and value of Kafka's records."""
        decoder = Decoder(self.source, self.needed)
        connection = duckdb.connect(config={"threads": 1})
        connection.execute("SET TimeZone = 'UTC'")
        try:
            for chunks in _runs(batches, self.records_at_once):
                events = decoder.decode(chunks, self.clock.now_us())
                yield from self._progress(chunks, events).to_batches()
                yield from self._letters(events).to_batches()
                if events.table.num_rows:
                    connection.register(EVENTS, events.table)
                    for statement in self.statements:
                        yield from connection.sql(statement.sql).to_arrow_table().cast(self.schema).to_batches()
                    connection.unregister(EVENTS)
        finally:
            connection.close()

    def _progress(self, chunks: Iterable[Chunk], events: Events) -> pa.Table:
        """How far each partition is read: it never expires."""
        counts: dict[str, int] = {}
        offsets: dict[str, int] = {}
        for chunk in chunks:
            counts[chunk.partition] = counts.get(chunk.partition, 0) + len(chunk.records)
            offsets[chunk.partition] = max(offsets.get(chunk.partition, 0), chunk.positions[-1])
        times = pa.table({"partition": events.table["_partition"], "time": events.table["_time"].cast(pa.int64())})
        latest = times.group_by("partition").aggregate([("time", "max")])
        by_name = {events.partitions[row["partition"]]: row["time_max"] for row in latest.to_pylist()}
        return self._table(
            progress_table(self.source.name),
            [_json({"partition": int(partition)}) for partition in counts],
            None,
            list(counts.values()),
            {
                OFFSET: list(offsets.values()),
                TIME: [by_name.get(partition) for partition in counts],
            },
        )

    def _letters(self, events: Events) -> pa.Table:
        dead, latest_us = events.dead, pc.max(events.table["_time"].cast(pa.int64())).as_py()
        keys: list[dict[str, str | int | None]] = [{"partition": int(letter.partition), "offset": letter.position} for letter in dead]
        return self._table(
            letters_table(self.source.name),
            [_json(key | _said(letter)) for key, letter in zip(keys, dead, strict=True)],
            None if latest_us is None else latest_us + self.keep_us,
            [1] * len(dead),
            {},
        )

    def _table(self, table: str, keys: list[str], expires_us: int | None, n: list[int], own: dict[str, list[int | None]]) -> pa.Table:
        count = len(keys)
        columns = {"table": [table] * count, "key": keys, "expires": [expires_us] * count, "n": n, **own}
        return pa.table([pa.array(columns.get(field.name, [None] * count), field.type) for field in self.schema], self.schema)


def _json(value: Mapping[str, str | int | None]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _said(letter: DeadLetter) -> dict[str, str | int | None]:
    """A letter beside its key, with as much of its record as can be sent; the reason says where that is not all."""
    try:
        letter.record.decode()
        text = True
    except UnicodeDecodeError:
        text = False
    kept = letter.record[: _fitting(letter.record, text=text)]
    cut = f"; of its {len(letter.record)} bytes only the first {len(kept)} are kept" if len(kept) < len(letter.record) else ""
    return {
        "field": letter.field,
        "reason": letter.reason + cut,
        "code": letter.code,
        "record": kept.decode() if text else None,
        "record_base64": None if text else base64.b64encode(kept).decode(),
    }


def _fitting(record: bytes, *, text: bool) -> int:
    """How many bytes of a record's beginning are written as no more than WRITTEN_BYTES: of a text as a JSON string, else as base64."""
    if not text:
        return min(len(record), WRITTEN_BYTES // 4 * 3)
    if len(record) * _WRITTEN_MOST <= WRITTEN_BYTES:  # nearly all, at no cost
        return len(record)
    written = np.cumsum(_WRITTEN[np.frombuffer(record, np.uint8)])
    end = int(np.searchsorted(written, WRITTEN_BYTES, side="right"))
    while end < len(record) and record[end] & 0xC0 == 0x80:  # never a part of a character
        end -= 1
    return end


def _runs(batches: Iterable[pa.RecordBatch], records: int) -> Iterator[list[Chunk]]:
    """The batches as chunks, together those that make about so many records."""
    found: list[Chunk] = []
    count = 0
    for batch in batches:
        found.extend(_chunks(batch))
        count += batch.num_rows
        if count >= records:
            yield found
            found, count = [], 0
    if found:
        yield found


def _chunks(batch: pa.RecordBatch) -> Iterator[Chunk]:
    """One for each partition."""
    for partition in pc.unique(batch["partition"]).to_pylist():
        own = batch.filter(pc.equal(batch["partition"], partition))
        offsets = own["offset"].to_pylist()
        yield Chunk(str(partition), own["value"].to_pylist(), offsets, offsets[-1] + 1, ordinal=partition)
