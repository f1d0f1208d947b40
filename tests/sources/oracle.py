"""What a JSON record means, said once more as plainly as can be, with the standard library only."""

import json
import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

from livekpi.definition.types import Field

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d)(?::(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)", re.ASCII)
_ORIGIN = datetime(1970, 1, 1, tzinfo=timezone.utc)  # noqa: UP017 - as plain as can be


class RefusedError(Exception):
    """The record is no event."""


def event(record: bytes | None, fields: Iterable[Field], time: str, latest_us: int) -> dict[str, Any] | None:
    """The values of an event's fields, times in µs and json as what it means; None where it is none."""
    try:
        return _event(record, fields, time, latest_us)
    except (RefusedError, ValueError):
        return None


def _event(record: bytes | None, fields: Iterable[Field], time: str, latest_us: int) -> dict[str, Any]:
    if record is None:
        raise RefusedError
    pairs = json.loads(record.decode(), object_pairs_hook=Pairs, parse_float=Decimal, parse_constant=_refuse)
    if not isinstance(pairs, Pairs):
        raise RefusedError
    found: dict[str, Any] = {}
    for field in fields:
        values = [value for name, value in pairs if name == field.name]
        if not values and not field.optional:
            raise RefusedError
        found[field.name] = _value(field, values[-1]) if values else None
    if found[time] > latest_us:
        raise RefusedError
    return found


class Pairs(list[tuple[str, Any]]):
    """An object's members, in order."""


def _refuse(constant: str) -> None:
    raise RefusedError(constant)


def _value(field: Field, value: Any) -> Any:
    if value is None:
        if not field.optional:
            raise RefusedError
        return None
    number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    kind = field.type.kind
    plain = {
        "json": True,
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "integer": number and isinstance(value, int) and -(2**63) <= value < 2**63,
    }
    if plain.get(kind):
        return value
    if kind == "number" and number:
        return _double(value)
    if kind == "decimal" and number:
        return _decimal(field, value)
    if kind == "timestamp":
        return _time(field, value, number)
    raise RefusedError


def _double(value: int | Decimal) -> float:
    try:
        double = float(value)
    except OverflowError:
        raise RefusedError from None
    if abs(double) == float("inf"):
        raise RefusedError
    return double


def _decimal(field: Field, value: int | Decimal) -> Fraction:
    units = Fraction(value) * 10**field.type.scale
    if units.denominator != 1 or abs(units) >= 10**field.type.precision:
        raise RefusedError
    return Fraction(value)


def _time(field: Field, value: Any, number: bool) -> int:
    if field.time_format is None and isinstance(value, str):
        us = _iso_us(value)
    elif field.time_format == "epoch_s" and number:
        us = round(Fraction(_double(value)) * 1_000_000)
    elif field.time_format in ("epoch_ms", "epoch_us", "epoch_ns") and isinstance(value, int) and number:
        us = int(value * {"epoch_ms": 1_000_000, "epoch_us": 1_000, "epoch_ns": 1}[field.time_format] // 1_000)
    else:
        raise RefusedError
    if not 0 <= us < (datetime(2200, 1, 1, tzinfo=timezone.utc) - _ORIGIN) // timedelta(microseconds=1):  # noqa: UP017
        raise RefusedError
    return us


def _iso_us(text: str) -> int:
    match = _ISO.fullmatch(text)
    if match is None:
        raise RefusedError
    year, month, day, hour, minute, second, fraction, utc, sign, offset_hours, offset_minutes = match.groups()
    offset = timedelta(hours=int(offset_hours or 0), minutes=int(offset_minutes or 0))
    if int(offset_minutes or 0) > 59:
        raise RefusedError
    zone = timezone(offset if sign == "+" else -offset) if not utc else timezone.utc  # noqa: UP017
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute or 0), int(second or 0), microsecond, zone)
    return (moment - _ORIGIN) // timedelta(microseconds=1)
