"""Records of a cluster's job, as rows in columns: JSON objects of integers and texts, checked as they are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
import pyarrow as pa

Kind = Literal["integer", "text"]

_INT64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_ARROW = {"integer": pa.int64(), "text": pa.string()}


@dataclass(frozen=True)
class Rows:
    """What records were read as."""

    table: pa.Table
    """A column a field; `_row` says which record each row was."""
    faults: Mapping[int, str]
    """Why records are no rows, by index."""


class RowDecoder:
    """Reads the records of one topic. It keeps nothing between calls."""

    def __init__(self, key: Mapping[str, Kind], rest: Mapping[str, Kind], needed: Sequence[str] = ()) -> None:
        """The fields of `key`, and those of `rest` that are `needed`, must be there; of the rest each may be null or absent."""
        self._kinds = {**key, **rest}
        required = {**key, **{name: rest[name] for name in needed}}
        fields: list[Any] = [(name, _INT64 if kind == "integer" else str) for name, kind in required.items()]
        fields += [(name, (_INT64 if kind == "integer" else str) | None, None) for name, kind in rest.items() if name not in required]
        self._decode = msgspec.json.Decoder(msgspec.defstruct("Row", fields, gc=False)).decode
        self.schema = pa.schema([*((name, _ARROW[kind]) for name, kind in self._kinds.items()), ("_row", pa.int64())])
        """Of the tables that `decode` makes."""

    def decode(self, records: Sequence[bytes | None]) -> Rows:
        """The rows of records; a record without a value (a tombstone) is none and no fault: nothing is ever taken back."""
        given = [(index, record) for index, record in enumerate(records) if record is not None]
        rows: list[Any] = []
        places: list[int] = []
        faults: dict[int, str] = {}
        decode = self._decode
        for index, record in given:
            try:
                rows.append(decode(record))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                faults[index] = str(error)
            else:
                places.append(index)
        columns = [pa.array(list(map(attrgetter(name), rows)), _ARROW[kind]) for name, kind in self._kinds.items()]
        return Rows(pa.Table.from_arrays([*columns, pa.array(places, pa.int64())], schema=self.schema), faults)
