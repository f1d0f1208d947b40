"""Alert rules resolved: conditions parsed, calendars read, durations in µs. What judges them reads nothing else."""

from dataclasses import dataclass

from livekpi.definition.rules.calendars import Calendar
from livekpi.definition.rules.conditions import Condition, Question
from livekpi.definition.rules.summaries import Summary
from livekpi.definition.shape.alerting import AlertSpec


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
    """The bucket it is judged at: the largest of its KPIs', or the coarser one that is all that `keep` leaves of what it looks back to."""
    for_us: int
    """A multiple of the bucket, as is `keep_us`."""
    keep_us: int
    only: tuple[Calendar, ...]
    """Inside which it may fire; empty: always."""
    except_: tuple[Calendar, ...]
    """Inside which it does not."""
    ready: float
    """The share of a bucket's events usually arrived at which it is judged, above 0.5."""
    summary: Summary | None
    digest: str
    """Of all that decides when it fires; alerts of a rule that was changed begin anew."""

    def open(self, at_us: int) -> bool:
        """Whether its calendars let it fire at a time, µs since the epoch."""
        inside = not self.only or any(calendar.open(at_us) for calendar in self.only)
        return inside and not any(calendar.open(at_us) for calendar in self.except_)

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All that is judged of it: when it begins to hold, and when it stops."""
        return (self.when,) if self.clear is None else (self.when, self.clear)

    @property
    def asks_absence(self) -> bool:
        """Whether it asks of what does not come."""
        return any(condition.asks_absence for condition in self.conditions)

    @property
    def questions(self) -> tuple[Question, ...]:
        """What its conditions ask, each once."""
        return tuple(dict.fromkeys(question for condition in self.conditions for question in condition.questions))

    @property
    def kpis(self) -> frozenset[str]:
        """The KPIs that it asks."""
        return frozenset(question.kpi for question in self.questions)

    @property
    def title(self) -> str:
        """What people call it."""
        return self.spec.title or self.name
