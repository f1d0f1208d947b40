"""What is asked, and what is not answered because no answer would be right."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from livekpi.moments import time_text
from livekpi.query.steps import QueryError
from tests.rehearsed import DAY_US, HOUR_US, MINUTE_US, NOON_US, at, definition, points, rehearsed, send, values

KPIS = {
    "orders": "value: count(*), by: [country, large]",
    "revenue": "value: sum(amount), by: [country]",
    "level": "value: last(amount), by: [country]",
}
COMPOSED = {"mean": "revenue / orders"}
FIELDS = 'country: optional string, large: boolean, amount: "decimal(18, 2)"'


def event(time: str, amount: float, country: str | None = "DE", large: bool = False) -> dict[str, object]:
    return {"ts": f"2026-03-01T{time}Z", "amount": amount, "country": country, "large": large}


EVENTS = [
    event("11:00:10", 10, "DE"),
    event("11:00:50", 2.5, "FR", True),
    event("11:01:00", 4, None),
    event("11:03:59", 1, "DE", True),
]


def test_by_and_where_and_totals(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED)) as server:
        send(server, *EVENTS)
        assert values(server, "revenue") == {"11:00:00": Decimal("12.5"), "11:01:00": 4, "11:03:00": 1}
        assert values(server, "revenue", step="1h", by=("country",)) == {
            ("11:00:00", "DE"): 11,
            ("11:00:00", "FR"): Decimal("2.5"),
            ("11:00:00", None): 4,
        }
        assert values(server, "orders", step="all", by=("large", "country"), where="large or country is null") == {
            ("11:00:00", True, "DE"): 1,
            ("11:00:00", True, "FR"): 1,
            ("11:00:00", False, None): 1,
        }
        assert values(server, "orders", step="all", where="country in ('DE', 'AT') and not large") == {"11:00:00": 1}
        assert values(server, "orders", step="all", where="country = 'x'") == {}
        assert values(server, "mean", step="all") == {"11:00:00": pytest.approx(17.5 / 4)}
        assert values(server, "mean", step="all", by=("country",))["11:00:00", "DE"] == 5.5


def test_an_empty_bucket_counts_nothing_and_carries_a_level(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED)) as server:
        send(server, *EVENTS)
        assert values(server, "orders") == {"11:00:00": 2, "11:01:00": 1, "11:02:00": 0, "11:03:00": 1}
        assert values(server, "level") == {"11:00:00": Decimal("2.5"), "11:01:00": 4, "11:02:00": 4, "11:03:00": 1}
        assert values(server, "level", by=("country",), where="country = 'FR'", from_us=at("11:02:00")) == {
            ("11:02:00", "FR"): Decimal("2.5"),
            ("11:03:00", "FR"): Decimal("2.5"),
        }


def test_a_range_holds_the_steps_that_start_in_it(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED)) as server:
        send(server, *EVENTS)
        asked = {"from_us": at("11:00:00") + 1, "to_us": at("11:03:00")}
        assert values(server, "orders", **asked) == {"11:01:00": 1, "11:02:00": 0}
        assert values(server, "orders", step="all", **asked) == {"11:01:00": 1}
        assert values(server, "orders", from_us=at("11:04:00")) == {}
        assert values(server, "orders", from_us=at("11:02:00"), to_us=at("11:02:00")) == {}


def test_the_same_hours_of_a_day_before(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED)) as server:
        send(server, {**EVENTS[0], "ts": "2026-02-28T11:30:00Z"}, *EVENTS)
        found = points(server, "revenue", step="1h", compare="1d", from_us=at("11:00:00"))
        assert [(point.value, point.before) for point in found] == [(Decimal("17.5"), Decimal(10))]
        found = points(server, "revenue", step="1h", compare="1h", from_us=at("11:00:00"))
        assert [(point.value, point.before) for point in found] == [(Decimal("17.5"), None)]


def test_a_step_is_final_when_its_source_has_gone_past_it_by_late(tmp_path: Path) -> None:
    made = definition(FIELDS, KPIS, composed=COMPOSED, source="late: 2m, idle: 5m,")
    with rehearsed(tmp_path, made, at("11:04:00")) as server:
        send(server, *EVENTS)
        assert [point.final for point in points(server, "orders")] == [True, False, False, False]  # the watermark is 11:03:59
        send(server, event("11:04:00", 1), partition=1)
        send(server, event("11:00:30", 1), partition=2)
        assert [point.final for point in points(server, "orders")] == [False] * 5
        server.advance(at("11:09:00"))
        assert [point.final for point in points(server, "orders")] == [False] * 5
        server.advance(at("11:09:00") + 1)  # all are idle: the clock's time counts
        assert [point.final for point in points(server, "orders")] == [True] * 5


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"kpi": "ordres"}, "there is no KPI 'ordres'; did you mean 'orders'?"),
        ({"from_us": 2_000_000, "to_us": 1_000_000}, "expected `from` before `to`, got 1970-01-01T00:00:02Z and 1970-01-01T00:00:01Z"),
        ({"kpi": "xyz"}, "there is no KPI 'xyz'; there are "),
        ({"by": ("contry",)}, "orders has no dimension 'contry'; it has country, large; did you mean 'country'?"),
        ({"where": "contry = 'DE'"}, "where: orders has no dimension 'contry'; it has country, large; did you mean 'country'?"),
        ({"where": 'country = "DE"'}, "where: orders has no dimension 'DE'; it has country, large; text stands in single quotes: 'DE'"),
        ({"where": "country = o.DE"}, "where: orders has no dimension 'DE'"),
        ({"where": "country = 1"}, "where: expected values of one type, got string and integer"),
        ({"where": "country ="}, "where: not an expression"),
        ({"where": "(select 1) = 1"}, "where: subquery can't stand in an expression"),
        ({"where": "read_text('x') = ''"}, "where: there is no function 'read_text'"),
        ({"where": "country"}, "where: expected a condition, got string"),
        ({"step": "90s"}, "step '90s' is no multiple of orders's bucket, 1m"),
        ({"step": "7m"}, "step '7m': expected a size that divides a day"),
        ({"step": "36h"}, "step '36h': expected a part of a day, or whole days or weeks"),
        ({"step": "x"}, "step 'x': expected a duration"),
        ({"step": "1h", "timezone": "Mars/Phobos"}, "there is no time zone 'Mars/Phobos'"),
        ({"compare": "x"}, "compare 'x': expected a duration"),
    ],
)
def test_a_wrong_question(tmp_path: Path, request_: dict[str, str], message: str) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED)) as server:
        send(server, *EVENTS)
        with pytest.raises(QueryError) as caught:
            points(server, **({"kpi": "orders"} | request_))
    assert str(caught.value).startswith(message)


def test_a_wrong_comparison_is_said_where_there_are_no_points_too(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS, composed=COMPOSED)) as server, pytest.raises(QueryError, match="compare 'x'"):
        points(server, "orders", compare="x")


def test_too_many_points_and_steps(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition(FIELDS, KPIS, rest="limits: { points: 5 }")) as server:
        send(server, *EVENTS)
        with pytest.raises(QueryError, match="more than 5 points"):
            points(server, "orders", by=("country",))
        send(server, event("11:30:00", 1))
        with pytest.raises(QueryError, match="more than 5 steps"):
            points(server, "orders")


@pytest.mark.parametrize(
    ("every", "step", "timezone", "answered"),
    [
        ("1h", "1h", "UTC", True),
        ("1h", "1d", "Europe/Berlin", True),
        ("1h", "1h", "Asia/Kolkata", False),
        ("1h", "1d", "Asia/Kolkata", False),
        ("30m", "1d", "Asia/Kolkata", True),
        ("30m", "1h", "Asia/Kathmandu", False),
        ("15m", "1h", "Asia/Kathmandu", True),
        ("1d", "1d", "UTC", True),
        ("1d", "1d", "Europe/Berlin", False),
        ("1d", "1w", "America/New_York", False),
        ("1h", None, "Asia/Kolkata", True),
        ("1d", None, "Europe/Berlin", True),
    ],
)
def test_steps_that_would_cut_a_bucket_in_two_are_refused(
    tmp_path: Path, every: str, step: str | None, timezone: str, answered: bool
) -> None:
    with rehearsed(tmp_path, definition(FIELDS, {"orders": f"value: count(*), every: {every}"})) as server:
        send(server, *EVENTS)
        if answered:
            assert sum(values(server, "orders", step=step, timezone=timezone).values()) == 4
        else:
            with pytest.raises(QueryError, match="would cut one in two"):
                points(server, "orders", step=step, timezone=timezone)


def test_the_whole_range_of_what_has_been_rolled_up(tmp_path: Path) -> None:
    made = definition(FIELDS, {"orders": "value: count(*), every: 10s"}, rest="keep: { 10s: 10m, 1m: 1h, 1h: 30d }")
    with rehearsed(tmp_path, made) as server:
        send(server, event("08:00:11", 1), event("10:30:15", 1), event("11:30:15", 1), event("11:59:59", 1))
        server.advance(NOON_US + MINUTE_US)
        assert values(server, "orders", step="all") == {"08:00:00": 4}
        assert values(server, "orders", step="all", from_us=0) == {"08:00:00": 4}
        assert values(server, "orders") == {"08:00:00": 1, "09:00:00": 0, "10:00:00": 1, "11:00:00": 2}
        assert values(server, "orders", from_us=at("11:00:00"), to_us=at("11:31:00"))["11:30:00"] == 1
        assert values(server, "orders", from_us=at("11:59:50")) == {"11:59:50": 1}
        with pytest.raises(QueryError, match="kept in buckets of 1h that far back"):
            points(server, "orders", step="1m")


def test_a_kpi_says_nothing_of_the_time_before_it_was_added(tmp_path: Path) -> None:
    before = {"orders": "value: count(*), by: [country]"}
    added = before | {
        "large": "value: count(*) filter (where large), by: [country]",
        "plain": "value: count(*)",
        "level": "value: last(amount), by: [country]",
    }
    with rehearsed(tmp_path, definition(FIELDS, before)) as server:
        send(server, *EVENTS)
        server.redefine(definition(FIELDS, added, composed={"share": "large / orders"}))
        for kpi in ("large", "share", "plain", "level"):
            assert values(server, kpi) == {}, kpi
            assert values(server, kpi, from_us=at("11:00:00"), to_us=at("11:04:00")) == {}, kpi
        send(server, event("11:02:00", 7), event("11:03:10", 7, "DE", True))  # late, for buckets of which the new ones know a part
        assert values(server, "orders", step="1h") == {"11:00:00": 6}
        for kpi in ("large", "share", "plain", "level"):
            assert values(server, kpi) == {}, kpi
        send(server, event("11:06:00", 3), event("11:06:10", 3, "FR", True))
        assert values(server, "large") == {"11:04:00": 0, "11:05:00": 0, "11:06:00": 1}
        assert values(server, "plain") == {"11:04:00": 0, "11:05:00": 0, "11:06:00": 2}
        assert values(server, "share") == {"11:06:00": 0.5}
        assert values(server, "share", step="1h") == {"11:00:00": 0.5}  # of the same two orders, not of all eight
        assert values(server, "level") == {"11:06:00": 3}
        assert values(server, "orders", step="1h") == {"11:00:00": 8}


def test_types_come_back_as_they_went_in(tmp_path: Path) -> None:
    kpis = {kind: f"value: last({kind})" for kind in ("i", "x", "d", "b", "t", "s")}
    fields = 'i: integer, x: number, d: "decimal(9, 3)", b: boolean, t: timestamp, s: string'
    with rehearsed(tmp_path, definition(fields, kpis)) as server:
        send(server, {"i": -(2**63), "x": 0.1, "d": 1.5, "b": False, "t": "2026-01-01T02:00:00.000001+02:00", "s": "é\0'"})
        found = {kind: next(iter(values(server, kind).values())) for kind in kpis}
    assert found == {"i": -(2**63), "x": 0.1, "d": Decimal("1.5"), "b": False, "t": datetime(2026, 1, 1, 0, 0, 0, 1), "s": "é\0'"}  # noqa: DTZ001
    assert [type(value) for value in found.values()] == [int, float, Decimal, bool, datetime, str]


def test_an_integer_dimension_sorts_and_filters_as_a_number(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition("n: optional integer", {"c": "value: count(*), by: [n]"})) as server:
        send(server, {"n": 10}, {"n": 9}, {"n": -1}, {"n": None}, {})
        assert values(server, "c", by=("n",)) == {("12:00:00", 10): 1, ("12:00:00", 9): 1, ("12:00:00", -1): 1, ("12:00:00", None): 2}
        assert values(server, "c", by=("n",), where="n > 9") == {("12:00:00", 10): 1}
        assert values(server, "c", where="n is null") == {"12:00:00": 2}
        assert values(server, "c", where="n not in (9, 10)") == {"12:00:00": 1}


def test_days_over_a_change_of_the_clocks(tmp_path: Path) -> None:
    """On 29 March 2026 the clocks of Berlin go from 2 to 3: a day of 23 hours, and so of 23 events, one an hour."""
    first = at("2026-03-27T23:30:00")
    events = [{"ts": time_text(first + hour * HOUR_US)} for hour in range(24 + 23 + 24)]
    with rehearsed(tmp_path, definition("", {"c": "value: count(*)"}), first + 4 * DAY_US) as server:
        send(server, *events)
        assert values(server, "c", step="1d", timezone="Europe/Berlin") == {
            "2026-03-27T23:00:00": 24,
            "2026-03-28T23:00:00": 23,
            "2026-03-29T22:00:00": 24,
        }
        assert values(server, "c", step="1w", timezone="Europe/Berlin") == {"2026-03-22T23:00:00": 47, "2026-03-29T22:00:00": 24}
        assert values(
            server, "c", step="12h", timezone="Europe/Berlin", from_us=at("2026-03-28T23:00:00"), to_us=at("2026-03-29T22:00:00")
        ) == {
            "2026-03-28T23:00:00": 11,
            "2026-03-29T10:00:00": 12,
        }
