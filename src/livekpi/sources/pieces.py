"""A piece of records → rows of typed values, every declared field checked.

A piece goes through each stage as a whole. What a stage finds wrong leaves the piece there, and only that pays for it.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from livekpi.definition.definition import SourceDefinition
from livekpi.definition.durations import format_duration
from livekpi.definition.shape.model import File, Stdin
from livekpi.definition.types import Field
from livekpi.sources.columns import can_fault, column
from livekpi.sources.faults import Fault, Faults, mask
from livekpi.sources.formats import access_cells, csv_cells, regex_cells
from livekpi.sources.json_rows import JsonRows
from livekpi.sources.text_rows import TextRows

_SHORT_BYTES = 500  # what is no longer can't be shaped so that reading it is a danger
_FEW = 32
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class Rows(Protocol):
    """How records of one format become rows, one a record."""

    def getter(self, name: str) -> Callable[[Any], Any]: ...
    def screen(self, record: bytes) -> Fault | None: ...
    def read(self, records: Sequence[bytes], columns: tuple[str, ...] | None) -> tuple[list[Any], Faults]: ...


class Piece(NamedTuple):
    """What became of a piece of records."""

    good: Sequence[int]
    """The indexes of the records that are events."""
    rows: Sequence[Any]
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
        faults = self._screen(records, lengths)
        good = without(range(len(records)), faults)
        rows, found = self._format.read(without(records, faults), columns)  # type: ignore[arg-type] # None is among the faults
        faults |= {good[index]: fault for index, fault in found.items()}
        good = without(good, found)
        checked, found = self._check(rows)
        found |= self._too_far_ahead(checked[self._time], lambda index: arrived_us(good[index]), earliest_us)
        faults |= {good[index]: fault for index, fault in found.items()}
        if found:
            kept = pc.invert(mask(found, len(rows)))
            checked = {name: array.filter(kept) for name, array in checked.items()}
        return Piece(without(good, found), without(rows, found), checked, faults)

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
        suspects = pc.indices_nonzero(pc.greater(numbers, pa.scalar(earliest_us + self._ahead_us, pa.int64()))).to_pylist()
        found = ((index, numbers[index].as_py(), arrived_us(index)) for index in suspects)
        return {index: self._ahead_fault(time_us, arrived) for index, time_us, arrived in found if time_us > arrived + self._ahead_us}

    def _ahead_fault(self, time_us: int, arrived_us: int) -> Fault:
        time, arrived = (_EPOCH + timedelta(microseconds=us) for us in (time_us, arrived_us))
        return Fault(
            "ahead", f"{time.isoformat()} is more than `ahead: {self._ahead}` after its arrival at {arrived.isoformat()}", self._time
        )


def without(items: Sequence[T], faults: Faults) -> Sequence[T]:
    """The items whose index is not among the faults; costs little where these are few."""
    if not faults:
        return items
    left = list(items)
    if len(faults) > _FEW:
        return [item for index, item in enumerate(left) if index not in faults]
    for index in sorted(faults, reverse=True):
        del left[index]
    return left


def _rows(source: SourceDefinition, fields: Sequence[Field]) -> Rows:
    kind = source.spec.kind
    format_ = kind.format if isinstance(kind, File | Stdin) else "ndjson"
    names, time = [field.name for field in fields], source.spec.time
    if format_ == "ndjson":
        return JsonRows(fields, time)
    if format_ == "csv":
        return TextRows(fields, time, lambda columns: csv_cells(columns, names))
    cells = regex_cells(kind.regex, names) if isinstance(kind, File) and kind.regex is not None else access_cells(names)
    return TextRows(fields, time, lambda _: cells)
