"""The real store is asked for what would take it hours."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from prometheus_client import CollectorRegistry
from starlette.requests import Request

from livekpi.clock import ManualClock
from livekpi.metrics import Metrics
from livekpi.store.database import Store
from livekpi.web.problems import ProblemError
from livekpi.web.questions import Questions
from livekpi.web.running.cursors import Cursors

pytestmark = pytest.mark.timeout(60)

HOURS = "SELECT count(*) FROM range(1000000) a(i), range(1000000) b(j) WHERE i * j % 7 = 3"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store.open(tmp_path, ManualClock(0))
    yield store
    store.close()


def test_a_question_is_ended_and_the_next_one_is_not(store: Store) -> None:
    cursors = Cursors(store)
    questions = Questions(cursors.interrupt, Metrics(CollectorRegistry()), 1, 0.1)

    def ask(sql: str) -> object:
        with cursors.snapshot() as cursor:
            return cursor.execute(sql).fetchall()

    async def never() -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    async def both() -> object:
        request = Request({"type": "http", "method": "GET", "path": "/", "headers": []}, never)
        with pytest.raises(ProblemError, match="no answer to this question within"):
            await questions.answered(request, lambda: ask(HOURS))
        return await questions.answered(request, lambda: ask("SELECT 7"))

    assert asyncio.run(both()) == [(7,)]
    questions.close()


def test_others_are_not_interrupted(store: Store) -> None:
    cursors, asking, ended = Cursors(store), threading.Event(), threading.Event()
    errors: list[duckdb.Error] = []

    def ask() -> None:
        with cursors.cursor() as cursor:
            asking.set()
            try:
                cursor.execute(HOURS)
            except duckdb.Error as error:
                errors.append(error)
            ended.set()

    thread = threading.Thread(target=ask)
    thread.start()
    assert asking.wait(30)
    assert thread.ident is not None
    for _ in range(20):
        cursors.interrupt(thread.ident + 1)
        assert not ended.wait(0.01)
    while not ended.wait(0.01):
        cursors.interrupt(thread.ident)
    thread.join()
    assert [type(error) for error in errors] == [duckdb.InterruptException]
