"""Records in text formats → rows of typed values, as strictly as text allows: 7 is an integer, 1.5 and " 7" are none.

An empty cell is null, in access logs `-` too. Booleans are `true` and `false`. Text must be UTF-8.
"""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from livekpi.definition.types import Field
from livekpi.sources.columns import written_as
from livekpi.sources.faults import Fault, FaultError, Faults, missing, shown, wrong
from livekpi.sources.formats import Cells

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "false": False}
Parse = Callable[[str], Any]


class TextRows:
    """Reads records into tuples of the declared fields' values."""

    def __init__(self, fields: Iterable[Field], time: str, cells: Callable[[Sequence[str]], Cells]) -> None:
        """`time` names the field that is the events' time; `cells` is given the names of the columns that the records stand under."""
        self._fields, self._time = tuple(fields), time
        self._cells = cells
        self._parse = [_parse(field) for field in self._fields]

    def values(self, rows: Sequence[Any]) -> list[Sequence[Any]]:
        """The rows' values, field by field."""
        return list(zip(*rows, strict=True))

    def screen(self, record: bytes) -> Fault | None:
        """Looks at a long record before it is read; text has nothing to look for."""
        return None

    def read(self, records: Sequence[bytes], columns: tuple[str, ...] | None) -> tuple[list[Any], Faults]:
        """The rows of the good records, in order, and what is wrong with the others."""
        rows: list[Any] = []
        faults: Faults = {}
        cells = self._cells(columns or ())
        for index, record in enumerate(records):
            try:
                rows.append(self._row(cells(record.decode().rstrip("\r\n"))))
            except FaultError as error:
                faults[index] = error.fault
            except UnicodeDecodeError as error:
                faults[index] = Fault("invalid", f"not UTF-8 at byte {error.start}: {shown(record)}")
        return rows, faults

    def _row(self, cells: Sequence[str | None]) -> tuple[Any, ...]:
        for field, cell in zip(self._fields, cells, strict=True):
            if not cell and not field.optional:
                is_time = field.name == self._time
                raise FaultError(missing(field, is_time=is_time) if cell is None else wrong(field, None, is_time=is_time))
        return tuple(parse(cell) if cell else None for parse, cell in zip(self._parse, cells, strict=True))


def _parse(field: Field) -> Parse:
    """How a cell that is not empty becomes a value as columns.py takes it."""
    kind = written_as(field)
    typed = {"integer": _integer, "number": _number, "boolean": _boolean}
    if kind in typed:
        return partial(typed[kind], field)
    return str.encode if kind in ("decimal", "json") else str


def _integer(field: Field, cell: str) -> int:
    if _INTEGER.fullmatch(cell) is None or not -(2**63) <= (number := int(cell)) < 2**63:
        raise FaultError(wrong(field, cell))
    return number


def _number(field: Field, cell: str) -> float:
    if _NUMBER.fullmatch(cell) is None or math.isinf(number := float(cell)):
        raise FaultError(wrong(field, cell))
    return number


def _boolean(field: Field, cell: str) -> bool:
    if cell not in _BOOLEANS:
        raise FaultError(wrong(field, cell))
    return _BOOLEANS[cell]
