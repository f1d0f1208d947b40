"""The alerts of a running server: a thread that judges after commits and as time goes on, and the delivery of what it finds."""

import threading
from collections.abc import Callable
from time import perf_counter

import duckdb
import structlog

from livekpi.alerts.judging.desk import Desk, Outcome
from livekpi.commit import Commit
from livekpi.store.schema import StoreError

_log = structlog.get_logger(__name__)

LOOK_S = 1.0
"""How often is looked whether time alone has made something ready."""
REST_S = 0.2
"""How long a step waits for the last one to be over: commits come faster than numbers become ready."""


class Watch:
    """Judges until it is closed."""

    def __init__(self, desk: Desk, tell: Callable[[Outcome], None], took: Callable[[float], None]) -> None:
        """`tell` hears of each step that found something, on the thread that judges; it must be quick. `took` hears how many seconds
        a step took in which rules were judged."""
        self.problem: str | None = None
        """Why the last step could not be done; None while it could."""
        self.crash: BaseException | None = None
        """What ended the thread: a mistake of livekpi's own."""
        self._desk, self._tell, self._took = desk, tell, took
        self._busy_us = 0
        """How long the last step took."""
        self._wake = threading.Event()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def on_commit(self, commit: Commit) -> None:
        """Hears of a commit; from any thread, and quick."""
        self._desk.on_commit(commit)
        self._wake.set()

    def wake(self) -> None:
        """Looks soon, for something was said about alerts."""
        self._wake.set()

    def close(self, timeout_s: float) -> None:
        """Ends after the step that is going on."""
        self._end.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                self._step()
                self._end.wait(REST_S)
                self._wake.wait(LOOK_S)
                self._wake.clear()
        except BaseException as error:  # noqa: BLE001 - whoever put this together asks for it
            self.crash = error
            _log.exception("rules are judged no more")

    def _step(self) -> None:
        started = perf_counter()
        try:
            outcome = self._desk.step(self._busy_us)
        except (duckdb.Error, StoreError, OSError) as error:  # nothing is lost: the next step begins from what is in the store
            if str(error) != self.problem:
                _log.error("rules can't be judged now; trying again", error=str(error))
            self.problem = str(error)
            return
        finally:
            self._busy_us = int((perf_counter() - started) * 1_000_000)  # a clock that stands still while the machine sleeps
        self.problem = None
        if outcome.judged:
            self._took(perf_counter() - started)
        if outcome.more:
            self._wake.set()
        if outcome.changed or outcome.receivers:
            self._tell(outcome)
