"""A definition's job on a Flink cluster.

The job's name says what it computes: the topics it writes and a digest of its SQL. So what runs is found again by anyone, and a job of
another definition is known as such. Its state is gone on from all the same: each operator, and each value in its state, is named by what it
means (see rendering.py), so that it finds what is its own, and nothing else.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

import structlog

from livekpi.definition.definition import Definition
from livekpi.definition.shape.model import Flink
from livekpi.disk import replace_text
from livekpi.engine.cluster import ClusterError, Condition, JobState
from livekpi.engine.flink.gateway import Session
from livekpi.engine.flink.jobmanager import JobManager, JobOverview
from livekpi.engine.flink.rendering import Job, render_job
from livekpi.engine.plan import Plan

_log = structlog.get_logger(__name__)

_REMEMBERED = "flink.json"
_MADE_BY = re.compile(r"/livekpi-([^/]*)-[0-9a-f]{12}(?:/|$)")
"""In a savepoint's path: the topics that its job wrote."""
_CONDITIONS: dict[str, Condition] = {
    **dict.fromkeys(("INITIALIZING", "CREATED", "RECONCILING"), "starting"),
    "RUNNING": "running",
    **dict.fromkeys(("RESTARTING", "FAILING"), "restarting"),
    "FAILED": "failed",
    **dict.fromkeys(("FINISHED", "CANCELED", "CANCELLING", "SUSPENDED"), "finished"),
}
_GONE = "Cannot find checkpoint or savepoint"
_NO_FUNCTIONS = ("livekpi.flink.", "identifier 'livekpi'", "identifier: livekpi")


@dataclass(frozen=True)
class _Remembered:
    """The last checkpoint seen of a job, for when the cluster has forgotten the job."""

    topics: str
    checkpoint: str


class FlinkCluster:
    """See Cluster."""

    def __init__(self, definition: Definition, plan: Plan, spec: Flink, directory: Path) -> None:
        """`directory` is where it is kept how far the job was. Raises UnsupportedError for what Flink can't compute."""
        self._spec, self._directory = spec, directory
        self._job = render_job(definition, plan, spec)
        self._topics = definition.topics
        self._prefix = f"livekpi {definition.topics} "
        self._name = self._prefix + hashlib.sha256(self._job.text.encode()).hexdigest()[:12]
        self._job_manager = JobManager(spec.rest)

    def render(self) -> str:
        """A file for Flink's SQL client."""
        return self._named(self._job).text

    def submit(self, savepoint: str | None = None) -> None:
        found = self._found()
        if found is not None and not found.ended:
            if found.name == self._name:
                return
            savepoint = self._job_manager.stop(found.job_id, self._target(found.name))
            self._remember(_Remembered(self._topics, savepoint))
            _log.info("the definition has changed: its job goes on from the state of the one before", before=found.name)
        if savepoint is None:
            self._go_on(self._last_checkpoint())
            return
        made_by = _MADE_BY.search(savepoint)
        if made_by is not None and made_by[1] != self._topics:
            raise ClusterError(
                f"the savepoint {savepoint} was made by a job that writes to the topics {made_by[1]!r}, and this one writes to "
                f"{self._topics!r}; go on with the definition that it was made with, or begin without it"
            )
        self._execute(savepoint)

    def state(self) -> JobState:
        found = self._found()
        if found is None:
            return JobState(self._name, "missing")
        checkpoint = self._job_manager.checkpoint(found.job_id)
        condition = _CONDITIONS.get(found.state, "starting")
        if condition == "running" and found.waiting:
            condition = "starting"
        if found.name != self._name and not found.ended:
            condition = "outdated"
        if checkpoint is not None:
            self._remember(_Remembered(self._topics, checkpoint.path))
        failed = condition in ("failed", "restarting", "starting")
        return JobState(
            name=found.name,
            state=condition,
            job_id=found.job_id,
            restarts=self._job_manager.restarts(found.job_id),
            last_checkpoint_us=None if checkpoint is None else checkpoint.at_us,
            detail=self._job_manager.failure(found.job_id) if failed else None,
        )

    def stop(self, *, savepoint: bool) -> str | None:
        found = self._found()
        if found is None or found.ended:
            return None
        if savepoint:
            return self._job_manager.stop(found.job_id, self._target(found.name))
        self._job_manager.cancel(found.job_id)
        return None

    def _found(self) -> JobOverview | None:
        """Our job: the one that runs, else of those that ran the last."""
        return max(self._jobs(), key=lambda job: (not job.ended, job.since), default=None)

    def _jobs(self) -> list[JobOverview]:
        """The jobs that write our topics, or did, of whichever definition."""
        return [job for job in self._job_manager.jobs() if job.name.startswith(self._prefix) and " " not in job.name[len(self._prefix) :]]

    def _target(self, name: str) -> str:
        """Where a job's savepoints go: the place tells which definition they are of."""
        directory = self._job_manager.savepoint_directory()
        if directory is None:
            raise ClusterError(
                f"Flink at {self._spec.rest} has no directory for savepoints; "
                "set execution.checkpointing.savepoint-dir in its configuration"
            )
        return f"{directory.rstrip('/')}/{name.replace(' ', '-')}"

    def _last_checkpoint(self) -> str | None:
        """The last that any of our jobs has made, of those that Flink knows; else the last that was seen."""
        for job in sorted(self._jobs(), key=lambda job: job.since, reverse=True):
            checkpoint = self._job_manager.checkpoint(job.job_id)
            if checkpoint is not None:
                return checkpoint.path
        remembered = self._read()
        return remembered.checkpoint if remembered is not None and remembered.topics == self._topics else None

    def _go_on(self, checkpoint: str | None) -> None:
        try:
            self._execute(checkpoint)
        except ClusterError as error:
            if checkpoint is None or _GONE not in str(error):
                raise
            # it ran on unseen and let go of that one; a row that knows of fewer events is not taken, so no number goes back
            _log.warning("the job's last known checkpoint is gone; it begins anew, from what the topic still holds", checkpoint=checkpoint)
            self._execute(None)

    def _execute(self, path: str | None) -> None:
        job = self._named(self._job, path)
        try:
            with Session(self._spec.gateway, job.settings) as session:
                for statement in (*job.setup, job.statement_set):
                    session.execute(statement)
        except ClusterError as error:
            if any(sign in str(error) for sign in _NO_FUNCTIONS):
                raise ClusterError(
                    "Flink has not livekpi's functions: put livekpi-flink.jar into the lib directory "
                    f"of Flink and of its SQL Gateway, and restart them ({error})"
                ) from error
            raise

    def _named(self, job: Job, path: str | None = None) -> Job:
        # what nothing claims is of KPIs that are no longer there
        more = {} if path is None else {"execution.state-recovery.path": path, "execution.state-recovery.ignore-unclaimed-state": "true"}
        return Job({**job.settings, "pipeline.name": self._name, **more}, job.setup, job.inserts)

    def _remember(self, seen: _Remembered) -> None:
        if seen != self._read():
            self._directory.mkdir(parents=True, exist_ok=True)
            replace_text(self._directory / _REMEMBERED, json.dumps(asdict(seen)))

    def _read(self) -> _Remembered | None:
        path = self._directory / _REMEMBERED
        return _Remembered(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
