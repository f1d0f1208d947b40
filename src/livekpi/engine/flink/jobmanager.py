"""The JobManager's REST API: the jobs there are, how they are, and how to end them."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

from livekpi.engine.cluster import ClusterError
from livekpi.engine.flink.rest import RefusedError, Rest

_PATIENCE_S = 600.0
"""How long a savepoint, or the end of a job, may take."""
_LOOK_S = 0.1
_METRIC_LOOKS = 5
"""How often a metric is asked for at most: Flink fetches it when it is first asked, and answers before it has it."""
_CAUSE = "Caused by: "
ENDED = frozenset({"FAILED", "FINISHED", "CANCELED", "SUSPENDED"})


@dataclass(frozen=True)
class JobOverview:
    """A job in the list of jobs."""

    job_id: str
    name: str
    state: str
    """Flink's word."""
    since: int
    """When it was started."""
    waiting: bool
    """Whether some of its tasks do not run, or not yet."""

    @classmethod
    def of(cls, answer: Any) -> Self:
        tasks = answer["tasks"]
        return cls(answer["jid"], answer["name"], answer["state"], answer["start-time"], tasks["running"] < tasks["total"])

    @property
    def ended(self) -> bool:
        return self.state in ENDED


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint."""

    path: str
    at_us: int


class JobManager:
    """Asks one JobManager. Its methods raise ClusterError where it does not answer or refuses."""

    def __init__(self, address: str, *, wait: Callable[[float], object] = time.sleep, now: Callable[[], float] = time.monotonic) -> None:
        self._rest = Rest("JobManager", address)
        self._wait, self._now = wait, now

    def jobs(self) -> list[JobOverview]:
        return [JobOverview.of(job) for job in self._rest.ask("GET", "/jobs/overview")["jobs"]]

    def job_state(self, job_id: str) -> str:
        """Flink's word for how a job is."""
        return str(self._rest.ask("GET", f"/jobs/{job_id}")["state"])

    def checkpoint(self, job_id: str) -> Checkpoint | None:
        """A job's last complete checkpoint or savepoint; where it has made none, the one it went on from."""
        latest = self._rest.ask("GET", f"/jobs/{job_id}/checkpoints").get("latest") or {}
        made = [each for kind in ("completed", "savepoint") if (each := latest.get(kind)) is not None and each.get("external_path")]
        found = max(made, key=lambda each: each["latest_ack_timestamp"], default=None)
        if found is not None:
            return Checkpoint(found["external_path"], found["latest_ack_timestamp"] * 1_000)
        restored = latest.get("restored")
        return Checkpoint(restored["external_path"], restored["restore_timestamp"] * 1_000) if restored else None

    def restarts(self, job_id: str) -> int | None:
        """How often a job was restarted; None where Flink does not say."""
        for look in range(_METRIC_LOOKS):
            if look:
                self._wait(_LOOK_S)
            try:
                found = self._rest.ask("GET", f"/jobs/{job_id}/metrics?get=numRestarts")
            except RefusedError:
                break  # a job that is over has none
            if found:
                return int(float(found[0]["value"]))
        return None

    def failure(self, job_id: str) -> str | None:
        """Why a job failed last: the innermost cause."""
        entries = self._rest.ask("GET", f"/jobs/{job_id}/exceptions").get("exceptionHistory", {}).get("entries", [])
        if not entries:
            return None
        lines = str(entries[0].get("stacktrace") or entries[0].get("exceptionName")).splitlines()
        causes = [line.removeprefix(_CAUSE) for line in lines if line.startswith(_CAUSE)]
        return (causes or lines or [""])[-1 if causes else 0].strip()

    def savepoint_directory(self) -> str | None:
        """Where the cluster is set up to put savepoints."""
        settings = {entry["key"]: entry["value"] for entry in self._rest.ask("GET", "/jobmanager/config")}
        return settings.get("execution.checkpointing.savepoint-dir") or settings.get("state.savepoints.dir")

    def stop(self, job_id: str, directory: str) -> str:
        """Ends a job with a savepoint in a directory; returns its path."""
        trigger = self._rest.ask("POST", f"/jobs/{job_id}/stop", {"targetDirectory": directory, "drain": False})["request-id"]
        answer = self._until(
            lambda: self._rest.ask("GET", f"/jobs/{job_id}/savepoints/{trigger}"),
            lambda answer: answer["status"]["id"] == "COMPLETED",
            f"the savepoint of job {job_id}",
        )
        operation = answer["operation"]
        if "failure-cause" in operation:
            causes = [line for line in operation["failure-cause"]["stack-trace"].splitlines() if line.startswith(_CAUSE)]
            reason = causes[-1].removeprefix(_CAUSE) if causes else operation["failure-cause"]["class"]
            raise ClusterError(f"Flink could not stop job {job_id} with a savepoint in {directory}: {reason}")
        self._until_ended(job_id)
        return str(operation["location"])

    def cancel(self, job_id: str) -> None:
        """Ends a job at once."""
        self._rest.ask("PATCH", f"/jobs/{job_id}?mode=cancel")
        self._until_ended(job_id)

    def _until_ended(self, job_id: str) -> None:
        self._until(lambda: self.job_state(job_id), lambda state: state in ENDED, f"the end of job {job_id}")

    def _until(self, ask: Callable[[], Any], done: Callable[[Any], bool], what: str) -> Any:
        deadline = self._now() + _PATIENCE_S
        while not done(answer := ask()):
            if self._now() > deadline:
                raise ClusterError(f"{what} did not come within {_PATIENCE_S:.0f} s")
            self._wait(_LOOK_S)
        return answer
