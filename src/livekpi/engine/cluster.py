"""A cluster that computes the numbers, as the rest of livekpi sees it: a job that is submitted, asked after, and stopped.

`engine/flink` and `engine/spark` are the clusters there are; nothing else knows which one it talks to.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

Condition = Literal["starting", "running", "restarting", "failed", "finished", "outdated", "missing"]
"""`outdated`: what runs was submitted for another definition. `missing`: the cluster knows no such job, or has forgotten it."""


@dataclass(frozen=True, slots=True)
class JobState:
    """How a definition's job is. Where it is more than one job, the state of that which is worst, and the sum of restarts."""

    name: str
    """What the cluster shows it as."""
    state: Condition
    job_id: str | None = None
    """The cluster's own name for it; None where it has none yet."""
    restarts: int | None = None
    """How often it was restarted, by the cluster or, where livekpi starts the driver, by livekpi; None where that is not known."""
    last_checkpoint_us: int | None = None
    """When its last checkpoint was complete; None where there was none, or that is not known."""
    detail: str | None = None
    """What more there is to say, such as why it failed."""

    @property
    def well(self) -> bool:
        """Whether it computes, or is about to."""
        return self.state in ("starting", "running")


class Cluster(Protocol):
    """One definition's job on a cluster. Used by one thread; a call may take as long as the cluster does.

    Each raises ClusterError where the cluster can't be reached or refuses.
    """

    def render(self) -> str:
        """What would run, as text; asks nobody."""

    def submit(self, savepoint: str | None = None) -> None:
        """Has the job run; does nothing where it runs already.

        It goes on from `savepoint`, else from its last checkpoint where the cluster still has one, else from the sources'
        beginning. A job that runs for another definition is replaced; what has not changed keeps its state.
        """

    def state(self) -> JobState:
        """How the job is now."""

    def stop(self, *, savepoint: bool) -> str | None:
        """Ends the job; where it does not run, nothing. Returns the savepoint's path where one was asked for and made."""


class ClusterError(Exception):
    """A cluster can't do what was asked of it: says which, why, and what to do."""
