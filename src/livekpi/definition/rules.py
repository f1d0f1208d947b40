"""Alert rules resolved: conditions parsed, durations in µs. What judges them reads nothing else."""

from dataclasses import dataclass

from livekpi.definition.conditions import Condition
from livekpi.definition.model import AlertSpec


@dataclass(frozen=True, slots=True)
class Rule:
    """An alert rule ready to be judged, once a bucket, for each series of its dimensions."""

    name: str
    spec: AlertSpec
    when: Condition
    clear: Condition | None
    """The condition under which a firing alert stops; None: when `when` no longer holds."""
    by: tuple[str, ...]
    every_us: int
    """The bucket it is judged at: the largest of its KPIs'."""
    for_us: int
    keep_us: int
    digest: str
    """Of all that decides when it fires; alerts of a rule that was changed begin anew."""
