"""Times as they are written in events → Arrow timestamps in µs, in UTC, without a zone.

ISO 8601: the extended form with a zone (`Z`, `z`, `+02`, `+0200`, `+02:00`), `T`, `t` or a space before the time, seconds and
their fraction optional; digits after the microsecond are cut off. Leap seconds, `24:00`, week dates and the basic form are
refused. All times must lie from 1970 to 2199.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from livekpi.definition.types import Field
from livekpi.sources.faults import Fault, Faults, shown, wrong

TIMESTAMP = pa.timestamp("us")
END_US = 7_258_118_400_000_000
"""The first µs of the year 2200."""

Column = tuple[pa.Array, Faults]
Build = Callable[[list[Any]], Column]
"""From one field's values to its column, null where a value is null or at fault."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SECOND_US = 1_000_000
_UNIT_NS = {"epoch_ms": 1_000_000, "epoch_us": 1_000, "epoch_ns": 1}
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?([Zz]|[+-][0-9]{2}(:?[0-5][0-9])?)")
_FEW = 8
_SECONDS_REMEMBERED = 4096


def time_column(field: Field) -> Build:
    """How a timestamp field's values become a column."""
    if field.time_format is None:
        return partial(_iso, field)
    if field.time_format == "epoch_s":
        return partial(_epoch_seconds, field)
    if field.time_format in _UNIT_NS:
        return partial(_epoch, field, _UNIT_NS[field.time_format])
    # The same second stands in many lines of a log.
    return partial(_strptime, field, lru_cache(_SECONDS_REMEMBERED)(partial(_strptime_us, field.time_format)))


def _iso(field: Field, values: list[str | None]) -> Column:
    text = pa.array(values, pa.string())
    times = _cast(text, "us")
    if times is None:
        times = _cast(text, "ns")
    if times is None:
        return _halves(field, text)
    return _within(field, times, values)


def _cast(text: pa.Array, unit: str) -> pa.Array | None:
    """All of the text as times, None where one is not; Arrow takes no more digits of a second than the unit has."""
    try:
        times = text.cast(pa.timestamp(unit, "UTC"))
    except pa.ArrowInvalid:
        return None
    if unit == "us":
        return times.view(TIMESTAMP)
    if (pc.min(times.view(pa.int64())).as_py() or 0) < 0:
        return None  # cutting off digits would round these up
    return times.cast(TIMESTAMP, safe=False)


def _halves(field: Field, text: pa.Array) -> Column:
    """Halves the text until what can't be cast is found, so that a bad time does not cost its neighbours theirs."""
    if len(text) <= _FEW:
        return _each(field, _iso_us, text.to_pylist())
    half = len(text) // 2
    columns = []
    for part in (text[:half], text[half:]):
        times = _cast(part, "us")
        columns.append(_halves(field, part) if times is None else _within(field, times, part))
    (low, low_faults), (high, high_faults) = columns
    return pa.concat_arrays([low, high]), low_faults | {half + index: fault for index, fault in high_faults.items()}


def _iso_us(text: str) -> int:
    if _ISO.fullmatch(text) is None:
        raise ValueError(text)
    return _since_epoch_us(datetime.fromisoformat(text.upper()))


def _strptime(field: Field, parse: Callable[[str], int], values: list[str | None]) -> Column:
    return _each(field, parse, values)


def _strptime_us(pattern: str, text: str) -> int:
    time = datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is seen to below
    return _since_epoch_us(time if time.tzinfo else time.replace(tzinfo=UTC))


def _since_epoch_us(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND


def _each(field: Field, parse: Callable[[str], int], values: list[str | None]) -> Column:
    faults: Faults = {}
    times: list[int | None] = []
    for index, value in enumerate(values):
        time = None
        if value is not None:
            try:
                time = parse(value)
            except (ValueError, OverflowError):
                faults[index] = _not_a_time(field, value)
            else:
                if not 0 <= time < END_US:
                    time, faults[index] = None, _outside(field, value)
        times.append(time)
    return pa.array(times, TIMESTAMP), faults


def _epoch(field: Field, unit_ns: int, values: list[int | None]) -> Column:
    numbers, faults = _bounded(field, pa.array(values, pa.int64()), END_US * 1_000 // unit_ns, values)
    if unit_ns >= 1_000:
        times = pc.multiply(numbers, pa.scalar(unit_ns // 1_000, pa.int64()))
    else:
        times = pc.divide(numbers, pa.scalar(1_000 // unit_ns, pa.int64()))
    return times.view(TIMESTAMP), faults


def _epoch_seconds(field: Field, values: list[float | None]) -> Column:
    times = pc.round(pc.multiply(pa.array(values, pa.float64()), pa.scalar(float(_SECOND_US))))  # exact to the µs until 2106
    for bring, bound in ((pc.max_element_wise, -1), (pc.min_element_wise, END_US)):  # what is outside stays outside
        times = bring(times, pa.scalar(float(bound)), skip_nulls=False)
    numbers, faults = _bounded(field, times.cast(pa.int64()), END_US, values)
    return numbers.view(TIMESTAMP), faults


def _within(field: Field, times: pa.Array, values: Any) -> Column:
    numbers, faults = _bounded(field, times.view(pa.int64()), END_US, values)
    return (numbers.view(TIMESTAMP), faults) if faults else (times, faults)


def _bounded(field: Field, numbers: pa.Array, end: int, values: Any) -> Column:
    """The numbers, those that are not in [0, end) made null."""
    greatest = pc.max(numbers.view(pa.uint64())).as_py()  # what is below 0 is great without its sign
    if greatest is None or greatest < end:
        return numbers, {}
    good = [number is None or 0 <= number < end for number in numbers.to_pylist()]
    faults = {index: _outside(field, _plain(values[index])) for index, inside in enumerate(good) if not inside}
    return pc.if_else(pa.array(good), numbers, pa.scalar(None, numbers.type)), faults


def _plain(value: Any) -> object:
    return value.as_py() if isinstance(value, pa.Scalar) else value


def _not_a_time(field: Field, value: str) -> Fault:
    if field.time_format is None:
        try:
            zoneless = datetime.fromisoformat(value).tzinfo is None
        except ValueError:
            zoneless = False
        if zoneless:
            return Fault("bad_time", f"{shown(value)} has no zone; expected one, such as {shown(value)}Z", field.name)
    return wrong(field, value)


def _outside(field: Field, value: object) -> Fault:
    hint = "" if field.time_format is None else f"; it was read as {field.time_format}"
    return Fault("bad_time", f"{shown(value)} is not from 1970 to 2199{hint}", field.name)
