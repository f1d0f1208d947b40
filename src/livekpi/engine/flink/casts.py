"""Casts on Flink that mean what they mean to the embedded engine: null where a value has no counterpart."""

from collections.abc import Callable

from livekpi.definition.types import BOOLEAN, INTEGER, MAX_DIGITS, NUMBER, STRING, TIMESTAMP, Type
from livekpi.engine.flink.sql import call, sql_type

TARGETS = {
    **dict.fromkeys(("BIGINT", "INT"), INTEGER),
    "DOUBLE": NUMBER,
    "TEXT": STRING,
    "BOOLEAN": BOOLEAN,
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMPTZ"), TIMESTAMP),
}
Cast = Callable[[str, Type, Type], str]
"""Makes of a value of the first type one of the second."""


def _same(value: str, *_: Type) -> str:
    return value


def _by_flink(value: str, _: Type, to: Type) -> str:
    return f"TRY_CAST({value} AS {sql_type(to)})"


def _by_own(name: str) -> Cast:
    return lambda value, *_: call(name, value)


def _to_decimal(value: str, _: Type, to: Type) -> str:
    return f"CAST({call('to_decimal', value, str(to.precision), str(to.scale))} AS {sql_type(to)})"


def _decimal_to_integer(value: str, *_: Type) -> str:
    return call("to_integer", f"CAST({value} AS STRING)")


def _decimal_to_number(value: str, of: Type, to: Type) -> str:
    # of up to 18 digits Flink divides a long, which rounds twice
    return f"CAST(CAST({value} AS {sql_type(Type('decimal', MAX_DIGITS, of.scale))}) AS {sql_type(to)})"


def _truth(yes: str, no: str) -> Cast:
    return lambda value, _, to: f"CAST(CASE WHEN {value} THEN {yes} WHEN NOT {value} THEN {no} END AS {sql_type(to)})"


def _not_zero(value: str, *_: Type) -> str:
    return f"({value} <> 0)"


CASTS: dict[tuple[str, str], Cast] = {
    **{(kind, kind): _same for kind in ("string", "integer", "number", "boolean", "timestamp")},
    ("integer", "number"): _by_flink,
    ("decimal", "number"): _decimal_to_number,
    ("integer", "string"): _by_flink,
    ("decimal", "string"): _by_flink,
    ("integer", "decimal"): _by_flink,
    ("decimal", "decimal"): _by_flink,
    ("decimal", "integer"): _decimal_to_integer,
    ("number", "integer"): _by_own("to_integer"),
    ("string", "integer"): _by_own("to_integer"),
    ("string", "number"): _by_own("to_number"),
    ("string", "boolean"): _by_own("to_boolean"),
    ("string", "decimal"): _to_decimal,
    ("number", "decimal"): _to_decimal,
    ("number", "string"): _by_own("text"),
    ("timestamp", "string"): _by_own("text"),
    ("boolean", "string"): _truth("'true'", "'false'"),
    **{("boolean", kind): _truth("1", "0") for kind in ("integer", "number", "decimal")},
    **{(kind, "boolean"): _not_zero for kind in ("integer", "number", "decimal")},
    ("json", "string"): _same,
}
