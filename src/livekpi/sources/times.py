"""Times as they are written in events → Arrow timestamps in µs, in UTC, without a zone.

ISO 8601: the extended form with a zone (`Z`, `z`, `+02`, `+0200`, `+02:00`), `T`, `t` or a space before the time, seconds and
their fraction optional; digits after the microsecond are cut off. Leap seconds, `24:00`, week dates and the basic form are
refused. All times must lie from 1970 to 2199.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from operator import attrgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from livekpi.definition.types import Field
from livekpi.moments import since_epoch_us
from livekpi.sources.faults import Fault, Faults, mask, shown, wrong

TIMESTAMP = pa.timestamp("us")
END_US = 7_258_118_400_000_000
"""The first µs of the year 2200."""

Column = tuple[pa.Array, Faults]
Build = Callable[[Sequence[Any]], Column]
"""From one field's values to its column, null where a value is null or at fault."""

_SECOND_US = 1_000_000
_UNIT_NS = {"epoch_ms": 1_000_000, "epoch_us": 1_000, "epoch_ns": 1}
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}(:[0-9]{2}(:[0-9]{2}([.,][0-9]+)?)?)?([Zz]|[+-][0-9]{2}(:?[0-5][0-9])?)")
_OTHER = re.compile(r"[a-z]|[.][0-9]{7}")
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


def _iso(field: Field, values: Sequence[str | None]) -> Column:
    example = next(filter(None, values), "")  # all are likely to be written alike
    times = (_cast_other if _OTHER.search(example) else _cast)(pa.array(values, pa.string()))
    if times is not None:
        return _within(field, times, values)
    suspects = _suspects(values)
    left = list(values)
    for index in suspects:
        left[index] = None
    text = pa.array(left, pa.string())
    times = _cast(text)
    if times is None:
        times = _cast_other(text)
    if times is None:  # one that Python takes for a time, and Arrow does not
        return _each(field, _iso_us, values)
    times, faults = _within(field, times, left)
    singles, found = _each(field, _iso_us, [values[index] for index in suspects])
    times = pc.replace_with_mask(times, mask(suspects, len(values)), singles)
    return times, faults | {suspects[place]: fault for place, fault in found.items()}


def _cast(text: pa.Array) -> pa.Array | None:
    """All of the text as times; None where one is not, or not written as Arrow knows it."""
    try:
        return text.cast(pa.timestamp("us", "UTC")).view(TIMESTAMP)
    except pa.ArrowInvalid:
        return None


def _cast_other(text: pa.Array) -> pa.Array | None:
    """The same where they have small letters or nanoseconds."""
    try:
        times = pc.ascii_upper(text).cast(pa.timestamp("ns", "UTC"))
    except pa.ArrowInvalid:
        return None
    if (pc.min(times.view(pa.int64())).as_py() or 0) < 0:
        return None  # cutting off digits would round these up
    return times.cast(TIMESTAMP, safe=False)


def _suspects(values: Sequence[str | None]) -> list[int]:
    """Where Python sees no time or no zone, found at little cost for all others: a bad time must not cost its neighbours theirs."""
    waiting = iter(values)
    moments: list[datetime] = []
    while len(moments) < len(values):
        try:
            moments.extend(map(datetime.fromisoformat, waiting))  # type: ignore[arg-type] # TypeError says None
        except (ValueError, TypeError):
            moments.append(datetime.min)  # noqa: DTZ901 - it has no zone, as meant
    return [index for index, zone in enumerate(map(attrgetter("tzinfo"), moments)) if zone is None]


def _iso_us(text: str) -> int:
    if _ISO.fullmatch(text) is None:
        raise ValueError(text)
    return since_epoch_us(datetime.fromisoformat(text.upper()))


def _strptime(field: Field, parse: Callable[[str], int], values: Sequence[str | None]) -> Column:
    return _each(field, parse, values)


def _strptime_us(pattern: str, text: str) -> int:
    time = datetime.strptime(text, pattern)  # noqa: DTZ007 - the zone is seen to below
    return since_epoch_us(time if time.tzinfo else time.replace(tzinfo=UTC))


def _each(field: Field, parse: Callable[[str], int], values: Sequence[str | None]) -> Column:
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


def _epoch(field: Field, unit_ns: int, values: Sequence[int | None]) -> Column:
    numbers, faults = _bounded(field, pa.array(values, pa.int64()), END_US * 1_000 // unit_ns, values)
    if unit_ns >= 1_000:
        times = pc.multiply(numbers, pa.scalar(unit_ns // 1_000, pa.int64()))
    else:
        times = pc.divide(numbers, pa.scalar(1_000 // unit_ns, pa.int64()))
    return times.view(TIMESTAMP), faults


def _epoch_seconds(field: Field, values: Sequence[float | None]) -> Column:
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
    unsigned = numbers.view(pa.uint64())  # what is below 0 is great without its sign
    greatest = pc.max(unsigned).as_py()
    if greatest is None or greatest < end:
        return numbers, {}
    outside = pc.greater_equal(unsigned, pa.scalar(end, pa.uint64()))
    faults = {index: _outside(field, _plain(values[index])) for index in pc.indices_nonzero(outside).to_pylist()}
    return pc.if_else(outside, pa.scalar(None, numbers.type), numbers), faults


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
