"""The oracle itself, against values worked out by hand."""

from datetime import datetime
from decimal import Decimal

from tests.oracle.oracle import DAY_US, HOUR_US, Event, Kpi, Oracle, Part, divide, steps

MINUTE_US = 60_000_000


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def at(minute: float, amount: str | None = None, country: str | None = None, position: int = 0) -> Event:
    return Event(int(minute * MINUTE_US), (0, position), {"amount": None if amount is None else Decimal(amount), "country": country})


EVENTS = [at(10, "1.10", "DE", 0), at(12.5, "2.20", "FR", 1), at(12.9, None, "DE", 2), at(12.5, "-3", "DE", 3)]
MINUTES = [(minute * MINUTE_US, (minute + 1) * MINUTE_US) for minute in range(9, 15)]


def asked(part: Part, by: tuple[str, ...] = ()) -> dict[object, object]:
    return {(start // MINUTE_US, *cut): value for (start, cut), value in Oracle(EVENTS).points(Kpi((part,)), MINUTES, by).items()}


def test_aggregates() -> None:
    amount = lambda event: event["amount"]  # noqa: E731 - as short as what it means
    assert asked(Part("count")) == {(10,): 1, (11,): 0, (12,): 3}
    assert asked(Part("count", amount)) == {(10,): 1, (11,): 0, (12,): 2}
    assert asked(Part("sum", amount)) == {(10,): Decimal("1.10"), (12,): Decimal("-0.80")}
    assert asked(Part("last", amount)) == {(10,): Decimal("1.10"), (11,): Decimal("1.10"), (12,): Decimal(-3)}
    assert asked(Part("first", amount)) == {(10,): Decimal("1.10"), (12,): Decimal("2.20")}
    assert asked(Part("quantile", amount, quantile="0.99")) == {(10,): Decimal("1.10"), (12,): Decimal(-3)}
    sliding = [Decimal(text) for text in ("1.10", "1.10", "0.30", "-0.80", "-0.80")]
    assert asked(Part("sum", amount, over_us=3 * MINUTE_US)) == {(10 + index,): value for index, value in enumerate(sliding)}
    assert asked(Part("count"), ("country",)) == {(10, "DE"): 1, (11, "DE"): 0, (12, "DE"): 2, (12, "FR"): 1}
    assert asked(Part("distinct", lambda event: event["country"])) == {(10,): 1, (11,): 0, (12,): 2}
    ratio = Kpi((Part("sum", amount), Part("count", where=lambda event: event["country"] == "FR")), divide)
    assert Oracle(EVENTS).points(ratio, MINUTES) == {(12 * MINUTE_US, ()): -0.8}


def test_days_of_23_and_25_hours() -> None:
    found = steps(us("2026-03-28T12:00Z"), us("2026-03-30T12:00Z"), DAY_US, "Europe/Berlin")
    assert list(found) == [
        (us("2026-03-28T00:00+01:00"), us("2026-03-29T00:00+01:00")),
        (us("2026-03-29T00:00+01:00"), us("2026-03-30T00:00+02:00")),
        (us("2026-03-30T00:00+02:00"), us("2026-03-31T00:00+02:00")),
    ]
    assert [(end - start) // HOUR_US for start, end in found] == [24, 23, 24]
    autumn = steps(us("2026-11-01T12:00Z"), us("2026-11-01T12:00Z"), DAY_US, "America/New_York")
    assert list(autumn) == [(us("2026-11-01T00:00-04:00"), us("2026-11-02T00:00-05:00"))]


def test_parts_of_days_weeks_and_half_hours() -> None:
    sizes = [
        (end - start) // HOUR_US for start, end in steps(us("2026-10-24T22:00Z"), us("2026-10-25T22:59Z"), 6 * HOUR_US, "Europe/Berlin")
    ]
    assert sizes == [7, 6, 6, 6]
    week = steps(us("2026-03-29T21:59Z"), us("2026-03-29T22:00Z"), 7 * DAY_US, "Europe/Berlin")
    assert list(week) == [
        (us("2026-03-23T00:00+01:00"), us("2026-03-30T00:00+02:00")),
        (us("2026-03-30T00:00+02:00"), us("2026-04-06T00:00+02:00")),
    ]
    hour = steps(us("2026-01-01T00:10Z"), us("2026-01-01T00:10Z"), HOUR_US, "Asia/Kolkata")
    assert list(hour) == [(us("2025-12-31T23:30Z"), us("2026-01-01T00:30Z"))]
