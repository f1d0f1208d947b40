"""Times: what is taken, what it means, and that a value means the same in any company."""

from datetime import UTC, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from livekpi.definition.types import parse_field
from livekpi.sources.faults import Faults
from livekpi.sources.times import END_US, time_column


def column(text: str, values: list[object]) -> tuple[list[int | None], Faults]:
    array, faults = time_column(parse_field("at", text))(values)
    assert array.type == pa.timestamp("us")
    assert len(array) == len(values)
    return array.cast(pa.int64()).to_pylist(), faults


def us(time: datetime) -> int:
    return (time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


NOON = us(datetime(2026, 3, 1, 12, tzinfo=UTC))
SECOND_US = 1_000_000
FORMS = {
    "2026-03-01T12:00:00Z": NOON,
    "2026-03-01T12:00:00z": NOON,
    "2026-03-01t12:00:00Z": NOON,
    "2026-03-01 12:00:00Z": NOON,
    "2026-03-01T12:00Z": NOON,
    "2026-03-01T12Z": NOON,
    "2026-03-01T12:00:00.5Z": NOON + SECOND_US // 2,
    "2026-03-01T12:00:00,5Z": NOON + SECOND_US // 2,
    "2026-03-01T12:00:00.123456Z": NOON + 123_456,
    "2026-03-01T12:00:00.1234567Z": NOON + 123_456,
    "2026-03-01T12:00:00.123456999Z": NOON + 123_456,
    "2026-03-01T12:00:00.1234569999999Z": NOON + 123_456,
    "2026-03-01T14:00:00+02:00": NOON,
    "2026-03-01T14:00:00+0200": NOON,
    "2026-03-01T14:00:00+02": NOON,
    "2026-03-01T08:30:00-03:30": NOON,
    "1970-01-01T00:00:00Z": 0,
    "2199-12-31T23:59:59.999999Z": END_US - 1,
}
REFUSED = [
    *("", " ", "now", "2026-03-01", "2026-03-01Z", "2026-03-01T12:00:00", "2026-03-01T12:00:00 Z", " 2026-03-01T12:00:00Z"),
    *("20260301T120000Z", "2026-W09-7T12:00:00Z", "2026-02-30T12:00:00Z", "2026-03-01T24:00:00Z", "2026-12-31T23:59:60Z"),
    *("2026-03-01T12:00:00+25:00", "2026-03-01T12:00:00+01:60", "2026-03-01x12:00:00Z", "2026-3-1T12:00:00Z", "2026-03-01T12:00:00.Z"),
    *("٢٠٢٦-03-01T12:00:00Z", "2026-03-01T12:00:00\u212a", "1969-12-31T23:59:59.9999999Z", "2200-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    *("0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-03-01T12:00:00.123456789\0Z"),
]


@pytest.mark.parametrize(("text", "time"), FORMS.items())
def test_iso_forms(text: str, time: int) -> None:
    assert column("timestamp", [text]) == ([time], {})


@pytest.mark.parametrize("text", REFUSED)
def test_refused(text: str) -> None:
    times, faults = column("timestamp", [text])
    assert times == [None]
    assert (faults[0].code, faults[0].field) == ("bad_time", "at")


FIRST, LAST = datetime(1970, 1, 3), datetime(2199, 12, 30)  # noqa: DTZ001 - a zone follows
iso_texts = st.sampled_from([*FORMS, *REFUSED]) | st.datetimes(FIRST, LAST).map(lambda t: f"{t.isoformat()}Z")


@given(st.lists(st.none() | iso_texts, max_size=40))
def test_a_time_means_the_same_in_any_company(values: list[str | None]) -> None:
    together, faults = column("timestamp", list(values))
    for index, value in enumerate(values):
        (alone,), fault = column("timestamp", [value])
        assert (alone, 0 in fault) == (together[index], index in faults)


zones = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(FIRST, LAST, timezones=zones))
def test_every_zone(time: datetime) -> None:
    assert column("timestamp", [time.isoformat(), f"{time.isoformat()[:19]}.1234567{time.isoformat()[-6:]}"]) == (
        [us(time), us(time.replace(microsecond=123_456))],
        {},
    )


@pytest.mark.parametrize(
    ("unit", "values"),
    [
        ("epoch_s", [1_772_366_400.0, 1_772_366_400.000001, None, -1.0, 7_258_118_400.0, 1e300, -1e300, 0.0]),
        ("epoch_ms", [1_772_366_400_000, None, None, -1, 7_258_118_400_000, 2**63 - 1, -(2**63), 0]),
        ("epoch_us", [1_772_366_400_000_000, 1_772_366_400_000_001, None, -1, END_US, 2**63 - 1, -(2**63), 0]),
        ("epoch_ns", [1_772_366_400_000_000_000, 1_772_366_400_000_001_999, None, -1, END_US * 1_000, 2**63 - 1, -(2**63), 0]),
    ],
)
def test_epochs(unit: str, values: list[object]) -> None:
    times, faults = column(f"timestamp({unit})", values)
    assert times == [NOON, None if values[1] is None else NOON + 1, None, None, None, None, None, 0]
    assert sorted(faults) == [3, 4, 5, 6]
    assert faults[3].reason.endswith(f"is not from 1970 to 2199; it was read as {unit}")


@given(st.integers(0, 2**32 * SECOND_US))
def test_epoch_seconds_are_exact_to_the_microsecond(time: int) -> None:
    assert column("timestamp(epoch_s)", [float(f"{time // SECOND_US}.{time % SECOND_US:06}")]) == ([time], {})


@pytest.mark.parametrize(
    ("pattern", "text", "time"),
    [
        ("%d/%b/%Y:%H:%M:%S %z", "01/Mar/2026:14:00:00 +0200", NOON),
        ("%Y-%m-%d %H:%M:%S", "2026-03-01 12:00:00", NOON),
        ("%Y-%m-%d %H:%M:%S.%f", "2026-03-01 12:00:00.25", NOON + SECOND_US // 4),
        ("%Y-%m-%d %H:%M:%S", "2026-03-01 12:00:61", None),
        ("%Y-%m-%d %H:%M:%S", "2026-03-01 12:00:00Z", None),
        ("%Y-%m-%d", "1969-12-31", None),
        ("%Y%z", "0001+2359", None),
    ],
)
def test_patterns(pattern: str, text: str, time: int | None) -> None:
    times, faults = column(f"timestamp({pattern})", [text, None, text])
    assert times == [time, None, time]
    assert [(index, fault.code) for index, fault in faults.items()] == ([] if time is not None else [(0, "bad_time"), (2, "bad_time")])
