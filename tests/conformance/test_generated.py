"""What the embedded engine makes of the generated records is what plain Python says; the clusters are then compared with it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from livekpi.query.points import Request
from tests.conformance.engines import Computed
from tests.conformance.generated import CODES, SOURCE, generated
from tests.oracle.oracle import EPOCH, MICROSECOND, Oracle, steps
from tests.properties.played import same
from tests.properties.shop import KPIS
from tests.properties.worlds import SIZES_US

CHECKED = ("events", "revenue", "least", "greatest", "latest", "earliest", "users", "basket", "middle")
"""A KPI of each kind of aggregate; the shop's others are checked by the properties."""
STEP, BY = "30m", ("country",)


@pytest.mark.parametrize("kpi", CHECKED)
def test_embedded_says_what_the_oracle_says(reference: Computed, kpi: str) -> None:
    events = generated().events
    said = KPIS[kpi].kpi
    times = [event.time_us for event in events]
    wanted = Oracle(events).points(said, steps(min(times), max(times), SIZES_US[STEP], "UTC"), BY)
    points = reference.query.points(Request(kpi, step=STEP, by=BY)).points
    got = {(point.time_us, point.dimensions): plain(point.value) for point in points}
    assert got.keys() == wanted.keys()
    assert [key for key, value in wanted.items() if not same(got[key], value, said.tolerance)] == []


def test_every_broken_record_is_a_dead_letter(reference: Computed) -> None:
    letters = [letter for letter in reference.letters if letter[0] == SOURCE]
    assert {letter[1:3] for letter in letters} == generated().broken
    assert {letter[3] for letter in letters} == CODES


def plain(value: Any) -> Any:
    return (value.replace(tzinfo=UTC) - EPOCH) // MICROSECOND if isinstance(value, datetime) else value
