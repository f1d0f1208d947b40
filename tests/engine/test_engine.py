"""The loop: when it ends, and what it says then."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest
from prometheus_client import CollectorRegistry

from livekpi.clock import ManualClock
from livekpi.commit import Commit
from livekpi.engine import engine as engine_module
from livekpi.engine.engine import Engine
from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk
from livekpi.store import positions
from livekpi.store.database import CommitError, Store
from livekpi.store.layout import cells, quote
from livekpi.store.positions import ENDED_US
from tests.rehearsed import HOUR_US, NOON_US, definition, rehearsed, send

EVENT = b'{"ts": "2026-03-01T12:00:00Z"}'


class OneEvent:
    """A source of one event, after which there may be more."""

    problem = None

    def __init__(self, *, ends: bool) -> None:
        self._ends = ends
        self._left = [Chunk("0", [EVENT], [0], 1)]

    def start(self, positions: Mapping[str, int]) -> None:
        pass

    def read(self, limit: int, timeout_s: float) -> list[Chunk]:
        found, self._left = self._left, []
        return found

    def at_end(self) -> bool:
        return self._ends

    def committed(self, positions: Mapping[str, int]) -> None:
        pass

    def lag(self) -> Mapping[str, int]:
        return {}

    def close(self) -> None:
        pass


class GoesBack(OneEvent):
    """A source whose partition is made anew, and shorter than what was read of it."""

    def __init__(self) -> None:
        super().__init__(ends=False)
        self._turns = [[Chunk("0", [EVENT] * 3, [0, 1, 2], 3)], [Chunk("0", [EVENT] * 2, [0, 1], 2)]]

    def read(self, limit: int, timeout_s: float) -> list[Chunk]:
        return self._turns.pop(0) if self._turns else []

    def at_end(self) -> bool:
        return not self._turns


class Doubtful(Store):
    """Its second commit is in the store, and ends by an error all the same."""

    commits = 0

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with super().transaction() as cursor:
            yield cursor
        self.commits += 1
        if self.commits == 2:
            raise CommitError("Input/output error")


class Refused(Store):
    """Some of its commits are refused, by turn."""

    refused: frozenset[int] = frozenset()
    commits = 0

    @contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with super().transaction() as cursor:
            yield cursor
            self.commits += 1
            if self.commits in self.refused:
                raise CommitError("No space left on device")


def test_a_disk_that_refuses_again_while_it_is_tried_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "DISK_RETRY_S", 0.001)
    made, clock = definition("", {"events": "value: count(*)"}), ManualClock(NOON_US)
    with closing(Refused.open(tmp_path, clock)) as store:
        store.refused = frozenset({2, 3, 4})  # the batch, and the first looks at what is there
        engine = Engine(made, store, {"s": OneEvent(ends=True)}, clock, Metrics(CollectorRegistry()), once=True)
        engine.run(threading.Event())
        with closing(store.cursor()) as cursor:
            [position] = positions.load(cursor, "s", made.sources["s"].origin).values()
    assert (store.commits > 4, position.position, engine.disk_problem) == (True, 1, None)


@pytest.mark.parametrize("ends", [True, False])
def test_once_calls_what_it_read_final_only_where_it_came_to_the_end(tmp_path: Path, ends: bool) -> None:
    made, clock = definition("", {"events": "value: count(*)"}), ManualClock(NOON_US)
    with closing(Store.open(tmp_path, clock)) as store:
        engine = Engine(made, store, {"s": OneEvent(ends=ends)}, clock, Metrics(CollectorRegistry()), once=True)
        stop = threading.Event()
        if not ends:
            engine.subscribe(lambda _: stop.set())
        engine.run(stop)
        with closing(store.cursor()) as cursor:
            [position] = positions.load(cursor, "s", made.sources["s"].origin).values()
    assert (position.position, position.arrived_us == ENDED_US) == (1, ends)


def test_a_clock_set_back_stops_no_note_that_the_engine_watches(tmp_path: Path) -> None:
    with rehearsed(tmp_path, definition("n: optional integer", {"events": "value: count(*)"})) as server:
        for now_us in (NOON_US, NOON_US - HOUR_US):
            server.clock.set_us(now_us)
            send(server, {"n": 1})
            with server.cursor() as cursor:
                assert cursor.execute("SELECT alive_us FROM engine").fetchone() == (now_us,)


def count(store: Store, engine: Engine) -> int:
    [grouping] = engine.plan.all()
    with closing(store.cursor()) as cursor:
        row = cursor.execute(f"SELECT sum(n) FROM {quote(cells(grouping).name)}").fetchone()
    assert row is not None
    return int(row[0])


def test_a_partition_that_was_made_anew_is_counted_from_its_beginning(tmp_path: Path) -> None:
    made, clock = definition("", {"events": "value: count(*)"}), ManualClock(NOON_US)
    with closing(Store.open(tmp_path, clock)) as store:
        engine = Engine(made, store, {"s": GoesBack()}, clock, Metrics(CollectorRegistry()), once=True)
        engine.run(threading.Event())
        assert count(store, engine) == 5
        with closing(store.cursor()) as cursor:
            [position] = positions.load(cursor, "s", made.sources["s"].origin).values()
    assert position.position == 2


def test_a_batch_that_is_in_the_store_although_its_commit_failed_is_counted_once_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "DISK_RETRY_S", 0.001)
    made, clock = definition("", {"events": "value: count(*)"}), ManualClock(NOON_US)
    told: list[Commit] = []
    with closing(Doubtful.open(tmp_path, clock)) as store:
        engine = Engine(made, store, {"s": OneEvent(ends=True)}, clock, Metrics(CollectorRegistry()), once=True)
        engine.subscribe(told.append)
        engine.run(threading.Event())
        assert count(store, engine) == 1
    assert [list(commit.touched.values()) for commit in told] == [[frozenset({NOON_US})]]
