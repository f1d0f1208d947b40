"""The generated records' numbers as plain Python works them out, and where an engine's differ."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from livekpi.query.points import Request
from tests.conformance.engines import Computed
from tests.conformance.generated import generated
from tests.oracle.oracle import EPOCH, MICROSECOND, Oracle, steps
from tests.properties.played import same
from tests.properties.shop import KPIS
from tests.properties.worlds import SIZES_US

CHECKED = ("events", "revenue", "least", "greatest", "latest", "earliest", "users", "basket", "middle")
"""A KPI of each kind of aggregate; the shop's others are checked by the properties."""
_STEP, _BY = "30m", ("country",)
Key = tuple[int, tuple[Any, ...]]


def unlike_oracle(computed: Computed, kpi: str) -> list[str]:
    """The points of a KPI that are not the oracle's: wanted and got."""
    wanted = _wanted(kpi)
    points = computed.query.points(Request(kpi, step=_STEP, by=_BY)).points
    got = {(point.time_us, point.dimensions): _plain(point.value) for point in points}
    there = [key for key in wanted.keys() & got.keys() if not same(got[key], wanted[key], KPIS[kpi].kpi.tolerance)]
    return [f"{key}: wanted {wanted.get(key)}, got {got.get(key)}" for key in (*there, *(wanted.keys() ^ got.keys()))]


@cache
def _wanted(kpi: str) -> Mapping[Key, Any]:
    events = generated().events
    times = [event.time_us for event in events]
    return Oracle(events).points(KPIS[kpi].kpi, steps(min(times), max(times), SIZES_US[_STEP], "UTC"), _BY)


def _plain(value: Any) -> Any:
    return (value.replace(tzinfo=UTC) - EPOCH) // MICROSECOND if isinstance(value, datetime) else value
