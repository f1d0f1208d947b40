"""From the texts in a job's rows to the columns of the store's tables; each raises pa.ArrowInvalid where a text can't be a value."""

from collections.abc import Callable, Mapping
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from livekpi.definition.types import Type
from livekpi.engine.plan import Grouping
from livekpi.engine.topics import NULL, VALUE
from livekpi.store.layout import Table, cells, column

Convert = Callable[[pa.Array], pa.Array]

_TIMESTAMP = pa.timestamp("us")
_HUGE = pa.decimal128(38, 0)
_TIME_DIGITS = _POSITION_DIGITS = 20
"""What stands before the text of a last or first value."""
_DIGEST_DIGITS = 32
# with its type, or each use would cost a look for modules that are not there
_ZERO, _NULL, _NOTHING = pa.scalar(0, pa.int64()), pa.scalar(NULL, pa.string()), pa.scalar(None, pa.string())


def columns_of(grouping: Grouping, table: Table) -> Mapping[str, Convert]:
    """How each field of a table's rows becomes its column."""
    partials = {column(each).name: each for each in grouping.cells} if table == cells(grouping) else {}
    found: dict[str, Convert] = {name: _key(name, type_, grouping.every_us) for name, type_ in table.keys}
    for each in table.values:
        if each.name in partials:
            of = partials[each.name]
            timed = of.kind in ("last", "first")
            found[each.name] = partial(_timed, _scalar(of.type)) if timed else _huge if each.type == "HUGEINT" else _scalar(of.type)
        elif each.name == "n":
            found[each.name] = partial(pc.cast, target_type=pa.int64())
    return found


def _key(name: str, type_: str, every_us: int) -> Convert:
    if name == "bucket":
        return partial(_bucket, every_us)
    by_type: Mapping[str, Convert] = {
        "VARCHAR": _dimension,
        "INTEGER": partial(pc.cast, target_type=pa.int32()),
        "UBIGINT": _digest,
    }
    return by_type[type_]


def _bucket(every_us: int, given: pa.Array) -> pa.Array:
    size = pa.scalar(every_us, pa.int64())
    starts = pc.multiply(pc.divide(given, size), size)
    _check(pc.all(pc.and_(pc.equal(starts, given), pc.greater_equal(given, _ZERO))), f"a bucket starts at a multiple of {every_us} µs")
    return given.cast(_TIMESTAMP)


def _dimension(given: pa.Array) -> pa.Array:
    null = pc.equal(given, _NULL)
    _check(pc.all(pc.or_(null, pc.starts_with(given, VALUE))), f"a dimension is {NULL!r} or begins with {VALUE!r}")
    return pc.if_else(null, _NOTHING, pc.utf8_slice_codeunits(given, 1))


def _digest(given: pa.Array) -> pa.Array:
    """The last 8 bytes of an md5, the lowest first: what md5_number_lower gives."""
    _check(pc.all(pc.match_substring_regex(given, f"^[0-9a-f]{{{_DIGEST_DIGITS}}}$")), "a distinct value's key is its md5")
    halves = memoryview(bytes.fromhex("".join(given.to_pylist()))).cast("Q")
    return pa.array(halves[1::2].tolist(), pa.uint64())


def _scalar(type_: Type) -> Convert:
    by_kind: Mapping[str, Convert] = {
        "string": lambda given: given,
        "integer": partial(pc.cast, target_type=pa.int64()),
        "number": partial(pc.cast, target_type=pa.float64()),
        "boolean": partial(pc.cast, target_type=pa.bool_()),
        "timestamp": _time,
    }
    return partial(pc.cast, target_type=pa.decimal128(type_.precision, type_.scale)) if type_.kind == "decimal" else by_kind[type_.kind]


def _time(given: pa.Array) -> pa.Array:
    return given.cast(pa.int64()).cast(_TIMESTAMP)


def _huge(given: pa.Array) -> pa.Array:
    return given.cast(_HUGE)


def _timed(scalar: Convert, given: pa.Array) -> pa.Array:
    """20 digits of the event's time in µs, 20 of its position, and the value's text."""
    behind = _TIME_DIGITS + _POSITION_DIGITS
    _check(pc.all(pc.match_substring_regex(given, f"^[0-9]{{{behind}}}")), f"a last or first value begins with {behind} digits")
    time = _time(pc.utf8_slice_codeunits(given, 0, _TIME_DIGITS))
    position = pc.utf8_slice_codeunits(given, _TIME_DIGITS, behind).cast(pa.int64())
    value = scalar(pc.utf8_slice_codeunits(given, behind))
    return pa.StructArray.from_arrays([time, position, value], ["t", "p", "v"], mask=given.is_null())


def _check(holds: pa.Scalar, expected: str) -> None:
    if holds.as_py() is False:
        raise pa.ArrowInvalid(f"expected that {expected}")
