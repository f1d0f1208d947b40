"""What `livekpi stop` is to a server that runs beside it, and still goes on from a savepoint."""

import io
from pathlib import Path

import pytest

from livekpi import jobs
from livekpi.clustered import JOB
from livekpi.engine.cluster import ClusterError
from livekpi.engine.supervision import Stopped, note_stopped, stopped_in
from tests.clusters import shop
from tests.engine.test_supervision import World


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.yaml"
    path.write_text(shop.text())
    return path


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A job that fails at each start from its savepoint."""
    directory = tmp_path / ".livekpi" / JOB
    note_stopped(directory, Stopped("/savepoint", 7))
    made = World(directory)
    made.cluster.comes_up = "failed"
    made.step()
    monkeypatch.setattr(jobs, "open_cluster", lambda *_: made.cluster)
    monkeypatch.setattr(jobs, "problems", lambda _: [])
    return made


def submissions_of_later_looks(world: World) -> int:
    before = len(world.cluster.submitted)
    for _ in range(20):
        world.step()
    return len(world.cluster.submitted) - before


@pytest.mark.parametrize("savepoint", [False, True])
def test_it_counts_though_the_job_never_came_up(file: Path, world: World, savepoint: bool) -> None:
    jobs.stop(file, None, io.StringIO(), savepoint=savepoint)
    assert submissions_of_later_looks(world) == 0
    assert stopped_in(world.directory) == Stopped("/savepoint" if savepoint else None)


def test_one_that_failed_does_not_count(file: Path, world: World) -> None:
    world.cluster.stops = False
    with pytest.raises(ClusterError):
        jobs.stop(file, None, io.StringIO(), savepoint=True)
    assert submissions_of_later_looks(world) > 0
    assert world.cluster.submitted[-1] == "/savepoint"
