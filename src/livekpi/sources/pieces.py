"""A piece of records → columns of typed values, every declared field checked.

A piece goes through each stage as a whole. What a stage finds wrong leaves the piece there, and only that pays for it.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.definition.definition import SourceDefinition
from livekpi.definition.durations import format_duration
from livekpi.definition.shape.model import File, Stdin
from livekpi.definition.types import Field
from livekpi.moments import datetime_of
from livekpi.sources.columns import can_fault, column
from livekpi.sources.csv_text import CsvText
from livekpi.sources.faults import Fault, Faults, mask
from livekpi.sources.formats import access_cells, csv_cells, regex_cells
from livekpi.sources.json_rows import JsonRows
from livekpi.sources.lined import Numbers
from livekpi.sources.text_rows import TextRows

_SHORT_BYTES = 500  # what is no longer can't be shaped so that reading it is a danger
_FEW = 32

T = TypeVar("T")


class Rows(Protocol):
    """How records of one format become rows, one a record."""

    def screen(self, record: bytes) -> Fault | None: ...
    def read(self, records: Sequence[bytes], columns: tuple[str, ...] | None) -> tuple[list[Any], Faults]: ...
    def values(self, rows: Sequence[Any]) -> list[Sequence[Any]]: ...


class Piece(NamedTuple):
    """What became of a piece of records."""

    columns: dict[str, pa.Array]
    """Of those that are events, in their order, by field; empty where none is."""
    faults: Faults
    """What is wrong with the others, by index."""


class PieceReader:
    """Reads pieces of one source's records. It keeps nothing between calls."""

    def __init__(self, source: SourceDefinition, max_record_bytes: int, needed: Collection[str]) -> None:
        """`needed` names the fields whose columns are asked for; all others are checked."""
        self._max_record_bytes = max_record_bytes
        self._short_bytes = min(_SHORT_BYTES, max_record_bytes)
        self._time = source.spec.time
        self._ahead_us = source.ahead_us
        self._ahead = format_duration(source.spec.ahead)
        fields = tuple(source.fields.values())
        self._format = _rows(source, fields)
        self._builds = [
            (field.name, place, column(field)) for place, field in enumerate(fields) if can_fault(field) or field.name in needed
        ]

    def read(
        self,
        records: Sequence[bytes | None],
        lengths: Numbers,
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
        if not rows:
            return Piece({}, faults)
        good = without(good, found)
        made, found = self._columns(rows)
        found |= self._too_far_ahead(made[self._time], lambda index: arrived_us(good[index]), earliest_us)
        faults |= {good[index]: fault for index, fault in found.items()}
        if found:
            kept = pc.invert(mask(found, len(rows)))
            made = {name: array.filter(kept) for name, array in made.items()}
        return Piece(made, faults)

    def _screen(self, records: Sequence[bytes | None], lengths: Numbers) -> Faults:
        """What is wrong with records before they are read."""
        faults: Faults = {}
        for index in np.flatnonzero((lengths == 0) | (lengths > self._short_bytes)).tolist():
            fault = self._fault(records[index])
            if fault is not None:
                faults[index] = fault
        return faults

    def _fault(self, record: bytes | None) -> Fault | None:
        if record is None:
            return Fault("no_value", "the record has no value (a Kafka tombstone)")
        if len(record) > self._max_record_bytes:
            return Fault("too_large", f"larger than {self._max_record_bytes} bytes")
        return self._format.screen(record)

    def _columns(self, rows: list[Any]) -> tuple[dict[str, pa.Array], Faults]:
        made: dict[str, pa.Array] = {}
        faults: Faults = {}
        values = self._format.values(rows)
        for name, place, build in self._builds:
            made[name], found = build(values[place])
            faults = found | faults
        return made, faults

    def _too_far_ahead(self, times: pa.Array, arrived_us: Callable[[int], int], earliest_us: int) -> Faults:
        numbers = times.view(pa.int64())
        latest_us = pc.max(numbers).as_py()
        if latest_us is None or latest_us <= earliest_us + self._ahead_us:
            return {}
        suspects = pc.indices_nonzero(pc.greater(numbers, pa.scalar(earliest_us + self._ahead_us, pa.int64()))).to_pylist()
        found = ((index, numbers[index].as_py(), arrived_us(index)) for index in suspects)
        return {index: self._ahead_fault(time_us, arrived) for index, time_us, arrived in found if time_us > arrived + self._ahead_us}

    def _ahead_fault(self, time_us: int, arrived_us: int) -> Fault:
        time, arrived = map(datetime_of, (time_us, arrived_us))
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
    names, time = [field.name for field in fields], source.spec.time
    if not isinstance(kind, File | Stdin) or kind.format == "ndjson":
        return JsonRows(fields, time)
    if kind.format == "csv":
        form = CsvText(kind.delimiter)
        return TextRows(fields, time, lambda columns: csv_cells(form, columns, names))
    cells = regex_cells(kind.regex, names) if isinstance(kind, File) and kind.regex is not None else access_cells(names)
    return TextRows(fields, time, lambda _: cells)
