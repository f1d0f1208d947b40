"""`livekpi`, with a cluster whose job somebody else plays: it is as a file says, `running` where there is none."""

import os
import sys
from pathlib import Path

from livekpi import clustered
from livekpi.definition.definition import Definition
from livekpi.definition.problems import Problem
from livekpi.engine.cluster import Cluster, Condition, JobState
from livekpi.engine.plan import Plan

STATE = "LIVEKPI_TEST_JOB_STATE"
"""Names the file that says how the job is; to submit it takes the file away, and leaves another, ``….submitted``."""


class Elsewhere:
    """See Cluster."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def render(self) -> str:
        return "-- played elsewhere\n"

    def submit(self, savepoint: str | None = None) -> None:
        self._file.with_suffix(".submitted").write_text(savepoint or "")
        self._file.unlink(missing_ok=True)

    def state(self) -> JobState:
        known: dict[str, Condition] = {"failed": "failed", "outdated": "outdated"}
        told = known.get(self._file.read_text() if self._file.exists() else "", "running")
        return JobState("played", told, "1", detail="as told" if told == "failed" else None)

    def stop(self, *, savepoint: bool) -> str | None:
        self._file.write_text("failed")
        return "/savepoint" if savepoint else None


def open_cluster(definition: Definition, plan: Plan, data: Path, *, once: bool = False) -> Cluster:
    return Elsewhere(Path(os.environ[STATE]))


def no_problems(definition: Definition) -> list[Problem]:
    return []


if __name__ == "__main__":
    clustered.open_cluster = open_cluster
    clustered.problems = no_problems
    from livekpi.cli import main

    sys.exit(main())
