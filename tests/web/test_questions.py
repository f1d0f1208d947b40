"""So many questions at once, each for so long; what is asked here goes on until somebody ends it."""

import asyncio
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from livekpi.metrics import Metrics
from livekpi.web import questions
from livekpi.web.problems import ProblemError
from livekpi.web.questions import Questions
from tests.web import answers
from tests.web.streaming import serving
from tests.web.world import client_of, make_world

pytestmark = pytest.mark.timeout(60)
T = TypeVar("T")
LONG_S, SHORT_S = 30.0, 0.05


class Sender:
    """Who sends a request, and may go."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self._sent = False
        self.request = Request({"type": "http", "method": "GET", "path": "/", "headers": []}, self._receive)

    async def _receive(self) -> dict[str, Any]:
        if not self._sent:
            self._sent = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}


class Store:
    """What is asked of it goes on until it is interrupted so often, or let go."""

    def __init__(self, interrupts: int = 1, outcome: Exception | str = "") -> None:
        self.asked, self._ended = threading.Semaphore(0), threading.Semaphore(0)
        self._interrupts = interrupts
        self.outcome = outcome or duckdb.InterruptException("INTERRUPT Error")
        self.threads: set[int] = set()
        self.interrupted: list[int] = []

    def ask(self) -> str:
        self.threads.add(threading.get_ident())
        self.asked.release()
        for _ in range(self._interrupts):
            assert self._ended.acquire(timeout=LONG_S)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    async def begun(self) -> None:
        """Waits until one more is asked."""
        assert await asyncio.to_thread(self.asked.acquire, timeout=LONG_S)

    def interrupt(self, thread: int) -> None:
        self.interrupted.append(thread)
        self._ended.release()

    def let_go(self) -> None:
        self._ended.release()


class World:
    def __init__(self, store: Store, *, at_once: int = 1, limit_s: float | None = LONG_S) -> None:
        self.store, self._metrics = store, Metrics(CollectorRegistry())
        self.questions = Questions(store.interrupt, self._metrics, at_once, limit_s)

    def value(self, name: str, **labels: str) -> float | None:
        return self._metrics.registry.get_sample_value(name, labels)

    def unanswered(self, why: str) -> float | None:
        return self.value("livekpi_queries_unanswered_total", why=why)


def run(work: Coroutine[Any, Any, T], world: World) -> T:
    try:
        return asyncio.run(work)
    finally:
        world.questions.close()


def problem(work: Coroutine[Any, Any, object], world: World) -> ProblemError:
    with pytest.raises(ProblemError) as found:
        run(work, world)
    return found.value


def test_what_takes_too_long_is_ended() -> None:
    world = World(store := Store(), limit_s=SHORT_S)

    async def ask() -> str:
        return await world.questions.answered(Sender().request, store.ask)

    found = problem(ask(), world)
    assert (found.status, world.unanswered("slow")) == (422, 1)
    assert found.detail.startswith("there was no answer to this question within 0.05 s (`limits: query_time`); ask for a larger step")
    assert set(store.interrupted) == store.threads


def test_it_is_ended_until_it_has_ended() -> None:
    """Between two statements there is nothing to interrupt."""
    world = World(store := Store(interrupts=3), limit_s=SHORT_S)

    async def ask() -> str:
        return await world.questions.answered(Sender().request, store.ask)

    assert problem(ask(), world).status == 422
    assert len(store.interrupted) == 3


def test_what_could_not_be_ended_is_answered_though_late() -> None:
    """As what is written is."""
    world = World(store := Store(outcome="written"), limit_s=SHORT_S)

    async def ask() -> str:
        return await world.questions.answered(Sender().request, store.ask)

    assert run(ask(), world) == "written"
    assert world.unanswered("slow") is None


def test_without_a_limit_it_goes_on() -> None:
    world = World(store := Store(outcome="at last"), limit_s=None)

    async def ask() -> str:
        asked = asyncio.create_task(world.questions.answered(Sender().request, store.ask))
        await asyncio.sleep(4 * SHORT_S)
        store.let_go()
        return await asked

    assert run(ask(), world) == "at last"
    assert store.interrupted == []


@pytest.mark.parametrize("interrupts", [1, 1_000])
def test_a_server_that_stops_waits_for_a_moment_and_then_for_nobody(interrupts: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither for the store, nor for what does not ask it just now."""
    monkeypatch.setattr(questions, "_STOPPING_S", SHORT_S)
    world = World(store := Store(interrupts=interrupts), limit_s=None)

    async def ask() -> str:
        asked = asyncio.create_task(world.questions.answered(Sender().request, store.ask))
        await store.begun()
        world.questions.stop()
        return await asked

    try:
        found = problem(ask(), world)
    finally:
        for _ in range(interrupts):
            store.let_go()
    assert (found.status, found.detail) == (503, "the server is stopping; ask again once it is back")
    assert store.interrupted != []


def test_what_is_answered_in_that_moment_is_answered() -> None:
    world = World(store := Store(outcome="in time"), limit_s=None)

    async def ask() -> str:
        asked = asyncio.create_task(world.questions.answered(Sender().request, store.ask))
        await store.begun()
        world.questions.stop()
        store.let_go()
        return await asked

    assert run(ask(), world) == "in time"
    assert store.interrupted == []


def test_who_has_gone_is_not_answered() -> None:
    world = World(store := Store())

    async def ask() -> str:
        sender = Sender()
        asked = asyncio.create_task(world.questions.answered(sender.request, store.ask))
        await store.begun()
        sender.gone.set()
        return await asked

    assert problem(ask(), world).status == 400
    assert set(store.interrupted) == store.threads
    assert world.unanswered("gone") == world.value("livekpi_query_seconds_count") == 1


def test_so_many_at_once_and_others_wait() -> None:
    world = World(store := Store(outcome="answer"), at_once=2)

    async def ask() -> list[str]:
        asked = [asyncio.create_task(world.questions.answered(Sender().request, store.ask)) for _ in range(3)]
        await store.begun()
        await store.begun()
        assert (world.value("livekpi_queries_waiting"), store.asked.acquire(blocking=False)) == (1, False)
        for _ in range(3):
            store.let_go()
        return list(await asyncio.gather(*asked))

    assert run(ask(), world) == ["answer"] * 3
    assert world.value("livekpi_queries_waiting") == 0


def test_nobody_waits_for_longer_than_an_answer_may_take() -> None:
    world = World(store := Store(outcome="answer"), limit_s=SHORT_S)
    stuck = threading.Event()

    def hold() -> bool:
        store.asked.release()
        return stuck.wait(LONG_S)

    async def ask() -> ProblemError:
        first = asyncio.create_task(world.questions.answered(Sender().request, hold))
        await store.begun()
        with pytest.raises(ProblemError) as found:
            await world.questions.answered(Sender().request, store.ask)
        stuck.set()
        await first
        store.let_go()
        assert await world.questions.answered(Sender().request, store.ask) == "answer"  # the turn was not lost
        return found.value

    found = run(ask(), world)
    assert (found.status, found.headers, world.unanswered("busy")) == (503, {"Retry-After": "5"}, 1)
    assert found.detail.startswith("other questions took all turns (`limits: queries`) for 0.05 s")


def test_who_went_while_waiting_is_never_asked_for() -> None:
    world = World(store := Store(outcome="answer"))

    async def ask() -> None:
        first, waiting = Sender(), Sender()
        one = asyncio.create_task(world.questions.answered(first.request, store.ask))
        other = asyncio.create_task(world.questions.answered(waiting.request, store.ask))
        await store.begun()
        assert world.value("livekpi_queries_waiting") == 1
        waiting.gone.set()
        with pytest.raises(ProblemError, match="was closed"):
            await other
        store.let_go()
        await one

    run(ask(), world)
    assert not store.asked.acquire(blocking=False)
    assert (world.unanswered("gone"), store.interrupted) == (1, [])


@pytest.mark.parametrize(
    ("outcome", "detail"),
    [
        (duckdb.OutOfMemoryException("Out of Memory Error"), "there is too little memory for this question"),
        (duckdb.InterruptException("INTERRUPT Error"), "the store can't be read now"),  # as where it is opened anew
        (duckdb.IOException("IO Error"), "the store can't be read now"),
    ],
)
def test_what_the_store_fails_at_can_be_asked_again(outcome: Exception, detail: str) -> None:
    world = World(store := Store(outcome=outcome))
    store.let_go()

    async def ask() -> str:
        return await world.questions.answered(Sender().request, store.ask)

    found = problem(ask(), world)
    assert found.status == 503
    assert found.detail.startswith(detail)
    assert found.headers is not None


def test_what_is_interrupted_by_nobody_here_is_told_whether_the_server_stops() -> None:
    world = World(store := Store(), at_once=2)

    async def ask() -> list[ProblemError]:
        found = list[ProblemError]()
        for _ in range(2):
            asked = asyncio.create_task(world.questions.answered(Sender().request, store.ask))
            await store.begun()
            if found:
                world.questions.stop()
            store.let_go()
            with pytest.raises(ProblemError) as error:
                await asked
            found.append(error.value)
        return found

    before, stopping = run(ask(), world)
    assert (before.detail, before.headers) == (questions.UNREADABLE, {"Retry-After": "1"})
    assert (stopping.detail, stopping.headers) == ("the server is stopping; ask again once it is back", {"Retry-After": "5"})
    assert world.unanswered("stopping") == 1


def test_an_answer_takes_no_longer_than_it_may(tmp_path: Path) -> None:
    with make_world(tmp_path, limits="{query_time: 50ms}") as world, client_of(world) as client:
        world.backend.endless = True
        assert "within 0.05 s (`limits: query_time`)" in answers.problem(client.get("/v1/kpis/visits"), 422)
        assert world.value("livekpi_queries_unanswered_total", why="slow") == 1


def test_a_connection_that_is_closed_ends_its_question(tmp_path: Path) -> None:
    with make_world(tmp_path, limits="{query_time: 1h}") as world, serving(world) as url:
        world.backend.endless = True
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{url}/v1/kpis/visits", timeout=0.5)
        assert world.backend.interrupted.wait(LONG_S)
