"""The oracle must see what a fault could do to the numbers."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.faults.traffic import KPIS, SECOND_US, Event, Traffic, differences, expected, points

BEGIN_US = 1_760_000_000 * SECOND_US


def events(count: int) -> list[Event]:
    traffic = Traffic(random.Random(5), BEGIN_US)
    while len(traffic.events) < count:
        traffic.record()
    return traffic.events


def answer(of: Sequence[Event], name: str) -> list[str]:
    """As livekpi would print it."""
    kpi = KPIS[name]
    lines = []
    for (time_us, dimension), value in expected(of, kpi).items():
        time = datetime.fromtimestamp(time_us // SECOND_US, UTC).isoformat().replace("+00:00", "Z")
        number = value[0] if name == "p95" else value
        lines.append(f'{{"time": "{time}", "{kpi.dimension}": {json.dumps(dimension)}, "value": {number}, "final": true}}')
    return lines


@pytest.mark.parametrize("kpi", KPIS)
def test_the_right_numbers_are_right(kpi: str) -> None:
    sent = events(2_000)
    assert differences(kpi, points(kpi, answer(sent, kpi)), sent) == []


@pytest.mark.parametrize("kpi", KPIS)
def test_events_lost_are_seen(kpi: str) -> None:
    sent = events(2_000)
    assert differences(kpi, points(kpi, answer(sent[:-300], kpi)), sent) != []


@pytest.mark.parametrize("kpi", ["events", "revenue"])
def test_an_event_counted_twice_is_seen(kpi: str) -> None:
    sent = events(2_000)
    twice = next(event for event in sent if event.amount)
    assert len(differences(kpi, points(kpi, answer([*sent, twice], kpi)), sent)) == 1


def test_a_point_told_twice_is_seen() -> None:
    sent = events(100)
    lines = answer(sent, "events")
    with pytest.raises(AssertionError, match="twice"):
        points("events", [*lines, lines[0]])


def test_records_are_as_described() -> None:
    traffic = Traffic(random.Random(5), BEGIN_US)
    records = [traffic.record() for _ in range(5_000)]
    good: dict[str, dict[str, Any]] = {}
    for record in records:
        if record not in traffic.dead:
            assert record is not None
            event = json.loads(record)
            good[event["event_id"]] = event
    assert len(good) == len(traffic.events)
    assert len(records) - len(traffic.dead) > len(good)
    assert len({event.time_us for event in traffic.events}) == len(traffic.events)
