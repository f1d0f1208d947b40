import threading
from collections.abc import Callable
from errno import ENOSPC
from itertools import pairwise
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from livekpi.clock import ManualClock
from livekpi.engine.cluster import ClusterError, Condition, JobState
from livekpi.engine.supervision import BACKOFF_S, LOOK_S, Stopped, Supervisor, note_stopped, stopped_in
from livekpi.metrics import Metrics

SECOND_US = 1_000_000


class FakeCluster:
    """A cluster with one job, that does what it is told."""

    def __init__(self) -> None:
        self.condition: Condition = "missing"
        self.submitted: list[str | None] = []
        self.comes_up: Condition = "running"
        self.error: str | None = None
        self.detail: str | None = None
        self.stops = True

    def render(self) -> str:
        return "nothing"

    def submit(self, savepoint: str | None = None) -> None:
        if self.error is not None:
            raise ClusterError(self.error)
        self.submitted.append(savepoint)
        self.condition = self.comes_up

    def state(self) -> JobState:
        if self.error is not None:
            raise ClusterError(self.error)
        return JobState("shop", self.condition, "7", restarts=3, last_checkpoint_us=5 * SECOND_US, detail=self.detail)

    def stop(self, *, savepoint: bool) -> str | None:
        if not self.stops:
            raise ClusterError("it can't be stopped")
        self.condition = "missing"
        return "/savepoint" if savepoint else None


class World:
    def __init__(self, directory: Path, prepare: Callable[[], None] = lambda: None, *, once: bool = False) -> None:
        self.cluster, self.clock, self.registry = FakeCluster(), ManualClock(1_000 * SECOND_US), CollectorRegistry()
        self.problems: list[str | None] = []
        self.directory, self._prepare, self._once = directory, prepare, once
        self.supervisor = self.make(self.registry)

    def make(self, registry: CollectorRegistry | None = None) -> Supervisor:
        metrics, tell = Metrics(registry or CollectorRegistry()), self.problems.append
        return Supervisor("flink", self.cluster, self._prepare, self.directory, tell, self.clock, metrics, once=self._once)

    def step(self) -> float:
        """One look; time goes on until the next."""
        wait_s = self.supervisor.step()
        self.clock.set_us(self.clock.now_us() + int(wait_s * SECOND_US))
        return wait_s

    def problem(self) -> str | None:
        return self.problems[-1] if self.problems else None

    def metric(self, name: str) -> float | None:
        return self.registry.get_sample_value(name, {"engine": "flink"})


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "job")


def test_a_job_that_is_not_there_is_submitted_and_one_that_runs_is_left_alone(world: World) -> None:
    world.step()
    world.step()
    world.step()
    assert (world.cluster.submitted, world.problems) == ([None], [])
    assert world.metric("livekpi_job_up") == 1
    assert world.metric("livekpi_job_restarts") == 3
    assert world.metric("livekpi_job_checkpoint_seconds") == 5
    assert world.metric("livekpi_job_submissions_total") == 1


def test_a_job_found_running_is_not_submitted(world: World) -> None:
    world.cluster.condition = "running"
    world.step()
    assert world.cluster.submitted == []


@pytest.mark.parametrize("condition", ["failed", "missing", "finished", "outdated"])
def test_a_job_that_ended_is_submitted_again(world: World, condition: Condition) -> None:
    world.step()
    world.step()
    world.cluster.condition, world.cluster.detail = condition, "for a reason"
    with capture_logs() as logs:
        world.step()
    said = world.problem() or ""
    assert (said.startswith("job shop on flink "), said.endswith(": for a reason")) == (True, True)
    assert [entry["event"] for entry in logs] == ["the job does not run", "submitting the job"]
    world.step()
    assert (world.cluster.submitted, world.problem()) == ([None, None], None)


def test_a_job_that_fails_again_and_again_is_submitted_ever_more_rarely(world: World) -> None:
    world.cluster.comes_up = "failed"
    times: list[float] = []
    while len(times) < 10:
        before = len(world.cluster.submitted)
        now_us = world.clock.now_us()
        world.step()
        if len(world.cluster.submitted) > before:
            times.append(now_us / SECOND_US)
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps == [*BACKOFF_S, BACKOFF_S[-1], BACKOFF_S[-1]]
    assert world.metric("livekpi_job_up") == 0
    world.cluster.comes_up = "running"
    while world.problem() is not None:
        world.step()
    for _ in range(20):  # it runs for a while, so that its next failure is a first one
        world.step()
    world.cluster.condition = "failed"
    count = len(world.cluster.submitted)
    world.step()
    assert len(world.cluster.submitted) == count + 1


def test_a_clock_set_back_delays_no_attempt(world: World) -> None:
    world.cluster.comes_up = "failed"
    world.step()
    world.step()
    world.clock.set_us(world.clock.now_us() - 3_600 * SECOND_US)
    world.step()
    assert len(world.cluster.submitted) == 3


def test_a_clock_set_back_makes_no_job_unsound_for_long(world: World) -> None:
    world.cluster.comes_up = "failed"
    while len(world.cluster.submitted) < 4:
        world.step()
    world.cluster.condition = "running"
    world.step()
    world.clock.set_us(world.clock.now_us() - 3_600 * SECOND_US)
    for _ in range(20):
        world.step()
    world.cluster.condition = "failed"
    world.step()
    world.step()
    assert len(world.cluster.submitted) == 6  # the shortest wait, after the first


def test_what_the_cluster_restarts_is_left_to_it(world: World) -> None:
    world.step()
    world.cluster.condition = "restarting"
    assert world.step() == LOOK_S
    assert world.problem() == "job shop on flink is being restarted by the cluster"
    assert len(world.cluster.submitted) == 1


def test_a_run_to_the_end_does_not_fail_of_what_the_cluster_restarts(tmp_path: Path) -> None:
    world = World(tmp_path, once=True)
    world.step()
    world.cluster.condition = "restarting"
    with capture_logs() as logs:
        world.step()
    assert (world.problem(), [entry["event"] for entry in logs]) == (None, ["the job does not run"])
    world.cluster.condition, world.cluster.detail = "failed", "for good"
    world.step()
    assert world.problem() == "job shop on flink has failed: for good"


def test_a_cluster_that_does_not_answer_is_asked_again(world: World) -> None:
    world.cluster.error = "nobody listens at host:8083"
    world.step()
    assert world.problem() == "the job on flink: nobody listens at host:8083"
    world.cluster.error = None
    world.step()
    world.step()
    assert (world.cluster.submitted, world.problem()) == ([None], None)


def test_what_the_job_needs_is_made_first(tmp_path: Path) -> None:
    made: list[str] = []

    def prepare() -> None:
        if not made:
            made.append("tried")
            raise ConnectionError("no broker")
        made.append("topics")

    world = World(tmp_path, prepare)
    world.step()
    assert (world.problem(), world.cluster.submitted) == ("the job on flink: no broker", [])
    world.step()
    world.step()
    assert (world.problem(), made, world.cluster.submitted) == (None, ["tried", "topics"], [None])


def test_a_job_that_was_stopped_on_purpose_is_let_be_until_the_next_run(world: World) -> None:
    world.step()
    world.step()
    note_stopped(world.directory, Stopped("/savepoint"))
    world.cluster.condition = "missing"
    world.step()
    world.step()
    assert world.cluster.submitted == [None]
    assert world.problem() == "job shop on flink was stopped by `livekpi stop`; `livekpi run` has it go on"
    world.supervisor = world.make()
    world.step()
    assert world.cluster.submitted == [None, "/savepoint"]
    assert stopped_in(world.directory) == Stopped("/savepoint")  # until it is known to run
    world.step()
    assert stopped_in(world.directory) is None
    world.cluster.condition = "failed"
    world.step()
    world.step()
    assert world.cluster.submitted == [None, "/savepoint", None]


def test_a_savepoint_is_not_forgotten_until_the_job_runs_from_it(world: World) -> None:
    note_stopped(world.directory, Stopped("/savepoint"))
    world.supervisor, world.cluster.comes_up = world.make(), "failed"
    world.step()
    world.supervisor = world.make()
    world.cluster.comes_up = "running"
    world.step()
    world.step()
    assert world.cluster.submitted == ["/savepoint", "/savepoint"]
    assert stopped_in(world.directory) is None


def resuming(world: World, comes_up: Condition) -> None:
    """The job goes on from a savepoint."""
    note_stopped(world.directory, Stopped("/savepoint", 7))
    world.supervisor, world.cluster.comes_up = world.make(), comes_up
    world.step()
    assert world.cluster.submitted == ["/savepoint"]


@pytest.mark.parametrize("stopped", [Stopped(at_us=8), Stopped("/savepoint", 8), Stopped("/other", 8)])
def test_a_job_that_fails_from_its_savepoint_can_be_stopped(world: World, stopped: Stopped) -> None:
    resuming(world, "failed")
    note_stopped(world.directory, stopped)
    for _ in range(20):
        world.step()
    assert world.cluster.submitted == ["/savepoint"]
    assert world.problem() == "job shop on flink was stopped by `livekpi stop`; `livekpi run` has it go on"
    world.supervisor = world.make()
    world.step()
    assert world.cluster.submitted == ["/savepoint", stopped.savepoint]


def test_a_stop_that_is_taken_back_leaves_the_job_its_savepoint(world: World) -> None:
    resuming(world, "failed")
    note_stopped(world.directory, Stopped("/savepoint", 8))
    world.step()
    note_stopped(world.directory, Stopped("/savepoint", 7))
    world.step()
    world.step()
    assert world.cluster.submitted == ["/savepoint", "/savepoint"]


def test_a_stop_is_not_forgotten_where_the_job_still_runs(world: World) -> None:
    resuming(world, "running")
    note_stopped(world.directory, Stopped("/savepoint", 8))
    world.step()
    world.cluster.condition = "missing"
    world.step()
    world.step()
    assert (world.cluster.submitted, stopped_in(world.directory)) == (["/savepoint"], Stopped("/savepoint"))


def test_a_stop_noted_before_stops_had_times_is_gone_on_from(world: World) -> None:
    world.directory.mkdir()
    (world.directory / "stopped.json").write_text('{"savepoint": "/savepoint"}')
    world.supervisor = world.make()
    world.step()
    world.step()
    assert (world.cluster.submitted, stopped_in(world.directory)) == (["/savepoint"], None)


def test_once_a_job_that_has_finished_is_well_and_one_that_failed_is_not_tried_again(tmp_path: Path) -> None:
    world = World(tmp_path, once=True)
    world.step()
    assert not world.supervisor.finished.is_set()
    world.cluster.condition = "finished"
    world.step()
    assert (world.cluster.submitted, world.problem()) == ([None], None)
    assert world.supervisor.finished.is_set()
    world.cluster.condition = "failed"
    for _ in range(5):
        world.step()
    assert (world.cluster.submitted, world.problem()) == ([None], "job shop on flink has failed")


def test_parking_keeps_the_savepoint(world: World) -> None:
    world.step()
    world.supervisor.park()
    assert stopped_in(world.directory) == Stopped("/savepoint")
    world.supervisor.park()
    assert stopped_in(world.directory) == Stopped("/savepoint")


def test_it_watches_on_a_thread_of_its_own(world: World) -> None:
    world.supervisor.start()
    world.supervisor.close()
    assert not world.supervisor._thread.is_alive()


def test_a_disk_that_keeps_nothing_is_no_end_of_looking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> JobState:
        raise OSError(ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(world.cluster, "state", full)
        world.step()
    assert world.problem() == "the job on flink: [Errno 28] No space left on device"
    assert world.metric("livekpi_job_up") == 0
    world.step()
    world.step()
    assert (world.problem(), world.metric("livekpi_job_up")) == (None, 1)


def test_a_mistake_of_our_own_at_one_look_is_told_and_ends_no_looking(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("livekpi.engine.supervision.LOOK_S", 0.001)
    looks, well = [KeyError("state")], threading.Event()

    def state() -> JobState:
        if looks:
            raise looks.pop()
        well.set()
        return JobState("shop", "running", "7")

    monkeypatch.setattr(world.cluster, "state", state)
    world.supervisor.start()
    assert well.wait(10)
    world.supervisor.close()
    assert world.problems[0] == "the job on flink can't be looked after: KeyError: 'state'"
    assert world.problem() is None


def test_it_says_how_the_job_was_at_the_last_look(world: World) -> None:
    assert world.supervisor.last is None
    world.cluster.condition = "running"
    world.step()
    assert world.supervisor.last == JobState("shop", "running", "7", restarts=3, last_checkpoint_us=5 * SECOND_US)
    world.cluster.error = "the cluster is gone"
    world.step()
    assert world.supervisor.last is None
