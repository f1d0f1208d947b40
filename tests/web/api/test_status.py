from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from livekpi.engine.cluster import JobState
from livekpi.web.openapi.document import DOCUMENT
from tests.web.world import Client, World, client_of, make_world


@dataclass
class FakeJob:
    last: JobState | None


def fits(content: Any) -> None:
    """Whether an answer is what the API's description says."""
    schema = {"$ref": "#/components/schemas/Status", "components": DOCUMENT["components"]}
    jsonschema.Draft202012Validator(schema).validate(content)


def test_all_is_well(client: Client, world: World) -> None:
    world.clock.set_us(world.clock.now_us() + 1_000_000)
    status = client.get("/v1/status").json()
    fits(status)
    assert status["version"] == version("livekpi")
    assert status["started"] == "2026-03-01T12:00:00Z"
    assert (status["ready"], status["not_ready"]) == (True, {})
    assert (status["engine"], status["job"]) == ("embedded", None)


def test_what_is_not_ready_is_named(client: Client, world: World) -> None:
    world.backend.troubles = {"shop": "the broker is gone"}
    status = client.get("/v1/status").json()
    assert (status["ready"], status["not_ready"]) == (False, {"shop": "the broker is gone"})


def test_limits_and_what_went_beyond_them(client: Client, world: World) -> None:
    world.metrics.series.labels("visits").set(10_000)
    world.metrics.limited_events.labels("visits").inc(7)
    world.metrics.viewers.set(3)
    world.metrics.dropped_viewers.inc(2)
    limits = client.get("/v1/status").json()["limits"]
    assert limits[0] == {"limit": "viewers", "kpi": None, "used": 3, "most": 1_000, "beyond": 2}
    series = {each["kpi"]: (each["used"], each["most"], each["beyond"]) for each in limits[1:]}
    assert series == {
        "users": (0, 10_000, 0),
        "visits": (10_000, 10_000, 7),
        "revenue": (0, 10_000, 0),
        "stock": (0, 10_000, 0),
    }


def test_what_it_takes(client: Client, world: World) -> None:
    world.metrics.measure(store_bytes=lambda: 5.0, process_memory_bytes=lambda: 7.0, lag=dict)
    status = client.get("/v1/status").json()
    assert (status["store_bytes"], status["memory_bytes"]) == (5, 7)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (
            JobState("livekpi-shop", "restarting", "7", restarts=3, last_checkpoint_us=1_772_366_400_000_000, detail="a worker is gone"),
            ("livekpi-shop", "restarting", 3, "2026-03-01T12:00:00Z", "a worker is gone"),
        ),
        (JobState("livekpi-shop", "running"), ("livekpi-shop", "running", None, None, None)),
        (None, (None, "unknown", None, None, None)),
    ],
)
def test_a_job_on_a_cluster(tmp_path: Path, state: JobState | None, expected: tuple[object, ...]) -> None:
    with make_world(tmp_path, job=FakeJob(state)) as world, client_of(world) as client:
        status = client.get("/v1/status").json()
        fits(status)
        assert tuple(status["job"].values()) == expected
