"""From one field's values in a piece of events to an Arrow column.

Values come as the record's format read them: str, int, float, bool, None; a decimal as int or as the number's text in bytes,
so that it is exact; json as its text in bytes or msgspec.Raw.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from math import isinf
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from livekpi.definition.types import Field, Kind, Type
from livekpi.sources.faults import FaultError, Faults, shown, wrong
from livekpi.sources.times import TIMESTAMP, Build, Column, time_column

_ARROW = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": TIMESTAMP,
    "json": pa.string(),
}
_PLAIN = ("string", "integer", "number", "boolean")
_NUMBERS = frozenset({bytes, int})
_OPTIONAL_NUMBERS = frozenset({bytes, int, type(None)})
_ARROW_DIGITS = 38  # what any 128-bit decimal holds
_NUMBER = re.compile(rb"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?")
_JSON_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?[0-9][0-9.eE+-]*', re.DOTALL)
_SURE_DIGITS = 16  # with the point: any number of so few a double gives back as it was written


def arrow_type(type_: Type) -> pa.DataType:
    """The type of a field's column."""
    return pa.decimal128(type_.precision, type_.scale) if type_.kind == "decimal" else _ARROW[type_.kind]


def written_as(field: Field) -> Kind:
    """The kind of value that a field has in a record: a time is a string or a number there."""
    if field.type.kind != "timestamp":
        return field.type.kind
    if field.time_format == "epoch_s":
        return "number"
    return "integer" if field.time_format in ("epoch_ms", "epoch_us", "epoch_ns") else "string"


def column(field: Field) -> Build:
    """How a field's values become a column."""
    if field.type.kind == "timestamp":
        return time_column(field)
    build = {"decimal": _decimals, "json": _json}.get(field.type.kind, _plain)
    return partial(build, field)


def can_fault(field: Field) -> bool:
    """Whether making the column finds mistakes that reading the record can't see."""
    return field.type.kind not in _PLAIN


def _plain(field: Field, values: Sequence[Any]) -> Column:
    return pa.array(values, arrow_type(field.type)), {}


def _decimals(field: Field, values: Sequence[Any]) -> Column:
    kinds = set(map(type, values))
    if int in kinds:
        values = [b"%d" % value if type(value) is int else value for value in values]
    if kinds <= (_OPTIONAL_NUMBERS if field.optional else _NUMBERS):
        text = pa.array(values, pa.string())
        if _safe_for_arrow(text):
            try:
                return text.cast(arrow_type(field.type)), {}
            except pa.ArrowInvalid:
                pass  # one of them does not fit
    faults: Faults = {}
    exact: list[str | None] = []
    for index, value in enumerate(values):
        try:
            exact.append(None if value is None and field.optional else _decimal(field, value))
        except FaultError as error:
            exact.append(None)
            faults[index] = error.fault
    return pa.array(exact, pa.string()).cast(arrow_type(field.type)), faults


def _safe_for_arrow(text: pa.Array) -> bool:
    """Arrow reads 1e-999 as 0, crashes at 1e-400000000 and drops the high bits of 4,000 digits; so it is given none such."""
    if text.null_count == len(text):
        return True
    characters = text.buffers()[2].to_pybytes()
    return not characters.translate(None, b"0123456789.-") and pc.max(pc.binary_length(text)).as_py() <= _ARROW_DIGITS


def _decimal(field: Field, value: Any) -> str:
    """The number in plain digits; raises FaultError where it is none or has too many of them."""
    if type(value) is not bytes or _NUMBER.fullmatch(value) is None:
        raise FaultError(wrong(field, msgspec.json.encode(value) if isinstance(value, (str, bool, list, dict)) else value))
    number = Decimal(value.decode())
    if number == 0:
        return "0"
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    zeros = next(zeros for zeros, digit in enumerate(reversed(digits)) if digit)
    if exponent + zeros < -field.type.scale or number.adjusted() >= field.type.precision - field.type.scale:
        raise FaultError(wrong(field, value))
    # 1.50000 fits a scale of 2, but Arrow stumbles over more zeros than it has digits
    return f"{Decimal((sign, digits[: len(digits) - zeros], exponent + zeros)):f}"


def _json(field: Field, values: Sequence[Any]) -> Column:
    texts = [None if value is None else bytes(value) for value in values]
    faults: Faults = {}
    fractions: list[str] = []
    read = msgspec.json.Decoder(float_hook=fractions.append).decode  # as text: what can't be a double may still be JSON
    for index, text in enumerate(texts):
        if not text or text == b"null":  # an absent field is an empty Raw
            texts[index] = None
            if not field.optional:
                faults[index] = wrong(field, text or None)
            continue
        try:
            # What can't be read here would make DuckDB's JSON functions fail for the whole batch.
            read(text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            texts[index] = None
            faults[index] = wrong(field, text)._replace(reason=f"expected JSON, got {shown(text)}: {error}")
    if max(map(len, fractions), default=0) > _SURE_DIGITS:
        texts = [text and _JSON_TOKEN.sub(_exact, text) for text in texts]
    return pa.array(texts, pa.string()), faults


def _exact(token: re.Match[bytes]) -> bytes:
    """A token as it is; a number that no double holds as a string of its digits, for DuckDB reads JSON's numbers as doubles."""
    text = token[0]
    if len(text) <= _SURE_DIGITS or text.startswith(b'"'):
        return text
    near = float(text)
    if near == 0 or isinf(near) or not text.strip(b"-0123456789") or Decimal(text.decode()) == Decimal(repr(near)):
        return text
    return b'"%b"' % text
