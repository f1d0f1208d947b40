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
from livekpi.engine.cluster import ClusterError, Condition, JobState
from livekpi.engine.spark.description import Description, describe

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
        """The job's description, as ``python -m livekpi.engine.spark.job`` and spark-submit take it."""
        return self.description.text()

    def submit(self, savepoint: str | None = None) -> None:
        """See Cluster. Spark goes on from its checkpoint directory, and from no other place."""
        if savepoint is not None and savepoint.rstrip("/") != self.description.checkpoint:
            raise ClusterError(
                f"Spark goes on from `checkpoint: {self._checkpoint}`, and can't from {savepoint}; change `checkpoint` to it"
            )
        if self._running() is not None:
            if self._described() == self.description.text():
                return
            self.stop(savepoint=False)
        if find_spec("pyspark") is None and "SPARK_HOME" not in self._environ:
            raise ClusterError("Spark needs an extra: pip install 'livekpi[spark]'")
        self._directory.mkdir(parents=True, exist_ok=True)
        self._status.unlink(missing_ok=True)
        self._job.write_text(self.description.text(), encoding="utf-8")
        command = [sys.executable, "-m", "livekpi.engine.spark.job", str(self._job)]
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own program
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(self._environ), start_new_session=True
            )
        # whoever drops this while the driver runs leaves no zombie behind
        threading.Thread(target=self._child.wait, name="driver", daemon=True).start()
        self._driver.write_text(json.dumps({"pid": self._child.pid, "begun": psutil.Process(self._child.pid).create_time()}))

    def state(self) -> JobState:
        """See Cluster. A driver that ended without saying so has failed."""
        name, status = self.description.name, _read(self._status)
        committed = [_microseconds(source["at"]) for source in status.get("sources", {}).values() if source]
        checkpoint_us = max(committed, default=None)
        running = self._running()
        if running is not None:
            condition: Condition = "running" if status.get("state") == "running" else "starting"
            if self._described() != self.description.text():
                condition = "outdated"
            return JobState(name, condition, str(running.pid), last_checkpoint_us=checkpoint_us, detail=_detail(status))
        if not self._driver.exists():
            return JobState(name, "missing")
        ended: Condition = status["state"] if status.get("state") in ("finished", "missing") else "failed"
        detail = None if ended != "failed" else status.get("detail") or f"the driver ended: {self._tail()}"
        return JobState(name, ended, last_checkpoint_us=checkpoint_us, detail=detail)

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
        driver = _read(self._driver)
        if not driver:
            return None
        try:
            process = psutil.Process(driver["pid"])
            alive = process.create_time() == driver["begun"] and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None

    def _described(self) -> str | None:
        return self._job.read_text(encoding="utf-8") if self._job.exists() else None

    def _tail(self) -> str:
        """The last line of the driver's log."""
        if not self._log.exists():
            return "it left no log"
        with self._log.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL_BYTES))
            lines = log.read().decode(errors="replace").strip().splitlines()
        return f"{lines[-1] if lines else 'it said nothing'} (see {self._log})"


def _read(file: Path) -> dict[str, Any]:
    """A JSON file's object; empty where there is none."""
    if not file.exists():
        return {}
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def _detail(status: Mapping[str, Any]) -> str | None:
    """What an operator should know of a running job: rows that came too late for its state."""
    late = {name: source.get("forgotten", 0) for name, source in status.get("sources", {}).items()}
    return "; ".join(f"{name}: {count} rows of the last batch came too late to be merged" for name, count in late.items() if count) or None


def _microseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * _MICROSECONDS)
