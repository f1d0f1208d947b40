"""A page opens a stream, asks for a range and leaves aside what that has seen: it ends with the plain numbers, whatever comes between."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from livekpi.commit import Commit
from livekpi.metrics import Metrics
from livekpi.query.live import Changes, Told, Want
from livekpi.query.points import Point, Points
from livekpi.web.stream import hub as hub_module
from livekpi.web.stream.hub import Hub, Subscription
from livekpi.web.stream.viewer import STILL_HERE, Viewer

FINE, COARSE = Want("users"), Want("users", ("country",), 4)
"""Of the second each four buckets are a step, whose value is their sum."""
OTHERS = tuple(Want("users", where=f"country = '{name}'") for name in ("DE", "FR", "IT"))
"""With these there are so many kinds of wants that two threads share the work."""
TOLD_LATER_S = 20
Shown = dict[int, tuple[int, bool]]
"""By start, the value and whether it is final."""


@dataclass
class Store:
    """Values by bucket, as of a commit, and up to when they are final; read by jobs at their time."""

    number: int = 0
    final: int = 0
    values: dict[int, int] = field(default_factory=dict)

    def commit(self, buckets: frozenset[int]) -> Commit:
        self.number += 1
        self.values |= dict.fromkeys(buckets, self.number)
        return Commit(self.number, 0, {"users": buckets})

    def at(self, want: Want) -> Shown:
        size = want.step_us or 1
        found: dict[int, int] = {}
        for bucket, value in self.values.items():
            found[bucket // size * size] = found.get(bucket // size * size, 0) + value
        return {start: (value, start + size <= self.final) for start, value in found.items()}

    def changed(self, commit: Commit, wants: Sequence[Want], final: Mapping[Want, int]) -> Changes:
        """As a backend does."""
        told = {want: self._told(want, commit.touched.get("users", frozenset()), final.get(want, 0)) for want in wants}
        return Changes(self.number, told, dict.fromkeys(wants, self.final))

    def _told(self, want: Want, touched: frozenset[int], before: int) -> Told:
        size = want.step_us or 1
        steps = {bucket // size * size for bucket in touched}
        points = [
            Point(time, value, final, (None,) * len(want.by))
            for time, (value, final) in self.at(want).items()
            if time in steps or before < time + size <= self.final
        ]
        return Told(Points(want.kpi, None, want.by, points))

    def last_commit(self) -> int:
        return self.number


class Stepped(Executor):
    """Does its jobs when it is told to, and hands over what they found when it is told to."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._done: deque[Callable[[], None]] = deque()

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.append((future, lambda: work(*arguments, **named)))
        return future

    def read(self) -> None:
        if self._waiting:
            future, work = self._waiting.popleft()
            found = work()
            self._done.append(lambda: future.set_result(found))

    def deliver(self) -> None:
        if self._done:
            self._done.popleft()()


@dataclass
class Page:
    """What a browser does: it asks for each want's range while the stream is open, and reads messages when it comes to it."""

    viewer: Viewer
    wants: tuple[Want, ...]
    seen: int | None = None
    """The commit that its ranges have seen."""
    shown: dict[int, Shown] = field(default_factory=dict)

    def ask(self, store: Store) -> None:
        self.shown = {place: store.at(want) for place, want in enumerate(self.wants)}
        self.seen = store.number

    async def look(self) -> None:
        assert self.seen is not None
        while (piece := await self.viewer.next(0)) not in (STILL_HERE, None):
            assert piece is not None
            told = json.loads(piece.split(b"data: ")[1])
            for row in told["points"] if told["commit"] >= self.seen else ():
                time = int(row["time"].removesuffix("Z").partition(".")[2] or 0)
                self.shown[row["want"]][time] = row["value"], row["final"]


class Played:
    def __init__(self, others: tuple[Want, ...] = ()) -> None:
        self.wants = FINE, COARSE, *others
        self.store, self.pool = Store(), Stepped()
        self.hub = Hub(self.store, Metrics(CollectorRegistry()), self.pool, 10, quiet_s=0.001)  # type: ignore[arg-type]  # all that a hub asks of one
        self.untold: deque[Commit] = deque()
        self.pages: list[Page] = []

    async def act(self, act: str, buckets: frozenset[int] = frozenset()) -> None:
        if act == "commit":
            self.untold.append(self.store.commit(buckets))
        elif act == "time":
            self.store.final += len(buckets)
        elif act == "tell" and self.untold:
            self.hub.on_commit(self.untold.popleft())
        elif act == "read":
            self.pool.read()
        elif act == "deliver":
            self.pool.deliver()
        else:
            await self._page(act)
        for _ in range(5):
            await asyncio.sleep(0)

    async def _page(self, act: str) -> None:
        """What a page does: the next that can."""
        if act == "join" and len(self.pages) < 3:
            self.pages.append(Page(self.hub.join(Subscription(self.wants, numbered=True)), self.wants))
        if act == "ask":
            for page in [page for page in self.pages if page.seen is None][:1]:
                page.ask(self.store)
        if act == "look":
            for page in (page for page in self.pages if page.seen is not None):
                await page.look()

    def right(self) -> bool:
        expected = {place: self.store.at(want) for place, want in enumerate(self.wants)}
        return all(page.shown == expected for page in self.pages)

    async def end(self) -> None:
        """Everything that waits happens."""
        for page in self.pages:
            if page.seen is None:
                page.ask(self.store)
        while self.untold:
            self.hub.on_commit(self.untold.popleft())
        async with asyncio.timeout(TOLD_LATER_S):
            while not self.right():
                self.pool.read()
                self.pool.deliver()
                await self.act("look")
                await asyncio.sleep(0.001)  # the hub rests between two messages


ACTS = st.tuples(
    st.sampled_from(["commit", "commit", "time", "tell", "tell", "read", "deliver", "join", "ask", "look"]),
    st.frozensets(st.integers(0, 7), min_size=1, max_size=3),
)


@given(st.lists(ACTS, max_size=60), st.sampled_from([(), OTHERS]))
@settings(deadline=None)
def test_nothing_is_missed_and_nothing_old_is_shown(acts: list[tuple[str, frozenset[int]]], others: tuple[Want, ...]) -> None:
    async def play() -> None:
        played = Played(others)
        running = asyncio.create_task(played.hub.run())
        await asyncio.sleep(0)
        for act, buckets in acts:
            await played.act(act, buckets)
        await played.end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())


def test_what_can_not_be_read_is_owed_to_those_alone_whom_it_concerns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "RETRY_S", 0.001)
    played = Played()
    changed, failing = played.store.changed, True

    def sometimes(commit: Commit, wants: Sequence[Want], final: Mapping[Want, int]) -> Changes:
        if COARSE in wants and failing:
            raise duckdb.IOException("reopening")
        return changed(commit, wants, final)

    async def play() -> dict[int, Shown]:
        nonlocal failing
        played.store.changed = sometimes  # type: ignore[method-assign]
        running = asyncio.create_task(played.hub.run())
        await asyncio.sleep(0)
        for act in ("join", "ask", "commit", "tell"):
            await played.act(act, frozenset({1}))
        async with asyncio.timeout(TOLD_LATER_S):
            while not played.pages[0].shown[0]:  # asked together, and then each alone
                for act in ("read", "deliver", "read", "deliver", "look"):
                    await played.act(act)
                await asyncio.sleep(0.001)
        found = {place: dict(values) for place, values in played.pages[0].shown.items()}
        failing = False
        await played.end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return found

    assert asyncio.run(play()) == {0: {1: (1, False)}, 1: {}}
    assert played.pages[0].shown == {0: {1: (1, False)}, 1: {0: (1, False)}}


def test_what_became_final_between_two_reads_is_told_to_who_leaves_the_message_aside() -> None:
    """The message is as old as its oldest part, so a range that is newer than that leaves aside what the newer part found, too."""
    played = Played(OTHERS)

    async def play() -> None:
        running = asyncio.create_task(played.hub.run())
        await asyncio.sleep(0)
        for act in ("join", "commit", "tell", "read"):
            await played.act(act, frozenset(range(4)))
        await played.act("commit", frozenset({9}))
        for act in ("ask", "time", "read", "deliver", "deliver", "look"):
            await played.act(act, frozenset(range(4)))
        assert played.pages[0].shown[1] == {0: (4, False), 8: (2, False)}, "it has left the message aside"
        await played.end()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(play())
