from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.definition.model import Kafka, PeriodTarget, format_duration, moment, parse_duration


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
    written = [format_duration(timedelta(seconds=seconds)) for seconds in (0, 1, 90, 600, 86_400, 604_800, 31_536_000)]
    assert written == ["0s", "1s", "90s", "10m", "1d", "1w", "1y"]


def test_a_target_by_period() -> None:
    target = PeriodTarget.model_validate({"1d": 50000, "1w": 4e5, "timezone": "Europe/Berlin"})
    assert target.values == {timedelta(days=1): 50_000.0, timedelta(weeks=1): 400_000.0}


def test_a_moment_takes_its_zone_from_the_text_before_the_target() -> None:
    assert moment("2026-07-01", "Europe/Berlin") == datetime(2026, 6, 30, 22, tzinfo=UTC)
    assert moment("2026-07-01T00:00Z", "Europe/Berlin") == datetime(2026, 7, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("bootstrap.servers", "`brokers`"),
        ("auto.offset.reset", "`start` and `lost`"),
        ("enable.auto.commit", "offsets are committed in the store"),
        ("enable.auto.offset.store", "offsets are committed in the store"),
        ("enable.partition.eof", "livekpi does not need for itself"),
    ],
)
def test_a_setting_that_would_change_what_is_read_is_refused(name: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Kafka(brokers="localhost:9092", topic="shop", settings={"client.id": "me", name: "false"})


def test_other_settings_of_the_consumer_are_taken_as_they_are() -> None:
    settings: dict[str, str | int | float | bool] = {
        "group.id": "ours",
        "ssl.ca.location": "/ca.pem",
        "fetch.min.bytes": 5,
        "check.crcs": True,
    }
    assert Kafka(brokers="localhost:9092", topic="shop", settings=settings).settings == settings
