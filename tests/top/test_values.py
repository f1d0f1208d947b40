"""Numbers as people read them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livekpi.top.values import format_age, format_change, format_value, sparkline


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, None, "0"),
        (1234, None, "1,234"),
        (12.345, None, "12.3"),
        (1.5, None, "1.50"),
        (0.00042, None, "0.00042"),
        (-7, None, "-7"),
        (12_345_678, None, "12.35 M"),
        (3.2e9, None, "3.20 G"),
        (5.1e13, None, "51.00 T"),
        (0.0052, "ratio", "0.52 %"),
        (1, "ratio", "100 %"),
        (182.4, "ms", "182 ms"),
        (1250, "ms", "1.25 s"),
        (512, "bytes", "512 B"),
        (3_565_158, "bytes", "3.40 MiB"),
        (1234.5, "EUR", "1,234.50 EUR"),
        (2_500_000, "EUR", "2.50 M EUR"),
        (3, "orders", "3 orders"),
        (True, None, "True"),
        ("2026-01-01T00:00:00Z", None, "2026-01-01T00:00:00Z"),
    ],
)
def test_a_value_with_its_unit(value: object, unit: str | None, text: str) -> None:
    assert format_value(value, unit) == text


@pytest.mark.parametrize(
    ("before", "now", "text"),
    [
        (100, 112, "▲ 12 %"),
        (100, 88, "▼ 12 %"),
        (5, 5, "= 0 %"),
        (0, 3, "▲ new"),
        (0, -3, "▼ new"),
        (1, 50, "▲ ×50"),
        (-100, -50, "▲ 50 %"),
    ],
)
def test_a_change_says_its_direction_without_colour(before: float, now: float, text: str) -> None:
    assert format_change(before, now) == text


@pytest.mark.parametrize(("seconds", "text"), [(-1, "0 s"), (0.9, "0 s"), (59, "59 s"), (60, "1 m"), (7200, "2 h"), (200_000, "2 d")])
def test_an_age_by_its_largest_unit(seconds: float, text: str) -> None:
    assert format_age(seconds) == text


def test_a_sparkline_goes_from_the_least_to_the_greatest_and_leaves_gaps() -> None:
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparkline([1, None, 3]) == "▁ █"
    assert sparkline([5, 5]) == "▅▅"
    assert sparkline([None, None]) == "  "


@given(st.lists(st.none() | st.floats()))
@example([-1e308, 1e308, 0.0])
@example([0.0, 5e-324])
def test_a_sparkline_has_a_character_a_value(values: list[float | None]) -> None:
    assert len(sparkline(values)) == len(values)
