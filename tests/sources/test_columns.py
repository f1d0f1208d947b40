"""Columns: decimals exact to the last digit, in any company; JSON that DuckDB can read."""

from decimal import Decimal
from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livekpi.definition.types import parse_field
from livekpi.sources.columns import arrow_type, column, written_as

MONEY = parse_field("amount", "optional decimal(18, 2)")

plain = st.from_regex(rb"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?", fullmatch=True)
money = st.from_regex(rb"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?", fullmatch=True)
exponents = st.from_regex(rb"-?[0-9]{1,4}(\.[0-9]{1,4})?[eE][+-]?[0-9]{1,9}", fullmatch=True)


def fits(value: bytes | int, precision: int, scale: int) -> bool:
    """Whether a number is one of the type; that with a great exponent never is, unless it is 0."""
    number = Decimal(str(value) if isinstance(value, int) else value.decode())
    if number and abs(number.adjusted()) > 1_000:
        return False
    units = Fraction(number) * 10**scale if number else Fraction(0)
    return units.denominator == 1 and abs(units) < 10**precision


@given(
    st.lists(st.none() | money | plain | exponents | st.integers(-(10**18), 10**18), max_size=10),
    st.integers(1, 38).flatmap(lambda precision: st.tuples(st.just(precision), st.integers(0, precision))),
)
@example([b"1e-999", b"0.5"], (18, 2))
@example([b"1e-400000000"], (18, 2))
@example([b"0." + b"0" * 60, b"1." + b"0" * 60, b"0" * 60 + b"1"], (18, 2))
@example([b"9" * 4000, b"0." + b"1" * 4000], (38, 10))
@example([10**4000, 1], (38, 10))
def test_decimals_are_exact_or_refused(values: list[bytes | int | None], size: tuple[int, int]) -> None:
    field = parse_field("amount", f"optional decimal({size[0]}, {size[1]})")
    array, faults = column(field)(list(values))
    assert array.type == pa.decimal128(*size) == arrow_type(field.type)
    for index, (value, found) in enumerate(zip(values, array.to_pylist(), strict=True)):
        if value is None or not fits(value, *size):
            assert found is None
            assert (index in faults) == (value is not None)
        else:
            assert found == Decimal(str(value) if isinstance(value, int) else value.decode())


@pytest.mark.parametrize("value", ["7", True, [1], {"a": 1}, b"x", b"", b"1_0", b" 1", b"NaN", b"--1", b"1.1.1", b"0e1234567890"])
def test_what_is_no_number_is_no_decimal(value: object) -> None:
    array, faults = column(MONEY)([b"1.50", value, None, 3])
    assert array.to_pylist() == [Decimal("1.50"), None, None, Decimal(3)]
    assert [(index, fault.code, fault.field) for index, fault in faults.items()] == [(1, "wrong_type", "amount")]


def test_null_is_refused_where_a_decimal_is_required() -> None:
    array, faults = column(parse_field("amount", "decimal(18, 2)"))([b"1", None])
    assert array.to_pylist() == [Decimal(1), None]
    assert list(faults) == [1]


def test_json_keeps_its_text() -> None:
    array, faults = column(parse_field("cart", "optional json"))([b'{"a": 1.10}', None, b"null", b"", b'{"a":"\xff"}', b"[1", b"1e999"])
    assert array.to_pylist() == ['{"a": 1.10}', None, None, None, None, None, "1e999"]
    assert sorted(faults) == [4, 5]
    assert sorted(column(parse_field("cart", "json"))([b"1", None, b"null"])[1]) == [1, 2]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b"[1.123456789012345678]", '["1.123456789012345678"]'),
        (b'{"a":-12345678901234567.89}', '{"a":"-12345678901234567.89"}'),
        (b"[0.30000000000000004]", "[0.30000000000000004]"),  # a double's own digits
        (b"0.10000000000000000000", "0.10000000000000000000"),
        (b"[1.123456789012345678,123456789012345678901,1e-400,1.5]", '["1.123456789012345678",123456789012345678901,1e-400,1.5]'),
        (b'["\\"1.123456789012345678",-1.123456789012345678]', '["\\"1.123456789012345678","-1.123456789012345678"]'),
        (b"[1.5, 123456789012345678]", "[1.5, 123456789012345678]"),
    ],
)
def test_json_keeps_the_digits_that_a_double_loses(text: bytes, kept: str) -> None:
    array, faults = column(parse_field("cart", "json"))([b"7", text])
    assert (array.to_pylist(), faults) == (["7", kept], {})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("timestamp", "string"),
        ("timestamp(epoch_s)", "number"),
        ("timestamp(epoch_ns)", "integer"),
        ("timestamp(%Y)", "string"),
        ("json", "json"),
    ],
)
def test_written_as(text: str, kind: str) -> None:
    assert written_as(parse_field("x", text)) == kind
