"""Changes, ages and curves in a terminal."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from livekpi.top.values import format_age, format_change, sparkline


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
