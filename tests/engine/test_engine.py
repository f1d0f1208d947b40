"""The loop: when it ends, and what it says then."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest
from prometheus_client import CollectorRegistry

from livekpi.clock import ManualClock
from livekpi.engine import engine as engine_module
from livekpi.engine.engine import Engine
from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk
from livekpi.store import positions
from livekpi.store.database import CommitError, Store
from livekpi.store.positions import ENDED_US
from tests.rehearsed import NOON_US, definition

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
