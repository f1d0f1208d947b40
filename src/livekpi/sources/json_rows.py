"""Records in JSON, one object each → rows of typed values, strictly: 1.5 is no integer and "7" is no number.

Accepted: fields that are not declared, whatever they hold; a key that comes twice, where the last value counts (an earlier one
of another type may refuse the record); strings with `\\u0000`. JSON must be UTF-8 and may nest MAX_DEPTH deep.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np

from livekpi.definition.types import Field
from livekpi.sources.columns import written_as
from livekpi.sources.faults import Fault, Faults, missing, shown, wrong
from livekpi.sources.lined import Lined

MAX_DEPTH = 500
"""How deep objects and arrays may nest, so that it depends on nobody's stack."""

_TYPES: dict[str, Any] = {
    "string": str,
    "integer": Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)],
    "number": float,
    # Untyped, so that the hook keeps a number's digits as they came: bytes, where a string gives str.
    "decimal": Any,
    "boolean": bool,
    "json": msgspec.Raw,
}
_TOKENS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_REFUSED = (msgspec.MsgspecError, UnicodeError, RecursionError)


class JsonRows:
    """Reads records into structs of the declared fields."""

    def __init__(self, fields: Iterable[Field], time: str) -> None:
        """`time` names the field that is the events' time."""
        self._fields, self._time = tuple(fields), time
        self._attributes = {field.name: f"f{index}" for index, field in enumerate(self._fields)}
        struct = msgspec.defstruct(
            "Event",
            [self._member(field) for field in self._fields],
            rename={attribute: name for name, attribute in self._attributes.items()},
            kw_only=True,
            gc=False,
        )
        decoder = msgspec.json.Decoder(struct, float_hook=str.encode)
        self._decode, self._decode_lines = decoder.decode, decoder.decode_lines
        self._values = {field.name: msgspec.json.Decoder(_json_type(field), float_hook=str.encode) for field in self._fields}

    def values(self, rows: Sequence[Any]) -> list[Sequence[Any]]:
        """The rows' values, field by field."""
        return list(zip(*map(msgspec.structs.astuple, rows), strict=True))

    def screen(self, record: bytes) -> Fault | None:
        """Looks at a long record before it is read; a short one can't nest too deep."""
        if record.count(b"[") + record.count(b"{") <= MAX_DEPTH:
            return None
        depth = 0
        for token in _TOKENS.finditer(record):
            depth += {b"[": 1, b"{": 1, b"]": -1, b"}": -1}.get(token[0], 0)
            if depth > MAX_DEPTH:
                return _TOO_DEEP
        return None

    def read(self, records: Sequence[bytes], columns: tuple[str, ...] | None) -> tuple[list[Any], Faults]:
        """The rows of the good records, in order, and what is wrong with the others."""
        if isinstance(records, Lined):
            at_once = self._read_lines(records)
            if at_once is not None:
                return at_once, {}
        rows: list[Any] = []
        faults: Faults = {}
        waiting = iter(records)
        while True:
            try:
                # What came before a bad record stays in `rows`, so the loop costs nothing where all are good.
                rows.extend(map(self._decode, waiting))
            except _REFUSED as error:
                index = len(rows) + len(faults)
                faults[index] = self._fault(records[index], error)
            else:
                return rows, faults

    def _read_lines(self, records: Lined) -> list[Any] | None:
        """The rows, with nothing made for each record on the way; None where one is bad, or it is not sure that a line is a record.

        Where every line begins with { and ends with } no value goes over a line's end: in JSON no { comes right after a }, and no line end
        is in a string. So every line holds one value or more, and as many values as lines are one each.
        """
        if not _in_braces(records):
            return None
        try:
            rows = self._decode_lines(records.text)
        except _REFUSED:
            return None
        return rows if len(rows) == len(records) else None

    def _member(self, field: Field) -> tuple[str, Any] | tuple[str, Any, Any]:
        attribute, type_ = self._attributes[field.name], _json_type(field)
        if not field.optional:
            return attribute, type_
        return attribute, type_, msgspec.Raw() if type_ is msgspec.Raw else None

    def _fault(self, record: bytes, error: Exception) -> Fault:
        """Reads a bad record again, field by field, to say what is wrong with it."""
        try:
            values = _OBJECT.decode(record)
        except msgspec.ValidationError:
            return Fault("not_json", f"expected a JSON object, got {shown(record)}")
        except _REFUSED as unreadable:
            return _unreadable(record, unreadable)
        for field in self._fields:
            raw = values.get(field.name)
            if raw is None:
                if not field.optional:
                    return missing(field, is_time=field.name == self._time)
                continue
            try:
                self._values[field.name].decode(raw)
            except msgspec.ValidationError:
                return wrong(field, bytes(raw), is_time=field.name == self._time)
            except _REFUSED as unreadable:
                return _unreadable(bytes(raw), unreadable)._replace(field=field.name)
        return Fault("invalid", str(error))  # the first of two values under one key


def _in_braces(records: Lined) -> bool:
    """Whether every line begins with { and ends with }."""
    if not records.lengths.all():
        return False
    text = np.frombuffer(records.text, np.uint8)
    begins, ends = text[records.starts], text[records.starts + records.lengths - 1]
    return bool((begins == ord("{")).all() and (ends == ord("}")).all())


def _json_type(field: Field) -> Any:
    type_ = _TYPES[written_as(field)]
    return type_ | None if field.optional and type_ is not msgspec.Raw else type_


_TOO_DEEP = Fault("too_deep", f"nests more than {MAX_DEPTH} objects and arrays in one another")


def _unreadable(text: bytes, error: Exception) -> Fault:
    if isinstance(error, RecursionError):
        return _TOO_DEEP
    if not text.strip():
        return Fault("not_json", "expected a JSON object, got an empty record")
    if _has_half_a_pair(text):
        return Fault("not_json", f"half a surrogate pair, which is no character: {shown(text)}")
    reason = str(error) if isinstance(error, msgspec.MsgspecError) else f"not UTF-8: {error}"
    return Fault("not_json", f"{reason}: {shown(text)}")


def _has_half_a_pair(text: bytes) -> bool:
    """Whether it would be JSON, but for half of a surrogate pair in a string; msgspec says of some that they are cut short."""
    if b"\\u" not in text:
        return False
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False
