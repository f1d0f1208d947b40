"""A piece of records → rows of typed values, every declared field checked.

A piece goes through each stage as a whole. What a stage finds wrong leaves the piece there, and only that pays for it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from livekpi.definition.definition import SourceDefinition
from livekpi.definition.durations import format_duration
from livekpi.definition.model import File, Stdin
from livekpi.definition.types import Field
from livekpi.sources.columns import can_fault, column
from livekpi.sources.faults import Fault, Faults
from livekpi.sources.formats import access_cells, csv_cells, regex_cells
from livekpi.sources.json_rows import JsonRows
from livekpi.sources.text_rows import TextRows

_SHORT_BYTES = 500  # what is no longer can't be shaped so that reading it is a danger
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Rows(Protocol):
    """How records of one format become rows, one a record."""

    def getter(self, name: str) -> Callable[[Any], Any]: ...
    def screen(self, record: bytes) -> Fault | None: ...
    def read(self, records: Sequence[bytes], columns: tuple[str, ...] | None) -> tuple[list[Any], Faults]: ...


class Piece(NamedTuple):
    """What became of a piece of records."""

    good: Sequence[int]
    """The indexes of the records that are events."""
    rows: list[Any]
    """Theirs, in the same order."""
    checked: dict[str, pa.Array]
    """Theirs by field, those columns whose making checks them."""
    faults: Faults
    """What is wrong with the other records."""


class PieceReader:
    """Reads pieces of one source's records. It keeps nothing between calls."""

    def __init__(self, source: SourceDefinition, max_record_bytes: int) -> None:
        self._max_record_bytes = max_record_bytes
        self._short_bytes = min(_SHORT_BYTES, max_record_bytes)
        self._time = source.spec.time
        self._ahead_us = source.ahead_us
        self._ahead = format_duration(source.spec.ahead)
        self.fields = tuple(source.fields.values())
        self._format = _rows(source, self.fields)
        self._checks = [(field, self.getter(field.name), column(field)) for field in self.fields if can_fault(field)]

    def getter(self, name: str) -> Callable[[Any], Any]:
        """Takes a field's value out of a row."""
        return self._format.getter(name)

    def read(
        self,
        records: Sequence[bytes | None],
        lengths: Sequence[int],
        columns: tuple[str, ...] | None,
        arrived_us: Callable[[int], int],
        earliest_us: int,
    ) -> Piece:
        """Reads and checks records of the given lengths (0 where there is none).

        `arrived_us` says when a record arrived, by index; `earliest_us` is the least of these.
        """
        good: Sequence[int] = range(len(records))
        faults = self._screen(records, lengths)
        good = _without(good, faults)
        rows, found = self._format.read([records[index] for index in good] if faults else records, columns)  # type: ignore[misc, arg-type] # _screen took out None
        faults |= {good[index]: fault for index, fault in found.items()}
        good = _without(good, found)
        checked, found = self._check(rows)
        found |= self._too_far_ahead(checked[self._time], lambda index: arrived_us(good[index]), earliest_us)
        if found:
            faults |= {good[index]: fault for index, fault in found.items()}
            left = _without(range(len(rows)), found)
            good, rows = [good[index] for index in left], [rows[index] for index in left]
            checked = {name: array.take(pa.array(left, pa.int64())) for name, array in checked.items()}
        return Piece(good, rows, checked, faults)

    def _screen(self, records: Sequence[bytes | None], lengths: Sequence[int]) -> Faults:
        """What is wrong with records before they are read."""
        faults: Faults = {}
        if min(lengths) > 0 and max(lengths) <= self._short_bytes:
            return faults
        for index, record in enumerate(records):
            fault = self._fault(record) if record is None or len(record) > self._short_bytes else None
            if fault is not None:
                faults[index] = fault
        return faults

    def _fault(self, record: bytes | None) -> Fault | None:
        if record is None:
            return Fault("no_value", "the record has no value (a Kafka tombstone)")
        if len(record) > self._max_record_bytes:
            return Fault("too_large", f"larger than {self._max_record_bytes} bytes")
        return self._format.screen(record)

    def _check(self, rows: list[Any]) -> tuple[dict[str, pa.Array], Faults]:
        checked: dict[str, pa.Array] = {}
        faults: Faults = {}
        for field, value, build in self._checks:
            checked[field.name], found = build(list(map(value, rows)))
            faults = found | faults
        return checked, faults

    def _too_far_ahead(self, times: pa.Array, arrived_us: Callable[[int], int], earliest_us: int) -> Faults:
        numbers = times.view(pa.int64())
        latest_us = pc.max(numbers).as_py()
        if latest_us is None or latest_us <= earliest_us + self._ahead_us:
            return {}
        return {
            index: self._ahead_fault(time_us, arrived_us(index))
            for index, time_us in enumerate(numbers.to_pylist())
            if time_us is not None and time_us > arrived_us(index) + self._ahead_us
        }

    def _ahead_fault(self, time_us: int, arrived_us: int) -> Fault:
        time, arrived = (_EPOCH + timedelta(microseconds=us) for us in (time_us, arrived_us))
        return Fault(
            "ahead", f"{time.isoformat()} is more than `ahead: {self._ahead}` after its arrival at {arrived.isoformat()}", self._time
        )


def _without(indexes: Sequence[int], faults: Faults) -> Sequence[int]:
    """The indexes whose place is not among the faults."""
    return [index for place, index in enumerate(indexes) if place not in faults] if faults else indexes


def _rows(source: SourceDefinition, fields: Sequence[Field]) -> Rows:
    kind = source.spec.kind
    format_ = kind.format if isinstance(kind, File | Stdin) else "ndjson"
    names = [field.name for field in fields]
    if format_ == "ndjson":
        return JsonRows(fields)
    if format_ == "csv":
        return TextRows(fields, lambda columns: csv_cells(columns, names))
    cells = regex_cells(kind.regex, names) if isinstance(kind, File) and kind.regex is not None else access_cells(names)
    return TextRows(fields, lambda _: cells)
