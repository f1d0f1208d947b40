"""A definition's job on Spark: a driver of its own process, which goes on when livekpi ends and is found again when it starts."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil

from livekpi.definition.definition import Definition
from livekpi.definition.shape.model import Spark
from livekpi.disk import replace_text
from livekpi.engine.cluster import ClusterError, Condition, JobState
from livekpi.engine.spark.description import Description, describe

_PROGRAM = "livekpi.engine.spark.job"
_STOP_TIMEOUT_S = 60
_TAIL_BYTES = 4_000
_MICROSECONDS = 1_000_000


class SparkCluster:
    """See Cluster. What it keeps is in `directory`: the job's description, the driver's process, status and log."""

    def __init__(
        self, definition: Definition, spec: Spark, directory: Path, *, once: bool = False, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._directory = directory
        self._environ = environ
        self._job, self._driver = directory / "job.json", directory / "driver.json"
        self._status, self._log = directory / "status.json", directory / "driver.log"
        self._checkpoint = spec.checkpoint
        self.description: Description = describe(definition, spec, once=once, status=self._status)
        self._child: subprocess.Popen[bytes] | None = None

    def render(self) -> str:
        """The job's description, as ``python -m livekpi.engine.spark.job`` and spark-submit take it, on any machine."""
        return self.description.unwatched.text()

    def submit(self, savepoint: str | None = None) -> None:
        """See Cluster. Spark goes on from its checkpoint directory, and from no other place."""
        if savepoint is not None and savepoint.rstrip("/") != self.description.checkpoint:
            raise ClusterError(
                f"Spark goes on from `checkpoint: {self._checkpoint}`, and can't from {savepoint}; change `checkpoint` to it"
            )
        if self._running() is not None:
            if self._is_current():
                return
            self.stop(savepoint=False)
        if find_spec("pyspark") is None and "SPARK_HOME" not in self._environ:
            raise ClusterError("Spark needs an extra: pip install 'livekpi[spark]'")
        restarts = self._restarts()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._status.unlink(missing_ok=True)
        replace_text(self._job, self.description.text())
        command = [sys.executable, "-m", _PROGRAM, str(self._job.absolute())]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(self._environ), start_new_session=True
            )
        # whoever drops this while the driver runs leaves no zombie behind
        threading.Thread(target=self._child.wait, name="driver", daemon=True).start()
        replace_text(self._driver, json.dumps({"pid": self._child.pid, "restarts": restarts}))

    def state(self) -> JobState:
        """See Cluster. A driver that ended without saying so has failed."""
        name, status = self.description.name, _read(self._status)
        committed = [_microseconds(source["at"]) for source in status.get("sources", {}).values() if source]
        checkpoint_us = max(committed, default=None)
        running, restarts = self._running(), _read(self._driver).get("restarts")
        if running is not None:
            condition: Condition = "running" if status.get("state") == "running" else "starting"
            if not self._is_current():
                condition = "outdated"
            return JobState(name, condition, str(running.pid), restarts, checkpoint_us, _detail(status))
        if not self._driver.exists():
            return JobState(name, "missing")
        ended: Condition = status["state"] if status.get("state") in ("finished", "missing") else "failed"
        detail = None if ended != "failed" else status.get("detail") or f"the driver ended: {self._tail()}"
        return JobState(name, ended, None, restarts, checkpoint_us, detail)

    def stop(self, *, savepoint: bool) -> str | None:
        """See Cluster. The checkpoint directory is the savepoint, always."""
        running = self._running()
        if running is not None:
            running.terminate()
            try:
                self._wait(running)
            except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
                running.kill()
                self._wait(running)
        return self.description.checkpoint if savepoint else None

    def _wait(self, process: psutil.Process) -> None:
        if self._child is not None and self._child.pid == process.pid:
            self._child.wait(_STOP_TIMEOUT_S)
        else:
            process.wait(_STOP_TIMEOUT_S)

    def _running(self) -> psutil.Process | None:
        """The driver, by whomever it was started; None where it has ended."""
        if self._child is not None and self._child.poll() is not None:
            self._child = None
        pid = _read(self._driver).get("pid")
        if not isinstance(pid, int):
            return None
        try:
            process = psutil.Process(pid)
            # by what it runs, as another process may have its number by now; not by when it began: that moves with the system's clock
            return process if self._is_driver(process) else None
        except (psutil.NoSuchProcess, psutil.AccessDenied):  # another's process is not ours
            return None

    def _is_driver(self, process: psutil.Process) -> bool:
        """Whether a process is this job's driver, whichever way its directory was named to it; one that has ended has no command."""
        *command, last = process.cmdline() or [""]
        if _PROGRAM not in command:
            return False
        # where it is, only its own user may ask
        named = Path(last) if Path(last).is_absolute() else Path(process.cwd(), last)
        return _is_same(named, self._job)

    def _restarts(self) -> int:
        """How often this job will have been restarted once it is submitted: a driver that failed has it begin again."""
        failed = self._is_current() and self.state().state == "failed"
        return int(_read(self._driver).get("restarts", 0)) + 1 if failed else 0

    def _is_current(self) -> bool:
        """Whether the last driver was started to do what this definition means; of a driver of an older livekpi that is not known."""
        return _read(self._job).get("meaning") == self.description.meaning

    def _tail(self) -> str:
        """The last line of the driver's log."""
        if not self._log.exists():
            return "it left no log"
        with self._log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (see {self._log})"


def _read(file: Path) -> dict[str, Any]:
    """A JSON file's object; empty where there is none that can be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # what a power cut has torn says nothing
        return {}
    return found if isinstance(found, dict) else {}


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, which need not be there."""
    if one.resolve() == other.resolve():
        return True
    try:
        return one.samefile(other)
    except OSError:
        return False


def _detail(status: Mapping[str, Any]) -> str | None:
    """What an operator should know of a running job: what it says itself, and rows that came too late for its state."""
    late = {name: source.get("forgotten", 0) for name, source in status.get("sources", {}).items()}
    told = [f"{name}: {count} rows of the last batch came too late to be merged" for name, count in late.items() if count]
    return "; ".join(filter(None, [status.get("detail"), *told])) or None


def _microseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * _MICROSECONDS)
