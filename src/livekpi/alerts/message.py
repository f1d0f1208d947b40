"""What is told of alerts, before any receiver's form of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["firing", "resolved"]
Note = Literal["", "late", "corrected"]
Severity = Literal["critical", "error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "error", "warning", "info")
"""Worst first."""


@dataclass(frozen=True)
class Notice:
    """One alert, as it is at the time of telling."""

    key: str
    """The same for all that is told of one firing of one rule at one series: by it a receiver drops a repeat."""
    rule: str
    severity: Severity
    status: Status
    starts_us: int
    """When the condition had held for long enough, in event time."""
    ends_us: int | None
    """When it ceased; None while it fires."""
    series: Mapping[str, str | None]
    """The dimensions of the series, as text."""
    value: float | None
    """The number that the condition looks at first, in the last bucket in which the condition held."""
    summary: str
    unit: str | None = None
    """The number's, as the definition has it."""
    threshold: float | None = None
    """What the number is compared with, where the condition is no more than that."""
    note: Note = ""
    """`late`: it became true by events that came late. `corrected`: by such events it turned out never to have been true."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """The rule's own labels."""
    runbook: str | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    """Addresses by what they show, such as the KPI's page."""


@dataclass(frozen=True)
class Message:
    """What a receiver is told at once: one rule's alerts that fire, and those that have just stopped."""

    key: str
    """The same for all messages about one rule from its first alert that fires to its last that stops."""
    number: int
    """Unique; a repeat of the same message has the same."""
    rule: str
    at_us: int
    """When it was written."""
    notices: tuple[Notice, ...]
    """Those that fire first, and of these the worst first; at least one."""
    acknowledged_by: str | None = None
    """Who has said that they look after it."""
    begins: bool = False
    """Whether something in it is news that nobody looks after."""

    @property
    def firing(self) -> tuple[Notice, ...]:
        return tuple(notice for notice in self.notices if notice.status == "firing")

    @property
    def status(self) -> Status:
        """`firing` while one of its alerts does."""
        return "firing" if self.firing else "resolved"

    @property
    def worst(self) -> Notice:
        """The notice to name where there is room for one."""
        return self.notices[0]
