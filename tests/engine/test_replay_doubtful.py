"""Dead letters fed back to a disk that refuses, or that takes a commit and says that it did not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from livekpi.commit import Commit
from livekpi.engine import engine
from livekpi.engine.replay import Replay
from livekpi.scripts import rehearsal
from livekpi.scripts.rehearsal import MortalStore, Rehearsal
from livekpi.store.database import CommitError
from tests.rehearsed import NOON_US, definition, points, rehearsed, send

MADE = definition("n: integer", {"total": "value: sum(n)"})
MENDED = Replay((1,), {1: b'{"ts": "2026-03-01T12:00:00Z", "n": 7}'})


class Planned(MortalStore):
    """What becomes of its commits is said beforehand, by turn: `taken`, `refused`, or `doubtful`, which is taken and ends by an error."""

    plan: tuple[str, ...] = ()

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        fate, *rest = self.plan or ("taken",)
        self.plan = tuple(rest)
        with super().transaction() as cursor:
            yield cursor
            if fate == "refused":
                raise CommitError("No space left on device")
        if fate == "doubtful":
            raise CommitError("Input/output error")


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rehearsal]:
    monkeypatch.setattr(rehearsal, "MortalStore", Planned)
    monkeypatch.setattr(engine, "DISK_RETRY_S", 0.001)
    with rehearsed(tmp_path, MADE) as server:
        yield server


def plan(server: Rehearsal, *fates: str) -> None:
    assert isinstance(server.store, Planned)
    server.store.plan = fates


def total(server: Rehearsal) -> list[object]:
    return [point.value for point in points(server, "total", step="all")]


@pytest.mark.parametrize("fates", [("taken", "doubtful"), ("taken", "refused", "taken", "doubtful"), ("taken", "refused", "refused")])
def test_what_is_fed_back_once_is_answered_and_told(server: Rehearsal, fates: tuple[str, ...]) -> None:
    send(server, {"n": "x"})
    told: list[Commit] = []
    server.engine.subscribe(told.append)
    done = server.engine.replay(MENDED)
    plan(server, *fates)  # the first is the note that it watches
    server.commit()
    assert done.result(0).summary() == {"replayed": 1, "dead": 0, "unknown": [], "errors": []}
    assert [list(commit.touched.values()) for commit in told] == [[frozenset({NOON_US})]]
    assert total(server) == [7]


def test_a_batch_after_letters_that_stayed_dead_is_counted_once(server: Rehearsal) -> None:
    send(server, {"n": "x"})
    told: list[Commit] = []
    server.engine.subscribe(told.append)
    done = server.engine.replay(Replay((1,), {}))
    server.commit()
    assert (len(done.result(0).dead), told) == (1, [])
    plan(server, "refused", "taken", "doubtful")
    send(server, {"n": 1})
    assert total(server) == [1]
    assert [commit.number for commit in told] == [2]
