"""What a cluster's job has computed of one source's events, read from its topics: rows of partials, progress, dead letters.

The job writes to many topics, and nothing orders what stands in one against what stands in another. So the record that says how far it
has read may come before the rows of what it has read. Progress is therefore held back: it is handed over `settle` after it was read, and
after all that the other topics held by then.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Protocol

import pyarrow as pa

from livekpi.clock import Clock, due
from livekpi.events import DeadLetter, Events
from livekpi.sources.base import Chunk, Source, SourceError
from livekpi.sources.rows import RowDecoder

GATHER_S = 0.2
"""A commit costs the same for few rows as for many, and what a job writes is not of this moment anyway."""
_ASK_EVERY_US = 1_000_000
"""How often it is asked where the source ends."""

Place = tuple[str, int]
"""A partition: its topic and number."""


class Reading(Source, Protocol):
    """Reads the topics; a partition is named ``topic/number``. See KafkaSource."""

    def read(self, limit: int, timeout_s: float) -> list[Chunk]: ...

    def has_read(self, ends: Mapping[Place, int]) -> bool:
        """Whether all before these offsets has been handed out."""


class Asking(Protocol):
    """Asks for the spans of topics in the background; see livekpi.sources.kafka_admin.Question."""

    @property
    def problem(self) -> str | None: ...

    @property
    def asked(self) -> bool: ...

    def ask(self) -> None: ...

    def answer(self) -> Mapping[Place, tuple[int, int]] | None: ...

    def forget(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Topics:
    """The topics of one source's partials, by what they hold."""

    tables: Mapping[str, RowDecoder]
    progress: tuple[str, RowDecoder]
    dead_letters: tuple[str, RowDecoder]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.tables, self.progress[0], self.dead_letters[0])


@dataclass
class _Held:
    """Progress that waits: the last record of each of the source's partitions, and where reading goes on."""

    records: dict[object, tuple[str, int, bytes]] = field(default_factory=dict)
    """By the source's partition: the partition of the topic, the offset, the record. One that can't be read is kept by its own place."""
    next_positions: dict[str, int] = field(default_factory=dict)
    since_us: int = 0
    barrier: Mapping[Place, int] | None = None
    """What must have been read before these are handed over; None while that is not known."""

    def add(self, chunk: Chunk, decoder: RowDecoder) -> None:
        rows = decoder.decode(chunk.records)
        named = dict(zip(rows.indexes, rows.table["partition"].to_pylist(), strict=True))
        for index, (offset, record) in enumerate(zip(chunk.positions, chunk.records, strict=True)):
            if record is not None:
                self.records[named.get(index, (chunk.partition, offset))] = (chunk.partition, offset, record)
        self.next_positions[chunk.partition] = chunk.next_position

    def chunks(self) -> list[Chunk]:
        """As if no more had been read than these."""
        found = []
        for partition, next_position in self.next_positions.items():
            mine = sorted((offset, record) for name, offset, record in self.records.values() if name == partition)
            found.append(Chunk(partition, [record for _, record in mine], [offset for offset, _ in mine], next_position))
        return found


class PartialsSource:
    """Reads a source's partials. What it hands over is decoded: each `Events` is of one topic, named by its partitions.

    Its table has the topic's fields. The records of the topic of dead letters are among `dead`, with the place in the source where they
    stood; so are records that are no rows, with their own place.
    """

    def __init__(
        self,
        name: str,
        topics: Topics,
        reading: Reading,
        ends: Asking,
        source_ends: Asking,
        clock: Clock,
        *,
        settle_us: int,
        progress: Mapping[str, int],
        once: bool = False,
    ) -> None:
        """`reading` reads the topics; `ends` asks for their ends, `source_ends` for those of the source itself.

        `progress` is how far the job is known to have read the source, by partition. With `once`, a job in trouble is a SourceError.
        """
        self.job_problem: str | None = None
        """Why nothing new comes, as whoever watches the job says; None while it runs."""
        self.finished: Event | None = None
        """Set once the job has ended by itself, and so written all; None where it never ends, and only `settle` can tell."""
        self._name, self._topics, self._reading, self._clock, self._settle_us = name, topics, reading, clock, settle_us
        self._once = once
        self._question, self._source_question = ends, source_ends
        self._fresh, self._waiting = _Held(), _Held()
        self._source_spans: dict[int, tuple[int, int]] | None = None
        self._spans_at_start: dict[int, tuple[int, int]] | None = None
        self._progress = {int(partition): position for partition, position in progress.items()}
        """By the source's partition, what the job reads next, as last handed over."""
        self._asked_us = 0

    @property
    def problem(self) -> str | None:
        asking = self._source_question.problem
        return self._reading.problem or self.job_problem or (None if asking is None else f"where it ends can't be asked: {asking}")

    def start(self, positions: Mapping[str, int]) -> None:
        self._fresh, self._waiting = _Held(), _Held()
        self._question.forget()
        self._reading.start(positions)

    def read(self, limit: int, timeout_s: float) -> list[Events]:
        if self._once and self.job_problem is not None:
            raise SourceError(f"source {self._name}: {self.job_problem}")
        now_us = self._clock.now_us()
        self._look_at_source(now_us)
        progress = f"{self._topics.progress[0]}/"
        found: dict[str, list[Chunk]] = {}
        for chunk in self._gathered(limit, timeout_s):
            if chunk.partition.startswith(progress):
                self._fresh.add(chunk, self._topics.progress[1])
            else:
                found.setdefault(chunk.partition.rpartition("/")[0], []).append(chunk)
        events = [self._decoded(topic, chunks, now_us) for topic, chunks in found.items()]
        return [*events, *self._settled(now_us)]

    def _gathered(self, limit: int, timeout_s: float) -> list[Chunk]:
        """What comes within a moment of the first, as a job writes to all of its topics at once."""
        chunks = self._reading.read(limit, timeout_s)
        deadline = monotonic() + min(timeout_s, GATHER_S)
        count = sum(len(chunk.records) for chunk in chunks)
        while chunks and count < limit and (left_s := deadline - monotonic()) > 0:
            more = self._reading.read(limit - count, left_s)
            count += sum(len(chunk.records) for chunk in more)
            chunks += more
        return chunks

    def at_end(self) -> bool:
        """Whether the job had read all that the source held at the start, and all of what came of it has been handed over."""
        now = dict(self._source_spans or {})
        caught_up = self._spans_at_start is not None and all(
            # the end at the start may have been a mark's, which is only known once the job has come there
            low == high or self._progress.get(number, 0) >= min(high, now[number][1])
            for number, (low, high) in self._spans_at_start.items()
            if number in now
        )
        return caught_up and self._reading.at_end()

    def committed(self, positions: Mapping[str, int]) -> None:
        self._reading.committed(positions)

    def lag(self) -> Mapping[str, int]:
        """What the job has not read of the source, and what has not been read of its topics; topics with nothing unread are left out."""
        spans = dict(self._source_spans or {})
        job = {str(number): max(0, high - max(low, self._progress.get(number, 0))) for number, (low, high) in spans.items()}
        return {**job, **{name: count for name, count in self._reading.lag().items() if count}}

    def ends(self) -> Mapping[str, int] | None:
        """Where the source's partitions end, of those that hold records; None while that is not known. For any thread."""
        spans = self._source_spans
        return None if spans is None else {str(number): high for number, (low, high) in spans.items() if low < high}

    def progress(self) -> Mapping[int, int]:
        """What the job reads next, by the source's partition, as last handed over."""
        return dict(self._progress)

    def close(self) -> None:
        self._question.close()
        self._source_question.close()
        self._reading.close()

    def _look_at_source(self, now_us: int) -> None:
        answer = self._source_question.answer()
        if answer is not None:
            self._source_spans = {number: span for (_, number), span in answer.items()}
            self._spans_at_start = self._spans_at_start or self._source_spans
        if not self._source_question.asked and due(now_us, self._asked_us, _ASK_EVERY_US):
            self._asked_us = now_us
            self._source_question.ask()

    def _settled(self, now_us: int) -> list[Events]:
        """The progress that has waited enough."""
        if not self._waiting.next_positions:
            if not self._fresh.next_positions:
                return []
            self._waiting, self._fresh = self._fresh, _Held()
            self._waiting.since_us = now_us
            return []
        if self._waiting.barrier is None and self._written(now_us):
            self._waiting.barrier = self._ends_now()
        if self._waiting.barrier is None or not self._reading.has_read(self._waiting.barrier):
            return []
        chunks, self._waiting = self._waiting.chunks(), _Held()
        return [self._advanced(chunks, now_us)]

    def _written(self, now_us: int) -> bool:
        """Whether the rows of what the progress speaks of are in their topics by now."""
        if self.finished is not None:
            return self.finished.is_set()
        return due(now_us, self._waiting.since_us, self._settle_us)

    def _ends_now(self) -> Mapping[Place, int] | None:
        """Where the topics end; asked in the background, so at first there is no answer."""
        if not self._question.asked:
            self._question.ask()
        answer = self._question.answer()
        return None if answer is None else {place: high for place, (_, high) in answer.items()}

    def _advanced(self, chunks: Sequence[Chunk], now_us: int) -> Events:
        events = self._decoded(self._topics.progress[0], chunks, now_us)
        for number, offset in zip(events.table["partition"].to_pylist(), events.table["offset"].to_pylist(), strict=True):
            self._progress[number] = offset + 1
        return events

    def _decoded(self, topic: str, chunks: Sequence[Chunk], now_us: int) -> Events:
        partitions = tuple(chunk.partition for chunk in chunks)
        tables, dead = [], []
        for chunk in chunks:
            rows = self._decoder(topic).decode(chunk.records)
            dead += [self._no_row(chunk, place, why, now_us) for place, why in rows.faults.items()]
            tables.append(rows.table)
        table = pa.concat_tables(tables)
        if topic == self._topics.dead_letters[0]:
            dead += [self._dead_letter(row, now_us) for row in table.to_pylist()]
            table = table.slice(0, 0)
        return Events(
            source=self._name,
            table=table,
            partitions=partitions,
            next_positions={chunk.partition: chunk.next_position for chunk in chunks},
            arrived_us=now_us,
            records=sum(len(chunk.records) for chunk in chunks),
            bytes=sum(len(record or b"") for chunk in chunks for record in chunk.records),
            dead=dead,
        )

    def _decoder(self, topic: str) -> RowDecoder:
        return {**self._topics.tables, **dict([self._topics.progress, self._topics.dead_letters])}[topic]

    def _no_row(self, chunk: Chunk, index: int, why: str, now_us: int) -> DeadLetter:
        reason = f"not a row that a job of this livekpi writes: {why}"
        return DeadLetter(self._name, chunk.partition, chunk.positions[index], None, reason, chunk.records[index] or b"", now_us)

    def _dead_letter(self, row: Mapping[str, object], now_us: int) -> DeadLetter:
        field_, coded, text = row["field"], row["record_base64"], row["record"]
        return DeadLetter(
            source=self._name,
            partition=str(row["partition"]),
            position=int(str(row["offset"])),
            field=None if field_ is None else str(field_),
            reason=str(row["reason"]),
            record=str(text or "").encode() if coded is None else _bytes(str(coded)),
            arrived_us=now_us,
            code=str(row["code"] or "invalid"),
        )


def _bytes(coded: str) -> bytes:
    try:
        return base64.b64decode(coded, validate=True)
    except binascii.Error:
        return coded.encode()
