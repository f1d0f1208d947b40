"""What is wrong with a record, and how it is said."""

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from livekpi.definition.types import Field

_SHOWN_CHARACTERS = 80
_EXPECTED = {
    "string": "a string",
    "integer": "an integer from -2^63 to 2^63 - 1",
    "number": "a number (64-bit floating point)",
    "boolean": "true or false",
    "json": "JSON",
}
_EPOCHS = {
    "epoch_s": "a number of seconds since 1970",
    "epoch_ms": "an integer of milliseconds since 1970",
    "epoch_us": "an integer of microseconds since 1970",
    "epoch_ns": "an integer of nanoseconds since 1970",
}


class Fault(NamedTuple):
    """Why a record can't be counted; the parts of a DeadLetter of the same names."""

    code: str
    reason: str
    field: str | None = None


class FaultError(Exception):
    """Carries a Fault out of the reading of one record."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


Faults = dict[int, Fault]
"""By index, in whatever sequence the function that returns it was given."""


def mask(indexes: Iterable[int], length: int) -> pa.Array:
    """A boolean for each of `length` items: true at the indexes; costs little where these are few."""
    bits = bytearray(-(-length // 8))
    for index in indexes:
        bits[index // 8] |= 1 << index % 8
    return pa.Array.from_buffers(pa.bool_(), length, [None, pa.py_buffer(bytes(bits))])


def shown(value: object) -> str:
    """A value as a reason shows it: on one line, of a bounded length."""
    if isinstance(value, bytes):
        value = value[: 4 * _SHOWN_CHARACTERS].decode("utf-8", "replace")
    text = str(value)
    short = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:_SHOWN_CHARACTERS])
    return short + "…" if len(text) > _SHOWN_CHARACTERS else short


def expected(field: Field) -> str:
    """What a field's value must be."""
    kind = field.type.kind
    if kind == "decimal":
        integral = field.type.precision - field.type.scale
        return f"a number of at most {integral} digits before the point and {field.type.scale} after it"
    if kind != "timestamp":
        return _EXPECTED[kind]
    if field.time_format is None:
        return "a time in ISO 8601 with a zone, such as 2026-03-01T12:00:00Z"
    return _EPOCHS.get(field.time_format, f"a time like {field.time_format}")


_TIME_HINT = " (it is the source's `time`: every event must have it)"


def wrong(field: Field, value: object, *, is_time: bool = False) -> Fault:
    """A value that is not of its field's type; code bad_time for a timestamp. `is_time`: of the source's time, which can't be optional."""
    code = "bad_time" if field.type.kind == "timestamp" else "wrong_type"
    got = "null" if value is None else shown(value)
    hint = ""
    if got == "null" and not field.optional:
        hint = _TIME_HINT if is_time else f" (`{field.name}: optional …` would allow it)"
    return Fault(code, f"expected {expected(field)}, got {got}{hint}", field.name)


def missing(field: Field, *, is_time: bool = False) -> Fault:
    """A field that is not there, and is not optional."""
    hint = _TIME_HINT if is_time else f" (`{field.name}: optional …` would allow that)"
    return Fault("missing", f"expected {expected(field)}, got no such field{hint}", field.name)
