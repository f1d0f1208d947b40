"""What is still to come, against the events that did come later, and against a plain count of how late events are."""

import json
import random
from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from livekpi.alerts.asking.answer import points_with
from livekpi.alerts.asking.predictions import LEAST_SHARE
from livekpi.definition.definition import Definition
from livekpi.query.output import point_object
from livekpi.query.points import Points, Request
from livekpi.scripts.rehearsal import Rehearsal
from tests.rehearsed import MINUTE_US, NOON_US, definition, rehearsed

SECOND_US = 1_000_000
PER_SECOND, MINUTES = 4, 60
NOW_US = NOON_US + MINUTES * MINUTE_US + 40 * SECOND_US
"""In the middle of a minute."""


def shop(idle: str = "10m") -> Definition:
    kpis = {
        "orders": "value: count(*), by: [shop]",
        "revenue": "value: sum(amount), by: [shop]",
        "net": "value: sum(amount) filter (where amount > 50) - sum(amount)",
        "mean": "value: avg(amount)",
        "users": "value: count(distinct shop)",
        "window": "value: count(*), over: 5m",
    }
    return definition("shop: string, amount: integer", kpis, source=f"late: 10m, idle: {idle},")


def made() -> list[tuple[int, int, str, int]]:
    """(when it arrives, its time, shop, amount): half of the events come at once, half 15 s later on average."""
    random_ = random.Random(5)
    found = []
    time_us = float(NOON_US)
    while time_us < NOW_US + MINUTE_US:
        time_us += random_.expovariate(PER_SECOND) * SECOND_US
        late_us = random_.choice([0.0, random_.expovariate(1 / 15)]) * SECOND_US
        found.append((int(time_us + late_us), int(time_us), random_.choice("aab"), random_.randint(1, 100)))
    return sorted(found)


EVENTS = made()
HERE = [event for event in EVENTS if event[0] < NOW_US]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    with rehearsed(tmp_path_factory.mktemp("predictions"), shop()) as server:
        arrive(server, HERE)
        yield server


def arrive(server: Rehearsal, events: list[tuple[int, int, str, int]]) -> None:
    for minute in range(MINUTES + 1):
        until_us = NOON_US + (minute + 1) * MINUTE_US
        own = [event for event in events if until_us - MINUTE_US <= event[0] < until_us]
        server.clock.set_us(min(until_us, NOW_US))
        records = [
            json.dumps({"ts": datetime.fromtimestamp(time / 1e6, UTC).isoformat(), "shop": shop, "amount": amount}).encode()
            for _, time, shop, amount in own
        ]
        server.arrive("s", 0, records)
    server.advance(NOW_US)


def asked(server: Rehearsal, kpi: str, **request: Any) -> Points:
    with server.cursor() as cursor, server.query() as query:
        return points_with(cursor, server.definition, query, Request(kpi, **request), ("prediction",))


def shares() -> dict[int, float]:
    """Of each minute's events the share that should be there, from how far each event was behind the newest before it."""
    behind, newest = [], 0
    for _, time, *_ in HERE:
        newest = max(newest, time)
        behind.append(newest - time)
    behind.sort()
    found = {}
    for start in range(NOON_US, NOW_US, MINUTE_US):
        ages = [newest - (start + part * MINUTE_US // 600) for part in range(600)]
        found[start] = sum(bisect_right(behind, age) / len(behind) for age in ages if age >= 0) / 600
    return found


def truth(start_us: int, size_us: int, *, amounts: bool, shop: str | None = None) -> int:
    rows = [amount for _, time, name, amount in EVENTS if start_us <= time < start_us + size_us and shop in (None, name)]
    return sum(rows) if amounts else len(rows)


def test_what_is_not_final_is_divided_by_the_share_that_should_be_there(server: Rehearsal) -> None:
    expected = shares()
    found = [point for point in asked(server, "orders").points if not point.final]
    assert len(found) == 11
    for point in found:
        assert point.outlook is not None
        assert point.outlook.value == pytest.approx(float(str(point.value)) / expected[point.time_us], rel=0.01)
    assert found[-1].time_us == NOW_US // MINUTE_US * MINUTE_US
    assert 0.4 < expected[found[-1].time_us] < 0.6, "that the running minute is half there is what is tested"


@pytest.mark.parametrize(("kpi", "amounts"), [("orders", False), ("revenue", True)])
@pytest.mark.parametrize("by", [(), ("shop",)])
def test_what_came_later_lies_within(server: Rehearsal, kpi: str, amounts: bool, by: tuple[str, ...]) -> None:
    outside = 0
    points = [point for point in asked(server, kpi, by=by).points if point.outlook is not None]
    assert len(points) == 11 * max(1, 2 * len(by))
    for point in points:
        assert point.outlook is not None
        whole = truth(point.time_us, MINUTE_US, amounts=amounts, shop=str(point.dimensions[0]) if by else None)
        outside += not point.outlook.low - 0.5 <= whole <= point.outlook.high + 0.5
        assert point.outlook.low >= float(str(point.value)), "what is there stays there"
    assert outside <= 2


def test_what_is_final_is_not_predicted(server: Rehearsal) -> None:
    found = asked(server, "orders")
    assert all(point.outlook is None for point in found.points if point.final)
    first, last = (point_object(found, point) for point in (found.points[0], found.points[-1]))
    assert set(first) == {"time", "value", "final"}
    assert set(last) == {"time", "value", "final", "predicted", "predicted_low", "predicted_high"}


@pytest.mark.parametrize("kpi", ["net", "mean", "users", "window"])
def test_of_other_numbers_nothing_is_said(server: Rehearsal, kpi: str) -> None:
    found = asked(server, kpi).points
    assert any(not point.final for point in found)
    assert all(point.outlook is None for point in found)


@pytest.mark.parametrize("step", ["2h", "1d", "all"])
def test_a_long_step_is_not_predicted(server: Rehearsal, step: str) -> None:
    found = asked(server, "orders", step=step).points
    assert any(not point.final for point in found)
    assert all(point.outlook is None for point in found)


def test_a_short_range_says_the_same(server: Rehearsal) -> None:
    whole = {point.time_us: point.outlook for point in asked(server, "orders").points}
    (last,) = asked(server, "orders", from_us=NOW_US - MINUTE_US).points
    assert last.outlook is not None
    assert whole[last.time_us] is not None
    assert last.outlook.value == whole[last.time_us].value  # type: ignore[union-attr]
    assert last.outlook.high == pytest.approx(whole[last.time_us].high, rel=0.1)  # type: ignore[union-attr]


def test_with_a_condition_it_is_of_what_is_left(server: Rehearsal) -> None:
    (last,) = asked(server, "orders", from_us=NOW_US - MINUTE_US, where="shop = 'b'").points
    (sliced,) = (point for point in asked(server, "orders", from_us=NOW_US - MINUTE_US, by=("shop",)).points if point.dimensions == ("b",))
    assert last.outlook is not None
    assert last.outlook == sliced.outlook


def test_at_the_beginning_of_a_step_nothing_is_said(tmp_path: Path) -> None:
    start_us = NOW_US // MINUTE_US * MINUTE_US
    with rehearsed(tmp_path, shop()) as server:
        arrive(server, [event for event in HERE if event[1] < start_us + LEAST_SHARE / 2 * MINUTE_US])
        *_, before, last = asked(server, "orders").points
        assert last.time_us == start_us
        assert (before.outlook is None, last.outlook) == (False, None)


def test_of_a_source_of_which_little_was_seen_nothing_is_said(tmp_path: Path) -> None:
    with rehearsed(tmp_path, shop()) as server:
        arrive(server, HERE[::15])
        found = asked(server, "orders").points
    assert any(not point.final for point in found)
    assert all(point.outlook is None for point in found)


def test_of_a_series_that_has_just_begun_nothing_is_said(tmp_path: Path) -> None:
    with rehearsed(tmp_path, shop()) as server:
        arrive(server, [(at, time, "c" if time > NOW_US - 4 * MINUTE_US and shop == "b" else shop, n) for at, time, shop, n in HERE])
        known = {
            point.dimensions[0]: point.outlook is not None for point in asked(server, "orders", by=("shop",)).points if not point.final
        }
        assert known == {"a": True, "b": True, "c": False}


def test_a_source_that_has_fallen_silent_is_waited_for_no_longer(tmp_path: Path) -> None:
    with rehearsed(tmp_path, shop("1m")) as server:
        arrive(server, HERE)
        server.advance(NOW_US + 2 * MINUTE_US)
        (last,) = (point for point in asked(server, "orders").points if point.time_us == NOW_US // MINUTE_US * MINUTE_US)
        assert last.outlook is not None
        assert last.outlook.value == last.value
