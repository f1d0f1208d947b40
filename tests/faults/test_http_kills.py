"""Killed at any moment, again and again, under HTTP load: every event that was answered is counted, and none twice."""

import json
import random
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

import pytest

from tests.faults.livekpi_server import LivekpiServer, nothing_wrong
from tests.faults.posting import Body, Posting
from tests.faults.traffic import DEFINITION, KPIS, Traffic, differences
from tests.servers.nursery import Nursery

STOP_S = 5
SERIES = "limits: { series: 1000000 }  # each body of `every_one` is one\n"


@pytest.mark.timeout(900)
def test_killed_again_and_again(rng: random.Random, kills: int, begin_us: int, nursery: Nursery, tmp_path: Path) -> None:
    server = LivekpiServer(tmp_path, DEFINITION.format(source="http: {}") + SERIES, nursery)
    traffic = Traffic(rng, begin_us, bad=0)
    try:
        with Posting(server.address, traffic, rng) as posting:
            server.many_lives(rng, kills)
            server.start()
            posting.stop()
        server.until(lambda: all(source["lag"] == 0 for source in server.get("/v1/sources")["sources"]))
        server.process.terminate()
        assert server.process.wait(STOP_S) == 0
    finally:
        server.close()
    assert posting.repeated >= kills, "too few requests were under way for the kills to mean anything"
    assert {"accepted", "unanswered"} <= {body.outcome for body in posting.bodies}
    nothing_wrong([each for kpi in KPIS if not kpi.startswith("every_") for each in differences(kpi, server.points(kpi), traffic.events)])
    nothing_wrong(wrong_bodies(posting.bodies, by_body(server, "every_event"), by_body(server, "every_revenue")))


def wrong_bodies(bodies: Iterable[Body], counts: dict[str, Decimal], revenues: dict[str, Decimal]) -> list[str]:
    """What was accepted is counted once, what was refused is not, and what had no answer is counted once or not at all."""
    wrong = []
    for body in bodies:
        once = Decimal(len(body.events)), sum((event.amount for event in body.events if event.amount is not None), Decimal(0))
        allowed = [*([once] if body.outcome != "refused" else []), *([(Decimal(0), Decimal(0))] if body.outcome != "accepted" else [])]
        found = counts.pop(body.name, Decimal(0)), revenues.get(body.name, Decimal(0))
        if found not in allowed:
            wrong.append(f"{body.name}, {body.outcome}: expected {allowed}, found {found}")
    return wrong + [f"{name}: was never sent" for name in counts]


def by_body(server: LivekpiServer, kpi: str) -> dict[str, Decimal]:
    """The KPI's value over all time for each body of `every_one`."""
    lines = server.query("query", kpi, "--by", "country", "--step", "all", "--format", "json")
    points = [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]
    return {point["country"]: point["value"] for point in points}
