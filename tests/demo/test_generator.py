"""The synthetic shop: decided by its seed, with everything in it that a demo should show."""

import itertools
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livekpi.demo.generator import (
    COUNTRIES,
    FULL_STOCK,
    INCIDENT_EVERY_US,
    LATE_SHARE,
    REPEATED_SHARE,
    SECOND_US,
    Event,
    Shop,
    activity,
    incident_at,
)

START_US = 1_790_000_000_000_000
SPAN_US = 600 * SECOND_US


def time_us(event: Event) -> int:
    return round(datetime.fromisoformat(str(event["ts"])).timestamp() * SECOND_US)


@pytest.fixture(scope="module")
def events() -> Sequence[Event]:
    """Ten minutes of one shop, in the order of arrival, each once."""
    seen = {str(event["event_id"]): event for event in Shop(1, START_US).until(START_US + SPAN_US)}
    return list(seen.values())


@settings(max_examples=20, deadline=None)
@given(cuts=st.lists(st.integers(0, 30 * SECOND_US), max_size=8))
def test_how_often_it_is_asked_decides_nothing(cuts: list[int]) -> None:
    end_us = START_US + 30 * SECOND_US
    shop = Shop(1, START_US)
    pieces = [event for cut in sorted(cuts) for event in shop.until(START_US + cut)] + shop.until(end_us)
    assert pieces == Shop(1, START_US).until(end_us)


def test_another_seed_is_another_shop() -> None:
    end_us = START_US + 5 * SECOND_US
    assert Shop(1, START_US).until(end_us) != Shop(2, START_US).until(end_us)


def test_shops_started_at_different_times_share_no_event_id() -> None:
    first, second = ({e["event_id"] for e in Shop(1, start).until(start + 5 * SECOND_US)} for start in (START_US, START_US + 1))
    assert first.isdisjoint(second)


def test_some_events_come_late_and_some_twice() -> None:
    shop = Shop(1, START_US)
    arrivals = [(now, event) for now in range(START_US, START_US + SPAN_US, SECOND_US) for event in shop.until(now)]
    firsts = {str(event["event_id"]): now - time_us(event) for now, event in reversed(arrivals)}
    late = sum(delay_us > 4 * SECOND_US for delay_us in firsts.values())
    counts = Counter(str(event["event_id"]) for _, event in arrivals)
    assert late / len(firsts) == pytest.approx(LATE_SHARE, rel=0.4)
    assert sum(count > 1 for count in counts.values()) / len(counts) == pytest.approx(REPEATED_SHARE, rel=0.4)
    assert max(counts.values()) == 2


def test_no_event_arrives_before_its_time() -> None:
    shop = Shop(1, START_US)
    ahead_us = [time_us(event) - now for now in range(START_US, START_US + 60 * SECOND_US, SECOND_US) for event in shop.until(now)]
    assert -SECOND_US < max(ahead_us) <= 0


def test_an_incident_fails_and_slows_one_service_and_stops_purchases_in_one_country(events: Sequence[Event]) -> None:
    incident = next(found for second in range(600) if (found := incident_at(1, START_US + second * SECOND_US)) is not None)
    during = [e for e in events if e["service"] == incident.service and incident.start_us <= time_us(e) < incident.end_us]
    calm = [e for e in events if e["service"] == incident.service and incident_at(1, time_us(e)) is None]

    def error_rate(some: list[Event]) -> float:
        return sum(e["status"] == 503 for e in some) / len(some)

    def mean_ms(some: list[Event]) -> float:
        return sum(float(str(e["duration_ms"])) for e in some) / len(some)

    def conversion(some: Sequence[Event]) -> float:
        there = [e["event"] for e in some if e["country"] == incident.country]
        return there.count("purchase") / there.count("page_view")

    assert error_rate(during) > 10 * error_rate(calm)
    assert mean_ms(during) > 3 * mean_ms(calm)
    assert conversion([e for e in events if incident.start_us <= time_us(e) < incident.end_us]) < 0.5 * conversion(events)


def test_an_incident_begins_every_few_minutes() -> None:
    times = range(START_US, START_US + 10 * INCIDENT_EVERY_US, SECOND_US)
    starts = {incident.start_us for time in times if (incident := incident_at(1, time)) is not None}
    assert len(starts) in (10, 11)


def test_stock_falls_with_each_purchase_and_is_refilled(events: Sequence[Event]) -> None:
    for sku in {e["sku"] for e in events if "level" in e}:
        levels = [int(str(e["level"])) for e in sorted(events, key=time_us) if e.get("sku") == sku and "level" in e]
        assert min(levels) >= 0
        assert max(levels) <= FULL_STOCK
        assert any(later > earlier for earlier, later in itertools.pairwise(levels))


def test_countries_are_busy_in_their_evening_and_quiet_at_night() -> None:
    day = [range(hour * 3600 * SECOND_US, (hour + 1) * 3600 * SECOND_US, 10 * SECOND_US) for hour in range(24)]
    for country in COUNTRIES:
        hourly = [sum(activity(country, time) for time in hour) for hour in day]
        assert (hourly.index(max(hourly)) + country.utc_offset_h) % 24 in range(17, 23)
        assert (hourly.index(min(hourly)) + country.utc_offset_h) % 24 in range(2, 8)


def test_it_has_every_kind_of_event_from_every_country_and_a_trace_each(events: Sequence[Event]) -> None:
    assert {e["event"] for e in events} >= {"page_view", "search", "add_to_cart", "purchase", "restock"}
    assert {e["country"] for e in events} == {country.code for country in COUNTRIES} | {None}
    visits = Counter(e["trace_id"] for e in events if e["trace_id"] is not None)
    assert any(count > 3 for count in visits.values())
