"""Numbers for people: by few digits, but never so few that they mislead; and with their units, as the page has them."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from livekpi.alerts.numbers import constant_text, number_text, text_beside

UNITS = st.sampled_from([None, "", "ratio", "EUR", "JPY", "KWD", "ms", "bytes", "pieces"])
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.071428, "0.0714"),
        (-3.0, "-3"),
        (3.14159, "3.14"),
        (412.25, "412.3"),
        (999.96, "1,000"),
        (1234.56, "1,235"),
        (9999.6, "10,000"),
        (-9999.6, "-10,000"),
        (50123.45, "50,123"),
        (1e14, "100,000,000,000,000"),
        (1e20, "1e+20"),
        (4.2e-9, "4.2e-9"),
        (math.nan, "nan"),
    ],
)
def test_a_number_for_reading(value: float, text: str) -> None:
    assert number_text(value) == text


# what the page says in English for these, but for how it calls the unit (Intl, by ui/src/words/numbers.ts)
@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.75, "ratio", "75 %"),
        (0.071428, "ratio", "7.14 %"),
        (-0.0715, "ratio", "-7.15 %"),
        (0.0005, "ratio", "0.05 %"),
        (0.07, "ratio", "7 %"),  # not 7.000000000000001
        (0.0, "EUR", "0.00 EUR"),
        (3.5, "EUR", "3.50 EUR"),
        (9999.99, "EUR", "9,999.99 EUR"),
        (12345.678, "EUR", "12,346 EUR"),
        (1234.5, "JPY", "1,235 JPY"),
        (3.5, "KWD", "3.500 KWD"),
        (412.25, "ms", "412.3 ms"),
        (512.0, "bytes", "512 bytes"),
        (96_800_000.0, "B", "96.8 MB"),
        (1.5e18, "bytes", "1,500 PB"),
        (12.5, "pieces", "12.5 pieces"),
        (3.0, "RPM", "3 RPM"),
    ],
)
def test_a_number_with_its_unit(value: float, unit: str, text: str) -> None:
    assert number_text(value, unit) == text


def test_less_than_the_least_coin_is_not_nothing() -> None:
    assert number_text(0.0004, "EUR") == "0.0004 EUR"


@pytest.mark.parametrize(
    ("value", "other", "unit", "text"),
    [
        (0.0500049, 0.05, "ratio", "5.0005 %"),
        (99.996, 100, None, "99.996"),
        (99.996, 100, "EUR", "99.996 EUR"),
        (10000.4, 10000, None, "10,000.4"),
        (1_000_400_000, 1e9, "bytes", "1.0004 GB"),
        (5, 5, None, "5"),
        (0.1 + 0.2, 0.3, None, "0.30000000000000004"),
        (1e20 * (1 + 1e-15), 1e20, None, "1.000000000000001e+20"),
    ],
)
def test_a_number_is_told_from_another(value: float, other: float, unit: str | None, text: str) -> None:
    assert text_beside(value, other, unit) == text


@given(NUMBERS, NUMBERS, UNITS)
def test_two_numbers_never_look_the_same(value: float, other: float, unit: str | None) -> None:
    assume(value != other)
    assert text_beside(value, other, unit) != constant_text(other, unit)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0512345, None, "0.0512345"),
        (0.0512345, "ratio", "5.12345 %"),
        (12345.678, None, "12,345.678"),
        (12345.678, "EUR", "12,345.678 EUR"),
        (1_048_576, "bytes", "1.048576 MB"),
        (0.1, None, "0.1"),
        (-5, None, "-5"),
    ],
)
def test_what_somebody_wrote_keeps_its_digits(value: float, unit: str | None, text: str) -> None:
    assert constant_text(value, unit) == text
