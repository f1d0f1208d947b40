"""Records → events: the hot path. Every declared field is checked; columns are made of those that are needed.

Records are taken in pieces that fit the processor's cache, from bytes to Arrow before the next piece is touched.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import accumulate, chain, groupby
from operator import attrgetter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.definition.definition import SourceDefinition
from livekpi.events import DeadLetter, Events
from livekpi.sources.base import Chunk
from livekpi.sources.columns import arrow_type
from livekpi.sources.faults import Fault, mask
from livekpi.sources.lined import lengths_of
from livekpi.sources.pieces import Piece, PieceReader
from livekpi.sources.times import TIMESTAMP

MAX_RECORD_BYTES = 2**20
"""A larger record is a dead letter."""
KEPT_BYTES = 64 * 2**10
"""How much its dead letter keeps of a record that is too large."""
ORDINAL_POSITIONS = 2**48
"""How far apart the `_position`s of two partitions are."""
PIECE_RECORDS = 2_000
"""How many records are taken at once: few enough for the cache, and many enough to share the cost of a call."""


class Decoder:
    """Decodes one source's records. It keeps nothing between calls; threads may share it."""

    def __init__(
        self,
        source: SourceDefinition,
        needed: Collection[str] | None = None,
        *,
        max_record_bytes: int = MAX_RECORD_BYTES,
        piece_records: int = PIECE_RECORDS,
    ) -> None:
        """`needed` names the fields to make columns of; None is all declared ones."""
        self._source = source
        self._piece_records = piece_records
        fields = [field for field in source.fields.values() if needed is None or field.name in needed]
        self._reader = PieceReader(source, max_record_bytes, {field.name for field in fields})
        self.schema = pa.schema(
            [(field.name, arrow_type(field.type)) for field in fields]
            + [("_time", TIMESTAMP), ("_partition", pa.int32()), ("_position", pa.int64())]
        )
        """Of the tables that `decode` makes."""

    def decode(self, chunks: Sequence[Chunk], arrived_us: int) -> Events:
        """Makes events of all records; those that can't be one are dead letters, in the order of the records.

        `arrived_us` is for chunks that don't say when they arrived.
        """
        partitions = {name: index for index, name in enumerate(dict.fromkeys(chunk.partition for chunk in chunks))}
        batches: list[pa.RecordBatch] = []
        dead: list[DeadLetter] = []
        total_bytes = 0
        for columns, group in groupby(chunks, attrgetter("columns")):
            run = _Run(list(group), partitions, arrived_us)
            for begin in range(0, len(run.records), self._piece_records):
                records = run.records[begin : begin + self._piece_records]
                lengths = lengths_of(records)
                total_bytes += int(lengths.sum())
                piece = self._reader.read(records, lengths, columns, run.arrivals(begin), run.earliest_us)
                dead.extend(self._dead_letter(run, begin + index, fault) for index, fault in sorted(piece.faults.items()))
                if piece.columns:
                    batches.append(self._batch(piece, run, begin, begin + len(records)))
        return Events(
            source=self._source.name,
            table=pa.Table.from_batches(batches, self.schema),
            partitions=tuple(partitions),
            next_positions={chunk.partition: chunk.next_position for chunk in chunks},
            arrived_us=max((_arrived_us(chunk, arrived_us) for chunk in chunks), default=arrived_us),
            records=sum(len(chunk.records) for chunk in chunks),
            bytes=total_bytes,
            dead=dead,
        )

    def _batch(self, piece: Piece, run: "_Run", begin: int, end: int) -> pa.RecordBatch:
        own = [array[begin:end] for array in (run.partitions, run.positions)]
        if piece.faults:
            good = pc.invert(mask(piece.faults, end - begin))
            own = [array.filter(good) for array in own]
        named = piece.columns | {"_time": piece.columns[self._source.spec.time]}
        return pa.RecordBatch.from_arrays([*(named[name] for name in self.schema.names[:-2]), *own], schema=self.schema)

    def _dead_letter(self, run: "_Run", index: int, fault: Fault) -> DeadLetter:
        chunk, place = run.locate(index)
        record = run.records[index] or b""
        return DeadLetter(
            source=self._source.name,
            partition=chunk.partition,
            position=chunk.positions[place],
            field=fault.field,
            reason=fault.reason,
            record=record[:KEPT_BYTES] if fault.code == "too_large" else record,
            arrived_us=run.arrived_at(index),
            code=fault.code,
            columns=chunk.columns,
        )


class _Run:
    """Chunks under the same columns, as one: pieces need not end where a small chunk does."""

    def __init__(self, chunks: Sequence[Chunk], partitions: Mapping[str, int], arrived_us: int) -> None:
        self._chunks = chunks
        sizes = [len(chunk.records) for chunk in chunks]
        self._ends = list(accumulate(sizes))
        self._arrivals_us = [_arrived_us(chunk, arrived_us) for chunk in chunks]
        self.earliest_us = min(self._arrivals_us)
        self.records: Sequence[bytes | None] = chunks[0].records
        if len(chunks) > 1:
            self.records = list(chain.from_iterable(chunk.records for chunk in chunks))
        numbers = np.array([partitions[chunk.partition] for chunk in chunks], np.int32)
        firsts = np.array([chunk.ordinal * ORDINAL_POSITIONS for chunk in chunks], np.int64)
        positions = np.concatenate([np.asarray(chunk.positions, np.int64) for chunk in chunks])
        self.partitions, self.positions = pa.array(np.repeat(numbers, sizes)), pa.array(positions + np.repeat(firsts, sizes))

    def locate(self, index: int) -> tuple[Chunk, int]:
        """The chunk that a record came in, and its place there."""
        number = bisect_right(self._ends, index)
        chunk = self._chunks[number]
        return chunk, index - self._ends[number] + len(chunk.records)

    def arrivals(self, begin: int) -> Callable[[int], int]:
        """When the records from `begin` on arrived, by their index from there."""
        return lambda index: self.arrived_at(begin + index)

    def arrived_at(self, index: int) -> int:
        """When a record arrived, µs."""
        return self._arrivals_us[bisect_right(self._ends, index)]


def _arrived_us(chunk: Chunk, otherwise_us: int) -> int:
    return otherwise_us if chunk.arrived_us is None else chunk.arrived_us
