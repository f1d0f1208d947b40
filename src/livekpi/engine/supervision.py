"""Watches over a definition's job on a cluster: has it submitted, sees how it is, and submits it again when it failed or is gone."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import structlog

from livekpi.clock import Clock, due
from livekpi.disk import replace_text
from livekpi.engine.cluster import Cluster, ClusterError, JobState
from livekpi.metrics import Metrics
from livekpi.sources.base import SourceError

LOOK_S = 5.0
"""How often the cluster is asked how the job is."""
SUBMITTED_S = 1.0
"""How soon it is asked after the job was submitted."""
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""How long it is waited from one attempt to the next; the last over and over."""
SOUND_US = 60_000_000
"""A job that has run for this long has not failed in vain: the next failure begins with the shortest wait."""
END_S = 2.0
_STOPPED = "stopped.json"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Stopped:
    """That a job was stopped on purpose, and where it can go on."""

    savepoint: str | None = None
    at_us: int = field(default=0, compare=False)
    """When, by which one stop is told from another; 0 where whoever stopped the job is the one that goes on."""


def note_stopped(directory: Path, stopped: Stopped) -> None:
    """Keeps that the job was stopped, so that a running server lets it be, and the next one goes on from the savepoint."""
    directory.mkdir(parents=True, exist_ok=True)
    replace_text(directory / _STOPPED, json.dumps(asdict(stopped)))


def stopped_in(directory: Path) -> Stopped | None:
    """What was kept; None where the job is meant to run."""
    path = directory / _STOPPED
    return Stopped(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def forget_stopped(directory: Path) -> None:
    (directory / _STOPPED).unlink(missing_ok=True)


class Supervisor:
    """Keeps one job running, on a thread of its own, from `start` to `close`; the job itself outlives it."""

    def __init__(
        self,
        engine: str,
        cluster: Cluster,
        prepare: Callable[[], None],
        directory: Path,
        tell: Callable[[str | None], None],
        clock: Clock,
        metrics: Metrics,
        *,
        once: bool = False,
    ) -> None:
        """`prepare` makes what the job needs, such as topics. `directory` is where it is kept that a job was stopped.

        `tell` is told what is wrong with the job, and None when nothing is any more. With `once` a job that has finished is well,
        one that failed is not submitted again, and one that the cluster restarts has not failed yet, so that nothing is told of it.
        """
        self._engine, self._cluster, self._prepare, self._directory, self._tell = engine, cluster, prepare, directory, tell
        self._clock, self._metrics, self._once = clock, metrics, once
        self.finished = threading.Event()
        """Set when the job, with `once`, has come to its end."""
        self.last: JobState | None = None
        """How the job was at the last look; None where the cluster could not say."""
        self._resume = stopped_in(directory)
        """What is to be gone on from at the start; None once that is done."""
        self._prepared = False
        self._submitted = False
        self._failures = 0
        self._attempted_us: int | None = None
        self._backoff_us = 0
        """How long it is waited after the last attempt."""
        self._running_since_us: int | None = None
        self._problem: str | None = None
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Watches no more; the job runs on."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(END_S)

    def park(self) -> None:
        """Stops the job with a savepoint, from which the next start goes on. Raises ClusterError."""
        self.close()
        if self._cluster.state().state not in ("finished", "missing"):
            note_stopped(self._directory, Stopped(self._cluster.stop(savepoint=True), self._clock.now_us()))

    def _run(self) -> None:
        wait_s = 0.0
        while not self._end.wait(wait_s):
            try:
                wait_s = self.step()
            except Exception as error:  # noqa: BLE001 - a mistake of ours at one look must not end all looking
                _log.exception("looking after the job failed", engine=self._engine)
                wait_s = self._out_of_sight(f"the job on {self._engine} can't be looked after: {type(error).__name__}: {error}")

    def step(self) -> float:
        """Looks once, and does what is to be done; returns how long to wait before the next look, in seconds."""
        try:
            if not self._prepared:
                self._prepare()
                self._prepared = True
            return self._look(self._cluster.state())
        except (ClusterError, SourceError, OSError) as error:  # a broker's, or of the disk that keeps how far the job is
            return self._out_of_sight(f"the job on {self._engine}: {error}")

    def _out_of_sight(self, problem: str) -> float:
        self.last = None
        self._metrics.job_up.labels(self._engine).set(0)
        self._say(problem)
        return LOOK_S

    def _look(self, state: JobState) -> float:
        self.last = state
        self._measure(state)
        now_us = self._clock.now_us()
        if state.well or (self._once and self._submitted and state.state == "finished"):
            self._note_well(state, now_us)
            return LOOK_S
        self._running_since_us = None
        described = f"job {state.name} on {self._engine} {_said(state)}"
        if self._stopped_since():
            self._say(f"job {state.name} on {self._engine} was stopped by `livekpi stop`; `livekpi run` has it go on")
            return LOOK_S
        if self._submitted or state.state == "restarting":
            self._say(described, passing=self._once and state.state == "restarting")
        if state.state == "restarting" or (self._once and self._submitted):
            return LOOK_S
        if self._attempted_us is not None and not due(now_us, self._attempted_us, self._backoff_us):
            return min(LOOK_S, (self._attempted_us + self._backoff_us - now_us) / 1_000_000)
        return self._submit(now_us)

    def _submit(self, now_us: int) -> float:
        self._attempted_us = now_us
        self._backoff_us = int(BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)] * 1_000_000)
        self._failures += 1
        savepoint = None if self._resume is None else self._resume.savepoint
        _log.info("submitting the job", engine=self._engine, savepoint=savepoint, attempt=self._failures)
        self._metrics.job_submissions.labels(self._engine).inc()
        self._cluster.submit(savepoint)
        self._submitted = True
        return SUBMITTED_S

    def _note_well(self, state: JobState, now_us: int) -> None:
        if state.state == "starting":
            return
        if state.state == "finished":
            self.finished.set()
        if self._resume is not None and not self._stopped_since():
            forget_stopped(self._directory)
            self._resume = None
        self._submitted = True
        self._say(None)
        self._running_since_us = min(self._running_since_us or now_us, now_us)  # a clock set back begins it anew
        if now_us - self._running_since_us >= SOUND_US:
            self._failures = 0

    def _stopped_since(self) -> bool:
        """Whether the job was stopped on purpose after the stop that is gone on from."""
        stopped = stopped_in(self._directory)
        return stopped is not None and (self._resume is None or stopped.at_us != self._resume.at_us)

    def _measure(self, state: JobState) -> None:
        self._metrics.job_up.labels(self._engine).set(1 if state.state == "running" else 0)
        if state.restarts is not None:
            self._metrics.job_restarts.labels(self._engine).set(state.restarts)
        if state.last_checkpoint_us is not None:
            self._metrics.job_checkpoint.labels(self._engine).set(state.last_checkpoint_us / 1_000_000)

    def _say(self, problem: str | None, *, passing: bool = False) -> None:
        """Tells and logs what changed, once; what passes is only logged."""
        if problem != self._problem:
            self._problem = problem
            self._tell(None if passing else problem)
            if problem is None:
                _log.info("the job runs", engine=self._engine)
            else:
                _log.warning("the job does not run", engine=self._engine, problem=problem)


def _said(state: JobState) -> str:
    words = {
        "starting": "is starting",
        "running": "runs",
        "restarting": "is being restarted by the cluster",
        "failed": "has failed",
        "finished": "has ended",
        "outdated": "computes another definition",
        "missing": "is not there",
    }
    return words[state.state] + (f": {state.detail}" if state.detail else "")
