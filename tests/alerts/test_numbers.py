"""Numbers for people: by few digits, but never so few that they mislead."""

import pytest

from livekpi.alerts.numbers import constant_text, number_text, text_beside


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (0.071428, "0.07143"),
        (-3.0, "-3"),
        (1234.56, "1,235"),
        (9999.4, "9,999"),
        (9999.6, "10,000"),
        (-9999.6, "-10,000"),
        (50123.45, "50,123"),
        (1e14, "100,000,000,000,000"),
        (1e20, "1e+20"),
    ],
)
def test_a_number_for_reading(value: float, text: str) -> None:
    assert number_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(1234567.0, "1,234,567"), (999999.7, "1,000,000"), (1 / 3, "0.333333")])
def test_by_more_digits(value: float, text: str) -> None:
    assert number_text(value, 6) == text


@pytest.mark.parametrize(
    ("value", "other", "text"),
    [
        (0.0500049, 0.05, "0.050005"),
        (99.996, 100, "99.996"),
        (10000.4, 10000, "10,000.4"),
        (5, 5, "5"),
        (0.1 + 0.2, 0.3, "0.30000000000000004"),
    ],
)
def test_a_number_is_told_from_another(value: float, other: float, text: str) -> None:
    assert text_beside(value, other) == text


@pytest.mark.parametrize(("value", "text"), [(0.0512345, "0.0512345"), (12345.678, "12,345.678"), (0.1, "0.1"), (-5, "-5")])
def test_what_somebody_wrote_keeps_its_digits(value: float, text: str) -> None:
    assert constant_text(value) == text
