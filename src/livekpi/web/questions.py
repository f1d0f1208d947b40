"""Questions to the store: so many at once, each for so long, and none on behalf of somebody who has gone."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from typing import Any, Literal, TypeVar

import duckdb
import structlog
from starlette.requests import Request

from livekpi.metrics import Metrics
from livekpi.query.steps import QueryError
from livekpi.web.problems import ProblemError

UNREADABLE = "the store can't be read now; ask again later"
UNWRITABLE = "the store can't be read or written now; try again later"
_LESS = "ask for a larger step, a shorter range or fewer dimensions"
_AGAIN_S = 0.05
"""How soon a question that is to end is ended once more: it may have been between two statements."""
_STOPPING_S = 1.0
"""How long a question may go on once the server is stopping."""
_logger = structlog.get_logger(__name__)
T = TypeVar("T")
Why = Literal["slow", "gone", "busy", "memory", "stopping"]
"""Why a question has no answer, though nothing is wrong with it."""


class Questions:
    """Asks on threads of its own, since an answer may take a while. For one event loop."""

    def __init__(self, interrupt: Callable[[int], None], metrics: Metrics, at_once: int, limit_s: float | None = None) -> None:
        """`interrupt` ends what is asked on a thread. `limit_s` is how long a question may wait for its turn, and how long its answer may
        then take; None: as long as it likes."""
        self._interrupt, self._metrics, self._limit_s = interrupt, metrics, limit_s
        self._pool = ThreadPoolExecutor(at_once, "query")
        self._turns = asyncio.Semaphore(at_once)
        self._stopping = asyncio.Event()
        self._stopped = False

    async def answered(self, request: Request, ask: Callable[[], T], unable: str = UNREADABLE) -> T:
        """What `ask` gives.

        Raises ProblemError: 400 with what QueryError finds wrong with the question, 422 where it takes too long, 503 where there is no
        turn or no memory for it, and with `unable` where the store fails.
        """
        async with _awaited(_until_gone(request)) as gone, _awaited(self._stopping.wait()) as stopping, self._turn(gone):
            answer, ended = await self._run(ask, gone, stopping)
        if not answer.done():
            raise self._unanswered("stopping")
        try:
            return answer.result()
        except QueryError as error:
            raise ProblemError(HTTPStatus.BAD_REQUEST, str(error)) from error
        except duckdb.Error as error:
            why = self._why(error, ended)
            if why is not None:
                raise self._unanswered(why) from error
            _logger.error("the store can't be read or written", reason=str(error))
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, unable, {"Retry-After": "1"}) from error

    def stop(self) -> None:
        """On the event loop: what is being asked may go on for a moment; then it is ended, or has no answer."""
        self._stopped = True
        asyncio.get_running_loop().call_later(_STOPPING_S, self._stopping.set)

    def close(self) -> None:
        """Takes no more; what is going on is for others to interrupt."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def _turn(self, gone: asyncio.Task[object]) -> AsyncIterator[None]:
        """Waits for one of the threads, behind those who came before."""
        turn: asyncio.Task[object] = asyncio.create_task(self._turns.acquire())
        with self._metrics.queries_waiting.track_inprogress():
            await asyncio.wait({turn, gone}, timeout=self._limit_s, return_when=asyncio.FIRST_COMPLETED)
        if not turn.done():
            turn.cancel()
            raise self._unanswered("gone" if gone.done() else "busy")
        try:
            yield
        finally:
            self._turns.release()

    async def _run(
        self, ask: Callable[[], T], gone: asyncio.Task[object], stopping: asyncio.Task[object]
    ) -> tuple[asyncio.Future[T], Why | None]:
        """The answer, once it is there; and why it was ended before, where it was. Not done only where the server is stopping."""
        place = _Place()

        def run() -> T:
            with place.taken():
                return ask()

        with self._metrics.query.time():
            answer = asyncio.get_running_loop().run_in_executor(self._pool, run)
            first: set[asyncio.Future[Any]] = {answer, gone, stopping}
            await asyncio.wait(first, timeout=self._limit_s, return_when=asyncio.FIRST_COMPLETED)
            ended: Why | None = None if answer.done() else "gone" if gone.done() else "stopping" if stopping.done() else "slow"
            while not answer.done():
                place.interrupt(self._interrupt)
                await asyncio.wait({answer}, timeout=_AGAIN_S)
                if stopping.done():  # what computes without the store can't be interrupted
                    break
        return answer, ended

    def _why(self, error: duckdb.Error, ended: Why | None) -> Why | None:
        """Why a question ended by this has no answer; None where the store fails: it interrupts all questions to be opened anew, too."""
        if isinstance(error, duckdb.OutOfMemoryException):
            return "memory"
        if isinstance(error, duckdb.InterruptException):
            return ended or ("stopping" if self._stopped else None)
        return None

    def _unanswered(self, why: Why) -> ProblemError:
        self._metrics.queries_unanswered.labels(why).inc()
        limit = "" if self._limit_s is None else f"{self._limit_s:g} s (`limits: query_time`)"
        if why == "slow":
            return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"there was no answer to this question within {limit}; {_LESS}")
        if why == "gone":  # nobody reads it
            return ProblemError(HTTPStatus.BAD_REQUEST, "the connection was closed before there was an answer")
        details = {
            "busy": f"other questions took all turns (`limits: queries`) for {limit}; ask again later",
            "memory": f"there is too little memory for this question beside what else is asked (`limits: memory_mib`); {_LESS}",
            "stopping": "the server is stopping; ask again once it is back",
        }
        return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, details[why], {"Retry-After": "5"})


class _Place:
    """The thread that a question has while it is asked: whoever ends it then can't end the next one on that thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._thread: int | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """From now on it is this thread's."""
        self._thread = threading.get_ident()
        try:
            yield
        finally:
            with self._guard:
                self._thread = None

    def interrupt(self, interrupt: Callable[[int], None]) -> None:
        with self._guard:
            if self._thread is not None:
                interrupt(self._thread)


@asynccontextmanager
async def _awaited(what: Coroutine[Any, Any, object]) -> AsyncIterator[asyncio.Task[object]]:
    """A task for something that is awaited meanwhile."""
    task = asyncio.create_task(what)
    try:
        yield task
    finally:
        task.cancel()


async def _until_gone(request: Request) -> None:
    """Until whoever sent a request, and has sent all of it, has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
