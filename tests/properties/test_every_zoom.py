"""Every KPI at every step in every time zone, and by every set of its dimensions, over weeks in which clocks change."""

from collections.abc import Iterator
from datetime import datetime
from itertools import combinations
from random import Random

import pytest

from tests.oracle.oracle import DAY_US, EPOCH, MICROSECOND
from tests.properties.played import Played, playing
from tests.properties.shop import KPIS, definition
from tests.properties.test_engine import check
from tests.properties.worlds import SIZES_US, ZONES, Act, Ask, World, make_record, random_values


def us(text: str) -> int:
    return (datetime.fromisoformat(text) - EPOCH) // MICROSECOND


# New York's clocks change on the 8th, Berlin's on the 29th
BEGIN_US, END_US, CHANGE_US = us("2026-03-06T00:00Z"), us("2026-03-31T00:00Z"), us("2026-03-29T01:00Z")
STEPS = [(size, zone) for size in ("1h", "2h", "12h", "1d", "2d", "1w") for zone in ZONES] + [("all", "UTC"), ("5m", "UTC"), (None, "UTC")]


@pytest.fixture(scope="module")
def played() -> Iterator[Played]:
    """Sixty events, half of them around one change of the clocks, in no order."""
    random = Random(7)
    times = [random.randrange(BEGIN_US, END_US) for _ in range(30)] + [
        random.randrange(CHANGE_US - DAY_US, CHANGE_US + DAY_US) for _ in range(30)
    ]
    records = [make_record(time_us, random_values(random)) for time_us in times]
    acts = [Act("arrive", ((index % 3, tuple(records[index * 6 : index * 6 + 6])),), 2) for index in range(10)]
    world = World(END_US, tuple(times), (*acts[:5], Act("compact"), Act("kill"), *acts[5:]))
    with playing(definition(keep={"1m": "60d", "1h": "2y"}), world) as found:
        yield found


@pytest.mark.parametrize("name", KPIS)
def test_every_step_in_every_zone(played: Played, name: str) -> None:
    for size, zone in STEPS:
        if size in (None, "all") or SIZES_US[size] % KPIS[name].kpi.every_us == 0:
            check(played, Ask(name, size, zone, (), None, CHANGE_US))


@pytest.mark.parametrize("name", KPIS)
def test_every_set_of_dimensions(played: Played, name: str) -> None:
    dimensions = KPIS[name].kpi.by
    sets = [found for count in range(1, len(dimensions) + 1) for found in combinations(dimensions, count)]
    for number, by in enumerate(sets):
        size, zone = STEPS[(3 * number + len(name)) % 24]
        check(played, Ask(name, size, zone, by, None, CHANGE_US))
