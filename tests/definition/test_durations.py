from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.definition.durations import duration_text, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10s", timedelta(seconds=10)),
        ("250ms", timedelta(milliseconds=250)),
        ("1h30m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1w", timedelta(weeks=1)),
        ("2y", timedelta(days=730)),
        (" 5m ", timedelta(minutes=5)),
        ("0s", timedelta(0)),
    ],
)
def test_a_duration_is_read(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "1.5h", "-1m", "5M", "5min", "٣s", 5, None, "1001y", "9" * 12 + "w", "9" * 5000 + "s"]
)
def test_what_is_no_duration_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration"):
        parse_duration(text)


@given(st.integers(0, 10**12))
def test_a_duration_is_written_as_it_is_read(duration_ms: int) -> None:
    duration = timedelta(milliseconds=duration_ms)
    assert parse_duration(format_duration(duration)) == duration


def test_durations_are_written_in_their_largest_unit() -> None:
    written = [duration_text(seconds * 1_000_000) for seconds in (0, 1, 90, 600, 86_400, 604_800, 31_536_000)]
    assert written == ["0s", "1s", "90s", "10m", "1d", "1w", "1y"]
