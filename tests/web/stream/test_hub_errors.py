"""Errors that nobody foresaw, in what viewers are told: what they cost, and who hears of it."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from livekpi.alerts.judging.desk import Outcome
from livekpi.alerts.ledger import Alert
from livekpi.commit import Commit
from livekpi.metrics import Metrics
from livekpi.query.live import Changes, Want
from livekpi.web.api.health import Health
from livekpi.web.stream import hub as hub_module
from livekpi.web.stream.hub import Hub, Subscription
from tests.web.streaming import serving, stream
from tests.web.world import MINUTE_US, NOW_US, World, make_world

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be told is tried again soon."""
    monkeypatch.setattr(hub_module, "RETRY_S", 0.01)


def commit(number: int) -> Commit:
    return Commit(number, NOW_US, {"app_1": frozenset({NOW_US + number * MINUTE_US})})


def test_an_error_of_one_question_costs_that_one_its_answer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = world.backend.changed
    mended = threading.Event()

    def fails(told: Commit, wants: Sequence[Want], final_us: Mapping[Want, int]) -> Changes:
        if any(want.by for want in wants) and not mended.is_set():
            raise ArithmeticError("by chance")
        return changed(told, wants, final_us)

    monkeypatch.setattr(world.backend, "changed", fails)
    with capture_logs() as said, serving(world) as url, stream(url, "?kpi=users&by=country") as broken:
        with stream(url, "?kpi=users") as sound:
            for number in (1, 2):
                world.app.on_commit(commit(number))
                assert next(sound)["commit"] == number
        with stream(url, "?kpi=users") as later:
            world.app.on_commit(commit(3))
            assert next(later)["commit"] == 3
        mended.set()
        assert [point["time"][14:16] for point in next(broken)["points"]] == ["01", "02", "03"]
    errors = {(each["event"], each.get("exc_info")) for each in said if each["log_level"] == "error"}
    assert errors == {("the changed points can't be told; trying again", True)}


def test_an_error_of_alerts_costs_the_points_nothing(tmp_path: Path) -> None:
    failed = threading.Event()

    class Alerts:
        def alerts_now(self, _changed: object) -> None:
            failed.set()
            raise ArithmeticError("by chance")

    alert = Alert("key", "rule", "meaning", "{}", NOW_US, None, None, "", None, NOW_US, None)
    with make_world(tmp_path, alerts=Alerts()) as world, serving(world) as url, stream(url, "?kpi=users&alerts=true") as messages:
        world.app.on_alerts(Outcome([alert]))
        assert failed.wait(30)
        world.app.on_commit(commit(1))
        assert next(messages)["commit"] == 1


def test_streams_that_have_ended_are_not_ready(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_hub: Hub, _commit: Commit) -> None:
        raise ArithmeticError("by chance")

    async def run() -> list[dict[str, str]]:
        running = asyncio.create_task(hub.run())
        await asyncio.sleep(0)
        hub.join(Subscription(()))
        found = [health.not_ready()]
        hub.on_commit(commit(1))
        await asyncio.wait([running])
        assert isinstance(running.exception(), ArithmeticError)
        return [*found, health.not_ready()]

    hub = Hub(world.backend, Metrics(CollectorRegistry()), ThreadPoolExecutor(1), 10)
    health = Health(world.backend, {}, hub.failure)
    monkeypatch.setattr(Hub, "_send_out", fail)
    why = "no streams are served until a restart, for a fault of livekpi's: ArithmeticError: by chance"
    assert asyncio.run(run()) == [{}, {"streams": why}]
