"""Records of a cluster's job, as rows in columns: JSON objects of integers and texts, checked as they are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
import pyarrow as pa

Kind = Literal["integer", "text"]
Convert = Callable[[pa.Array], pa.Array]
"""Makes a column of a field's values; raises pa.ArrowInvalid where one can't be."""

_INT64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_ARROW = {"integer": pa.int64(), "text": pa.string()}


@dataclass(frozen=True)
class Rows:
    """What records were read as."""

    table: pa.Table
    """A column a field."""
    indexes: Sequence[int]
    """Which record each row was."""
    faults: Mapping[int, str]
    """Why records are no rows, by index."""


class RowDecoder:
    """Reads the records of one topic. It keeps nothing between calls."""

    def __init__(
        self, key: Mapping[str, Kind], rest: Mapping[str, Kind], needed: Sequence[str] = (), columns: Mapping[str, Convert] | None = None
    ) -> None:
        """The fields of `key`, and those of `rest` that are `needed`, must be there; of the rest each may be null or absent.

        `columns` says how fields become columns that don't stand as they are written.
        """
        self._kinds = {**key, **rest}
        self._columns = dict(columns or {})
        required = {**key, **{name: rest[name] for name in needed}}
        fields: list[Any] = [(name, _INT64 if kind == "integer" else str) for name, kind in required.items()]
        fields += [(name, (_INT64 if kind == "integer" else str) | None, None) for name, kind in rest.items() if name not in required]
        self._decode = msgspec.json.Decoder(msgspec.defstruct("Row", fields, gc=False)).decode

    def decode(self, records: Sequence[bytes | None]) -> Rows:
        """The rows of records; a record without a value (a tombstone) is none and no fault: nothing is ever taken back."""
        rows: dict[int, Any] = {}
        faults: dict[int, str] = {}
        decode = self._decode
        for index, record in enumerate(records):
            if record is not None:
                try:
                    rows[index] = decode(record)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    faults[index] = str(error)
        try:
            table = self._table(list(rows.values()))
        except pa.ArrowInvalid:  # seldom, so it may cost
            faults |= {index: why for index, row in rows.items() if (why := self._fault(row)) is not None}
            rows = {index: row for index, row in rows.items() if index not in faults}
            table = self._table(list(rows.values()))
        return Rows(table, tuple(rows), faults)

    def _table(self, rows: list[Any]) -> pa.Table:
        columns = {name: pa.array(list(map(attrgetter(name), rows)), _ARROW[kind]) for name, kind in self._kinds.items()}
        return pa.table({name: self._columns[name](given) if name in self._columns else given for name, given in columns.items()})

    def _fault(self, row: Any) -> str | None:
        try:
            self._table([row])
        except pa.ArrowInvalid as error:
            return str(error)
        return None
