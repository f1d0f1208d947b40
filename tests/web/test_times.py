from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from livekpi.web.times import parse_time
from tests.web.world import MINUTE_US, NOW_US

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "time_us"),
    [
        ("now", NOW_US),
        ("-1h", NOW_US - 60 * MINUTE_US),
        ("-1h30m", NOW_US - 90 * MINUTE_US),
        ("1772366400", NOW_US),
        ("1772366400.5", NOW_US + 500_000),
        ("1772366400.1234567", NOW_US + 123_456),
        ("2026-03-01T12:00:00Z", NOW_US),
        ("2026-03-01T13:00:00+01:00", NOW_US),
        ("2026-03-01T13:00:00 01:00", NOW_US),  # as it comes where + was not escaped
        ("2026-03-01T12:00:00", NOW_US - 60 * MINUTE_US),
        ("2026-03-01 12:00", NOW_US - 60 * MINUTE_US),
        ("2026-03-01", NOW_US - 13 * 60 * MINUTE_US),
        ("20260301", NOW_US - 13 * 60 * MINUTE_US),
        ("0", 0),
    ],
)
def test_times(text: str, time_us: int) -> None:
    assert parse_time(text, NOW_US, BERLIN) == time_us


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "-1", "-", "1e9", "2026-13-01", "-99999999999999999999d", "0x10", "2026", "202603", "9" * 5000, "999999999999"],
)
def test_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="expected one such as 2026-03-01T12:00:00Z"):
        parse_time(text, NOW_US, UTC)
