"""What a reader knows of its source: through which time there was nothing unread."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from livekpi.clock import ATTENTIVE_US, ManualClock
from livekpi.engine.engine import Engine
from livekpi.engine.plan import make_plan
from livekpi.engine.readers import Inbox, Reader
from livekpi.metrics import Metrics
from livekpi.sources.base import Chunk, SourceError
from livekpi.sources.decode import Decoder
from livekpi.store import positions
from livekpi.store.database import Store
from livekpi.store.positions import Quiet
from tests.rehearsed import NOON_US, definition

EVENT = b'{"ts": "2026-03-01T12:00:00Z"}'
LOOK_US = 1_000_000
"""How long each look takes, by the clock."""


@dataclass
class Looked:
    """A source at which each look finds what its script says: nothing, an event, or trouble of some kind."""

    clock: ManualClock
    script: Sequence[str]
    each: Callable[[], None] = lambda: None
    """Called before each look, and after the last."""
    over: threading.Event = field(default_factory=threading.Event)
    problem: str | None = None
    looks: int = 0
    left: int = 0
    ended: bool = True
    events: int = 0

    def start(self, positions: Mapping[str, int]) -> None:
        """It is open already."""

    def read(self, limit: int, timeout_s: float) -> list[Chunk]:
        self.each()
        if self.looks == len(self.script):
            self.over.wait(timeout_s)
            return []
        found = self.script[self.looks]
        self.looks += 1
        self.clock.set_us(self.clock.now_us() + LOOK_US + (ATTENTIVE_US if found == "asleep" else 0))
        self.problem = "cut off" if found == "problem" else None
        self.left, self.ended = int(found == "unread"), found != "behind"
        if found == "failure":
            raise SourceError("gone")
        if found != "event":
            return []
        self.events += 1
        return [Chunk("0", [EVENT], [self.events - 1], self.events)]

    def at_end(self) -> bool:
        return self.ended

    def committed(self, positions: Mapping[str, int]) -> None:
        """There is nothing to let go of."""

    def lag(self) -> Mapping[str, int]:
        return {"0": self.left}

    def close(self) -> None:
        """There is nothing to free."""


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (["nothing"], (0, 0)),
        (["nothing", "nothing", "nothing"], (0, 2)),  # a look says how it was when it began
        (["nothing", "event"], None),
        (["nothing", "event", "nothing", "nothing"], (2, 3)),
        (["nothing", "behind"], None),
        (["nothing", "unread"], None),
        (["nothing", "problem"], None),
        (["nothing", "failure"], None),
        (["nothing", "problem", "nothing"], (2, 2)),
    ],
)
def test_through_which_time_nothing_was_unread(script: list[str], expected: tuple[int, int] | None) -> None:
    clock, made = ManualClock(NOON_US), definition("", {"hits": "value: count(*)"})
    source, ended = Looked(clock, script), threading.Event()
    decoder = Decoder(made.sources["s"], make_plan(made).fields("s", made))
    reader = Reader("s", source, decoder, Inbox(), clock, once=False)
    known: list[Quiet | None] = []

    def look() -> None:
        if source.looks == len(script) and not known:
            known.append(reader.quiet)
            ended.set()

    source.each = look
    reader.start({})
    assert ended.wait(10)
    reader.stop()
    source.over.set()
    reader.join(10)
    assert known == [None if expected is None else Quiet(*(NOON_US + looks * LOOK_US for looks in expected))]


def test_a_machine_that_slept_knows_nothing_of_that_time() -> None:
    clock, made = ManualClock(NOON_US), definition("", {"hits": "value: count(*)"})
    source, ended = Looked(clock, ["nothing", "asleep", "nothing"]), threading.Event()
    source.each = lambda: ended.set() if source.looks == len(source.script) else None
    reader = Reader("s", source, Decoder(made.sources["s"], make_plan(made).fields("s", made)), Inbox(), clock, once=False)
    reader.start({})
    assert ended.wait(10)
    woke_us = NOON_US + 2 * LOOK_US + ATTENTIVE_US
    quiet = reader.quiet
    reader.stop()
    source.over.set()
    reader.join(10)
    assert quiet is not None
    assert quiet.since_us == woke_us


def test_of_silence_is_told_when_all_before_it_is_in_the_store(tmp_path: Path) -> None:
    made, clock, stop = definition("", {"hits": "value: count(*)"}), ManualClock(NOON_US), threading.Event()
    source = Looked(clock, ["nothing", "event", "nothing", "event", "nothing"])
    heard: list[tuple[Quiet, int]] = []
    with closing(Store.open(tmp_path, clock)) as store:
        engine = Engine(made, store, {"s": source}, clock, Metrics(CollectorRegistry()))

        def attend(quiet: Mapping[str, Quiet]) -> None:
            known = positions.load(store.cursor(), "s", made.sources["s"].origin)
            if "s" in quiet:
                heard.append((quiet["s"], sum(row.position for row in known.values())))
            if heard and heard[-1][0].since_us == NOON_US + 4 * LOOK_US:
                stop.set()
                source.over.set()

        engine.attend(attend)
        engine.run(stop)
    assert all(committed >= (quiet.since_us - NOON_US) // LOOK_US // 2 for quiet, committed in heard)
    assert heard[-1][1] == 2
